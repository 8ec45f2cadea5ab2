"""What stands on a label is what the order says when the parcel leaves: cash, house, content."""

import pytest

from tests.parts.fulfilment.bench import Bench
from waystream.core.ports import Contact
from waystream.kernel.tx import Tx
from waystream.parts.catalogue import actions as catalogue
from waystream.parts.catalogue.model import SenderIn, WarehouseIn
from waystream.parts.fulfilment import actions
from waystream.parts.fulfilment.actions import Dispatched
from waystream.parts.fulfilment.model import Part

COD = {"payment": "cod", "cod_fen": 5000, "paid_at": None}
LINES = [{"sku": "T1", "name": "龙井", "quantity": 2, "price_fen": 4900, "discount_fen": 300}]


def issued(bench: Bench, **given: object) -> list[int]:
    """An order with cash to collect, and its parcels with numbers."""
    [answer] = bench.ship(*bench.orders("A1", **COD), **given)
    bench.drain()
    return list(answer.parcel_ids)


def tell(bench: Bench, **changed: object) -> None:
    """The shop tells the order anew; the rule brings its parcels into line."""
    [order_id] = bench.orders("A1", **changed)
    bench.follow(order_id)


def dispatch(bench: Bench, parcel_id: int) -> Dispatched:
    [answer] = bench.run(lambda tx: actions.dispatch(tx, [parcel_id], by="scan", actor="staff:1"))
    return answer


def cash(bench: Bench) -> list[tuple[int, int]]:
    return bench.rows("SELECT parcel_id, cod_fen FROM parcel_order ORDER BY parcel_id")


@pytest.mark.parametrize(
    ("changed", "collects"),
    [({"payment": "cod", "cod_fen": 3000, "paid_at": None}, 3000), ({"payment": "prepaid"}, 0)],
)
def test_other_cash_voids_the_label_and_another_is_made(
    bench: Bench, changed: dict[str, object], collects: int
) -> None:
    [parcel_id] = issued(bench)
    [order_id] = bench.orders("A1", **changed)
    assert dispatch(bench, parcel_id).why == "changed"

    bench.follow(order_id)
    bench.drain()
    assert bench.bindings() == [("YT0001", "cancelled"), ("YT0002", "live")]
    assert bench.carrier.asked[-1].cod_fen == collects
    assert bench.rows("SELECT cod_fen FROM parcel") == [(collects,)]
    bench.follow(order_id)
    bench.drain()
    assert len(bench.bindings()) == 2
    assert dispatch(bench, parcel_id).outcome == "dispatched"


def test_an_order_that_becomes_cod_is_collected_once(bench: Bench) -> None:
    [answer] = bench.ship(*bench.orders("A1"), parcels=((Part(1, 1),), (Part(1, 1),)))
    bench.drain()
    first, second = answer.parcel_ids
    tell(bench, **COD)
    bench.drain()
    assert cash(bench) == [(first, 5000), (second, 0)]
    assert bench.bindings() == [("YT0001", "cancelled"), ("YT0002", "live"), ("YT0003", "live")]
    tell(bench, **COD)
    bench.drain()
    assert len(bench.bindings()) == 3


def test_what_left_with_its_cash_leaves_the_other_parcel_alone(bench: Bench) -> None:
    first, second = issued(bench, parcels=((Part(1, 1),), (Part(1, 1),)))
    assert dispatch(bench, first).outcome == "dispatched"
    bench.run(lambda tx: tx.conn.execute("UPDATE orders SET cod_fen = 100"))
    [(order_id,)] = bench.rows("SELECT id FROM orders")
    bench.follow(order_id)
    bench.drain()
    assert [state for _, state in bench.bindings()] == ["live", "live"]
    assert dispatch(bench, second).outcome == "dispatched"


def test_an_order_moved_to_another_warehouse_leaves_from_there(bench: Bench) -> None:
    [parcel_id] = issued(bench)

    def build(tx: Tx) -> int:
        sender = SenderIn(name="发货", mobile="13900000001", address="别仓")
        told = WarehouseIn(code="wh2", name="别仓", province="湖北省", city="武汉市", district="洪山区", sender=sender)
        return catalogue.upsert_warehouse(tx, told, actor="staff:1").id

    elsewhere = bench.run(build)
    tell(bench, **COD, warehouse="wh2")
    bench.drain()
    assert bench.rows("SELECT id, warehouse_id, stage FROM parcel") == [(parcel_id, elsewhere, "issued")]
    assert bench.bindings() == [("YT0001", "cancelled"), ("YT0002", "live")]
    sender = bench.carrier.asked[-1].sender
    assert isinstance(sender, Contact)
    assert sender.city == "武汉市"


def test_a_parcel_leaves_without_cash_while_the_one_that_collects_is_to_be_made(bench: Bench) -> None:
    first, second = issued(bench, parcels=((Part(1, 1),), (Part(1, 1),)))
    bench.run(lambda tx: actions.void(tx, [first], reason="torn", actor="staff:1"))
    assert dispatch(bench, second).outcome == "dispatched"
    bench.ship(*(row[0] for row in bench.rows("SELECT id FROM orders")))
    bench.drain()
    assert [cod_fen for _, cod_fen in cash(bench)] == [5000, 0, 5000]
