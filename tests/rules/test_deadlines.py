"""What the calendar says becomes tickets, and closes them, with every rule over the real wire."""

from datetime import timedelta

from tests.parts.world import order
from tests.rules.side import Memory, Whole
from tests.rules.test_carrier_says import push
from tests.rules.test_ship_to_dispatch import ship
from waystream.core.events.fulfilment import CancelledNumberScanned, SubscriptionDied
from waystream.kernel.clock import FixedClock
from waystream.parts.deadlines import actions as deadlines
from waystream.parts.fulfilment import actions as fulfilment
from waystream.parts.hub.actions import GAVE_UP
from waystream.parts.orders import actions as orders

HOUR = timedelta(hours=1)
PAID = "2026-11-12T14:32:00+08:00"  # as the tests' clock begins


def pass_time(whole: Whole, clock: FixedClock, passed: timedelta) -> None:
    clock.advance(passed)
    whole.work.run(deadlines.fire_due)
    whole.settle()


def tickets(whole: Whole) -> list[tuple[str, str]]:
    return whole.rows("SELECT cause, CASE state WHEN 'closed' THEN ending ELSE 'open' END FROM ticket ORDER BY cause")


def leave(whole: Whole) -> int:
    [(parcel_id,)] = whole.rows("SELECT id FROM parcel")
    whole.work.run(lambda tx: fulfilment.dispatch(tx, [parcel_id], by="scan", actor="staff:1"))
    whole.settle()
    return parcel_id


def test_an_order_that_did_not_leave_in_time_has_a_ticket_until_it_leaves(whole: Whole, clock: FixedClock) -> None:
    ship(whole, "A1", paid_at=PAID)
    whole.settle()
    pass_time(whole, clock, 48 * HOUR)
    assert tickets(whole) == [("not_dispatched", "open")]
    pass_time(whole, clock, 10 * HOUR)
    leave(whole)
    assert tickets(whole) == [("not_dispatched", "dispatched")]
    assert whole.rows("SELECT kind, stand FROM deadline ORDER BY kind") == [("collection", "open"), ("ship_by", "met")]
    assert whole.broken() == []


def test_a_ticket_goes_when_the_shop_gives_more_time(whole: Whole, clock: FixedClock) -> None:
    ship(whole, "A1", paid_at=PAID, ship_by="2026-11-12T16:00:00+08:00")
    whole.settle()
    pass_time(whole, clock, 2 * HOUR)
    with whole.work.begin() as tx:
        orders.accept(tx, [order("A1", paid_at=PAID, ship_by="2026-11-20T16:00:00+08:00")])
    whole.settle()
    assert tickets(whole) == [("not_dispatched", "retracted")]
    assert whole.rows("SELECT stand FROM deadline") == [("open",)]


def test_a_parcel_nobody_collects_has_a_ticket_until_somebody_does(
    whole: Whole, memory: Memory, clock: FixedClock
) -> None:
    ship(whole, "A1", paid_at=PAID)
    whole.settle()
    leave(whole)
    pass_time(whole, clock, 24 * HOUR)
    assert tickets(whole) == [("not_collected", "open")]
    [number] = memory.alive()
    push(whole, number)
    assert tickets(whole) == [("not_collected", "collected")]
    assert whole.broken() == []


def test_a_parcel_that_waits_too_long_in_a_locker_has_a_ticket_until_it_is_fetched(
    whole: Whole, memory: Memory, clock: FixedClock
) -> None:
    ship(whole, "A1", paid_at=PAID)
    whole.settle()
    leave(whole)
    [number] = memory.alive()
    push(whole, number)
    clock.advance(HOUR)
    push(whole, number, text="快件已存放至丰巢快递柜，请及时取件", says="211")
    assert whole.rows("SELECT state FROM track") == [("ready_for_pickup",)]
    pass_time(whole, clock, 48 * HOUR)
    assert tickets(whole) == [("locker_overdue", "open")]
    push(whole, number, text="客户已取件，签收", says="304")
    assert tickets(whole) == [("locker_overdue", "delivered")]
    assert whole.broken() == []


def test_a_dead_subscription_is_a_ticket_only_where_nothing_renews_it(whole: Whole) -> None:
    ship(whole, "A1", paid_at=PAID)
    whole.settle()
    [(binding_id, parcel_id)] = whole.rows("SELECT id, parcel_id FROM binding")

    def die(reason: str) -> None:
        event = SubscriptionDied(shop_id=whole.world.tea, parcel_id=parcel_id, binding_id=binding_id, reason=reason)
        whole.work.run(lambda tx: tx.emit(event))
        whole.settle()

    die("no trace for days")
    assert tickets(whole) == []
    die(GAVE_UP)
    assert tickets(whole) == [("subscription_dead", "open")]


def test_a_scanned_number_that_was_cancelled_is_a_ticket(whole: Whole) -> None:
    ship(whole, "A1", paid_at=PAID)
    whole.settle()
    [(binding_id, parcel_id)] = whole.rows("SELECT id, parcel_id FROM binding")
    event = CancelledNumberScanned(shop_id=whole.world.tea, parcel_id=parcel_id, binding_id=binding_id)
    whole.work.run(lambda tx: tx.emit(event))
    whole.settle()
    assert tickets(whole) == [("cancelled_number_scanned", "open")]
