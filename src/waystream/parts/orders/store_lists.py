"""Reading orders: a page of a list, how many of each word, one order whole, and finding by what a person types.

Guaranteed: every query is bounded, and pages go by (moved_at, id), so page 1,000 costs what page 1 costs. Row-level
security leaves out other shops' rows; prefix search uses the index's own operators, which may run before it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection, Cursor
from psycopg.rows import class_row, kwargs_row

from waystream.core.order import Word
from waystream.parts.orders.model import Line
from waystream.parts.orders.views import Filters, Order, OrderRow, ParcelRow

Conn = Connection[Any]

_LIST = """
SELECT o.id, o.shop_id, s.name AS shop, o.number, o.warehouse_id, o.word, o.dispatch, o.payment, o.refund, o.total_fen,
       o.cod_fen, o.currency, o.held_at, o.hold_reason, o.ship_by, o.promised_at, o.received_at, o.moved_at,
       p.name_mask, p.phone_mask, p.province, p.city, p.district, l.pieces, l.first_name,
       COALESCE(n.parcels, 0) AS parcels, COALESCE(t.parcel_id, 0) AS parcel_id, COALESCE(t.carrier, '') AS carrier,
       COALESCE(t.number, '') AS waybill, COALESCE(t.stage, '') AS stage, COALESCE(t.state, '') AS state,
       COALESCE(t.kind, '') AS kind, COALESCE(t.latest, '') AS latest
FROM ({chosen}) chosen JOIN orders o ON o.id = chosen.id
JOIN shop s ON s.id = o.shop_id JOIN person p ON p.id = o.person_id
CROSS JOIN LATERAL (
    SELECT COALESCE(sum(quantity), 0)::int AS pieces, COALESCE((array_agg(name ORDER BY line_no))[1], '') AS first_name
    FROM order_line WHERE order_id = o.id AND quantity > 0) l
LEFT JOIN LATERAL (
    SELECT count(*)::int AS parcels FROM parcel_order po JOIN parcel ON parcel.id = po.parcel_id
    WHERE po.order_id = o.id AND parcel.stage <> 'voided') n ON true
LEFT JOIN LATERAL (
    SELECT parcel.id AS parcel_id, parcel.carrier, b.number, parcel.stage, track.state, track.kind, track.latest
    FROM parcel_order po JOIN parcel ON parcel.id = po.parcel_id
    LEFT JOIN binding b ON b.parcel_id = parcel.id AND b.state IN ('live', 'cancelling')
    LEFT JOIN track ON track.parcel_id = parcel.id
    WHERE po.order_id = o.id AND parcel.stage <> 'voided'
    ORDER BY GREATEST(track.changed_at, parcel.moved_at) DESC, parcel.id DESC LIMIT 1) t ON true
ORDER BY o.moved_at DESC, o.id DESC
"""

_ORDER = """
SELECT o.id, o.shop_id, s.code AS shop_code, s.name AS shop, o.number, o.warehouse_id, w.code AS warehouse_code,
       w.name AS warehouse, o.word, o.dispatch, o.payment, o.cod_fen, o.paid_at, o.refund, o.ship_by, o.promised_at,
       o.declared_fen, o.total_fen, o.currency, o.carrier, o.hold_reason, o.held_at, o.cancel_reason, o.cancelled_at,
       o.delivered_at, o.completed_at, o.completed_by, o.received_at, o.moved_at,
       o.person_id, p.plain AS readable, p.erased_at, p.name_mask, p.phone_mask, p.address_mask, p.province, p.city,
       p.district
FROM orders o JOIN shop s ON s.id = o.shop_id JOIN warehouse w ON w.id = o.warehouse_id
JOIN person p ON p.id = o.person_id
WHERE {where}
"""

_PARCELS = """
SELECT parcel.id, parcel.carrier, COALESCE(b.number, '') AS number, parcel.stage, COALESCE(track.state, '') AS state,
       COALESCE(track.kind, '') AS kind, COALESCE(track.direction, 'out') AS direction,
       COALESCE(track.latest, '') AS latest, parcel.dispatched_at, track.delivered_at
