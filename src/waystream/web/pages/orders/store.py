"""What the list of orders reads: one page of rows by keyset, counts, the names its filters offer.

A list reads ranges of the index orders_listed: one for each shop, warehouse and word that stand in the tally and are
asked for, each newest first, so that no filter walks over rows it leaves out. What is rare is found first, then sorted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from waystream.web.pages.parcels.store import BY_STAGE, BY_STATE, TROUBLE, TROUBLE_STAGES

Conn = Connection[Any]

#: A view (late, held, in trouble) counts and shows the newest so many.
COUNTED_AT_MOST = 1_000
#: A carrier with fewer parcels than this is looked for by its parcels.
RARE_PARCELS = 5_000

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
    """How many orders stand at each word; in trouble, late and on hold are counted up to a bound."""

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


_ENDED = "('delivered', 'completed', 'closed')"  # as in the index orders_late
_ORDER = "ORDER BY o.moved_at DESC, o.id DESC"
_STANDING = f"""
    SELECT o.id FROM (SELECT * FROM standing WHERE what = 'order' AND {{scope}}) cell
    CROSS JOIN LATERAL (
        SELECT o.id, o.moved_at FROM orders o
        WHERE o.shop_id = cell.shop_id AND o.warehouse_id = cell.warehouse_id AND o.word = cell.word AND {{rest}}
        {_ORDER} LIMIT %(limit)s) o
    {_ORDER} LIMIT %(limit)s"""
_FEW = f"SELECT o.id FROM ({{few}}) o WHERE {{rest}} {_ORDER} LIMIT %(limit)s"

#: Few orders, under a scope and up to a bound.
_VIEWS = {
    "late": f"""
        SELECT * FROM orders WHERE promised_at < %(now)s AND word NOT IN {_ENDED} AND {{scope}}
        ORDER BY promised_at DESC LIMIT %(most)s""",
    "held": f"""
        SELECT * FROM orders WHERE held_at IS NOT NULL AND word NOT IN {_ENDED} AND {{scope}}
        ORDER BY held_at DESC LIMIT %(most)s""",
    "trouble": f"""
        SELECT * FROM orders WHERE id IN (
            SELECT po.order_id FROM (
                SELECT id FROM ({BY_STATE} UNION ALL {BY_STAGE}) each ORDER BY at DESC, id DESC LIMIT %(most)s) newest
            JOIN parcel_order po ON po.parcel_id = newest.id)""",
}
_FOUND = "SELECT * FROM orders WHERE id = ANY (%(found)s::bigint[])"
_BY_CARRIER = f"""
    SELECT * FROM orders WHERE id IN (
        SELECT po.order_id FROM ({BY_STAGE}) newest JOIN parcel_order po ON po.parcel_id = newest.id)"""
_HAS_CARRIER = """EXISTS (SELECT FROM parcel_order po JOIN parcel p ON p.id = po.parcel_id
                          WHERE po.order_id = o.id AND p.carrier = %(carrier)s)"""

_LIST = """
    SELECT o.id, o.number, shop.name AS shop, o.word, o.refund, o.held_at IS NOT NULL AS held, o.moved_at,
           o.promised_at, o.total_fen, person.name_mask, person.province, person.city, person.district,
           COALESCE(lead.parcels, 0) AS parcels, lead.carrier, lead.stage, lead.state, lead.kind, lead.latest,
           lead.waybill
    FROM ({chosen}) chosen
    JOIN orders o ON o.id = chosen.id
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
    few, rest = _find_few(conn, wanted), _rest(wanted)
    scope = _all(_scope(wanted))
    chosen = _FEW.format(few=few, rest=_all([scope, *rest])) if few else _STANDING.format(scope=scope, rest=_all(rest))
    query = _LIST.format(chosen=chosen)
    cursor = conn.cursor(row_factory=class_row(Row))
    return cursor.execute(query.encode(), {**_values(wanted), "limit": limit, "most": COUNTED_AT_MOST}).fetchall()


