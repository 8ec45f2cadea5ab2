"""A shipment of several pieces of which one has left: the rest follows its order, what left keeps its number."""

import pytest

from tests.parts.fulfilment.bench import Bench
from waystream.core.errors import Conflict
from waystream.parts.fulfilment import actions, cancels
from waystream.parts.orders import actions as orders


def half_gone(bench: Bench, leaving: int = 0) -> tuple[int, list[int]]:
    """An order, and its two pieces, of which one was dispatched."""
    [order_id] = bench.orders("A1")
    bench.ship(order_id, pieces=2)
    bench.drain()
    ids = [row[0] for row in bench.rows("SELECT id FROM parcel ORDER BY piece")]
    bench.run(lambda tx: actions.dispatch(tx, [ids[leaving]], by="scan", actor="staff:1"))
    bench.run(lambda tx: orders.derive(tx, [order_id]))
    return order_id, ids


def live_labels(bench: Bench) -> list[int]:
    return [row[0] for row in bench.rows("SELECT parcel_id FROM label WHERE voided_at IS NULL ORDER BY parcel_id")]


@pytest.mark.parametrize("leaving", [0, 1])
def test_a_refund_holds_the_piece_that_is_here_and_a_release_lets_it_go_on(bench: Bench, leaving: int) -> None:
    order_id, ids = half_gone(bench, leaving)
    here, gone = ids[1 - leaving], ids[leaving]
    bench.orders("A1", refund="asked")
    for _ in range(2):
        bench.follow(order_id)
    bench.drain()

    assert (bench.stage(here), bench.stage(gone)) == (("voided", "refund"), ("dispatched", ""))
    assert dict(bench.rows("SELECT parcel_id, state FROM binding")) == {here: "cancelling", gone: "live"}
    assert live_labels(bench) == [gone]
    assert bench.rows("SELECT parcel_id, take_id, state FROM waybill_cancel") == [(here, None, "unsupported")]
    assert bench.carrier.cancelled == []
    assert bench.broken() == []

    bench.orders("A1", refund="none")
    bench.follow(order_id)
    bench.drain()
    assert bench.stage(here) == ("issued", "")
    assert sorted(live_labels(bench)) == sorted(ids)
    assert len(bench.carrier.asked) == 1
    assert bench.broken() == []


def test_a_piece_that_will_not_leave_is_voided_alone(bench: Bench) -> None:
    order_id, (mother, child) = half_gone(bench)
    assert bench.rows("SELECT dispatch, word FROM orders") == [("part", "part_shipped")]
    with pytest.raises(Conflict, match="left the warehouse"):
        bench.run(lambda tx: actions.void(tx, [mother], reason="one will do", actor="staff:1"))
    bench.run(lambda tx: actions.void(tx, [child], reason="one will do", actor="staff:1"))
    bench.run(lambda tx: orders.derive(tx, [order_id]))

    assert (bench.stage(mother), bench.stage(child)) == (("dispatched", ""), ("voided", ""))
    assert bench.rows("SELECT dispatch, word FROM orders") == [("all", "shipped")]
    [(cancel_id,)] = bench.rows("SELECT id FROM waybill_cancel")
    bench.run(lambda tx: cancels.settle_by_hand(tx, cancel_id, "confirmed", reason="called them", actor="staff:1"))
    assert sorted(state for _, state in bench.bindings()) == ["cancelled", "live"]
    assert bench.broken() == []


