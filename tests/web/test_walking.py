"""Lists that people and programs walk to their end: every row once, in order, whatever the size of a page."""

import re
from typing import Any

import pytest

from tests.web.conftest import Office, Person
from tests.web.sample_silence import make_silence
from tests.web.test_new_pages import change, wait
from waystream.web.pages.silence import page as silence
from waystream.web.pages.strangers import page as strangers

FEW = 2


def walk(person: Person, path: str, rows: str) -> list[dict[str, Any]]:
    """All rows of a resource, page by page."""
    seen: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        assert len(seen) < 100
        sign = "&" if "?" in path else "?"
        page = person.get(f"{path}{sign}limit={FEW}&after={after}", accept="application/json").json()
        assert len(page[rows]) <= FEW
        seen += page[rows]
        after = page["after"]
    return seen


def turn(person: Person, path: str, shown: str) -> list[list[str]]:
    """What each page of a list shows, until there is no next one."""
    pages: list[list[str]] = []
    while path:
        assert len(pages) < 20
        text = person.get(path).text
        pages.append(re.findall(shown, text))
        following = re.search(r'href="([^"]+)" rel="next"', text)
        path = following[1].replace("&amp;", "&").partition("#")[0] if following else ""
    return pages


def put_cancels(office: Office) -> None:
    change(
        office,
        """INSERT INTO waybill_cancel (id, parcel_id, shop_id, carrier, number, state, reason, asked_at)
           SELECT nth, parcel.id, shop_id, carrier, 'YT87' || nth, 'unsupported', 'torn', created_at
           FROM (SELECT * FROM parcel ORDER BY id LIMIT 1) AS parcel, generate_series(1, 5) AS nth""",
    )


def put_disputes(office: Office) -> None:
    """Five of one parcel, seen in one instant, their keys of either sign."""
    change(
        office,
        """INSERT INTO disputed_scan (number, carrier, key, parcel_id, shop_id, at, text, code, inbox_id, seen_at)
           SELECT 'N' || nth, 'YTO', nth, id, shop_id, created_at, '已收件', '1', 1, created_at
           FROM (SELECT * FROM parcel ORDER BY id LIMIT 1) AS parcel, generate_series(-2, 2) AS nth""",
    )


def test_cancels_to_call_about(office: Office) -> None:
    put_cancels(office)
    seen = walk(office.hire(), "/api/cancels", "cancels")
    assert [each["number"] for each in seen] == ["YT871", "YT872", "YT873", "YT874", "YT875"]


def test_who_is_limited_to_a_warehouse_finds_what_lies_behind_the_others_rows(office: Office) -> None:
    put_cancels(office)
    [(other,)] = office.rows(
        """INSERT INTO warehouse (code, name, province, city, district, key_id, sealed, contact_mask, created_at)
           SELECT 'w2', 'w2', province, city, district, key_id, sealed, contact_mask, created_at FROM warehouse
           RETURNING id"""
    )
    change(office, "UPDATE parcel SET warehouse_id = %s WHERE id = (SELECT max(id) FROM parcel)", other)
    change(office, "UPDATE waybill_cancel SET parcel_id = (SELECT max(id) FROM parcel) WHERE id = 5")
    answer = office.hire(warehouses=(other,)).get("/api/cancels?limit=1", accept="application/json").json()
    assert ([each["number"] for each in answer["cancels"]], answer["after"]) == (["YT875"], None)


def test_attempts_nobody_is_sure_of(office: Office) -> None:
    change(
        office,
        """UPDATE take SET state = 'conflict', asked_at = created_at
           WHERE id IN (SELECT id FROM take WHERE state = 'bound' ORDER BY id LIMIT 4)""",
    )
    seen = [each["id"] for each in walk(office.hire(), "/api/takes/unclear", "takes")]
    expected = office.rows("SELECT id::text FROM take WHERE state IN ('doubt', 'conflict') ORDER BY created_at, id")
    assert seen == [row[0] for row in expected] and len(seen) == 5


def test_numbers_never_collected(office: Office) -> None:
    wait(office, days=9)
    seen = [each["number"] for each in walk(office.hire(), "/api/numbers/unused", "numbers")]
    expected = office.rows(
        """SELECT number FROM binding LEFT JOIN track USING (parcel_id)
           WHERE binding.state = 'live' AND collected_at IS NULL ORDER BY bound_at, binding.id"""
    )
    assert seen == [row[0] for row in expected] and len(seen) > FEW


def test_scans_in_dispute(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    put_disputes(office)
    newest_first = ["N2", "N1", "N0", "N-1", "N-2"]
    person = office.hire()
    assert [each["number"] for each in walk(person, "/api/disputed-scans", "scans")] == newest_first
    monkeypatch.setattr(strangers, "SHOWN", FEW)
    assert turn(person, "/strangers?view=disputed", r">(N-?\d)<") == [["N2", "N1"], ["N0", "N-1"], ["N-2"]]


@pytest.mark.parametrize("after", ["x", "1.000000-1", "1.000000-1~", "1.000000-1~-", f"1.000000-1~{2**63}"])
def test_a_place_that_is_none_is_said(office: Office, after: str) -> None:
    answer = office.hire().get(f"/api/disputed-scans?after={after}", accept="application/json")
    assert answer.status_code == 422


def test_silent_parcels(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.context.machine.run(lambda tx: make_silence(tx, office.world))
    change(office, "UPDATE silence SET slowdown_id = NULL")
    monkeypatch.setattr(silence, "SHOWN", 3)
    pages = turn(office.hire(), "/silence", r'class="no"><a href="([^"]+)"')
    expected = office.rows(
        """SELECT '/parcels/' || parcel_id FROM silence WHERE state IN ('asked', 'stalled')
           ORDER BY silent_since, parcel_id"""
    )
    assert [len(page) for page in pages] == [3, 1]
    assert [href for page in pages for href in page] == [row[0] for row in expected]
