"""Rows of orders and their lines: locked, inserted and updated set-wise, never one by one.

Guaranteed: orders are locked by ascending id before anything of theirs is written; parcels are only read.
Receivers are in `store_persons`, lists and search in `store_lists`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from waystream.core.order import Dispatch, OrderFacts, Word
from waystream.core.state import Kind
from waystream.kernel.columns import Column, bigints, instants, texts
from waystream.parts.orders.model import Change, Known, Line, Standing, Told, parcel_part

Conn = Connection[Any]
Whereabouts = tuple[str, str, str]  # a parcel's state, kind, direction
_WORDS = {word.value: word for word in Word}
_DISPATCHES = {dispatch.value: dispatch for dispatch in Dispatch}


def find_shops(conn: Conn, codes: Iterable[str]) -> dict[str, int]:
    """The ids of those codes this transaction may see."""
    return dict(conn.execute("SELECT code, id FROM shop WHERE code = ANY (%s)", [list(set(codes))]))


def find_warehouses(conn: Conn, codes: Iterable[str]) -> dict[str, int]:
    return dict(conn.execute("SELECT code, id FROM warehouse WHERE code = ANY (%s)", [list(set(codes))]))


def list_warehouse_codes(conn: Conn, *, limit: int) -> list[str]:
    return [row[0] for row in conn.execute("SELECT code FROM warehouse ORDER BY code LIMIT %s", [limit])]


def find_mapping(conn: Conn, name: str) -> dict[str, str] | None:
    """A saved mapping of headers, of `parts.imports`."""
    row = conn.execute("SELECT columns FROM import_mapping WHERE name = %s AND target = 'orders'", [name]).fetchone()
    return None if row is None else dict(row[0])


def lock(conn: Conn, order_ids: Iterable[int]) -> list[int]:
    """Lock the orders by ascending id; whoever decides what an order is holds its row."""
    rows = conn.execute(
        "SELECT id FROM orders WHERE id = ANY (%b::bigint[]) ORDER BY id FOR NO KEY UPDATE",
        [bigints(list(order_ids))],
        binary=True,
    )
    return [order_id for (order_id,) in rows]


def lock_known(conn: Conn, told: Sequence[Told]) -> list[Known]:
    """The orders told of that exist already, locked; lines only of those whose content differs."""
    found = lock(
        conn,
        [
            row[0]
            for row in conn.execute(
                """SELECT o.id FROM unnest(%(shops)s::bigint[], %(numbers)s::text[]) AS told (shop_id, number)
           JOIN orders o USING (shop_id, number)""",
                {"shops": [each.shop_id for each in told], "numbers": [each.order.number for each in told]},
            )
        ],
    )
    if not found:
        return []
    known = (
        conn.cursor(row_factory=class_row(Known))
        .execute(
            """SELECT o.id, o.shop_id, o.number, o.warehouse_id, o.person_id, o.payment, o.cod_fen, o.paid_at, o.refund,
                  o.ship_by, o.promised_at, o.declared_fen, o.currency, o.carrier, o.content_hash,
                  p.content_hash AS receiver_hash, o.cancelled_at IS NOT NULL AS cancelled,
                  EXISTS (SELECT FROM parcel_order po JOIN parcel ON parcel.id = po.parcel_id
                          WHERE po.order_id = o.id AND parcel.stage = 'dispatched') AS dispatched
           FROM orders o JOIN person p ON p.id = o.person_id WHERE o.id = ANY (%s) ORDER BY o.id""",
            [found],
        )
        .fetchall()
    )
    differing = {each.content_hash for each in known} - {each.content_hash for each in told}
    lines = list_lines(conn, [each.id for each in known if each.content_hash in differing])
    return [replace(each, lines=tuple(lines.get(each.id, ()))) for each in known]


def list_lines(conn: Conn, order_ids: Iterable[int]) -> dict[int, list[Line]]:
    """The lines of each order by their number, those taken back included."""
    lines: dict[int, list[Line]] = {}
    for line in conn.cursor(row_factory=class_row(Line)).execute(
        """SELECT id, order_id, line_no, sku, name, quantity, price_fen, discount_fen, tax_bp
           FROM order_line WHERE order_id = ANY (%s) ORDER BY order_id, line_no""",
        [list(order_ids)],
    ):
        lines.setdefault(line.order_id, []).append(line)
    return lines


def insert(conn: Conn, created: Sequence[tuple[int, Told, int]], *, at: datetime) -> set[int]:
    """Insert (order id, told, person id); returns the ids that are in: a number told elsewhere meanwhile is not."""
    rows = sorted(created, key=lambda row: (row[1].shop_id, row[1].order.number))
    orders = [told.order for _, told, _ in rows]
    return {
        row[0]
        for row in conn.execute(
            """INSERT INTO orders (id, shop_id, number, warehouse_id, person_id, payment, cod_fen, paid_at, refund,
               ship_by, promised_at, declared_fen, total_fen, currency, carrier, content_hash, received_at, moved_at)
           SELECT id, shop_id, number, warehouse_id, person_id, payment, cod_fen, paid_at, refund, ship_by,
               promised_at, declared_fen, total_fen, currency, carrier, content_hash, %(at)s, %(at)s
           FROM unnest(%(ids)s::bigint[], %(shops)s::bigint[], %(numbers)s::text[], %(warehouses)s::bigint[],
               %(persons)s::bigint[], %(payments)s::text[], %(cods)s::bigint[], %(paid)s::timestamptz[],
               %(refunds)s::text[], %(ship_by)s::timestamptz[], %(promised)s::timestamptz[], %(declared)s::bigint[],
               %(totals)s::bigint[], %(currencies)s::text[], %(carriers)s::text[], %(hashes)s::bytea[])
             WITH ORDINALITY AS told (id, shop_id, number, warehouse_id, person_id, payment, cod_fen, paid_at, refund,
               ship_by, promised_at, declared_fen, total_fen, currency, carrier, content_hash, nth)
           ORDER BY nth
           ON CONFLICT (shop_id, number) DO NOTHING RETURNING id""",
            {
                "at": at,
                "ids": [order_id for order_id, _, _ in rows],
                "persons": [person_id for _, _, person_id in rows],
                **_columns([told for _, told, _ in rows]),
                "numbers": [order.number for order in orders],
                "shops": [told.shop_id for _, told, _ in rows],
                "hashes": [told.content_hash for _, told, _ in rows],
            },
        )
    }


def update(conn: Conn, changes: Sequence[Change], *, person_ids: Sequence[int], at: datetime) -> None:
    """Write what was taken of each change; `person_ids` runs beside it: the old person or a new one."""
    told = [change.kept for change in changes]
    conn.execute(
        """UPDATE orders o SET warehouse_id = new.warehouse_id, person_id = new.person_id, payment = new.payment,
               cod_fen = new.cod_fen, paid_at = new.paid_at, refund = new.refund, ship_by = new.ship_by,
               promised_at = new.promised_at, declared_fen = new.declared_fen, currency = new.currency,
               carrier = new.carrier, content_hash = new.content_hash, moved_at = GREATEST(o.moved_at, %(at)s),
               total_fen = CASE WHEN new.relined THEN new.total_fen ELSE o.total_fen END
           FROM unnest(%(ids)s::bigint[], %(warehouses)s::bigint[], %(persons)s::bigint[], %(payments)s::text[],
               %(cods)s::bigint[], %(paid)s::timestamptz[], %(refunds)s::text[], %(ship_by)s::timestamptz[],
               %(promised)s::timestamptz[], %(declared)s::bigint[], %(totals)s::bigint[], %(currencies)s::text[],
               %(carriers)s::text[], %(hashes)s::bytea[], %(relined)s::boolean[])
             AS new (id, warehouse_id, person_id, payment, cod_fen, paid_at, refund, ship_by, promised_at,
               declared_fen, total_fen, currency, carrier, content_hash, relined)
           WHERE o.id = new.id""",
        {
            "at": at,
            "ids": [change.known.id for change in changes],
            "persons": list(person_ids),
            **_columns(told),
            "hashes": [change.content_hash for change in changes],
            "relined": [change.takes_lines for change in changes],
        },
    )


def set_person(conn: Conn, order_id: int, person_id: int, *, at: datetime) -> None:
    conn.execute(
        "UPDATE orders SET person_id = %s, moved_at = GREATEST(moved_at, %s) WHERE id = %s", [person_id, at, order_id]
    )


def _columns(told: Sequence[Told]) -> dict[str, list[Any]]:
    orders = [each.order for each in told]
    return {
        "warehouses": [each.warehouse_id for each in told],
        "payments": [order.payment.value for order in orders],
        "cods": [order.cod_fen for order in orders],
        "paid": [order.paid_at for order in orders],
        "refunds": [order.refund.value for order in orders],
        "ship_by": [order.ship_by for order in orders],
        "promised": [order.promised_at for order in orders],
        "declared": [order.declared_fen for order in orders],
        "totals": [order.total_fen for order in orders],
        "currencies": [order.currency for order in orders],
        "carriers": [order.carrier for order in orders],
    }


def insert_lines(conn: Conn, lines: Sequence[tuple[int, Line]]) -> None:
    """Insert (shop id, line); a line without a name takes the catalogue's."""
    if not lines:
        return
    conn.execute(
        """INSERT INTO order_line (id, order_id, shop_id, line_no, sku, name, quantity, price_fen, discount_fen, tax_bp)
           SELECT told.id, order_id, told.shop_id, line_no, told.sku,
                  COALESCE(NULLIF(told.name, ''), sku.name, ''), quantity, price_fen, discount_fen, tax_bp
           FROM unnest(%(ids)s::bigint[], %(orders)s::bigint[], %(shops)s::bigint[], %(numbers)s::int[],
                       %(skus)s::text[], %(names)s::text[], %(quantities)s::int[], %(prices)s::bigint[],
                       %(discounts)s::bigint[], %(taxes)s::int[])
             AS told (id, order_id, shop_id, line_no, sku, name, quantity, price_fen, discount_fen, tax_bp)
           LEFT JOIN sku ON sku.shop_id = told.shop_id AND sku.code = told.sku""",
        {"shops": [shop_id for shop_id, _ in lines], **_line_columns([line for _, line in lines])},
    )


