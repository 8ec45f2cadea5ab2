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
    """A parcel as lists show it. `state`, `kind`, `direction` are the track's; the receiver is masked.

    `at` is its place in the list: when its track changed in a list by state, when it moved in every other.
    """

    at: datetime
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
SELECT chosen.at, parcel.id, parcel.mother_id, parcel.shop_id, parcel.warehouse_id, warehouse.name AS warehouse,
       parcel.carrier, binding.number, parcel.stage, parcel.held_reason, parcel.mend, track.state, track.kind,
       track.direction, track.latest, orders.ids AS order_ids, orders.numbers AS orders, person.name_mask, person.city,
       parcel.piece, parcel.pieces, parcel.weight_g, parcel.weighed_g, parcel.cod_fen, parcel.declared_fen,
       parcel.created_at, parcel.issued_at, parcel.printed_at, parcel.dispatched_at, parcel.dispatched_by,
       parcel.moved_at
FROM ({chosen}) AS chosen JOIN parcel ON parcel.id = chosen.id
JOIN warehouse ON warehouse.id = parcel.warehouse_id
JOIN person ON person.id = parcel.person_id
LEFT JOIN binding ON binding.parcel_id = parcel.id AND binding.state IN ('live', 'cancelling')
LEFT JOIN track ON track.parcel_id = parcel.id
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(orders.id ORDER BY orders.id), '{{}}') AS ids,
           coalesce(array_agg(orders.number ORDER BY orders.id), '{{}}') AS numbers
    FROM parcel_order JOIN orders ON orders.id = parcel_order.order_id WHERE parcel_order.parcel_id = parcel.id
) AS orders
ORDER BY chosen.at DESC, parcel.id DESC
"""

#: Ranges of the indexes parcel_listed and track_listed that stand in the tally, each newest first.
_BY_STAGE = """
SELECT parcel.id, parcel.moved_at AS at FROM (SELECT * FROM standing WHERE what = 'stage' AND {scope}) AS cell
CROSS JOIN LATERAL (
    SELECT id, moved_at FROM parcel
    WHERE shop_id = cell.shop_id AND warehouse_id = cell.warehouse_id AND carrier = cell.carrier AND stage = cell.word
      AND {where} ORDER BY moved_at DESC, id DESC LIMIT %(limit)s) AS parcel
ORDER BY at DESC, parcel.id DESC LIMIT %(limit)s"""
_BY_STATE = """
SELECT track.id, track.changed_at AS at FROM (SELECT * FROM standing WHERE what = 'state' AND {scope}) AS cell
CROSS JOIN LATERAL (
    SELECT parcel_id AS id, changed_at FROM track
    WHERE shop_id = cell.shop_id AND warehouse_id = cell.warehouse_id AND carrier = cell.carrier
      AND state = cell.word AND kind = cell.kind AND {where}
    ORDER BY changed_at DESC, parcel_id DESC LIMIT %(limit)s) AS track
ORDER BY at DESC, track.id DESC LIMIT %(limit)s"""
_HELD = """
SELECT parcel.id, parcel.moved_at AS at FROM (SELECT DISTINCT shop_id FROM standing WHERE what = 'stage') AS cell
CROSS JOIN LATERAL (
    SELECT id, moved_at FROM parcel WHERE shop_id = cell.shop_id AND held_reason <> '' AND {where}
    ORDER BY moved_at DESC, id DESC LIMIT %(limit)s) AS parcel
ORDER BY at DESC, parcel.id DESC LIMIT %(limit)s"""
_PICKED = """
SELECT id, moved_at AS at FROM parcel WHERE {where} ORDER BY moved_at DESC, id DESC LIMIT %(limit)s"""
#: The first so many numbers with a beginning are looked through.
NUMBERS_AT_MOST = 500
LAST_CHARACTER = "\U0010ffff"

TAKE = """
SELECT take.id, take.parcel_id, carrier_account.name AS account, carrier_account.carrier, take.code, take.state,
       take.number, take.unwanted, take.attempts, take.said, take.created_at, take.asked_at, take.answered_at
