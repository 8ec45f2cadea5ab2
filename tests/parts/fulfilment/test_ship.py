"""From the wish to ship to a number, a label, a binding: what is made, and what is refused."""

import pytest

from tests.parts.fulfilment.bench import Bench, in_thread
from tests.parts.world import happened, raw_order
from waystream.core.errors import Invalid, Missing
from waystream.parts.fulfilment import actions
from waystream.parts.fulfilment.model import Part
from waystream.parts.hub import actions as hub
from waystream.parts.orders import actions as orders


def test_an_order_gets_a_number_a_label_and_is_said_to_have_them(bench: Bench) -> None:
    [order_id] = bench.orders("A1")

    [shipped] = bench.ship(order_id)
    assert (shipped.outcome, len(shipped.parcel_ids)) == ("asked", 1)
    [parcel_id] = shipped.parcel_ids
    assert bench.rows("SELECT kind, subject, state FROM job") == [("take_number", f"parcel:{parcel_id}", "ready")]
    bench.drain()

    assert bench.stage(parcel_id) == ("issued", "")
    assert bench.bindings() == [("YT0001", "live")]
    assert bench.takes() == [("bound", "YT0001")]
    assert bench.rows("SELECT source, routing->>'mark', voided_at FROM label") == [("carrier", "128-A12", None)]
    assert bench.rows("SELECT state FROM job") == [("done",)]
    with bench.work.begin() as tx:
        [issued] = [(name, subject) for name, subject, _ in happened(tx) if subject.startswith("parcel")]
    assert issued == ("WaybillIssued", f"parcel:{parcel_id}")
    [request] = bench.carrier.asked
    assert (request.receiver.name, request.receiver.mobile, request.sender.name) == ("罗小明", "15812346021", "发货")
    assert (request.weight_g, request.volume_cm3, request.quantity, request.cod_fen) == (500, 1000, 1, 0)
    assert [(goods.name, goods.quantity) for goods in request.goods] == [("龙井", 2)]
    assert request.account.carrier == "YTO"


def test_shipping_again_gives_the_first_answer(bench: Bench) -> None:
    [order_id] = bench.orders("A1")
    [first] = bench.ship(order_id)
    [before] = bench.ship(order_id)
    bench.drain()
    [after] = bench.ship(order_id)

    assert (before.outcome, after.outcome) == ("already", "already")
    assert before.parcel_ids == after.parcel_ids == first.parcel_ids
    bench.drain()
    assert len(bench.carrier.asked) == 1


def test_many_orders_are_shipped_at_once_and_one_refusal_stops_no_other(bench: Bench) -> None:
    ids = bench.orders(*(f"A{i}" for i in range(200)))
    bench.run(lambda tx: orders.cancel(tx, [ids[7]], reason="mistake", actor="staff:1"))
    bench.run(lambda tx: orders.hold(tx, [ids[9]], reason="check", actor="staff:1"))

    shipped = bench.ship(*reversed(ids))

    assert [answer.order_id for answer in shipped] == ids
    refused = {answer.order_id: (answer.why, answer.reason) for answer in shipped if answer.outcome == "refused"}
    assert refused == {
        ids[7]: ("cancelled", "The order is cancelled."),
        ids[9]: ("held", "The order is on hold: check."),
    }
    assert bench.rows("SELECT count(*), count(DISTINCT take.code) FROM take JOIN job ON job.key = take.id::text") == [
        (198, 198)
    ]
    [(code,)] = bench.rows("SELECT code FROM take LIMIT 1")
    assert len(code) == 24


def test_what_may_not_travel_is_refused_with_the_reason(bench: Bench) -> None:
    [asked] = bench.orders("R1", refund="asked")
    [part] = bench.orders("R2", refund="part")
    [sealed] = bench.orders("R3", receiver=None, sealed={"platform": "pdd", "ciphertext": "xyz", "province": "四川省"})
    assert [answer.why for answer in bench.ship(asked, part, sealed)] == ["refund", "", "sealed"]
    with pytest.raises(Missing, match="no order 77"):
        bench.ship(77)
    with pytest.raises(Invalid):
        bench.ship()


def test_the_account_is_picked_by_carrier_warehouse_and_priority(bench: Bench) -> None:
    [plain] = bench.orders("C1")
    [wished] = bench.orders("C2", carrier="ZTO")
    [unknown] = bench.orders("C3", carrier="SF")
    [forced] = bench.orders("C4", carrier="SF")

    assert [answer.why for answer in bench.ship(plain, wished, unknown)] == ["", "", "account"]
    bench.ship(forced, account_id=bench.accounts["ZTO"])
    assert [answer.outcome for answer in bench.ship(unknown, carrier="YTO")] == ["asked"]

    assert bench.rows("SELECT carrier, account_id FROM parcel ORDER BY id") == [
        ("YTO", bench.accounts["YTO"]), ("ZTO", bench.accounts["ZTO"]), ("ZTO", bench.accounts["ZTO"]),
        ("YTO", bench.accounts["YTO"])]  # fmt: skip
    bench.run(lambda tx: hub.switch_account(tx, bench.accounts["YTO"], on=False, actor="staff:1"))
    bench.run(lambda tx: hub.switch_account(tx, bench.accounts["ZTO"], on=False, actor="staff:1"))
    [none] = bench.orders("C5")
    [answer] = bench.ship(none)
    assert answer.reason == "No carrier account serves this warehouse: add one on the accounts page."


LINES = [{"sku": "T1", "name": "龙井", "quantity": 3, "price_fen": 1000},
         {"sku": "T2", "name": "壶", "quantity": 1, "price_fen": 7000}]  # fmt: skip