def update_lines(conn: Conn, lines: Sequence[Line]) -> None:
    """Write over the lines by id; an empty name keeps the one there was."""
    if not lines:
        return
    conn.execute(
        """UPDATE order_line l SET name = COALESCE(NULLIF(told.name, ''), l.name), quantity = told.quantity,
               price_fen = told.price_fen, discount_fen = told.discount_fen, tax_bp = told.tax_bp
           FROM unnest(%(ids)s::bigint[], %(names)s::text[], %(quantities)s::int[], %(prices)s::bigint[],
                       %(discounts)s::bigint[], %(taxes)s::int[])
             AS told (id, name, quantity, price_fen, discount_fen, tax_bp)
           WHERE l.id = told.id""",
        _line_columns(lines),
    )


def drop_lines(conn: Conn, line_ids: Sequence[int]) -> None:
    """A line the shop took back stays with quantity 0: parcels of the past may point at it."""
    if line_ids:
        conn.execute("UPDATE order_line SET quantity = 0 WHERE id = ANY (%s)", [list(line_ids)])


def _line_columns(lines: Sequence[Line]) -> dict[str, list[Any]]:
    return {
        "ids": [line.id for line in lines],
        "orders": [line.order_id for line in lines],
        "numbers": [line.line_no for line in lines],
        "skus": [line.sku for line in lines],
        "names": [line.name for line in lines],
        "quantities": [line.quantity for line in lines],
        "prices": [line.price_fen for line in lines],
        "discounts": [line.discount_fen for line in lines],
        "taxes": [line.tax_bp for line in lines],
    }