FROM take JOIN carrier_account ON carrier_account.id = take.account_id
"""

CANCEL = """
SELECT id, parcel_id, take_id, carrier, number, state, reason, said, asked_at, answered_at FROM waybill_cancel
"""


def _picked(filters: Filters) -> list[str]:
    """Conditions that leave few parcels, found by an index of their own."""
    chosen: list[tuple[bool, str]] = [
        (bool(filters.ids), "id = ANY(%(ids)s)"),
        (filters.order_id is not None, "id IN (SELECT parcel_id FROM parcel_order WHERE order_id = %(order_id)s)"),
        (bool(filters.number),
         """id IN (SELECT parcel_id FROM binding WHERE number ~>=~ %(number)s AND number ~<~ %(beyond)s
                   ORDER BY number USING ~<~ LIMIT %(numbers)s)"""),
    ]  # fmt: skip
    return [condition for wanted, condition in chosen if wanted]


def _scope(filters: Filters) -> list[str]:
    """What can be asked of the tally as well as of a parcel or its track."""
    chosen: list[tuple[bool, str]] = [
        (bool(filters.carriers), "carrier = ANY(%(carriers)s)"),
        (bool(filters.shop_ids), "shop_id = ANY(%(shop_ids)s)"),
        (bool(filters.warehouse_ids), "warehouse_id = ANY(%(warehouse_ids)s)"),
    ]
    return [condition for wanted, condition in chosen if wanted]


def _of_parcel(filters: Filters) -> list[str]:
    chosen: list[tuple[bool, str]] = [
        (bool(filters.stages), "stage = ANY(%(stages)s)"),
        (filters.held is True, "held_reason <> ''"),
        (filters.held is False, "held_reason = ''"),
    ]
    return [condition for wanted, condition in chosen if wanted]


def _choose(filters: Filters, *, after: bool) -> str:
    """The ids of a page by the index that fits."""
    moved = ["(moved_at, id) < (%(at)s, %(id)s)"] if after else []
    picked, scope, of_parcel = _picked(filters), _scope(filters), _of_parcel(filters)
    in_state = "EXISTS (SELECT FROM track WHERE parcel_id = parcel.id AND state = ANY(%(states)s))"
    if picked or filters.held:
        where = [*picked, *scope, *of_parcel, *moved, *([in_state] if filters.states else [])]
        return (_PICKED if picked else _HELD).format(where=" AND ".join(where))
    if filters.states:
        states = " AND ".join(["word = ANY(%(states)s)", *scope])
        changed = ["(changed_at, parcel_id) < (%(at)s, %(id)s)"] if after else []
        there = [f"EXISTS (SELECT FROM parcel WHERE id = parcel_id AND {condition})" for condition in of_parcel]
        return _BY_STATE.format(scope=states, where=" AND ".join([*changed, *there]) or "true")
    stages = " AND ".join([*(["word = ANY(%(stages)s)"] if filters.stages else []), *scope]) or "true"
    return _BY_STAGE.format(scope=stages, where=" AND ".join([*moved, *of_parcel]) or "true")


def list_parcels(
    conn: Connection, filters: Filters, *, after: tuple[datetime, int] | None, limit: int
) -> list[ParcelItem]:
    """By (at, id), the newest first, strictly after the given row."""
    number = filters.number.strip().upper()
    given = {
        "ids": list(filters.ids), "order_id": filters.order_id, "number": number, "beyond": number + LAST_CHARACTER,
        "stages": list(filters.stages), "states": list(filters.states), "carriers": list(filters.carriers),
        "shop_ids": list(filters.shop_ids), "warehouse_ids": list(filters.warehouse_ids), "limit": limit,
        "numbers": NUMBERS_AT_MOST, "at": after[0] if after else None, "id": after[1] if after else None,
    }  # fmt: skip
    query = _PARCEL.format(chosen=_choose(filters, after=after is not None))
    with conn.cursor(row_factory=class_row(ParcelItem)) as cur:
        return cur.execute(query.encode(), given).fetchall()


def count_stages(conn: Connection, *, warehouse_ids: Sequence[int] | None) -> dict[str, int]:
    rows = conn.execute(
        """SELECT word, sum(n)::bigint FROM standing
           WHERE what = 'stage' AND (%(every)s OR warehouse_id = ANY(%(ids)s::bigint[])) GROUP BY word""",
        {"every": warehouse_ids is None, "ids": list(warehouse_ids or ())},
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
            """SELECT id, binding_id, source, made_at, voided_at FROM (
                   SELECT * FROM label WHERE parcel_id = %(parcel)s AND voided_at IS NULL
                   UNION ALL SELECT * FROM label WHERE parcel_id = %(parcel)s AND voided_at IS NOT NULL) AS label
               ORDER BY id""",
            {"parcel": parcel_id},
        ).fetchall()


def list_cancels(conn: Connection, mother: int) -> list[CancelItem]:
    with conn.cursor(row_factory=class_row(CancelItem)) as cur:
        return cur.execute(CANCEL + "WHERE parcel_id = %s ORDER BY id", [mother]).fetchall()
