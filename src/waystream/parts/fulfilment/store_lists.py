"""SQL of the lists of parcels. Reads orders, tracks, warehouses and people's masks beside its own tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from waystream.kernel.database import Connection


@dataclass(frozen=True, slots=True)
class Filters:
    """Empty means any. `number` is a waybill's beginning; `held` None: held or not."""

    ids: tuple[int, ...] = ()
    order_id: int | None = None
    number: str = ""
    stages: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    carriers: tuple[str, ...] = ()
    shop_ids: tuple[int, ...] = ()
    warehouse_ids: tuple[int, ...] = ()
    held: bool | None = None


@dataclass(frozen=True, slots=True)
class ParcelItem:
    """A parcel as lists show it. `state`, `kind`, `direction` are the track's; the receiver is masked."""

    id: int
    mother_id: int | None
    shop_id: int
    warehouse_id: int
    warehouse: str
    carrier: str
    number: str | None
    stage: str
    held_reason: str
    mend: str
    state: str | None
    kind: str | None
    direction: str | None
    latest: str | None
    order_ids: tuple[int, ...]
    orders: tuple[str, ...]
    name_mask: str
    city: str
    piece: int
    pieces: int
    weight_g: int
    weighed_g: int | None
    cod_fen: int
    declared_fen: int
    created_at: datetime
    issued_at: datetime | None
    printed_at: datetime | None
    dispatched_at: datetime | None
    dispatched_by: str
    moved_at: datetime


@dataclass(frozen=True, slots=True)
class ContentItem:
    order_id: int
    order_line_id: int
    sku: str
    name: str
    quantity: int


@dataclass(frozen=True, slots=True)
class TakeItem:
    id: int
    parcel_id: int
    account: str
    carrier: str
    code: str
    state: str
    number: str
    unwanted: bool
    attempts: int
    said: str
    created_at: datetime
    asked_at: datetime | None
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class BindingItem:
    id: int
    take_id: int | None
    carrier: str
    number: str
    state: str
    owns_from: datetime
    owns_until: datetime | None
    bound_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class LabelItem:
    id: int
    binding_id: int
    source: str
    made_at: datetime
    voided_at: datetime | None


@dataclass(frozen=True, slots=True)
class CancelItem:
    id: int
    parcel_id: int
    take_id: int | None
    carrier: str
    number: str
    state: str
    reason: str
    said: str
    asked_at: datetime
    answered_at: datetime | None


_PARCEL = """
SELECT parcel.id, parcel.mother_id, parcel.shop_id, parcel.warehouse_id, warehouse.name AS warehouse, parcel.carrier,
       binding.number, parcel.stage, parcel.held_reason, parcel.mend, track.state, track.kind, track.direction,
       track.latest, orders.ids AS order_ids, orders.numbers AS orders, person.name_mask, person.city, parcel.piece,
       parcel.pieces, parcel.weight_g, parcel.weighed_g, parcel.cod_fen, parcel.declared_fen, parcel.created_at,
       parcel.issued_at, parcel.printed_at, parcel.dispatched_at, parcel.dispatched_by, parcel.moved_at
FROM parcel
JOIN warehouse ON warehouse.id = parcel.warehouse_id
JOIN person ON person.id = parcel.person_id
LEFT JOIN binding ON binding.parcel_id = parcel.id AND binding.state IN ('live', 'cancelling')
LEFT JOIN track ON track.parcel_id = parcel.id
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(orders.id ORDER BY orders.id), '{}') AS ids,
           coalesce(array_agg(orders.number ORDER BY orders.id), '{}') AS numbers
    FROM parcel_order JOIN orders ON orders.id = parcel_order.order_id WHERE parcel_order.parcel_id = parcel.id
) AS orders
"""

TAKE = """
SELECT take.id, take.parcel_id, carrier_account.name AS account, carrier_account.carrier, take.code, take.state,
       take.number, take.unwanted, take.attempts, take.said, take.created_at, take.asked_at, take.answered_at
FROM take JOIN carrier_account ON carrier_account.id = take.account_id
"""

CANCEL = """
SELECT id, parcel_id, take_id, carrier, number, state, reason, said, asked_at, answered_at FROM waybill_cancel
"""