def cancel(conn: Conn, order_ids: Sequence[int], *, reason: str, at: datetime) -> None:
    conn.execute(
        """UPDATE orders SET cancelled_at = %(at)s, cancel_reason = %(reason)s, moved_at = %(at)s
           WHERE id = ANY (%(ids)s)""",
        {"ids": list(order_ids), "reason": reason, "at": at},
    )


def hold(conn: Conn, order_ids: Sequence[int], *, reason: str, at: datetime | None, moved_at: datetime) -> None:
    """Hold, or release with `at` None."""
    conn.execute(
        "UPDATE orders SET held_at = %(at)s, hold_reason = %(reason)s, moved_at = %(moved)s WHERE id = ANY (%(ids)s)",
        {"ids": list(order_ids), "reason": reason, "at": at, "moved": moved_at},
    )


def held(conn: Conn, order_ids: Sequence[int]) -> set[int]:
    """Those of the orders that are held."""
    return {
        row[0]
        for row in conn.execute("SELECT id FROM orders WHERE id = ANY (%s) AND held_at IS NOT NULL", [list(order_ids)])
    }


def complete(conn: Conn, order_ids: Sequence[int], *, by: str, at: datetime) -> None:
    conn.execute(
        "UPDATE orders SET completed_at = %(at)s, completed_by = %(by)s, moved_at = %(at)s WHERE id = ANY (%(ids)s)",
        {"ids": list(order_ids), "by": by, "at": at},
    )


