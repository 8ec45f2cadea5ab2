"""Numbers after they were bound: held, cancelled, kept by the carrier, used again, given out anew."""

import pytest

from tests.parts.fulfilment.bench import Bench, in_thread
from tests.parts.world import raw_order
from waystream.core.errors import Conflict, Missing
from waystream.kernel.vault import open_sealed
from waystream.parts.fulfilment import actions, cancels, numbers
from waystream.parts.orders import actions as orders

ELSEWHERE = raw_order()["receiver"] | {"address": "新地址9号"}


def issued(bench: Bench, number: str = "A1") -> tuple[int, int]:
    """An order and its parcel with a live number."""
    [order_id] = bench.orders(number)
    [answer] = bench.ship(order_id)
    bench.drain()
    return order_id, answer.parcel_ids[0]


def hold(bench: Bench, order_id: int) -> None:
    bench.run(lambda tx: orders.hold(tx, [order_id], reason="check", actor="staff:1"))
    bench.follow(order_id)


def release(bench: Bench, order_id: int) -> None:
    bench.run(lambda tx: orders.release(tx, [order_id], reason="fine", actor="staff:1"))
    bench.follow(order_id)


def live_labels(bench: Bench) -> list[tuple[int, str]]:
    return bench.rows("""SELECT label.parcel_id, binding.number FROM label JOIN binding ON binding.id = binding_id
                         WHERE voided_at IS NULL ORDER BY label.id""")


def test_a_held_order_gives_its_number_back_and_a_released_one_gets_another(bench: Bench) -> None:
    order_id, parcel_id = issued(bench)

    hold(bench, order_id)
    assert bench.stage(parcel_id) == ("voided", "held")
    assert (bench.bindings(), live_labels(bench)) == ([("YT0001", "cancelling")], [])
    assert bench.rows("SELECT state FROM waybill_cancel") == [("asked",)]
    bench.follow(order_id)  # told twice
    bench.drain()
    assert bench.bindings() == [("YT0001", "cancelled")]
    release(bench, order_id)
    bench.drain()

    assert bench.bindings() == [("YT0001", "cancelled"), ("YT0002", "live")]
    assert live_labels(bench) == [(parcel_id, "YT0002")]
    assert bench.stage(parcel_id) == ("issued", "")
    assert bench.events() == ["WaybillIssued", "CancelAsked", "LabelVoided", "WaybillCancelled", "WaybillIssued"]


def test_a_release_before_the_cancel_is_answered_waits_for_it(bench: Bench) -> None:
    """Never two live numbers: no other is asked until the carrier confirmed."""
    order_id, parcel_id = issued(bench)
    bench.carrier.cancel_outcomes = ["unreachable"]
    hold(bench, order_id)
    bench.run_once()
    release(bench, order_id)

    assert bench.stage(parcel_id) == ("asked", "")
    assert bench.rows("SELECT count(*) FROM take WHERE state = 'planned'") == [(0,)]
    bench.drain()

    assert bench.bindings() == [("YT0001", "cancelled"), ("YT0002", "live")]
    assert bench.carrier.alive() == {"YT0002"}


def test_another_address_gets_another_label_by_itself(bench: Bench) -> None:
    order_id, parcel_id = issued(bench)
    bench.orders("A1", receiver=ELSEWHERE)

    bench.follow(order_id)
    bench.drain()

    assert bench.bindings() == [("YT0001", "cancelled"), ("YT0002", "live")]
    assert bench.carrier.asked[-1].receiver.address == "新地址9号"
    assert live_labels(bench) == [(parcel_id, "YT0002")]
    bench.follow(order_id)
    bench.drain()
    assert len(bench.carrier.asked) == 2


def test_a_cancelled_order_falls_out_of_its_parcel_and_the_others_go_on(bench: Bench) -> None:
    a, b = bench.orders("A1", "A2", payment="cod", cod_fen=500, paid_at=None)
    [answer, _] = bench.ship(a, b, combine=True)
    bench.drain()
    bench.run(lambda tx: orders.cancel(tx, [a], reason="mistake", actor="staff:1"))

    bench.follow(a)
    bench.drain()

    [parcel_id] = answer.parcel_ids
    assert bench.rows("SELECT order_id, cod_fen FROM parcel_order") == [(b, 500)]
    assert bench.rows("SELECT stage, cod_fen, weight_g FROM parcel") == [("issued", 500, 500)]
    assert [request.cod_fen for request in bench.carrier.asked] == [1000, 500]
    assert live_labels(bench) == [(parcel_id, "YT0002")]


