"""Deadlines are set, moved, lifted and told once, as the calendar and the facts have it."""

from datetime import timedelta

from tests.parts.deadlines.given import PARCEL, accept, dispatch, due, fire, move, rows, said
from tests.parts.world import World, counts, happened, put_parcel
from waystream.kernel.clock import FixedClock
from waystream.parts.deadlines import actions as deadlines
from waystream.parts.orders import actions as orders

HOUR = timedelta(hours=1)
PAID = "2026-11-12T14:32:00+08:00"  # as the tests' clock begins


def test_an_order_has_to_leave_within_the_usual_hours_after_payment(world: World, clock: FixedClock) -> None:
    order_id = accept(world, paid_at=PAID)
    assert due(world, "ship_by") == clock.now() + 48 * HOUR
    clock.advance(48 * HOUR - timedelta(seconds=1))
    assert fire(world) == 0
    clock.advance(timedelta(seconds=1))
    assert fire(world) == 1
    assert said(world) == [("ShipByMissed", f"order:{order_id}")]
    assert fire(world) == 0
    assert rows(world) == [("ship_by", "missed")]


def test_the_shops_own_time_goes_before_the_usual_one_and_may_move(world: World, clock: FixedClock) -> None:
    order_id = accept(world, paid_at=PAID, ship_by="2026-11-12T18:00:00+08:00")
    clock.advance(4 * HOUR)
    fire(world)
    assert said(world) == [("ShipByMissed", f"order:{order_id}")]
    accept(world, paid_at=PAID, ship_by="2026-11-13T18:00:00+08:00")
    assert rows(world) == [("ship_by", "open")]
    clock.advance(24 * HOUR)
    fire(world)
    assert [name for name, _ in said(world)] == ["ShipByMissed", "OrderCaughtUp", "ShipByMissed"]


def test_what_was_dispatched_whole_is_awaited_no_more(world: World, clock: FixedClock) -> None:
    order_id = accept(world, paid_at=PAID)
    with world.work.begin() as tx:
        put_parcel(tx, order_id, parcel_id=6, quantity=1)
        orders.derive(tx, [order_id])
        deadlines.follow_contents(tx, parcel_ids=[6])
    assert ("ship_by", "open") in rows(world), "a part of it is still here"
    with world.work.begin() as tx:
        put_parcel(tx, order_id, parcel_id=8, quantity=1)
        deadlines.follow_contents(tx, parcel_ids=[8])
    assert "ship_by" not in dict(rows(world))
    clock.advance(100 * HOUR)
    assert said(world) == []


def test_what_is_sent_again_is_not_late_by_its_first_day(world: World, clock: FixedClock) -> None:
    order_id = accept(world, paid_at=PAID)
    dispatch(world, order_id, parcel_id=6)
    clock.advance(100 * HOUR)
    with world.work.begin() as tx:
        tx.conn.execute("UPDATE parcel_line SET quantity = 1 WHERE parcel_id = 6")
        tx.conn.execute("UPDATE parcel SET replaced_by = 6 WHERE id = 6")
        deadlines.follow(tx, order_ids=[order_id])
    fire(world)
    assert "ShipByMissed" not in dict(said(world))


def test_what_left_late_has_caught_up(world: World, clock: FixedClock) -> None:
    order_id = accept(world, paid_at=PAID)
    clock.advance(49 * HOUR)
    fire(world)
    dispatch(world, order_id)
    assert rows(world) == [("collection", "open"), ("ship_by", "met")]
    assert said(world) == [("ShipByMissed", f"order:{order_id}"), ("OrderCaughtUp", f"order:{order_id}")]
    with world.work.begin() as tx:
        assert happened(tx)[-1][2] == {"kind": "ship_by", "met": True}


def test_a_cancelled_or_refunded_order_has_no_deadline(world: World, clock: FixedClock) -> None:
    order_id = accept(world, paid_at=PAID, promised_at="2026-11-15T20:00:00+08:00")
    accept(world, "A2", paid_at=PAID, refund="asked")
    assert rows(world) == [("promise", "open"), ("ship_by", "open")]
    with world.work.begin() as tx:
        orders.cancel(tx, [order_id], reason="x", actor="staff:1")
        deadlines.follow(tx, order_ids=[order_id])
    clock.advance(1000 * HOUR)
    assert fire(world) == 0
    assert rows(world) == [] and said(world) == []


