"""A small world for the tests of parts: shops, warehouses, orders and parcels, written as their owners write them.

Parcels are rows put in directly where the part under test only reads them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from waystream.core.person import Person, to_bytes, warehouse_aad
from waystream.core.ports import Contact
from waystream.kernel.clock import Clock
from waystream.kernel.database import Database
from waystream.kernel.tx import Tx, Work
from waystream.kernel.vault import Keys, seal
from waystream.parts.orders.form import OrderIn, parse_order

TEA, TOYS = "tea", "toys"


@dataclass(frozen=True, slots=True)
class World:
    """`tea` and `toys` are shops, `yh` is the warehouse; every figure is by id."""

    work: Work
    tea: int
    toys: int
    yh: int


def build(database: Database, clock: Clock, keys: Keys) -> World:
    work = Work(database, clock, keys)
    with work.begin() as tx:
        tea, toys = (
            tx.conn.execute(
                "INSERT INTO shop (code, name, created_at) VALUES (%s, %s, %s) RETURNING id", [code, code, tx.now]
            ).fetchone()[0]
            for code in (TEA, TOYS)
        )
        [(key_id, key)] = tx.keys.person_keys(tx.conn, 1)
        sender = Person(Contact(name="发货", mobile="13900000000", province="浙江", city="杭州", address="仓前"))
        yh = tx.conn.execute(
            """INSERT INTO warehouse (code, name, province, city, district, key_id, sealed, contact_mask, created_at)
               VALUES ('yh', '余杭仓', '浙江省', '杭州市', '余杭区', %s, %s, '发*', %s) RETURNING id""",
            [key_id, seal(key, to_bytes(sender), aad=warehouse_aad("yh")), tx.now],
        ).fetchone()[0]
    return World(work, tea, toys, yh)


def raw_order(number: str = "A1", **given: Any) -> dict[str, Any]:
    """An order as a shop sends it."""
    return {
        "shop": TEA, "number": number, "warehouse": "yh", "paid_at": "2026-11-11T08:00:00+08:00",
        "receiver": {"name": "罗小明", "mobile": "15812346021", "province": "四川省", "city": "成都市",
                     "district": "武侯区", "address": "文三路478号3幢502室"},
        "lines": [{"sku": "T1", "name": "龙井", "quantity": 2, "price_fen": 4900, "discount_fen": 300}],
    } | given  # fmt: skip


def order(number: str = "A1", **given: Any) -> OrderIn:
    return parse_order(raw_order(number, **given))


def put_parcel(
    tx: Tx,
    order_id: int,
    *,
    parcel_id: int,
    stage: str = "dispatched",
    state: str | None = None,
    kind: str = "",
    direction: str = "out",
    quantity: int | None = None,
    at: datetime | None = None,
    number: str = "",
) -> int:
    """A bound parcel of an order's lines (or `quantity` of its first), with a track when it has a `state`."""
    at = at or tx.now
    row = tx.conn.execute("SELECT shop_id, warehouse_id, person_id FROM orders WHERE id = %s", [order_id]).fetchone()
    assert row is not None
    shop_id, warehouse_id, person_id = row
    tx.conn.execute(
        """INSERT INTO parcel (id, shop_id, warehouse_id, person_id, carrier, stage, created_at, moved_at)
           VALUES (%s, %s, %s, %s, 'YTO', %s, %s, %s)""",
        [parcel_id, shop_id, warehouse_id, person_id, stage, at, at],
    )
    tx.conn.execute("INSERT INTO parcel_order VALUES (%s, %s, %s)", [parcel_id, order_id, shop_id])
    tx.conn.execute(
        """INSERT INTO parcel_line (parcel_id, order_line_id, shop_id, quantity)
           SELECT %s, id, shop_id, COALESCE(%s, quantity) FROM order_line WHERE order_id = %s AND quantity > 0
           ORDER BY line_no LIMIT %s""",
        [parcel_id, quantity, order_id, 1 if quantity else 1000],
    )
    _bind(tx, parcel_id, shop_id=shop_id, number=number or f"YT{parcel_id}")
    if state is not None:
        move_parcel(tx, parcel_id, state=state, kind=kind, direction=direction, at=at)
    return parcel_id


def move_parcel(
    tx: Tx, parcel_id: int, *, state: str, kind: str = "", direction: str = "out", at: datetime | None = None
) -> None:
    at = at or tx.now
    tx.conn.execute(
        """INSERT INTO track (parcel_id, shop_id, binding_id, state, kind, direction, at, delivered_at, changed_at)
           SELECT id, shop_id, id, %(state)s, %(kind)s, %(direction)s, %(at)s, %(delivered)s, %(at)s
           FROM parcel WHERE id = %(id)s
           ON CONFLICT (parcel_id) DO UPDATE SET state = excluded.state, kind = excluded.kind,
               direction = excluded.direction, at = excluded.at, delivered_at = excluded.delivered_at,
               changed_at = excluded.changed_at""",
        {"id": parcel_id, "state": state, "kind": kind, "direction": direction, "at": at,
         "delivered": at if state == "delivered" else None})  # fmt: skip


def _bind(tx: Tx, parcel_id: int, *, shop_id: int, number: str) -> None:
    tx.conn.execute(
        """INSERT INTO aggregator (code, integration, merchant_id, key_sealed, base_url, created_at)
           VALUES ('main', 'kdniao', '1', '', 'http://localhost', %s) ON CONFLICT DO NOTHING""",
        [tx.now],
    )
    tx.conn.execute(
        """INSERT INTO binding (id, parcel_id, shop_id, aggregator_id, carrier, number, owns_from, bound_at)
           SELECT %s, %s, %s, id, 'YTO', %s, %s, %s FROM aggregator WHERE code = 'main'""",
        [parcel_id, parcel_id, shop_id, number, tx.now - timedelta(hours=24), tx.now],
    )


def happened(tx: Tx) -> list[tuple[str, str, dict[str, Any]]]:
    """Every event so far: (name, subject, what it says beside the ids)."""
    rows = tx.conn.execute("SELECT name, subject, body FROM event ORDER BY id").fetchall()
    return [
        (name, subject, {key: value for key, value in body.items() if key not in {"shop_id", "order_id"}})
        for name, subject, body in rows
    ]


def counts(tx: Tx, *tables: str) -> dict[str, int]:
    return {table: tx.conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
