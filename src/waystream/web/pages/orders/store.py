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


_ENDED = "('delivered', 'completed', 'closed')"  # as in the indexes orders_late and orders_held
_ORDER = "ORDER BY o.moved_at DESC, o.id DESC"
_STANDING = f"""
    SELECT o.id FROM (SELECT * FROM standing o WHERE what = 'order' AND {{scope}}) cell
    CROSS JOIN LATERAL (
        SELECT o.id, o.moved_at FROM orders o
        WHERE o.shop_id = cell.shop_id AND o.warehouse_id = cell.warehouse_id AND o.word = cell.word AND {{rest}}
        {_ORDER} LIMIT %(limit)s) o
    {_ORDER} LIMIT %(limit)s"""
_PICKED = f"SELECT o.id FROM orders o WHERE {{scope}} AND {{rest}} {_ORDER} LIMIT %(limit)s"

_LATE = f"o.promised_at < %(now)s AND o.word NOT IN {_ENDED}"
_HELD = f"o.held_at IS NOT NULL AND o.word NOT IN {_ENDED}"
_TROUBLED = f"""
    SELECT po.order_id FROM (
        {BY_STATE.format(cells="word = ANY (%(trouble)s)", rest="true", limit="%(most)s")}
        UNION ALL
        {BY_STAGE.format(cells="word = ANY (%(stages)s)", rest="true", limit="%(most)s")}) found
    JOIN parcel_order po ON po.parcel_id = found.id"""
_BY_CARRIER = f"""
    SELECT po.order_id FROM (
        {BY_STAGE.format(cells="carrier = %(carrier)s", rest="true", limit="%(most)s")}) found
    JOIN parcel_order po ON po.parcel_id = found.id"""
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
    picked, rest = _picked(wanted), []
    if wanted.carrier and not picked and _is_rare(conn, wanted.carrier):
        picked.append(f"o.id IN ({_BY_CARRIER})")
    elif wanted.carrier:
        rest.append(_HAS_CARRIER)
    if wanted.before is not None:
        rest.append("(o.moved_at, o.id) < (%(at)s, %(id)s)")
    shape = _PICKED if picked else _STANDING
    query = _LIST.format(chosen=shape.format(scope=_all(_scope(wanted)), rest=_all([*picked, *rest])))
    cursor = conn.cursor(row_factory=class_row(Row))
    return cursor.execute(query.encode(), {**_values(wanted), "limit": limit, "most": RARE_PARCELS}).fetchall()


def count_orders(conn: Conn, wanted: Wanted) -> Counts:
    """By word and by view, under the same shop and warehouse; those by view stop at the bound."""
    scope, values = _all(_scope(wanted, word=False)), {**_values(wanted), "most": COUNTED_AT_MOST}
    query = f"SELECT word, sum(n)::bigint FROM standing o WHERE what = 'order' AND {scope} GROUP BY word"
    by_word = dict(conn.execute(query.encode(), values).fetchall())
    counted = f"""
        SELECT (SELECT count(*) FROM (SELECT FROM orders o WHERE o.id IN ({_TROUBLED}) AND {scope} LIMIT %(most)s)),
               (SELECT count(*) FROM (SELECT FROM orders o WHERE {_LATE} AND {scope} LIMIT %(most)s)),
               (SELECT count(*) FROM (SELECT FROM orders o WHERE {_HELD} AND {scope} LIMIT %(most)s))"""
    row = conn.execute(counted.encode(), values).fetchone()
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
        "o.word = %(word)s": word and wanted.word,
        "o.shop_id = %(shop)s::bigint": wanted.shop_id is not None,
        "o.warehouse_id = %(warehouse)s::bigint": wanted.warehouse_id is not None,
        "o.warehouse_id = ANY (%(warehouses)s::bigint[])": wanted.warehouses is not None,
    }
    return [condition for condition, asked in given.items() if asked]


def _picked(wanted: Wanted) -> list[str]:
    """Conditions that leave few orders: these are found first and sorted then."""
    given = {
        "o.id = ANY (%(found)s::bigint[])": wanted.found is not None,
        _LATE: wanted.view == "late",
        _HELD: wanted.view == "held",
        f"o.id IN ({_TROUBLED})": wanted.view == "trouble",
    }
    return [condition for condition, asked in given.items() if asked]


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