def lock_due(conn: Conn, *, now: datetime, limit: int) -> list[int]:
    """Delivered orders whose buyer has had the shop's days; those another transaction holds come next time."""
    return [
        row[0]
        for row in conn.execute(
            """SELECT o.id FROM orders o JOIN shop s ON s.id = o.shop_id
           WHERE o.word = 'delivered' AND o.delivered_at <= %(now)s::timestamptz - make_interval(days => s.confirm_days)
           ORDER BY o.id LIMIT %(limit)s FOR NO KEY UPDATE OF o SKIP LOCKED""",
            {"now": now, "limit": limit},
        )
    ]


def list_settled(conn: Conn, *, after_id: int, limit: int) -> list[int]:
    """Orders by id, without those whose parcels' events `parcel_moves_order` has still to read."""
    return [
        row[0]
        for row in conn.execute(
            """SELECT o.id FROM orders o WHERE o.id > %(after)s AND NOT EXISTS (
               SELECT FROM parcel_order po JOIN event e ON e.subject = 'parcel:' || po.parcel_id
               LEFT JOIN log ON log.event_id = e.id
               WHERE po.order_id = o.id AND (log.position IS NULL OR log.position > COALESCE(
                   (SELECT position FROM rule_cursor WHERE rule = 'parcel_moves_order'), 0)))
           ORDER BY o.id LIMIT %(limit)s""",
            {"after": after_id, "limit": limit},
        )
    ]


def list_orders_of(conn: Conn, parcel_ids: Iterable[int]) -> list[tuple[int, int]]:
    """(order id, parcel id) of everything in these parcels."""
    return conn.execute(
        """SELECT order_id, parcel_id FROM parcel_order WHERE parcel_id = ANY (%b::bigint[])
           ORDER BY order_id, parcel_id""",
        [bigints(list(parcel_ids))],
        binary=True,
    ).fetchall()


def find_person(conn: Conn, order_id: int) -> tuple[int, int] | None:
    """(shop id, person id) of an order."""
    return conn.execute("SELECT shop_id, person_id FROM orders WHERE id = %s", [order_id]).fetchone()


class _OrderRow(NamedTuple):
    id: int
    shop_id: int
    word: str
    dispatch: str
    delivered_at: datetime | None
    completed_at: datetime | None
    completed_by: str
    moved_at: datetime
    cancelled: bool
    trusted: str
    ordered: int
    sent: int


class _ParcelRow(NamedTuple):
    id: int
    order_id: int
    stage: str
    state: str | None
    kind: str | None
    direction: str | None
    delivered_at: datetime | None
    moved_at: datetime


def list_standings(
    conn: Conn, order_ids: Iterable[int], *, elsewhere: Mapping[int, Whereabouts] | None = None
) -> list[Standing]:
    """Stored words with everything they follow from, by ascending id. Lock the orders first to decide anything.

    `elsewhere`: parcels as if they were there, to see what would follow.
    """
    ids = bigints(list(order_ids))
    parcels = _list_parcels(conn, ids, elsewhere or {})
    orders = conn.execute(
        """SELECT o.id, o.shop_id, o.word, o.dispatch, o.delivered_at, o.completed_at, o.completed_by, o.moved_at,
                  o.cancelled_at IS NOT NULL AS cancelled, array_to_string(s.trusted_kinds, ' '), l.ordered, l.sent
           FROM orders o JOIN shop s ON s.id = o.shop_id
           CROSS JOIN LATERAL (
               SELECT COALESCE(sum(line.quantity), 0)::bigint AS ordered,
                      COALESCE(sum(LEAST(line.quantity, sent.quantity)), 0)::bigint AS sent
               FROM order_line line
               CROSS JOIN LATERAL (
                   SELECT COALESCE(sum(pl.quantity), 0) AS quantity
                   FROM parcel_line pl JOIN parcel p ON p.id = pl.parcel_id
                   WHERE pl.order_line_id = line.id AND p.stage = 'dispatched') sent
               WHERE line.order_id = o.id) l
           WHERE o.id = ANY (%b::bigint[]) ORDER BY o.id""",
        [ids],
        binary=True,
    )
    return [_standing(order, parcels.get(order.id, ())) for order in map(_OrderRow._make, orders)]