def test_a_held_piece_keeps_the_order_open_until_it_is_settled(bench: Bench) -> None:
    """What waits on the shelf may still leave; what is void or whose number died never will."""
    order_id, (mother, child) = half_gone(bench)
    bench.orders("A1", refund="asked")
    bench.follow(order_id)
    bench.run(lambda tx: tx.conn.execute(
        """INSERT INTO track (parcel_id, shop_id, binding_id, state, kind, delivered_at, changed_at)
           SELECT parcel_id, shop_id, id, 'delivered', 'in_person', bound_at, bound_at FROM binding
           WHERE parcel_id = %s""", [mother]))  # fmt: skip
    bench.run(lambda tx: orders.derive(tx, [order_id]))
    assert bench.rows("SELECT dispatch, word FROM orders") == [("part", "part_delivered")]

    bench.run(lambda tx: actions.void(tx, [child], reason="one will do", actor="staff:1"))
    assert bench.events("ParcelVoided") == ["ParcelVoided"]
    bench.run(lambda tx: orders.derive(tx, [order_id]))
    assert bench.rows("SELECT dispatch, word FROM orders") == [("all", "completed")]


def test_a_piece_whose_number_died_is_void(bench: Bench) -> None:
    order_id, (_, child) = half_gone(bench)
    bench.orders("A1", refund="asked")
    bench.follow(order_id)
    [(cancel_id,)] = bench.rows("SELECT id FROM waybill_cancel")
    bench.run(lambda tx: cancels.settle_by_hand(tx, cancel_id, "confirmed", reason="called", actor="staff:1"))
    assert bench.stage(child) == ("voided", "")
    assert bench.events("ParcelVoided") == ["ParcelVoided"]


def test_pieces_that_are_here_are_settled_one_by_one(bench: Bench) -> None:
    """The carrier keeps one number, of the other it has said nothing: each piece is what its own number is."""
    [order_id] = bench.orders("A1")
    bench.ship(order_id, pieces=3)
    bench.drain()
    gone, second, third = (row[0] for row in bench.rows("SELECT id FROM parcel ORDER BY piece"))
    bench.run(lambda tx: actions.dispatch(tx, [gone], by="scan", actor="staff:1"))
    bench.orders("A1", refund="asked")
    bench.follow(order_id)
    [(cancel_id,)] = bench.rows("SELECT id FROM waybill_cancel WHERE parcel_id = %s", second)
    bench.run(lambda tx: cancels.settle_by_hand(tx, cancel_id, "refused", reason="called", actor="staff:1"))
    assert (bench.stage(second), bench.stage(third)) == (("issued", "refund"), ("voided", "refund"))
    assert bench.broken() == []

    bench.orders("A1", refund="none")
    bench.follow(order_id)
    assert (bench.stage(second), bench.stage(third)) == (("issued", ""), ("issued", ""))
    assert live_labels(bench) == sorted([gone, second, third])
    assert bench.broken() == []


def test_pieces_with_numbers_made_elsewhere_wait_for_each_other(bench: Bench) -> None:
    """One number is dead, of the other nobody knows: the family asks anew when both are dead."""
    [order_id] = bench.orders("A1")
    bench.ship(order_id, pieces=2)
    mother, child = (row[0] for row in bench.rows("SELECT id FROM parcel ORDER BY piece"))
    bench.run(lambda tx: actions.bind_foreign(
        tx, mother, carrier="SF", number="SF1111", children=["SF2222"], actor="staff:1"))  # fmt: skip
    bench.run(lambda tx: orders.hold(tx, [order_id], reason="check", actor="staff:1"))
    bench.follow(order_id)
    cancel_ids = dict(bench.rows("SELECT parcel_id, id FROM waybill_cancel"))

    def settle(parcel_id: int) -> None:
        bench.run(lambda tx: cancels.settle_by_hand(
            tx, cancel_ids[parcel_id], "confirmed", reason="called", actor="staff:1"))  # fmt: skip

    settle(mother)
    bench.run(lambda tx: orders.release(tx, [order_id], reason="fine", actor="staff:1"))
    bench.follow(order_id)
    bench.drain()
    assert (bench.stage(mother), bench.stage(child)) == (("asked", ""), ("asked", ""))
    assert bench.broken() == []
    settle(child)
    bench.drain()
    assert (bench.stage(mother), bench.stage(child)) == (("issued", ""), ("issued", ""))
    assert bench.broken() == []