def count_orders(conn: Conn, wanted: Wanted) -> Counts:
    """By word and by view, under the same shop and warehouse; those by view stop at the bound."""
    scope = _all(_scope(wanted, word=False))
    query = f"SELECT word, sum(n)::bigint FROM standing WHERE what = 'order' AND {scope} GROUP BY word"
    by_word = dict(conn.execute(query.encode(), _values(wanted)).fetchall())
    counted = ", ".join(f"(SELECT count(*) FROM ({_view(view, scope)}) v)" for view in ("trouble", "late", "held"))
    row = conn.execute(f"SELECT {counted}".encode(), {**_values(wanted), "most": COUNTED_AT_MOST}).fetchone()
    assert row is not None
    return Counts(by_word, trouble=row[0], late=row[1], held=row[2])


def list_numbers(conn: Conn, order_ids: Sequence[int]) -> dict[int, str]:
    """What these orders are called by their shops."""
    return dict(conn.execute("SELECT id, number FROM orders WHERE id = ANY (%s)", [list(order_ids)]).fetchall())


def list_shops(conn: Conn) -> list[Named]:
    """Shops are few; those this transaction may not see are sorted out by the caller."""
    return conn.cursor(row_factory=class_row(Named)).execute("SELECT id, name FROM shop ORDER BY name, id").fetchall()


def list_warehouses(conn: Conn) -> list[Named]:
    query = "SELECT id, name FROM warehouse ORDER BY name, id"
    return conn.cursor(row_factory=class_row(Named)).execute(query).fetchall()


def list_carriers(conn: Conn) -> list[str]:
    return [row[0] for row in conn.execute("SELECT DISTINCT carrier FROM carrier_account ORDER BY carrier").fetchall()]


def _scope(wanted: Wanted, *, word: bool = True) -> list[str]:
    """What can be asked of the tally as well as of orders. Only what is wanted stands in a query."""
    given = {
        "word = %(word)s": word and wanted.word,
        "shop_id = %(shop)s::bigint": wanted.shop_id is not None,
        "warehouse_id = %(warehouse)s::bigint": wanted.warehouse_id is not None,
        "warehouse_id = ANY (%(warehouses)s::bigint[])": wanted.warehouses is not None,
    }
    return [condition for condition, asked in given.items() if asked]


def _find_few(conn: Conn, wanted: Wanted) -> str:
    """What leaves few orders: these are found first and sorted then. Empty where nothing does."""
    if wanted.view:
        return _view(wanted.view, _all(_scope(wanted, word=False)))
    if wanted.found is not None:
        return _FOUND
    if wanted.carrier and _is_rare(conn, wanted.carrier):
        return _BY_CARRIER.format(cells="carrier = %(carrier)s", rest="true", limit=RARE_PARCELS)
    return ""


def _rest(wanted: Wanted) -> list[str]:
    """What only the order itself can tell."""
    given = {
        "o.id = ANY (%(found)s::bigint[])": wanted.found is not None,
        _HAS_CARRIER: wanted.carrier,
        "(o.moved_at, o.id) < (%(at)s, %(id)s)": wanted.before,
    }
    return [condition for condition, asked in given.items() if asked]


def _view(view: str, scope: str) -> str:
    cells = f"(word = ANY (%(trouble)s) OR word = ANY (%(stages)s)) AND {scope}"
    return _VIEWS[view].format(scope=scope, cells=cells, rest="true", limit="%(most)s")


def _is_rare(conn: Conn, carrier: str) -> bool:
    query = "SELECT COALESCE(sum(n), 0) FROM standing WHERE what = 'stage' AND carrier = %s"
    row = conn.execute(query, [carrier]).fetchone()
    assert row is not None
    return int(row[0]) < RARE_PARCELS


def _all(conditions: Sequence[str]) -> str:
    return " AND ".join(conditions) or "true"


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
        "trouble": list(TROUBLE),
        "stages": list(TROUBLE_STAGES),
    }
