"""What the list of parcels reads: one page of rows by keyset, and bounded counts by state."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

Conn = Connection[Any]

COUNTED_AT_MOST = 10_000
TROUBLE = ("attempt_failed", "exception", "intercepted", "lost", "unknown")
TROUBLE_STAGES = ("refused", "conflict", "doubt")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which parcels: by the carrier's state, by our own stage, or both kinds of trouble; empty is all."""

    state: str = ""
    kind: str = ""
    stage: str = ""
    trouble: bool = False
    carrier: str = ""
    warehouses: tuple[int, ...] | None = None
    before: tuple[datetime, int] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    id: int
    carrier: str
    stage: str
    held_reason: str
    state: str
    kind: str
    latest: str
    at: datetime
    waybill: str
    order_id: int | None
    number: str
    orders: int
    shop: str
    warehouse: str
    province: str
    city: str
    weight_g: int


_CONDITIONS = """
    (%(carrier)s = '' OR p.carrier = %(carrier)s)
    AND (%(warehouses)s::bigint[] IS NULL OR p.warehouse_id = ANY (%(warehouses)s))
"""
#: What drives the list: the index of the state asked for, of the stage, or of the changes.
_BY_TRACK = f"""
    SELECT t.parcel_id AS id, t.changed_at AS at FROM track t JOIN parcel p ON p.id = t.parcel_id
    WHERE t.state = ANY (%(states)s) AND (%(kind)s = '' OR t.kind = %(kind)s) AND {_CONDITIONS}
      AND (%(at)s::timestamptz IS NULL OR (t.changed_at, t.parcel_id) < (%(at)s, %(id)s))
    ORDER BY t.changed_at DESC, t.parcel_id DESC LIMIT %(limit)s"""
_BY_STAGE = f"""
    SELECT p.id, p.moved_at AS at FROM parcel p
    WHERE p.stage = ANY (%(stages)s) AND {_CONDITIONS}
      AND (%(at)s::timestamptz IS NULL OR (p.moved_at, p.id) < (%(at)s, %(id)s))
    ORDER BY p.moved_at DESC, p.id DESC LIMIT %(limit)s"""
_ALL = f"""
    SELECT p.id, p.created_at AS at FROM parcel p
    WHERE {_CONDITIONS} AND (%(id)s::bigint IS NULL OR p.id < %(id)s)
    ORDER BY p.id DESC LIMIT %(limit)s"""
_LIST = """
    SELECT p.id, p.carrier, p.stage, p.held_reason, COALESCE(t.state, '') AS state, COALESCE(t.kind, '') AS kind,
           COALESCE(t.latest, '') AS latest, chosen.at, COALESCE(b.number, '') AS waybill, o.order_id,
           COALESCE(o.number, '') AS number, COALESCE(o.orders, 0) AS orders, shop.name AS shop, w.name AS warehouse,
           person.province, person.city, COALESCE(p.weighed_g, p.weight_g) AS weight_g
    FROM ({chosen}) chosen
    JOIN parcel p ON p.id = chosen.id
    JOIN shop ON shop.id = p.shop_id
    JOIN warehouse w ON w.id = p.warehouse_id
    JOIN person ON person.id = p.person_id
    LEFT JOIN track t ON t.parcel_id = p.id
    LEFT JOIN binding b ON b.parcel_id = p.id AND b.state IN ('live', 'cancelling')
    LEFT JOIN LATERAL (
        SELECT po.order_id, orders.number, count(*) OVER () AS orders
        FROM parcel_order po JOIN orders ON orders.id = po.order_id WHERE po.parcel_id = p.id
        ORDER BY po.order_id LIMIT 1) o ON true
    ORDER BY chosen.at DESC, p.id DESC LIMIT %(limit)s"""


def list_parcels(conn: Conn, wanted: Wanted, *, limit: int) -> list[Row]:
    """The newest change first."""
    query = _LIST.format(chosen=_chosen(wanted))
    return conn.cursor(row_factory=class_row(Row)).execute(query.encode(), _values(wanted, limit)).fetchall()


def _chosen(wanted: Wanted) -> str:
    if wanted.trouble:
        return f"({_BY_TRACK}) UNION ALL ({_BY_STAGE})"
    if wanted.state:
        return _BY_TRACK
    return _BY_STAGE if wanted.stage else _ALL


def _values(wanted: Wanted, limit: int) -> dict[str, Any]:
    at, row_id = wanted.before or (None, None)
    return {
        "carrier": wanted.carrier,
        "warehouses": list(wanted.warehouses) if wanted.warehouses is not None else None,
        "states": list(TROUBLE) if wanted.trouble else [wanted.state],
        "kind": wanted.kind,
        "stages": list(TROUBLE_STAGES) if wanted.trouble else [wanted.stage],
        "at": at,
        "id": row_id,
        "limit": limit,
    }


def count_parcels(conn: Conn) -> dict[str, int]:
    """By stage before the door (`stage:…`) and by state after it, each up to a bound."""
    rows = conn.execute(
        """SELECT 'stage:' || stages.stage, (SELECT count(*) FROM (
               SELECT FROM parcel WHERE parcel.stage = stages.stage LIMIT %(most)s))
           FROM unnest('{asked,doubt,refused,conflict,issued,printed}'::text[]) AS stages (stage)
           UNION ALL
           SELECT states.state, (SELECT count(*) FROM (
               SELECT FROM track WHERE track.state = states.state LIMIT %(most)s))
           FROM unnest('{awaiting_collection,no_trace,collected,in_transit,arrived_at_outlet,out_for_delivery,
               ready_for_pickup,attempt_failed,exception,intercepted,forwarded,customs,returning,returned,lost,
               delivered,unknown}'::text[]) AS states (state)""",
        {"most": COUNTED_AT_MOST},
    ).fetchall()
    return dict(rows)
