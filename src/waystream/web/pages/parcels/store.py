"""What the list of parcels reads: one page of rows by keyset, and counts by state.

A list reads ranges of an index: one for each shop, warehouse, carrier and stage or state that stand in the tally and
are asked for, each newest first, so that no filter walks over rows it leaves out.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

Conn = Connection[Any]

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


#: Ranges of the indexes track_listed and parcel_listed that stand in the tally, each newest first.
BY_STATE = """
    SELECT t.id, t.at FROM (SELECT * FROM standing WHERE what = 'state' AND {cells}) cell
    CROSS JOIN LATERAL (
        SELECT parcel_id AS id, changed_at AS at FROM track
        WHERE shop_id = cell.shop_id AND warehouse_id = cell.warehouse_id AND carrier = cell.carrier
          AND state = cell.word AND kind = cell.kind AND {rest}
        ORDER BY changed_at DESC, parcel_id DESC LIMIT {limit}) t"""
BY_STAGE = """
    SELECT p.id, p.at FROM (SELECT * FROM standing WHERE what = 'stage' AND {cells}) cell
    CROSS JOIN LATERAL (
        SELECT id, moved_at AS at FROM parcel
        WHERE shop_id = cell.shop_id AND warehouse_id = cell.warehouse_id AND carrier = cell.carrier
          AND stage = cell.word AND {rest}
        ORDER BY moved_at DESC, id DESC LIMIT {limit}) p"""
_LIST = """
    SELECT p.id, p.carrier, p.stage, p.held_reason, COALESCE(t.state, '') AS state, COALESCE(t.kind, '') AS kind,
           COALESCE(t.latest, '') AS latest, chosen.at, COALESCE(b.number, '') AS waybill, o.order_id,
           COALESCE(o.number, '') AS number, COALESCE(o.orders, 0) AS orders, shop.name AS shop, w.name AS warehouse,
           person.province, person.city, COALESCE(p.weighed_g, p.weight_g) AS weight_g
    FROM (SELECT * FROM ({chosen}) few ORDER BY at DESC, id DESC LIMIT %(limit)s) chosen
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
    ORDER BY chosen.at DESC, p.id DESC"""


def list_parcels(conn: Conn, wanted: Wanted, *, limit: int) -> list[Row]:
    """The newest change first."""
    query = _LIST.format(chosen=_chosen(wanted))
    return conn.cursor(row_factory=class_row(Row)).execute(query.encode(), _values(wanted, limit)).fetchall()


def _chosen(wanted: Wanted) -> str:
    if wanted.trouble:
        return f"{_by_state(wanted)} UNION ALL {_by_stage(wanted)}"
    return _by_state(wanted) if wanted.state else _by_stage(wanted)


def _by_state(wanted: Wanted) -> str:
    cells = ["word = ANY (%(states)s)", *(["kind = %(kind)s"] if wanted.kind else []), *_scope(wanted)]
    after = "(changed_at, parcel_id) < (%(at)s, %(id)s)" if wanted.before else "true"
    return BY_STATE.format(cells=" AND ".join(cells), rest=after, limit="%(limit)s")


def _by_stage(wanted: Wanted) -> str:
    cells = [*(["word = ANY (%(stages)s)"] if wanted.trouble or wanted.stage else []), *_scope(wanted)]
    after = "(moved_at, id) < (%(at)s, %(id)s)" if wanted.before else "true"
    return BY_STAGE.format(cells=" AND ".join(cells) or "true", rest=after, limit="%(limit)s")


def _scope(wanted: Wanted) -> list[str]:
    given = {
        "carrier = %(carrier)s": wanted.carrier,
        "warehouse_id = ANY (%(warehouses)s::bigint[])": wanted.warehouses is not None,
    }
    return [condition for condition, asked in given.items() if asked]


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


def count_parcels(conn: Conn, warehouses: tuple[int, ...] | None = None) -> dict[str, int]:
    """By stage (`stage:…`) and by state, within these warehouses; what nothing stands at is 0."""
    rows = conn.execute(
        """SELECT CASE what WHEN 'stage' THEN 'stage:' || word ELSE word END, sum(n)::bigint FROM standing
           WHERE what IN ('stage', 'state') AND (%(every)s OR warehouse_id = ANY (%(warehouses)s::bigint[]))
           GROUP BY 1""",
        {"every": warehouses is None, "warehouses": list(warehouses or ())},
    ).fetchall()
    left = ("stage:dispatched", "stage:voided", "cancelled")
    return defaultdict(int, {name: count for name, count in rows if name not in left})