def test_a_split_carries_cash_once_and_the_declared_value_by_worth(bench: Bench) -> None:
    [order_id] = bench.orders("S1", lines=LINES, payment="cod", cod_fen=10_000, declared_fen=10_000, paid_at=None)
    split = ((Part(1, 2),), (Part(1, 1), Part(2, 1)))

    [shipped] = bench.ship(order_id, parcels=split)

    assert bench.rows("SELECT cod_fen, declared_fen, weight_g FROM parcel ORDER BY id") == [
        (10_000, 2000, 500),
        (0, 8000, 250),
    ]
    assert bench.rows("SELECT quantity FROM parcel_line ORDER BY parcel_id, order_line_id") == [(2,), (1,), (1,)]
    [again] = bench.ship(order_id, parcels=split)
    assert (again.outcome, again.parcel_ids) == ("already", shipped.parcel_ids)
    bench.drain()
    assert [request.cod_fen for request in bench.carrier.asked] == [10_000, 0]
    assert bench.bindings() == [("YT0001", "live"), ("YT0002", "live")]


def test_a_partial_shipment_leaves_the_rest_and_never_exceeds_it(bench: Bench) -> None:
    [order_id] = bench.orders("S2", lines=LINES)
    bench.ship(order_id, parcels=((Part(1, 1),),))

    [too_much] = bench.ship(order_id, parcels=((Part(1, 3),),))
    assert (too_much.outcome, too_much.reason) == ("refused", "Line 1 has 2 left to ship, not 3.")
    [unknown] = bench.ship(order_id, parcels=((Part(9, 1),),))
    assert unknown.reason == "The order has no line 9."
    [rest] = bench.ship(order_id)
    assert (rest.outcome, len(rest.parcel_ids)) == ("asked", 2)

    assert (
        bench.rows("""SELECT order_line.line_no, array_agg(parcel_line.quantity ORDER BY parcel_id)
                         FROM parcel_line JOIN order_line ON order_line.id = order_line_id GROUP BY 1 ORDER BY 1""")
        == [(1, [1, 2]), (2, [1])]
    )
    [done] = bench.ship(order_id)
    assert done.outcome == "already"


def test_orders_of_one_door_are_combined(bench: Bench) -> None:
    a, b = bench.orders("M1", "M2", payment="cod", cod_fen=500, paid_at=None)
    [elsewhere] = bench.orders("M3", receiver=raw_order()["receiver"] | {"address": "别处1号"})

    shipped = bench.ship(a, b, elsewhere, combine=True)

    assert [answer.outcome for answer in shipped] == ["asked"] * 3
    assert shipped[0].parcel_ids == shipped[1].parcel_ids != shipped[2].parcel_ids
    assert bench.rows("SELECT cod_fen, weight_g FROM parcel ORDER BY id") == [(1000, 1000), (0, 500)]
    bench.drain()
    with bench.work.begin() as tx:
        issued = [said["order_ids"] for name, _, said in happened(tx) if name == "WaybillIssued"]
    assert sorted(issued) == sorted([[a, b], [elsewhere]])


def test_a_mother_and_her_children_are_one_take(bench: Bench) -> None:
    [order_id] = bench.orders("K1")

    [shipped] = bench.ship(order_id, pieces=3)
    bench.drain()

    assert len(shipped.parcel_ids) == 3
    mother = shipped.parcel_ids[0]
    assert bench.rows("SELECT id, mother_id, piece, pieces, stage, weight_g FROM parcel ORDER BY piece") == [
        (mother, None, 1, 3, "issued", 500), (shipped.parcel_ids[1], mother, 2, 3, "issued", 0),
        (shipped.parcel_ids[2], mother, 3, 3, "issued", 0)]  # fmt: skip
    assert bench.rows("SELECT number, state, parcel_id FROM binding ORDER BY number") == [
        ("YT0001", "live", mother), ("YT0002", "live", shipped.parcel_ids[1]),
        ("YT0003", "live", shipped.parcel_ids[2])]  # fmt: skip
    assert bench.takes() == [("bound", "YT0001")]
    assert bench.rows("SELECT source FROM label ORDER BY parcel_id") == [("carrier",), ("own",), ("own",)]
    assert [request.quantity for request in bench.carrier.asked] == [3]
    assert bench.events("WaybillIssued") == ["WaybillIssued"] * 3

    bench.run(lambda tx: actions.void(tx, [shipped.parcel_ids[1]], reason="wrong", actor="staff:1"))
    bench.drain()
    assert {state for _, state in bench.bindings()} == {"cancelled"}
    assert bench.carrier.cancelled == ["YT0001"]
    assert bench.rows("SELECT count(*) FROM label WHERE voided_at IS NULL") == [(0,)]


def test_two_calls_at_once_make_one_parcel(bench: Bench) -> None:
    ids = bench.orders(*(f"T{i}" for i in range(20)))
    with in_thread(lambda: bench.ship(*ids)) as other:
        mine = bench.ship(*ids)
    outcomes = [{answer.outcome for answer in answers} for answers in (mine, other[0])]
    assert sorted(map(sorted, outcomes)) == [["already"], ["asked"]]
    assert bench.rows("SELECT count(*) FROM parcel") == [(20,)]
    assert [answer.parcel_ids for answer in mine] == [answer.parcel_ids for answer in other[0]]


def test_orders_are_shipped_by_their_shops_numbers(bench: Bench) -> None:
    bench.orders("N1", "N2")
    shipped = bench.run(lambda tx: actions.ship_numbers(tx, ["N2", "N9", "N1"], shop="tea", actor="system"))
    assert [(answer.number, answer.outcome) for answer in shipped] == [
        ("N2", "asked"), ("N9", "refused"), ("N1", "asked")]  # fmt: skip
