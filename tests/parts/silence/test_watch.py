"""Who is overdue is asked for first; who stays silent is stalled; who is scanned again has stirred."""

from collections.abc import Callable
from datetime import timedelta

from tests.parts.silence.conftest import WAIT
from tests.parts.tracking.conftest import Push, Rows
from tests.parts.tracking.given import Bound, at, told, trace
from waystream.core.patience import NOT_WATCHED
from waystream.core.state import State
from waystream.kernel.clock import FixedClock
from waystream.kernel.tx import Work
from waystream.parts.silence import actions
from waystream.parts.tracking import outages, store_inquiries

Sweep = Callable[[], int]
OPEN = "SELECT state, stage, silent_since, due_at FROM silence WHERE state IN ('asked', 'stalled')"


def events(rows: Rows) -> list[str]:
    return rows("SELECT name FROM event WHERE name ~ '(Overdue|Stalled|Stirred)$' ORDER BY id")


def test_nothing_is_found_before_the_due_time(parcel: Bound, push: Push, clock: FixedClock, sweep: Sweep) -> None:
    push(told("YT1", 10, trace(8, "1")))
    clock.jump(at(8 + 48))
    assert sweep() == 0
    clock.advance(timedelta(seconds=1))
    assert sweep() == 1
    assert sweep() == 0


def test_an_overdue_scan_is_asked_for_before_anybody_is_alarmed(
    parcel: Bound, push: Push, clock: FixedClock, sweep: Sweep, rows: Rows
) -> None:
    push(told("YT1", 10, trace(8, "1"), trace(9, "204")))
    clock.jump(at(58))
    sweep()
    assert rows(OPEN) == [("asked", "in_transit", at(9), at(57))]
    assert events(rows) == ["ScanOverdue"]
    clock.advance(WAIT - timedelta(seconds=1))
    sweep()
    assert events(rows) == ["ScanOverdue"]
    clock.advance(timedelta(seconds=1))
    assert sweep() == 1
    assert sweep() == 0
    assert rows(OPEN) == [("stalled", "in_transit", at(9), at(57))]
    assert events(rows) == ["ScanOverdue", "ParcelStalled"]


def test_an_answer_with_nothing_new_ends_the_waiting(
    work: Work, parcel: Bound, push: Push, clock: FixedClock, sweep: Sweep, rows: Rows
) -> None:
    push(told("YT1", 10, trace(8, "1")))
    clock.jump(at(58))
    sweep()
    assert work.run(lambda tx: outages.ask_for(tx, [parcel.parcel_id])) == 1
    assert work.run(lambda tx: outages.ask_for(tx, [parcel.parcel_id])) == 0
    assert rows("SELECT kind, subject FROM job") == [("ask_carrier", f"parcel:{parcel.parcel_id}")]
    [inquiry_id] = rows("SELECT id FROM inquiry")
    work.run(lambda tx: store_inquiries.set_asked(tx.conn, inquiry_id, at=tx.now))
    sweep()
    assert events(rows) == ["ScanOverdue"]
    work.run(lambda tx: store_inquiries.settle(tx.conn, inquiry_id, "unchanged"))
    sweep()
    assert events(rows) == ["ScanOverdue", "ParcelStalled"]


def test_a_scan_that_was_only_missed_alarms_nobody(
    parcel: Bound, push: Push, clock: FixedClock, sweep: Sweep, rows: Rows
) -> None:
    push(told("YT1", 10, trace(8, "1")))
    clock.jump(at(58))
    sweep()
    push(told("YT1", 58, trace(8, "1"), trace(40, "204")))
    clock.advance(WAIT)
    sweep()
    assert events(rows) == ["ScanOverdue"]
    assert rows("SELECT state, ended_at FROM silence") == [("heard", clock.now())]


def test_a_scan_stirs_a_stalled_parcel_though_its_state_stays(
    parcel: Bound, push: Push, clock: FixedClock, sweep: Sweep, rows: Rows
) -> None:
    push(told("YT1", 10, trace(8, "1"), trace(9, "204")))
    clock.jump(at(58))
    sweep()
    clock.advance(WAIT)
    sweep()
    moved = rows("SELECT count(*) FROM event WHERE name = 'ParcelMoved'")
    push(told("YT1", 61, trace(8, "1"), trace(9, "204"), trace(60.5, "204", "another hub")))
    assert rows("SELECT count(*) FROM event WHERE name = 'ParcelMoved'") == moved
    sweep()
    assert events(rows) == ["ScanOverdue", "ParcelStalled", "ParcelStirred"]
    assert rows("SELECT state FROM silence") == ["stirred"]
    clock.jump(at(120))
    sweep()
    assert rows(OPEN.replace(", due_at", "")) == [("asked", "in_transit", at(60.5))]


def test_a_claim_is_no_scan(parcel: Bound, push: Push, clock: FixedClock, sweep: Sweep, rows: Rows) -> None:
    """滞留 is what the network makes of the same silence: it stirs nothing."""
    push(told("YT1", 10, trace(8, "1"), trace(9, "204")))
    clock.jump(at(58))
    sweep()
    push(told("YT1", 58, trace(8, "1"), trace(9, "204"), claim="403"))
    clock.advance(WAIT)
    sweep()
    sweep()
    assert events(rows) == ["ScanOverdue", "ParcelStalled"]


def test_what_nobody_collected_or_waits_in_a_locker_is_not_watched(
    work: Work, parcel: Bound, push: Push, clock: FixedClock, sweep: Sweep, rows: Rows
) -> None:
    push(told("YT1", 10, trace(8, "1"), trace(9, "211")))
    clock.jump(at(9 + 100))
    assert sweep() == 0
    assert {State.READY_FOR_PICKUP, State.AWAITING_COLLECTION} <= NOT_WATCHED


def test_a_parcel_somebody_decides_about_is_over(
    work: Work, parcel: Bound, push: Push, clock: FixedClock, sweep: Sweep, rows: Rows
) -> None:
    push(told("YT1", 10, trace(8, "1")))
    clock.jump(at(58))
    sweep()
    clock.advance(WAIT)
    sweep()
    work.run(lambda tx: tx.conn.execute("UPDATE track SET state = 'lost', due_at = NULL"))
    sweep()
    assert events(rows) == ["ScanOverdue", "ParcelStalled"]
    assert rows("SELECT state FROM silence") == ["over"]


def test_what_somebody_else_holds_is_left_for_the_next_time(
    work: Work, parcel: Bound, push: Push, clock: FixedClock, sweep: Sweep
) -> None:
    push(told("YT1", 10, trace(8, "1")))
    clock.jump(at(58))
    with work.begin() as tx:
        tx.conn.execute("SELECT FROM track FOR NO KEY UPDATE")
        assert sweep() == 0
    assert sweep() == 1
    with work.begin() as tx:
        assert actions.list_slowed(tx, [parcel.parcel_id]) == {}
