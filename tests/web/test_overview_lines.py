"""The overview's line of invariants, its page, and the lines drawn by the hour."""

import html
import re
from datetime import timedelta

from tests.web.conftest import Office
from waystream.core.events.tracking import ExceptionRaised
from waystream.core.state import Direction, Kind, State
from waystream.kernel.tx import Tx
from waystream.parts.findings import actions as findings
from waystream.parts.findings.model import Checked
from waystream.web.pages.overview import store
from waystream.web.pages.overview.spark import draw_spark


def note(office: Office, name: str, *broken: str, times: int = 1) -> None:
    checked = Checked(name, f"{name} always holds.", f"{name} 始终成立。", broken, 0.01)
    for _ in range(times):
        office.context.machine.run(lambda tx: findings.note(tx, checked))


def test_the_line_says_that_all_hold_or_which_one_does_not(office: Office) -> None:
    person = office.hire()
    assert "Invariants: not checked yet" in person.get("/").text
    note(office, "one")
    note(office, "two")
    assert "Invariants: 2 hold" in read(office)
    note(office, "two", "parcel 7", times=2)
    assert re.search(r"Broken for [^<]*: two always holds\.", read(office))
    note(office, "one", "parcel 8", times=2)
    assert "2 invariants are broken" in read(office)


def read(office: Office) -> str:
    """The overview as somebody sees it who was not here before: what was read a moment ago is not told."""
    del office.app.state.overview
    return html.unescape(office.hire().get("/").text)


def test_the_page_names_what_breaks_it_for_who_sees_every_shop(office: Office) -> None:
    note(office, "one")
    note(office, "two", "parcel 7", times=2)
    page = office.hire().get("/invariants").text
    assert "1 sentence that must always hold does not" in page
    assert "parcel 7" in page
    limited = office.hire(shops=(office.world.shop_ids[1],)).get("/invariants").text
    assert "two always holds." in limited
    assert "parcel 7" not in limited


def test_an_empty_page_says_so(empty_office: Office) -> None:
    assert "Nothing checked yet" in empty_office.hire().get("/invariants").text


def test_lines_are_drawn_from_the_tally_by_the_hour(office: Office) -> None:
    def raise_two(tx: Tx) -> None:
        tx.conn.execute("DELETE FROM tally WHERE what = 'passed'")
        tx.emit(*(
            ExceptionRaised(shop_id=office.world.shop_ids[0], parcel_id=parcel, before=State.IN_TRANSIT,
                            after=State.EXCEPTION, kind=Kind.STALLED, direction=Direction.OUT, at=tx.now, because="")
            for parcel in office.world.parcel_ids[:2]
        ))  # fmt: skip
        tx.conn.execute(
            """INSERT INTO tally (what, shop_id, warehouse_id, carrier, word, kind, slot, n)
               SELECT 'passed', %(shop)s, 0, '', 'dispatched', '', quarter(%(now)s - hours * interval '1 hour'),
                      hours + 1
               FROM unnest(ARRAY[0, 3, 23, 24]) AS hours""",
            {"shop": office.world.shop_ids[0], "now": tx.now},
        )

    office.context.machine.run(raise_two)
    with office.context.machine.begin() as tx:
        quarters = store.list_quarters(tx.conn, since=tx.now - timedelta(days=2))
        counts = store.count_by_hour(quarters, until=tx.now)
        later = store.count_by_hour(quarters, until=tx.now + timedelta(hours=1))
    assert counts["exception"] == [0] * 23 + [2]
    assert counts["dispatched"] == [24, *[0] * 19, 4, 0, 0, 1], "what is 24 hours old is gone"
    assert later["dispatched"][-2] == 1
    page = office.hire().get("/").text
    assert "Parcels dispatched, by the hour of the last 24; most in one: 24" in page
    assert "Exceptions and failed attempts, by the hour of the last 24; most in one: 2" in page
    assert not re.search(r"<svg[^>]*>\s*<script", page)


def test_a_line_runs_from_the_first_to_the_last_and_a_flat_one_is_not_drawn() -> None:
    spark = draw_spark([0, 5, 10], "orders")
    assert spark is not None
    assert (spark.path, spark.x, spark.y) == ("M0.0 20.0L24.0 11.0L48.0 2.0", "48.0", "2.0")
    assert draw_spark([0, 0], "orders") is None
    assert draw_spark([3], "orders") is None