def test_orders_that_part_ways_travel_in_parcels_of_their_own(bench: Bench) -> None:
    a, b = bench.orders("A1", "A2")
    bench.ship(a, b, combine=True)
    bench.drain()
    bench.orders("A2", receiver=ELSEWHERE)

    bench.follow(b)
    bench.drain()

    assert bench.rows("SELECT order_id, stage FROM parcel_order JOIN parcel ON parcel.id = parcel_id ORDER BY 1") == [
        (a, "issued"), (b, "issued")]  # fmt: skip
    assert bench.carrier.alive() == {number for number, state in bench.bindings() if state == "live"}
    assert len(bench.carrier.alive()) == 2


def test_an_order_made_smaller_is_packed_anew(bench: Bench) -> None:
    order_id, parcel_id = issued(bench)
    bench.orders("A1", lines=[{"sku": "T1", "name": "龙井", "quantity": 1, "price_fen": 4900}])

    bench.follow(order_id)
    bench.drain()

    assert bench.rows("SELECT quantity FROM parcel_line") == [(1,)]
    assert bench.rows("SELECT weight_g FROM parcel") == [(250,)]
    assert live_labels(bench) == [(parcel_id, "YT0002")]


def test_a_collected_parcel_keeps_its_number_and_waits_for_a_person(bench: Bench) -> None:
    order_id, parcel_id = issued(bench)
    bench.carrier.cancel_outcomes = ["refused"]
    hold(bench, order_id)

    bench.drain()
    assert bench.stage(parcel_id) == ("issued", "held")
    assert (bench.bindings(), live_labels(bench)) == ([("YT0001", "live")], [])
    assert bench.events("CancelRefused") == ["CancelRefused"]
    [refused] = bench.run(lambda tx: actions.dispatch(tx, [parcel_id], by="scan", actor="staff:1"))
    assert (refused.outcome, refused.why) == ("refused", "held")
    release(bench, order_id)

    assert bench.stage(parcel_id) == ("issued", "")
    assert live_labels(bench) == [(parcel_id, "YT0001")]
    assert label_text(bench) == "<html>the label</html>"


def label_text(bench: Bench) -> str:
    [(label_id, key_id, sealed)] = bench.rows("SELECT id, key_id, sealed FROM label WHERE voided_at IS NULL")
    with bench.work.begin() as tx:
        key = tx.keys.load(tx.conn, [key_id])[key_id]
    return open_sealed(key, sealed, aad=numbers.label_aad(label_id)).decode()


def test_a_number_the_network_cannot_cancel_is_used_again_on_release(bench: Bench) -> None:
    order_id, parcel_id = issued(bench)
    bench.carrier.cancel_outcomes = ["unsupported"]
    hold(bench, order_id)
    bench.drain()
    assert bench.stage(parcel_id) == ("voided", "held")
    assert bench.bindings() == [("YT0001", "cancelling")]

    release(bench, order_id)

    assert bench.stage(parcel_id) == ("issued", "")
    assert (bench.bindings(), live_labels(bench)) == ([("YT0001", "live")], [(parcel_id, "YT0001")])
    assert bench.rows("SELECT state, said FROM waybill_cancel") == [("refused", "used again")]


def test_a_number_the_network_cannot_cancel_is_confirmed_by_a_person(bench: Bench) -> None:
    order_id, parcel_id = issued(bench)
    bench.carrier.cancel_outcomes = ["unsupported"]
    bench.orders("A1", receiver=ELSEWHERE)
    bench.follow(order_id)
    bench.drain()
    assert bench.stage(parcel_id) == ("asked", "")
    [(cancel_id,)] = bench.rows("SELECT id FROM waybill_cancel WHERE state = 'unsupported'")

    bench.run(lambda tx: cancels.settle_by_hand(tx, cancel_id, "confirmed", reason="called", actor="staff:1"))
    with pytest.raises(Conflict):
        bench.run(lambda tx: cancels.settle_by_hand(tx, cancel_id, "confirmed", reason="called", actor="staff:1"))
    bench.drain()

    assert bench.bindings() == [("YT0001", "cancelled"), ("YT0002", "live")]
    assert bench.stage(parcel_id) == ("issued", "")


