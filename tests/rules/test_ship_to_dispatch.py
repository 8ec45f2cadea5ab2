"""From "ship" to "left the warehouse" with every rule, over Kdniao's real wire."""

from pathlib import Path

from tests.parts.world import order, raw_order
from tests.rules.side import Memory, Whole
from waystream.parts.fulfilment import actions as fulfilment
from waystream.parts.fulfilment.model import ShipOrders
from waystream.parts.orders import actions as orders
from waystream.parts.orders import erasing


def ship(whole: Whole, *numbers: str, **given: object) -> list[int]:
    with whole.work.begin() as tx:
        ids = [answer.order_id for answer in orders.accept(tx, [order(number, **given) for number in numbers])]
    whole.work.run(lambda tx: fulfilment.ship(tx, ShipOrders(tuple(ids)), actor="staff:1"))
    return ids


def test_shipped_orders_are_numbered_labelled_printed_watched_and_dispatched(
    whole: Whole, memory: Memory, tmp_path: Path
) -> None:
    whole.rows("UPDATE warehouse SET dispatch_by = 'print' RETURNING 1")
    ids = ship(whole, "A1", "A2", payment="cod", cod_fen=9800, paid_at=None)

    whole.settle()

    assert whole.rows("SELECT stage, dispatched_by FROM parcel") == [("dispatched", "print")] * 2
    assert {number for (number,) in whole.rows("SELECT number FROM binding WHERE state = 'live'")} == memory.alive()
    assert len(list(tmp_path.glob("*.pdf"))) == 2
    assert whole.rows("SELECT state FROM subscription") == [("live",)] * 2
    assert len(memory.subscriptions) == 2
    assert whole.rows("SELECT source, routing ? 'mark' FROM label") == [("carrier", True)] * 2
    assert whole.rows("SELECT word, dispatch FROM orders WHERE id = ANY(%s)", ids) == [("shipped", "all")] * 2
    assert whole.rows("SELECT state FROM track") == [("awaiting_collection",)] * 2
    assert whole.rows("SELECT * FROM parked") == []
    assert whole.broken() == []


def test_an_order_cancelled_before_it_leaves_gives_everything_back(whole: Whole, memory: Memory) -> None:
    [order_id] = ship(whole, "A1")
    whole.settle()
    whole.work.run(lambda tx: orders.cancel(tx, [order_id], reason="mistake", actor="staff:1"))

    whole.settle()

    assert whole.rows("SELECT stage, held_reason FROM parcel") == [("voided", "")]
    assert whole.rows("SELECT state FROM binding") == [("cancelled",)]
    assert memory.alive() == set()
    assert whole.rows("SELECT word FROM orders") == [("closed",)]
    assert whole.broken() == []


def test_a_changed_address_gets_a_new_number_and_paper_by_itself(whole: Whole, memory: Memory, tmp_path: Path) -> None:
    ship(whole, "A1")
    whole.settle()
    with whole.work.begin() as tx:
        orders.accept(tx, [order("A1", receiver=raw_order()["receiver"] | {"city": "绵阳市"})])

    whole.settle()

    assert whole.rows("SELECT state FROM binding ORDER BY id") == [("cancelled",), ("live",)]
    assert {number for (number,) in whole.rows("SELECT number FROM binding WHERE state = 'live'")} == memory.alive()
    assert len(list(tmp_path.glob("*.pdf"))) == 2
    assert whole.rows("SELECT stage FROM parcel") == [("printed",)]
    assert whole.broken() == []


def test_a_hold_and_a_release_between_two_looks_of_the_rule_change_nothing(whole: Whole, memory: Memory) -> None:
    [order_id] = ship(whole, "A1")
    whole.settle()
    whole.work.run(lambda tx: orders.hold(tx, [order_id], reason="check", actor="staff:1"))
    whole.work.run(lambda tx: orders.release(tx, [order_id], reason="fine", actor="staff:1"))
    whole.settle()
    assert whole.rows("SELECT state FROM binding") == [("live",)]
    assert whole.broken() == []


def test_kdniaos_refusals_say_what_to_mend_and_mending_asks_again(whole: Whole, memory: Memory) -> None:
    ship(whole, "A1", receiver=raw_order()["receiver"] | {"district": ""})
    whole.settle()
    assert whole.rows("SELECT stage, mend FROM parcel") == [("refused", "receiver_address_incomplete")]
    assert whole.rows("SELECT state FROM take") == [("refused",)]

    with whole.work.begin() as tx:
        orders.accept(tx, [order("A1")])
    whole.settle()

    assert whole.rows("SELECT stage, mend FROM parcel") == [("printed", "")]
    assert len(memory.alive()) == 1
    assert whole.broken() == []


def test_a_parcel_the_carrier_has_collected_is_not_cancelled(whole: Whole, memory: Memory) -> None:
    [order_id] = ship(whole, "A1")
    whole.settle()
    memory.collected = memory.alive()
    whole.work.run(lambda tx: orders.hold(tx, [order_id], reason="check", actor="staff:1"))
    whole.settle()
    assert whole.rows("SELECT stage, held_reason FROM parcel") == [("issued", "held")]
    assert whole.rows("SELECT state FROM waybill_cancel") == [("refused",)]
    assert whole.broken() == []


def erase(whole: Whole, order_id: int) -> erasing.Erased:
    with whole.work.begin() as tx:
        return erasing.erase_receivers(tx, [order_id], actor="staff:1", reason="the buyer asked")


def test_an_erased_receiver_is_on_no_paper_of_ours_and_the_number_goes_back(whole: Whole, memory: Memory) -> None:
    [order_id] = ship(whole, "A1")
    whole.settle()
    assert whole.rows("SELECT sealed <> '' FROM label") == [(True,)]

    assert erase(whole, order_id).people == 1
    whole.settle()

    assert whole.rows("SELECT sealed, voided_at IS NOT NULL FROM label") == [(b"", True)]
    assert whole.rows("SELECT reply_key, reply_sealed FROM take") == [(None, None)]
    assert whole.rows("SELECT stage, held_reason FROM parcel") == [("voided", "")]
    assert whole.rows("SELECT state FROM binding") == [("cancelled",)]
    assert memory.alive() == set()
    assert whole.rows("SELECT * FROM parked") == []
    assert erase(whole, order_id) == erasing.Erased((), 0)
    assert whole.rows("SELECT count(*) FROM event WHERE name = 'ReceiverErased'") == [(1,)]
    assert whole.rows("SELECT count(*) FROM audit WHERE action = 'erase'") == [(1,)]
    assert whole.broken() == []


def test_erasing_after_dispatch_leaves_the_number_and_the_way(whole: Whole, memory: Memory) -> None:
    whole.rows("UPDATE warehouse SET dispatch_by = 'print' RETURNING 1")
    [order_id] = ship(whole, "A1")
    whole.settle()
    erase(whole, order_id)
    whole.settle()
    assert whole.rows("SELECT stage FROM parcel") == [("dispatched",)]
    assert whole.rows("SELECT state FROM binding") == [("live",)]
    assert len(memory.alive()) == 1
    assert whole.rows("SELECT sealed, voided_at IS NOT NULL FROM label") == [(b"", True)]
    assert whole.rows("SELECT word FROM orders") == [("shipped",)]
    assert whole.broken() == []