def test_a_dispatched_parcel_is_to_be_collected_within_a_day(world: World, clock: FixedClock) -> None:
    dispatch(world, accept(world))
    assert due(world, "collection") == clock.now() + 24 * HOUR
    clock.advance(24 * HOUR)
    fire(world)
    assert said(world) == [("CollectionMissed", f"parcel:{PARCEL}")]
    move(world, "collected")
    assert said(world)[-1] == ("ParcelCaughtUp", f"parcel:{PARCEL}")
    move(world, "in_transit")
    assert rows(world) == [("collection", "met")] and len(said(world)) == 2


def test_a_collection_that_is_taken_back_is_awaited_again(world: World, clock: FixedClock) -> None:
    dispatch(world, accept(world))
    move(world, "collected")
    assert rows(world) == []
    move(world, "awaiting_collection")
    clock.advance(24 * HOUR)
    fire(world)
    assert said(world) == [("CollectionMissed", f"parcel:{PARCEL}")]


def test_a_parcel_waits_in_a_locker_from_its_first_scan_there(world: World, clock: FixedClock) -> None:
    dispatch(world, accept(world))
    move(world, "ready_for_pickup", kind="locker")
    until = due(world, "pickup")
    assert until == clock.now() + 48 * HOUR
    clock.advance(30 * HOUR)
    move(world, "ready_for_pickup", kind="locker")  # a reminder
    move(world, "exception", kind="locker_overdue")  # the carrier's own word
    assert due(world, "pickup") == until
    clock.advance(18 * HOUR)
    fire(world)
    assert said(world) == [("PickupOverdue", f"parcel:{PARCEL}")]
    move(world, "delivered", kind="locker")
    assert said(world)[1:] == [("ParcelCaughtUp", f"parcel:{PARCEL}")]


def test_a_promise_is_kept_by_delivering_all_of_it(world: World, clock: FixedClock) -> None:
    order_id = accept(world, promised_at="2026-11-13T14:32:00+08:00")
    dispatch(world, order_id)
    move(world, "in_transit")
    clock.advance(24 * HOUR)
    fire(world)
    assert said(world) == [("PromiseMissed", f"order:{order_id}")]
    move(world, "delivered", kind="in_person")
    assert said(world)[1:] == [("OrderCaughtUp", f"order:{order_id}")]


def test_the_sweep_looks_again_before_it_tells(world: World, clock: FixedClock) -> None:
    """The fact is there, and the rule that lifts the deadline has not read it yet."""
    order_id = accept(world, paid_at=PAID)
    dispatch(world, order_id)
    with world.work.begin() as tx:
        tx.conn.execute("UPDATE orders SET cancelled_at = %s", [tx.now])
        tx.conn.execute(
            """INSERT INTO track (parcel_id, shop_id, binding_id, state, collected_at, at, changed_at)
               VALUES (%(id)s, %(shop)s, %(id)s, 'collected', %(now)s, %(now)s, %(now)s)""",
            {"id": PARCEL, "shop": world.tea, "now": tx.now},
        )
    clock.advance(100 * HOUR)
    assert fire(world) == 1
    assert rows(world) == [] and said(world) == []


def test_following_again_changes_nothing(world: World, clock: FixedClock) -> None:
    order_id = accept(world, promised_at="2026-11-13T14:32:00+08:00")
    dispatch(world, order_id)
    clock.advance(25 * HOUR)
    fire(world)
    with world.work.begin() as tx:
        before = tx.conn.execute("SELECT * FROM deadline ORDER BY kind").fetchall()
        deadlines.follow_contents(tx, parcel_ids=[PARCEL])
        assert tx.conn.execute("SELECT * FROM deadline ORDER BY kind").fetchall() == before
        assert counts(tx, "deadline") == {"deadline": 2}
    assert len(said(world)) == 2
