"""What the list of orders reads: one page of rows by keyset, bounded counts, the names its filters offer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

Conn = Connection[Any]

COUNTED_AT_MOST = 10_000

#: States in which a person has to act.
TROUBLE = ("attempt_failed", "exception", "intercepted", "lost", "unknown")
TROUBLE_STAGES = ("refused", "conflict", "doubt")
OPEN_WORDS = ("to_ship", "part_shipped", "shipped", "in_transit", "out_for_delivery", "part_delivered", "returning")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders: everything empty is all of them. `found` are the ids a search allows."""

    now: datetime
    word: str = ""
    view: str = ""
    shop_id: int | None = None
    warehouse_id: int | None = None
    carrier: str = ""
    found: tuple[int, ...] | None = None
    warehouses: tuple[int, ...] | None = None
    before: tuple[datetime, int] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    id: int
    number: str
    shop: str
    word: str
    refund: str
    held: bool
    moved_at: datetime
    promised_at: datetime | None
    total_fen: int
    name_mask: str
    province: str
    city: str
    district: str
    parcels: int
    carrier: str | None
    stage: str | None
    state: str | None
    kind: str | None
    latest: str | None
    waybill: str | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many orders stand at each word, in trouble, late; each counted up to a bound."""

    words: dict[str, int]
    trouble: int
    late: int
    held: int = 0

    @property
    def all(self) -> int:
        return sum(self.words.values())

    @property
    def open(self) -> int:
        return sum(self.words.get(word, 0) for word in OPEN_WORDS)


@dataclass(frozen=True, slots=True)
class Named:
    id: int
    name: str


_VIEWS = {
    "": "true",
    "late": "o.promised_at < %(now)s AND o.word = ANY (%(open)s)",
    "held": "o.held_at IS NOT NULL AND o.word = ANY (%(open)s)",
    "trouble": """o.id IN (
        SELECT po.order_id FROM track t JOIN parcel_order po USING (parcel_id) WHERE t.state = ANY (%(trouble)s)
        UNION ALL
        SELECT po.order_id FROM parcel p JOIN parcel_order po ON po.parcel_id = p.id
        WHERE p.stage = ANY (%(stages)s))""",
}

_CONDITIONS = """
    (%(word)s = '' OR o.word = %(word)s)
    AND (%(shop)s::bigint IS NULL OR o.shop_id = %(shop)s)
    AND (%(warehouse)s::bigint IS NULL OR o.warehouse_id = %(warehouse)s)
    AND (%(warehouses)s::bigint[] IS NULL OR o.warehouse_id = ANY (%(warehouses)s))
    AND (%(found)s::bigint[] IS NULL OR o.id = ANY (%(found)s))
    AND (%(carrier)s = '' OR EXISTS (SELECT FROM parcel_order po JOIN parcel p ON p.id = po.parcel_id
                                     WHERE po.order_id = o.id AND p.carrier = %(carrier)s))
    AND (%(at)s::timestamptz IS NULL OR (o.moved_at, o.id) < (%(at)s, %(id)s))
"""

_LIST = """
    SELECT o.id, o.number, shop.name AS shop, o.word, o.refund, o.held_at IS NOT NULL AS held, o.moved_at,
           o.promised_at, o.total_fen, person.name_mask, person.province, person.city, person.district,
           COALESCE(lead.parcels, 0) AS parcels, lead.carrier, lead.stage, lead.state, lead.kind, lead.latest,
           lead.waybill
    FROM (SELECT o.* FROM orders o WHERE {conditions} AND {view}
          ORDER BY o.moved_at DESC, o.id DESC LIMIT %(limit)s) o
    JOIN shop ON shop.id = o.shop_id
    JOIN person ON person.id = o.person_id
    LEFT JOIN LATERAL (
        SELECT p.carrier, p.stage, t.state, t.kind, t.latest, b.number AS waybill, count(*) OVER () AS parcels
        FROM parcel_order po
        JOIN parcel p ON p.id = po.parcel_id
        LEFT JOIN track t ON t.parcel_id = p.id
        LEFT JOIN binding b ON b.parcel_id = p.id AND b.state IN ('live', 'cancelling')
        WHERE po.order_id = o.id AND p.stage <> 'voided'
        ORDER BY COALESCE(t.state = ANY (%(trouble)s), false) DESC, p.id LIMIT 1) lead ON true
    ORDER BY o.moved_at DESC, o.id DESC
"""


def list_orders(conn: Conn, wanted: Wanted, *, limit: int) -> list[Row]:
    """The newest first; one more than a page tells that there is a next one."""
    query = _LIST.format(conditions=_CONDITIONS, view=_VIEWS[wanted.view])
    cursor = conn.cursor(row_factory=class_row(Row))
    return cursor.execute(query.encode(), {**_values(wanted), "limit": limit}).fetchall()


def count_orders(conn: Conn, wanted: Wanted) -> Counts:
    """By word and by view, under the same shop and warehouse; each count stops at the bound."""
    scope = """(%(shop)s::bigint IS NULL OR o.shop_id = %(shop)s)
               AND (%(warehouse)s::bigint IS NULL OR o.warehouse_id = %(warehouse)s)
               AND (%(warehouses)s::bigint[] IS NULL OR o.warehouse_id = ANY (%(warehouses)s))"""
    words = f"""
        SELECT words.word, (SELECT count(*) FROM (SELECT FROM orders o WHERE o.word = words.word AND {scope}
                                                  LIMIT %(most)s))
        FROM unnest(%(words)s::text[]) AS words (word)"""
    values = {**_values(wanted), "most": COUNTED_AT_MOST, "words": list(_ALL_WORDS)}
    by_word = dict(conn.execute(words.encode(), values).fetchall())
    views = {view: _count_view(conn, view, scope, values) for view in ("trouble", "late", "held")}
    return Counts(by_word, trouble=views["trouble"], late=views["late"], held=views["held"])


def list_shops(conn: Conn) -> list[Named]:
    """Shops are few; those this transaction may not see are sorted out by the caller."""
    return conn.cursor(row_factory=class_row(Named)).execute("SELECT id, name FROM shop ORDER BY name, id").fetchall()


def list_warehouses(conn: Conn) -> list[Named]:
    query = "SELECT id, name FROM warehouse ORDER BY name, id"
    return conn.cursor(row_factory=class_row(Named)).execute(query).fetchall()


def list_carriers(conn: Conn) -> list[str]:
    return [row[0] for row in conn.execute("SELECT DISTINCT carrier FROM carrier_account ORDER BY carrier").fetchall()]


_ALL_WORDS: Sequence[str] = (*OPEN_WORDS, "delivered", "completed", "closed")


def _count_view(conn: Conn, view: str, scope: str, values: dict[str, Any]) -> int:
    query = f"SELECT count(*) FROM (SELECT FROM orders o WHERE {_VIEWS[view]} AND {scope} LIMIT %(most)s)"
    row = conn.execute(query.encode(), values).fetchone()
    assert row is not None
    return int(row[0])


def _values(wanted: Wanted) -> dict[str, Any]:
    at, row_id = wanted.before or (None, None)
    return {
        "now": wanted.now,
        "word": wanted.word,
        "shop": wanted.shop_id,
        "warehouse": wanted.warehouse_id,
        "carrier": wanted.carrier,
        "warehouses": list(wanted.warehouses) if wanted.warehouses is not None else None,
        "found": list(wanted.found) if wanted.found is not None else None,
        "at": at,
        "id": row_id,
        "open": list(OPEN_WORDS),
        "trouble": list(TROUBLE),
        "stages": list(TROUBLE_STAGES),
    }
