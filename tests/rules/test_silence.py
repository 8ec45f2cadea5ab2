"""What silence says becomes tickets: a parcel's own, or one incident for all that a slow-down holds."""

from datetime import timedelta

from tests.rules.side import Memory, Whole
from tests.rules.test_carrier_says import push
from tests.rules.test_deadlines import HOUR, leave, tickets
from tests.rules.test_ship_to_dispatch import ship
from waystream.core.events.silence import ParcelStalled, SlowdownBegan, SlowdownEnded
from waystream.kernel.clock import FixedClock
from waystream.kernel.tx import Tx
from waystream.parts.silence import actions as silence


def go_silent(whole: Whole, memory: Memory, clock: FixedClock) -> str:
    """A parcel that was collected and then is silent for two weeks; its number."""
    ship(whole, "A1")
    whole.settle()
    leave(whole)
    [number] = memory.alive()
    push(whole, number)
    watch(whole, clock, passed=timedelta(days=14))
    return number


def watch(whole: Whole, clock: FixedClock, *, passed: timedelta) -> None:
    """Found, asked for in vain, and stalled."""
    clock.advance(passed)
    for _ in range(2):
        whole.work.run(lambda tx: silence.watch(tx, wait=HOUR))
        whole.settle()
        clock.advance(HOUR)


def test_a_parcel_that_is_silent_too_long_has_a_ticket_until_it_is_scanned(
    whole: Whole, memory: Memory, clock: FixedClock
) -> None:
    number = go_silent(whole, memory, clock)
    assert tickets(whole) == [("stalled", "open")]
    push(whole, number, text="快件到达【杭州转运中心】", says="204")
    watch(whole, clock, passed=HOUR)
    assert tickets(whole) == [("stalled", "moved_on")]
    assert whole.broken() == []


def test_a_stall_told_twice_is_one_ticket(whole: Whole, memory: Memory, clock: FixedClock) -> None:
    go_silent(whole, memory, clock)
    [(shop_id, parcel_id, since, due_at)] = whole.rows("SELECT shop_id, parcel_id, silent_since, due_at FROM silence")
    again = ParcelStalled(shop_id=shop_id, parcel_id=parcel_id, silent_since=since, due_at=due_at)
    whole.work.run(lambda tx: tx.emit(again))
    whole.settle()
    assert tickets(whole) == [("stalled", "open")]


def test_who_is_held_by_a_slow_down_has_no_ticket_of_his_own(whole: Whole, memory: Memory, clock: FixedClock) -> None:
    ship(whole, "A1")
    whole.settle()
    leave(whole)
    [number] = memory.alive()
    push(whole, number)
    clock.advance(timedelta(days=4))  # overdue, but not for so long that it stands alone
    whole.work.run(silence.find)
    [(shop_id,)] = whole.rows("SELECT shop_id FROM silence")

    def slow(tx: Tx) -> int:
        tx.conn.execute(
            "INSERT INTO slowdown (carrier, place, began_at, silent, expected) VALUES ('ZTO', '', %s, 9, 1)", [tx.now]
        )
        tx.conn.execute("UPDATE silence SET slowdown_id = (SELECT id FROM slowdown)")
        row = tx.conn.execute("SELECT id FROM slowdown").fetchone()
        assert row is not None
        began = SlowdownBegan(shop_id=shop_id, slowdown_id=row[0], carrier="ZTO", place="", parcels=1)
        tx.emit(began)
        return int(row[0])

    slowdown_id = whole.work.run(slow)
    watch(whole, clock, passed=2 * HOUR)
    assert tickets(whole) == [("incident", "open")]
    ended = SlowdownEnded(shop_id=shop_id, slowdown_id=slowdown_id, carrier="ZTO", place="", parcels=1)
    whole.work.run(lambda tx: tx.emit(ended))
    whole.settle()
    assert tickets(whole) == [("incident", "cleared")]
