"""The shop's side of the week: orders come in, parcels get their numbers and leave, all as of the business time.

Orders, dispatch and tracks are the parts' own actions; only what a take would have stored (parcel, lines, number) is
written as rows, set-wise.
"""

import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from benchmarks.week.network import MERCHANT
from benchmarks.week.plan import WAREHOUSES, Order, Parcel
from waystream.kernel.ids import mint_ids
from waystream.kernel.tx import Tx
from waystream.parts.catalogue import actions as catalogue
from waystream.parts.catalogue.model import SenderIn, WarehouseIn
from waystream.parts.fulfilment import actions as fulfilment
from waystream.parts.hub import actions as hub
from waystream.parts.hub.model import AggregatorIn
from waystream.parts.notices import actions as notices
from waystream.parts.notices.model import Policy
from waystream.parts.orders import actions as orders
from waystream.parts.orders.form import LineIn, OrderIn, ReceiverIn
from waystream.parts.shops import actions as shops
from waystream.parts.tracking import actions as tracking

AGGREGATOR, ACTOR = "week", "system"
SHOP, TALKING_SHOP = "week", "talking"
#: One order in so many is of the shop that tells its buyers everything: letters cost more than all else together.
TOLD_ONE_IN = 10
SHIP_BY = timedelta(hours=48)
PROMISED = timedelta(days=6)


@dataclass(slots=True)
class House:
    """`order_ids` by the plan's number of an order, `parcel_ids` by the plan's number of a parcel."""

    shop_id: int
    talking_shop_id: int
    aggregator_id: int
    warehouse_ids: dict[str, int]
    key: str = field(repr=False)
    order_ids: dict[int, int] = field(default_factory=dict)
    parcel_ids: dict[int, int] = field(default_factory=dict)


def furnish(tx: Tx) -> House:
    key = secrets.token_hex(16)
    shop_id = shops.create_shop(tx, code=SHOP, name="Week", actor=ACTOR).id
    talking_id = shops.create_shop(tx, code=TALKING_SHOP, name="Talk", actor=ACTOR).id
    notices.save_policy(tx, talking_id, Policy(enabled=True), actor=ACTOR)
    told = AggregatorIn(AGGREGATOR, "kdniao", MERCHANT, "http://127.0.0.1:9", key)
    aggregator = hub.add_aggregator(tx, told, integrations=frozenset({"kdniao"}), actor=ACTOR)
    sender = SenderIn(name="仓库", mobile="13800000000", address="仓前街道1号")
    warehouses = {
        code: catalogue.upsert_warehouse(
            tx,
            WarehouseIn(code=code, name=city, province=province, city=city, district="城区", sender=sender),
            actor=ACTOR,
        ).id
        for code, province, city, _ in WAREHOUSES
    }
    return House(shop_id, talking_id, aggregator.id, warehouses, key)


def take_orders(tx: Tx, house: House, told: Sequence[Order]) -> None:
    """The shop hands its new orders in."""
    accepted = orders.accept(tx, [_order_in(order) for order in told])
    for order, answer in zip(told, accepted, strict=True):
        house.order_ids[order.n] = answer.order_id


def _order_in(order: Order) -> OrderIn:
    return OrderIn(
        shop=TALKING_SHOP if order.n % TOLD_ONE_IN == 0 else SHOP,
        number=f"W{order.n:07d}",
        warehouse=order.warehouse,
        paid_at=order.ordered_at,
        ship_by=order.parcels[-1] + SHIP_BY,
        promised_at=order.parcels[-1] + PROMISED,
        carrier=order.carrier,
        receiver=_receiver(order),
        lines=tuple(
            LineIn(sku=f"sku-{nth}", name="茶", quantity=1, price_fen=9_900) for nth in range(len(order.parcels))
        ),
    )


def _receiver(order: Order) -> ReceiverIn:
    dice = random.Random(f"receiver/{order.n}")
    return ReceiverIn(
        name=dice.choice("赵钱孙李周吴郑王") + dice.choice("伟芳娜敏静磊洋艳"),
        mobile=phone_of(order.n),
        province=order.destination.name.removesuffix("市"),
        city=order.destination.name,
        district="城区",
        address=f"人民路{dice.randint(1, 999)}号",
    )


def phone_of(order: int) -> str:
    """Each order is another buyer's, so what is sent to a phone was said about one order."""
    return f"139{order:08d}"


_CREATED = (
    """INSERT INTO parcel (id, shop_id, warehouse_id, person_id, carrier, stage, created_at, issued_at, moved_at)
       SELECT given.id, given.shop_id, warehouse_id, person_id, given.carrier, 'issued', %(now)s, %(now)s, %(now)s
       FROM given JOIN orders ON orders.id = given.order_id""",
    "INSERT INTO parcel_order (parcel_id, order_id, shop_id) SELECT id, order_id, shop_id FROM given",
    """INSERT INTO parcel_line (parcel_id, order_line_id, shop_id, quantity)
       SELECT given.id, order_line.id, given.shop_id, 1
       FROM given JOIN order_line ON order_line.order_id = given.order_id AND order_line.line_no = given.line_no""",
    """INSERT INTO binding (id, parcel_id, shop_id, aggregator_id, carrier, number, owns_from, bound_at)
       SELECT id, id, shop_id, %(aggregator)s, carrier, number, %(now)s::timestamptz - interval '24 hours', %(now)s
       FROM given""",
)
_GIVEN = """WITH given AS (
    SELECT told.*, orders.shop_id
    FROM unnest(%(ids)s::bigint[], %(orders)s::bigint[], %(lines)s::int[], %(carriers)s::text[], %(numbers)s::text[])
         AS told (id, order_id, line_no, carrier, number) JOIN orders ON orders.id = told.order_id)"""


def let_go(tx: Tx, house: House, parcels: Sequence[Parcel], line_nos: Sequence[int]) -> None:
    """These parcels have their numbers, are watched, and leave through the gate."""
    ids = mint_ids(len(parcels), at_ms=int(tx.now.timestamp() * 1000))
    rows = {
        "aggregator": house.aggregator_id, "now": tx.now, "ids": ids,
        "orders": [house.order_ids[parcel.order] for parcel in parcels], "lines": list(line_nos),
        "carriers": [parcel.trip.carrier for parcel in parcels],
        "numbers": [parcel.trip.number for parcel in parcels],
    }  # fmt: skip
    for statement in _CREATED:
        tx.conn.execute(f"{_GIVEN} {statement}", rows)
    tracking.begin_tracks(tx, ids)
    answers = fulfilment.dispatch(tx, ids, by="scan", actor=ACTOR)
    assert all(answer.outcome == "dispatched" for answer in answers), answers[0]
    house.parcel_ids |= dict(zip((parcel.n for parcel in parcels), ids, strict=True))