def test_an_address_changed_after_collection_is_held_with_its_number(bench: Bench) -> None:
    order_id, parcel_id = issued(bench)
    bench.carrier.cancel_outcomes = ["refused"]
    bench.orders("A1", receiver=ELSEWHERE)
    bench.follow(order_id)
    bench.drain()
    assert bench.stage(parcel_id) == ("issued", "changed")
    bench.follow(order_id)
    assert bench.rows("SELECT state, count(*) FROM waybill_cancel GROUP BY 1") == [("refused", 1)]
    [(cancel_id,)] = bench.rows("SELECT id FROM waybill_cancel")

    bench.run(lambda tx: cancels.settle_by_hand(tx, cancel_id, "confirmed", reason="called", actor="staff:1"))
    bench.drain()

    assert bench.bindings() == [("YT0001", "cancelled"), ("YT0002", "live")]
    assert live_labels(bench) == [(parcel_id, "YT0002")]


def test_void_before_dispatch_frees_the_quantities(bench: Bench) -> None:
    order_id, parcel_id = issued(bench)
    bench.run(lambda tx: actions.void(tx, [parcel_id], reason="wrong box", actor="staff:1"))
    bench.run(lambda tx: actions.void(tx, [parcel_id], reason="wrong box", actor="staff:1"))

    [again] = bench.ship(order_id)
    bench.drain()

    assert again.outcome == "asked"
    assert again.parcel_ids != (parcel_id,)
    assert bench.carrier.alive() == {"YT0002"}
    assert bench.rows("SELECT subject, reason FROM audit WHERE action = 'parcel.void' LIMIT 1") == [
        (f"parcel:{parcel_id}", "wrong box")]  # fmt: skip
    with pytest.raises(Missing):
        bench.run(lambda tx: actions.void(tx, [1], reason="", actor="staff:1"))


def test_another_number_is_asked_when_the_first_is_confirmed_dead(bench: Bench) -> None:
    _, parcel_id = issued(bench)
    bench.run(lambda tx: actions.reissue(
        tx, parcel_id, reason="outlet closed", actor="staff:1", account_id=bench.accounts["ZTO"]))  # fmt: skip
    assert bench.bindings() == [("YT0001", "cancelling")]

    bench.drain()

    assert bench.rows("SELECT number, carrier, state FROM binding ORDER BY id") == [
        ("YT0001", "YTO", "cancelled"), ("YT0002", "ZTO", "live")]  # fmt: skip
    assert bench.rows("SELECT carrier FROM parcel") == [("ZTO",)]


def test_a_cancel_and_an_answer_at_the_same_time_leave_no_live_number(bench: Bench) -> None:
    """Many times over: the order is cancelled while its number arrives."""
    ids = bench.orders(*(f"R{i}" for i in range(12)))
    bench.ship(*ids)

    def cancel_all() -> None:
        for order_id in ids:
            bench.run(lambda tx, an_id=order_id: orders.cancel(tx, [an_id], reason="mistake", actor="staff:1"))
            bench.follow(order_id)

    with in_thread(cancel_all):
        bench.drain()
    bench.drain()

    assert bench.carrier.alive() == set()
    assert {stage for (stage,) in bench.rows("SELECT stage FROM parcel")} == {"voided"}
    assert {state for _, state in bench.bindings()} <= {"cancelled"}
    assert live_labels(bench) == []


def test_a_carrier_that_never_answers_a_cancel_is_a_task_for_a_person(bench: Bench) -> None:
    order_id, _ = issued(bench)
    hold(bench, order_id)
    [(cancel_id,)] = bench.rows("SELECT id FROM waybill_cancel")
    bench.run(lambda tx: cancels.give_up(tx, cancel_id))
    assert bench.rows("SELECT state, said FROM waybill_cancel") == [("unsupported", "never answered")]
    assert bench.bindings() == [("YT0001", "cancelling")]