FROM parcel_order po JOIN parcel ON parcel.id = po.parcel_id
LEFT JOIN binding b ON b.parcel_id = parcel.id AND b.state IN ('live', 'cancelling')
LEFT JOIN track ON track.parcel_id = parcel.id
WHERE po.order_id = %s ORDER BY parcel.id
"""


#: Ranges of the index orders_listed that stand in the tally, or of the partial indexes that begin with the shop.
_STANDING = """
SELECT o.id FROM (SELECT {cell} FROM standing o WHERE what = 'order' AND {scope}) cell
CROSS JOIN LATERAL (SELECT o.id, o.moved_at FROM orders o WHERE {within} AND {where}
                    ORDER BY o.moved_at DESC, o.id DESC LIMIT %(limit)s) o
ORDER BY o.moved_at DESC, o.id DESC LIMIT %(limit)s"""
_PICKED = "SELECT o.id FROM orders o WHERE {where} ORDER BY o.moved_at DESC, o.id DESC LIMIT %(limit)s"
_IN_CELL = "o.shop_id = cell.shop_id AND o.warehouse_id = cell.warehouse_id AND o.word = cell.word"


def _scope(filters: Filters) -> list[str]:
    """What can be asked of the tally as well as of orders."""
    given = {
        "o.word = ANY (%(words)s)": filters.words,
        "o.shop_id = %(shop)s": filters.shop_id,
        "o.warehouse_id = ANY (%(warehouses)s)": filters.warehouse_ids is not None,
    }
    return [condition for condition, wanted in given.items() if wanted]


def _conditions(filters: Filters) -> list[str]:
    """The rest. An order moved when it was received or later, so `since` ends the way through the newest."""
    given = {
        "o.carrier = %(carrier)s AND o.carrier <> ''": filters.carrier,
        "o.held_at IS NOT NULL": filters.held,
        "o.refund <> 'none'": filters.refund,
        "o.ship_by < %(late)s AND o.dispatch <> 'all' AND o.cancelled_at IS NULL": filters.late_at,
        "o.received_at >= %(since)s AND o.moved_at >= %(since)s": filters.since,
        "o.received_at < %(until)s": filters.until,
        "o.id = ANY (%(ids)s)": filters.ids is not None,
    }
    return [condition for condition, wanted in given.items() if wanted]


def _choose(filters: Filters, conditions: list[str]) -> str:
    """The ids of a page by the index that fits: few first and sorted then, by shop, or by all that stands."""
    scope = _scope(filters)
    if filters.ids is not None or filters.held or filters.late_at:
        return _PICKED.format(where=_all([*scope, *conditions]))
    if filters.carrier or filters.refund:
        where, within = _all([*scope, *conditions]), "o.shop_id = cell.shop_id"
        return _STANDING.format(cell="DISTINCT shop_id", scope=_all(scope), within=within, where=where)
    return _STANDING.format(cell="*", scope=_all(scope), within=_IN_CELL, where=_all(conditions))


def _all(conditions: list[str]) -> str:
    return " AND ".join(conditions) or "true"


def _values(filters: Filters) -> dict[str, Any]:
    return {
        "words": [word.value for word in filters.words],
        "shop": filters.shop_id,
        "carrier": filters.carrier,
        "warehouses": list(filters.warehouse_ids or ()),
        "late": filters.late_at,
        "since": filters.since,
        "until": filters.until,
        "ids": list(filters.ids or ()),
    }


def list_orders(conn: Conn, filters: Filters, *, after: tuple[datetime, int] | None, limit: int) -> list[OrderRow]:
    conditions = _conditions(filters) + (["(o.moved_at, o.id) < (%(at)s, %(id)s)"] if after else [])
    values = _values(filters) | {"limit": limit, "at": after[0] if after else None, "id": after[1] if after else None}

    def row(*, word: str, **rest: Any) -> OrderRow:
        return OrderRow(word=Word(word), **rest)

    query = _LIST.format(chosen=_choose(filters, conditions))
    return conn.cursor(row_factory=kwargs_row(row)).execute(query.encode(), values).fetchall()


def count_words(conn: Conn, filters: Filters, *, upto: int) -> dict[Word, int]:
    """How many orders of each word, counting no further than `upto`; from the tally unless more is asked."""
    conditions, scope = _conditions(filters), _all(_scope(filters))
    if conditions:
        query = f"""
            SELECT cell.word, LEAST(count(*), %(upto)s)
            FROM (SELECT * FROM standing o WHERE what = 'order' AND {scope}) cell
            CROSS JOIN LATERAL (SELECT FROM orders o WHERE {_IN_CELL} AND {_all(conditions)} LIMIT %(upto)s) few
            GROUP BY cell.word"""
    else:
        query = f"""
            SELECT word, LEAST(sum(n), %(upto)s)::bigint FROM standing o
            WHERE what = 'order' AND {scope} GROUP BY word"""
    counted = conn.execute(query.encode(), _values(filters) | {"upto": upto}).fetchall()
    return dict.fromkeys(Word, 0) | {Word(word): orders for word, orders in counted}


def find_order(conn: Conn, order_id: int) -> Order | None:
    return _one(conn, "o.id = %s", [order_id])


def find_order_by_number(conn: Conn, shop_code: str, number: str) -> Order | None:
    return _one(conn, "s.code = %s AND o.number = %s", [shop_code, number])


def _one(conn: Conn, where: str, values: Sequence[Any]) -> Order | None:
    def order(*, id: int, word: str, **rest: Any) -> Order:
        lines, parcels = (
            _lines(conn).execute(_LINES, [id]).fetchall(),
            _parcels(conn).execute(_PARCELS, [id]).fetchall(),
        )
        return Order(id=id, word=Word(word), lines=tuple(lines), parcels=tuple(parcels), **rest)

    return conn.cursor(row_factory=kwargs_row(order)).execute(_ORDER.format(where=where).encode(), values).fetchone()


_LINES = """SELECT id, order_id, line_no, sku, name, quantity, price_fen, discount_fen, tax_bp
            FROM order_line WHERE order_id = %s AND quantity > 0 ORDER BY line_no"""


def _lines(conn: Conn) -> Cursor[Line]:
    return conn.cursor(row_factory=class_row(Line))


def _parcels(conn: Conn) -> Cursor[ParcelRow]:
    return conn.cursor(row_factory=class_row(ParcelRow))


def list_shop_ids(conn: Conn) -> list[int]:
    """The shops this transaction sees."""
    return [row[0] for row in conn.execute("SELECT id FROM shop ORDER BY id")]


def find_by_number(conn: Conn, prefix: str, *, limit: int) -> list[int]:
    """The last numbers of each shop that begin so, whatever the database sorts text by."""
    return _ids(
        conn,
        """SELECT o.id FROM (SELECT DISTINCT shop_id FROM standing WHERE what = 'order') shop
           CROSS JOIN LATERAL (
               SELECT id FROM orders WHERE shop_id = shop.shop_id AND number ~>=~ %(from)s AND number ~<~ %(to)s
               ORDER BY number USING ~>~ LIMIT %(limit)s) o
           ORDER BY o.id DESC LIMIT %(limit)s""",
        {"from": prefix, "to": prefix + "\U0010ffff", "limit": limit},
    )


def find_by_waybill(conn: Conn, number: str, *, limit: int) -> list[int]:
    """By any number the parcel ever had: an old label is typed in too."""
    return _ids(
        conn,
        """SELECT DISTINCT po.order_id FROM binding b JOIN parcel_order po ON po.parcel_id = b.parcel_id
                         WHERE b.number = %(number)s ORDER BY 1 DESC LIMIT %(limit)s""",
        {"number": number, "limit": limit},
    )


def find_by_terms(
    conn: Conn, *, shops: Sequence[int], purposes: Sequence[int], hashes: Sequence[bytes], all_of: int, limit: int
) -> list[int]:
    """Orders of people that carry `all_of` of the (shop, purpose, hash) given."""
    return _ids(
        conn,
        """SELECT o.id FROM (
               SELECT i.person_id FROM unnest(%(shops)s::bigint[], %(purposes)s::smallint[], %(hashes)s::bytea[])
                 AS wanted (shop_id, purpose, hash) JOIN person_index i USING (shop_id, purpose, hash)
               GROUP BY i.person_id HAVING count(*) = %(all_of)s ORDER BY i.person_id DESC LIMIT %(limit)s) found
           JOIN orders o USING (person_id) ORDER BY o.id DESC LIMIT %(limit)s""",
        {"shops": list(shops), "purposes": list(purposes), "hashes": list(hashes), "all_of": all_of, "limit": limit},
    )


def _ids(conn: Conn, query: str, values: dict[str, Any]) -> list[int]:
    return [row[0] for row in conn.execute(query.encode(), values)]
