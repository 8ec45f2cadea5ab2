"""Lists of deadlines: what is due soon and what was missed, by keyset, and the live orders and parcels of a shop."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from waystream.core.deadline import DeadlineKind

Conn = Connection[Any]

#: A tab counts no further.
COUNTED_AT_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deadlines of a kind: open ones due before `until` (None: all of them) and missed ones."""

    kind: DeadlineKind
    open: bool = True
    missed: bool = True
    until: datetime | None = None
    shop_id: int | None = None
    warehouses: tuple[int, ...] | None = None
    after: tuple[datetime, int] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A deadline with what it is of; the first order of a parcel speaks for all of them."""

    kind: str
    stand: str
    since: datetime
    due_at: datetime
    doubts: list[str]
    subject_id: int
    parcel_id: int | None
    order_id: int | None
    number: str
    shop: str
    warehouse: str
    carrier: str
    waybill: str
    latest: str


@dataclass(frozen=True, slots=True)
class Count:
    """Of a kind: how many are due before the asked time, and how many were missed; bounded."""

    kind: str
    due: int
    missed: int


#: Shops, warehouses and stands that are asked for: each is one range of the index deadline_listed, the first due first.
_CELLS = """
    SELECT shop.id AS shop_id, warehouse.id AS warehouse_id, each.stand, each.until
    FROM shop CROSS JOIN warehouse
         CROSS JOIN unnest(%(stands)s::text[], %(untils)s::timestamptz[]) AS each (stand, until)
    WHERE (%(shop)s::bigint IS NULL OR shop.id = %(shop)s)
      AND (%(warehouses)s::bigint[] IS NULL OR warehouse.id = ANY (%(warehouses)s))"""
_IN_CELL = """deadline.shop_id = cell.shop_id AND deadline.warehouse_id = cell.warehouse_id
              AND deadline.stand = cell.stand AND deadline.stand IN ('open', 'missed')
              AND deadline.due_at <= cell.until"""
_LIST = f"""
    SELECT d.kind, d.stand, d.since, d.due_at, d.doubts, d.subject_id, p.id AS parcel_id, o.id AS order_id,
           COALESCE(o.number, '') AS number, shop.name AS shop, w.name AS warehouse,
           COALESCE(p.carrier, '') AS carrier, COALESCE(b.number, '') AS waybill, COALESCE(t.latest, '') AS latest
    FROM (
        SELECT few.* FROM ({_CELLS}) AS cell CROSS JOIN LATERAL (
            SELECT * FROM deadline WHERE {_IN_CELL} AND deadline.kind = %(kind)s
              AND (%(at)s::timestamptz IS NULL OR (due_at, subject_id) > (%(at)s, %(id)s))
            ORDER BY due_at, subject_id LIMIT %(limit)s) AS few
        ORDER BY few.due_at, few.subject_id LIMIT %(limit)s) d
    JOIN shop ON shop.id = d.shop_id
    JOIN warehouse w ON w.id = d.warehouse_id
    LEFT JOIN parcel p ON p.id = d.subject_id AND NOT %(of_order)s
    LEFT JOIN track t ON t.parcel_id = p.id
    LEFT JOIN binding b ON b.parcel_id = p.id AND b.state IN ('live', 'cancelling')
    CROSS JOIN LATERAL (SELECT CASE WHEN %(of_order)s THEN d.subject_id ELSE (
        SELECT min(order_id) FROM parcel_order WHERE parcel_id = p.id) END AS id OFFSET 0) first
    LEFT JOIN orders o ON o.id = first.id
    ORDER BY d.due_at, d.subject_id"""
_COUNT = f"""
    SELECT kind, COALESCE(LEAST(sum(n) FILTER (WHERE stand = 'open'), %(most)s), 0)::int AS due,
           COALESCE(LEAST(sum(n) FILTER (WHERE stand = 'missed'), %(most)s), 0)::int AS missed
    FROM unnest(%(kinds)s::text[]) AS asked (kind) CROSS JOIN ({_CELLS}) AS cell CROSS JOIN LATERAL (
        SELECT count(*) AS n FROM (
            SELECT FROM deadline WHERE {_IN_CELL} AND deadline.kind = asked.kind LIMIT %(most)s) AS few) AS counted
    GROUP BY kind"""
#: Later than anything that is due.
_WHENEVER = datetime(9999, 1, 1, tzinfo=UTC)


def list_deadlines(conn: Conn, wanted: Wanted, *, limit: int) -> list[Row]:
    """What is due first, first; missed ones are the oldest."""
    at, subject_id = wanted.after or (None, None)
    stands = {"open": wanted.until} if wanted.open else {}
    values = {
        **_cells(wanted.shop_id, wanted.warehouses, stands | ({"missed": None} if wanted.missed else {})),
        "kind": wanted.kind,
        "of_order": wanted.kind in (DeadlineKind.SHIP_BY, DeadlineKind.PROMISE),
        "at": at,
        "id": subject_id,
        "limit": limit,
    }
    return conn.cursor(row_factory=class_row(Row)).execute(_LIST.encode(), values).fetchall()


def count_deadlines(
    conn: Conn, *, until: datetime | None, shop_id: int | None, warehouses: tuple[int, ...] | None
) -> dict[str, Count]:
    """By kind, each at most `COUNTED_AT_MOST`."""
    values = {
        **_cells(shop_id, warehouses, {"open": until, "missed": None}),
        "kinds": list(DeadlineKind),
        "most": COUNTED_AT_MOST,
    }
    rows = conn.cursor(row_factory=class_row(Count)).execute(_COUNT.encode(), values).fetchall()
    return {kind.value: Count(kind, 0, 0) for kind in DeadlineKind} | {row.kind: row for row in rows}


def _cells(
    shop_id: int | None, warehouses: tuple[int, ...] | None, stands: Mapping[str, datetime | None]
) -> dict[str, Any]:
    """What stands so, due until then."""
    return {
        "shop": shop_id,
        "warehouses": None if warehouses is None else list(warehouses),
        "stands": list(stands),
        "untils": [until or _WHENEVER for until in stands.values()],
    }


def list_live_orders(conn: Conn, shop_id: int, *, after_id: int, limit: int) -> list[int]:
    """Orders that may have a deadline, and those that have one."""
    rows = conn.execute(
        """SELECT id FROM orders o WHERE shop_id = %(shop)s AND id > %(after)s AND (
               cancelled_at IS NULL AND word NOT IN ('delivered', 'completed', 'closed')
               OR EXISTS (SELECT FROM deadline d WHERE d.subject_id = o.id AND d.stand IN ('open', 'missed')))
           ORDER BY id LIMIT %(limit)s""",
        {"shop": shop_id, "after": after_id, "limit": limit},
    )
    return [order_id for (order_id,) in rows]


def list_live_parcels(conn: Conn, shop_id: int, *, after_id: int, limit: int) -> list[int]:
    """Parcels under way, and those that have a deadline."""
    rows = conn.execute(
        """SELECT p.id FROM parcel p LEFT JOIN track t ON t.parcel_id = p.id
           WHERE p.shop_id = %(shop)s AND p.id > %(after)s AND (
               p.stage = 'dispatched' AND COALESCE(t.state, '') NOT IN ('delivered', 'returned', 'lost', 'cancelled')
               OR EXISTS (SELECT FROM deadline d WHERE d.subject_id = p.id AND d.stand IN ('open', 'missed')))
           ORDER BY p.id LIMIT %(limit)s""",
        {"shop": shop_id, "after": after_id, "limit": limit},
    )
    return [parcel_id for (parcel_id,) in rows]
