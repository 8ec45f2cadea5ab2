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