def _conditions(filters: Filters) -> tuple[list[str], dict[str, object]]:
    """Only what is asked for stands in the query, so that each filter can use its index."""
    chosen: list[tuple[bool, str]] = [
        (bool(filters.ids), "parcel.id = ANY(%(ids)s)"),
        (filters.order_id is not None,
         "parcel.id IN (SELECT parcel_id FROM parcel_order WHERE order_id = %(order_id)s)"),
        (bool(filters.number), "parcel.id IN (SELECT parcel_id FROM binding WHERE number LIKE %(number)s)"),
        (bool(filters.stages), "parcel.stage = ANY(%(stages)s)"),
        (bool(filters.states), "track.state = ANY(%(states)s)"),
        (bool(filters.carriers), "parcel.carrier = ANY(%(carriers)s)"),
        (bool(filters.shop_ids), "parcel.shop_id = ANY(%(shop_ids)s)"),
        (bool(filters.warehouse_ids), "parcel.warehouse_id = ANY(%(warehouse_ids)s)"),
        (filters.held is True, "parcel.held_reason <> ''"),
        (filters.held is False, "parcel.held_reason = ''"),
    ]  # fmt: skip
    number = filters.number.strip().upper().replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
    given: dict[str, object] = {
        "ids": list(filters.ids), "order_id": filters.order_id, "number": number, "stages": list(filters.stages),
        "states": list(filters.states), "carriers": list(filters.carriers), "shop_ids": list(filters.shop_ids),
        "warehouse_ids": list(filters.warehouse_ids),
    }  # fmt: skip
    return [condition for wanted, condition in chosen if wanted], given


def list_parcels(
    conn: Connection, filters: Filters, *, after: tuple[datetime, int] | None, limit: int
) -> list[ParcelItem]:
    """By (moved_at, id), the newest first, strictly after the given row."""
    conditions, given = _conditions(filters)
    if after is not None:
        conditions.append("(parcel.moved_at, parcel.id) < (%(moved_at)s, %(id)s)")
        given |= {"moved_at": after[0], "id": after[1]}
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    with conn.cursor(row_factory=class_row(ParcelItem)) as cur:
        return cur.execute(
            _PARCEL + where + "ORDER BY parcel.moved_at DESC, parcel.id DESC LIMIT %(limit)s", given | {"limit": limit}
        ).fetchall()


def count_stages(conn: Connection, *, warehouse_ids: Sequence[int] | None) -> dict[str, int]:
    rows = conn.execute(
        """SELECT stage, count(*) FROM parcel
           WHERE %(ids)s::bigint[] IS NULL OR warehouse_id = ANY(%(ids)s) GROUP BY stage""",
        {"ids": None if warehouse_ids is None else list(warehouse_ids)},
    )
    return {row[0]: row[1] for row in rows}


def list_contents(conn: Connection, mother: int) -> list[ContentItem]:
    with conn.cursor(row_factory=class_row(ContentItem)) as cur:
        return cur.execute(
            """SELECT order_line.order_id, order_line.id AS order_line_id, order_line.sku, order_line.name,
                      parcel_line.quantity
               FROM parcel_line JOIN order_line ON order_line.id = parcel_line.order_line_id
               WHERE parcel_line.parcel_id = %s ORDER BY order_line.order_id, order_line.line_no""",
            [mother],
        ).fetchall()


def list_family(conn: Connection, mother: int) -> list[int]:
    rows = conn.execute("SELECT id FROM parcel WHERE id = %s OR mother_id = %s ORDER BY piece", [mother, mother])
    return [row[0] for row in rows]


def list_takes(conn: Connection, mother: int) -> list[TakeItem]:
    with conn.cursor(row_factory=class_row(TakeItem)) as cur:
        return cur.execute(TAKE + "WHERE take.parcel_id = %s ORDER BY take.id", [mother]).fetchall()


def list_bindings(conn: Connection, parcel_id: int) -> list[BindingItem]:
    with conn.cursor(row_factory=class_row(BindingItem)) as cur:
        return cur.execute(
            """SELECT id, take_id, carrier, number, state, owns_from, owns_until, bound_at, ended_at
               FROM binding WHERE parcel_id = %s ORDER BY id""",
            [parcel_id],
        ).fetchall()


def list_labels(conn: Connection, parcel_id: int) -> list[LabelItem]:
    with conn.cursor(row_factory=class_row(LabelItem)) as cur:
        return cur.execute(
            "SELECT id, binding_id, source, made_at, voided_at FROM label WHERE parcel_id = %s ORDER BY id", [parcel_id]
        ).fetchall()


def list_cancels(conn: Connection, mother: int) -> list[CancelItem]:
    with conn.cursor(row_factory=class_row(CancelItem)) as cur:
        return cur.execute(CANCEL + "WHERE parcel_id = %s ORDER BY id", [mother]).fetchall()
