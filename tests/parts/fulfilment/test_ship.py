"""From the wish to ship to a number, a label, a binding: what is made, and what is refused."""

from tests.parts.fulfilment.bench import Bench
from tests.parts.world import happened


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
