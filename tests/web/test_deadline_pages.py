"""Deadlines on pages, as a file and over the API: what is said, what is asked for, what nobody else sees."""

import csv
import io
import re

from tests.web.conftest import Office
from tests.web.test_pages import answer_of
from waystream.core.deadline import DeadlineKind
from waystream.parts.deadlines import jobs
from waystream.parts.deadlines import settings as deadline_settings
from waystream.parts.people.model import Role
from waystream.web.pages.deadlines import page as deadlines_page


def count(office: Office, kind: str, stand: str) -> int:
    return int(office.rows("SELECT count(*) FROM deadline WHERE kind = %s AND stand = %s", kind, stand)[0][0])


def fill(office: Office, n: int) -> None:
    """So many more orders to leave, all due at the same instant."""
    with office.context.machine.begin() as tx:
        tx.conn.execute(
            """INSERT INTO deadline (subject_id, kind, shop_id, warehouse_id, since, due_at, stand)
               SELECT 1000 + n, 'ship_by', %s, %s, %s, %s, 'open' FROM generate_series(1, %s) AS n""",
            [office.world.shop_ids[0], office.world.warehouse_id, tx.now, tx.now, n],
        )


def test_the_answer_counts_what_has_to_leave_and_what_is_late(office: Office) -> None:
    owner = office.hire()
    missed, due = count(office, "ship_by", "missed"), count(office, "ship_by", "open")
    said = answer_of(owner.get("/deadlines?within=any").text)
    late = f", {missed} of them late already." if missed else "; none is late."
    assert said == f"Orders to leave: {missed + due}{late}"
    chinese = owner.client.get("/deadlines?within=any", headers={"accept": "text/html", "accept-language": "zh"})
    assert chinese.status_code == 200
    office.rows("DELETE FROM deadline RETURNING 1")
    assert answer_of(owner.get("/deadlines").text) == "Nothing has to leave before midnight, and nothing is late."
    assert answer_of(owner.get("/deadlines?kind=verification").text) == "No delivery is in doubt."


def test_a_doubtful_delivery_says_what_is_wrong_with_it(office: Office) -> None:
    page = office.hire().get("/deadlines?kind=verification").text
    assert answer_of(page) == "1 delivery cannot be as the carrier says: ask the buyer first."
    assert "signed for in another city" in page
    assert len(re.findall(r'href="/orders/\d+#parcel-\d+"', page)) == 1


def test_filters_lie_in_the_address_and_nonsense_is_as_if_it_were_not_there(office: Office) -> None:
    owner = office.hire()
    assert owner.get("/deadlines?kind=x&stand=y&within=z&shop=q&after=r").status_code == 200
    open_only = owner.get("/deadlines?kind=promise&stand=open&within=any").text
    assert "Missed" not in re.sub(r"<option.*?</option>|<nav.*?</nav>|<details.*?</details>", "", open_only, flags=re.S)
    assert owner.get(f"/deadlines?shop={2**63}").status_code == 200


def test_pages_go_on_where_the_last_ended_though_all_are_due_at_once(office: Office) -> None:
    fill(office, 60)
    owner, address, seen = office.hire(), "/deadlines?within=any", 0
    for _ in range(10):
        page = owner.get(address).text
        seen += page.count('<td class="state">')
        following = re.search(r'href="(/deadlines\?[^"]*after=[^"]+)"', page)
        if following is None:
            break
        address = following[1].replace("&amp;", "&")
    assert seen == count(office, "ship_by", "open") + count(office, "ship_by", "missed")


def test_the_file_is_the_list(office: Office, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(deadlines_page, "BATCH_ROWS", 7)
    fill(office, 30)
    answer = office.hire().get("/deadlines.csv?within=any")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][:3] == ["Awaited", "State", "Due"]
    assert len(rows) - 1 == count(office, "ship_by", "open") + count(office, "ship_by", "missed")
    assert {row[0] for row in rows[1:]} == {"To leave"}
    assert "no-store" in answer.headers["cache-control"]


def test_nobody_sees_the_deadlines_of_another_shop_or_warehouse(office: Office) -> None:
    first, second = office.world.shop_ids
    house = office.world.warehouse_id
    fill(office, 3)
    [(other,)] = office.rows(
        """INSERT INTO warehouse (code, name, province, city, district, key_id, sealed, contact_mask, created_at)
           SELECT 'w2', 'elsewhere', province, city, district, key_id, sealed, contact_mask, created_at FROM warehouse
           WHERE id = %s RETURNING id""",
        house,
    )
    seen = {
        who: {kind: _lines(caller.get(f"/deadlines.csv?kind={kind}&within=any").text) for kind in DeadlineKind}
        for who, caller in {
            "all": office.hire(),
            "second": office.hire(Role.CARE, shops=(second,)),
            "house": office.hire(Role.WAREHOUSE, warehouses=(house,)),
            "other": office.hire(Role.WAREHOUSE, warehouses=(other,)),
        }.items()
    }
    [(name,)] = office.rows("SELECT name FROM shop WHERE id = %s", second)
    for kind in DeadlineKind:
        assert seen["second"][kind] == [row for row in seen["all"][kind] if row[7] == name]
        assert seen["house"][kind] == seen["all"][kind] and seen["other"][kind] == []
    assert len(seen["all"][DeadlineKind.SHIP_BY]) > len(seen["second"][DeadlineKind.SHIP_BY]) + 2
    [answer] = {answer_of(office.hire(Role.CARE, shops=(second,)).get(f"/deadlines?shop={first}&within=any").text)}
    assert answer == "Nothing has to leave."


def _lines(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))[1:]


def test_hours_are_set_refused_and_applied(office: Office) -> None:
    owner, shop = office.hire(), office.world.shop_ids[0]
    at = f"/deadlines/settings/{shop}"
    watched = [kind.value for kind in DeadlineKind if kind is not DeadlineKind.PICKUP]
    good = {"ship_by_h": "72", "collection_h": "12", "pickup_h": "48", "watched": watched}
    refused = owner.post(at, **(good | {"collection_h": "0"}))
    assert refused.status_code == 422 and "between 1 and 720 hours" in refused.text
    assert owner.post(at, **(good | {"watched": ["x"]})).status_code == 422
    assert owner.post(at, **good).status_code == 303
    assert office.rows("SELECT ship_by_h, collection_h, off FROM deadline_setting") == [(72, 12, ["pickup"])]
    assert office.rows("SELECT kind, shop_id FROM job WHERE kind = %s", jobs.FollowDeadlines().kind) == [
        (deadline_settings.FOLLOW, shop)
    ]
    [(action, detail)] = office.rows("SELECT action, detail FROM audit WHERE action = 'set_deadlines'")
    assert (action, detail["off"]) == ("set_deadlines", "pickup")
    assert "72" in owner.get("/deadlines/settings").text


def test_hours_are_a_shops_own(office: Office) -> None:
    first, second = office.world.shop_ids
    good = {"ship_by_h": "72", "collection_h": "12", "pickup_h": "48"}
    assert office.hire(shops=(second,)).post(f"/deadlines/settings/{first}", **good).status_code == 404
    assert office.hire(Role.CARE).post(f"/deadlines/settings/{first}", **good).status_code == 403
    assert office.rows("SELECT FROM deadline_setting") == []