def _list_parcels(conn: Conn, order_ids: Column, elsewhere: Mapping[int, Whereabouts]) -> dict[int, list[_ParcelRow]]:
    """What an order's word follows from, by order.

    A piece that is held though its sister has left is still to leave; any other held parcel may be filled anew.
    """
    parcels: dict[int, list[_ParcelRow]] = {}
    rows = conn.execute(
        """SELECT p.id, po.order_id, p.stage, t.state, t.kind, t.direction, t.delivered_at,
                  GREATEST(p.moved_at, t.changed_at) AS moved_at
           FROM parcel_order po JOIN parcel p ON p.id = po.parcel_id LEFT JOIN track t ON t.parcel_id = p.id
           WHERE po.order_id = ANY (%b::bigint[]) AND p.replaced_by IS NULL
             AND (p.stage <> 'voided' OR p.held_reason <> '' AND EXISTS (
               SELECT FROM parcel sister WHERE sister.stage = 'dispatched'
                 AND (sister.id = p.mother_id OR sister.mother_id = CASE WHEN p.mother_id IS NULL THEN p.id
                                                                         ELSE p.mother_id END)))
           ORDER BY po.order_id, p.id""",
        [order_ids],
        binary=True,
    )
    for parcel in map(_ParcelRow._make, rows):
        where = elsewhere.get(parcel.id)
        there = parcel if where is None else parcel._replace(state=where[0], kind=where[1], direction=where[2])
        parcels.setdefault(parcel.order_id, []).append(there)
    return parcels


def _standing(order: _OrderRow, parcels: Sequence[_ParcelRow]) -> Standing:
    return Standing(
        id=order.id,
        shop_id=order.shop_id,
        word=_WORDS[order.word],
        dispatch=_DISPATCHES[order.dispatch],
        delivered_at=order.delivered_at,
        completed_at=order.completed_at,
        completed_by=order.completed_by,
        moved_at=order.moved_at,
        facts=OrderFacts(
            cancelled=order.cancelled,
            completed=order.completed_at is not None,
            ordered=order.ordered,
            sent=order.sent,
            parcels=tuple([parcel_part(p.stage, p.state, p.kind, p.direction) for p in parcels]),
        ),
        trusted=_kinds(order.trusted),
        parcel_delivered_at=max([p.delivered_at for p in parcels if p.delivered_at], default=None),
        parcel_moved_at=max([p.moved_at for p in parcels], default=None),
    )


@lru_cache
def _kinds(words: str) -> frozenset[Kind]:
    """A shop's trusted ways of delivery."""
    return frozenset(map(Kind, words.split()))


def save_standings(conn: Conn, standings: Sequence[Standing]) -> None:
    if not standings:
        return
    conn.execute(
        """UPDATE orders o SET word = new.word, dispatch = new.dispatch, delivered_at = new.delivered_at,
               completed_at = new.completed_at, completed_by = new.completed_by, moved_at = new.moved_at
           FROM unnest(%(ids)b::bigint[], %(words)b::text[], %(dispatch)b::text[], %(delivered)b::timestamptz[],
                       %(completed)b::timestamptz[], %(by)b::text[], %(moved)b::timestamptz[])
             AS new (id, word, dispatch, delivered_at, completed_at, completed_by, moved_at)
           WHERE o.id = new.id""",
        {
            "ids": bigints([each.id for each in standings]),
            "words": texts([each.word for each in standings]),
            "dispatch": texts([each.dispatch for each in standings]),
            "delivered": instants([each.delivered_at for each in standings]),
            "completed": instants([each.completed_at for each in standings]),
            "by": texts([each.completed_by for each in standings]),
            "moved": instants([each.moved_at for each in standings]),
        },
    )
