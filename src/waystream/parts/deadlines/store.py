"""Rows of deadlines and settings, and what orders and parcels are now. Locks go by id: orders, parcels, tracks."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection

from waystream.core.deadline import DeadlineKind
from waystream.core.order import Word
from waystream.core.parcel import Track
from waystream.core.state import Direction, Kind, State
from waystream.kernel.columns import Column, bigints, instants, texts, words
from waystream.parts.deadlines.model import Deadline, Key, OrderNow, ParcelNow, Settings, Stand

Conn = Connection[Any]

_COLUMNS = "kind, subject_id, shop_id, warehouse_id, since, due_at, stand, missed_at, ended_at, doubts"


def list_orders(conn: Conn, order_ids: Collection[int]) -> list[OrderNow]:
    """The orders as they stand, by id. All of one has left when its lines are covered by what left and no living
    parcel, nor a held piece whose sister left, is still here; what is sent again has left once."""
    rows = conn.execute(
        """SELECT o.id, o.shop_id, o.warehouse_id, COALESCE(o.paid_at, o.received_at), o.ship_by, o.promised_at,
                  o.cancelled_at IS NOT NULL, o.refund, o.word,
                  COALESCE(boxes.again, false) OR COALESCE(boxes.gone, false) AND NOT boxes.here AND NOT EXISTS (
                      SELECT FROM order_line line WHERE line.order_id = o.id AND line.quantity > (
                          SELECT COALESCE(sum(pl.quantity), 0) FROM parcel_line pl JOIN parcel p ON p.id = pl.parcel_id
                          WHERE pl.order_line_id = line.id AND p.stage = 'dispatched'))
           FROM orders o CROSS JOIN LATERAL (
               SELECT bool_or(p.stage = 'dispatched') AS gone, bool_or(p.replaced_by IS NOT NULL) AS again,
                      bool_or(p.stage <> 'dispatched' AND (p.stage <> 'voided' OR p.held_reason <> '' AND EXISTS (
                          SELECT FROM parcel sister WHERE sister.stage = 'dispatched'
                            AND (sister.id = p.mother_id OR sister.mother_id = CASE
                                     WHEN p.mother_id IS NULL THEN p.id ELSE p.mother_id END)))) AS here
               FROM parcel_order po JOIN parcel p ON p.id = po.parcel_id WHERE po.order_id = o.id) boxes
           WHERE o.id = ANY (%b::bigint[]) ORDER BY o.id""",
        [bigints(sorted(order_ids))],
    )
    return [_order(*row) for row in rows]


def _order(order_id: int, shop_id: int, warehouse_id: int, *rest: Any) -> OrderNow:
    since, ship_by, promised_at, cancelled, refund, word, gone = rest
    return OrderNow(order_id, shop_id, warehouse_id, since, ship_by, promised_at, cancelled, refund, Word(word), gone)


def list_parcels(conn: Conn, parcel_ids: Collection[int]) -> list[ParcelNow]:
    rows = conn.execute(
        """SELECT p.id, p.shop_id, p.warehouse_id, p.stage, p.dispatched_at, t.state, t.kind, t.direction, t.at,
                  t.because, t.collected_at, t.delivered_at, t.scanned_at
           FROM parcel p LEFT JOIN track t ON t.parcel_id = p.id
           WHERE p.id = ANY (%b::bigint[]) ORDER BY p.id""",
        [bigints(sorted(parcel_ids))],
    )
    return [_parcel(*row) for row in rows]


def _parcel(
    parcel_id: int, shop_id: int, warehouse_id: int, stage: str, dispatched_at: datetime | None, *track: Any
) -> ParcelNow:
    return ParcelNow(parcel_id, shop_id, warehouse_id, stage, dispatched_at, _track(*track))


def _track(state: str | None, kind: str, direction: str, *rest: Any) -> Track:
    return Track() if state is None else Track(State(state), Kind(kind), Direction(direction), *rest)


def list_orders_of(conn: Conn, parcel_ids: Collection[int]) -> set[int]:
    rows = conn.execute(
        "SELECT DISTINCT order_id FROM parcel_order WHERE parcel_id = ANY (%b::bigint[])", [bigints(sorted(parcel_ids))]
    )
    return {order_id for (order_id,) in rows}


def lock_orders(conn: Conn, order_ids: Collection[int]) -> None:
    """Nobody decides anything of these orders until the end of the transaction."""
    _lock(conn, "SELECT FROM orders WHERE id = ANY (%b::bigint[]) ORDER BY id FOR NO KEY UPDATE", order_ids)


def lock_parcels(conn: Conn, parcel_ids: Collection[int]) -> None:
    """Nobody moves these parcels, and no push their tracks, until the end of the transaction."""
    _lock(conn, "SELECT FROM parcel WHERE id = ANY (%b::bigint[]) ORDER BY id FOR NO KEY UPDATE", parcel_ids)
    of_tracks = "SELECT FROM track WHERE parcel_id = ANY (%b::bigint[]) ORDER BY parcel_id FOR NO KEY UPDATE"
    _lock(conn, of_tracks, parcel_ids)


def _lock(conn: Conn, query: str, ids: Collection[int]) -> None:
    if ids:
        conn.execute(query.encode(), [bigints(sorted(ids))])


def list_settings(conn: Conn, shop_ids: Collection[int]) -> dict[int, Settings]:
    """Of the shops that have said something."""
    rows = conn.execute(
        """SELECT shop_id, ship_by_h, collection_h, pickup_h, off FROM deadline_setting
           WHERE shop_id = ANY (%b::bigint[])""",
        [bigints(sorted(shop_ids))],
    )
    return {row[0]: _settings(*row[1:]) for row in rows}


def _settings(ship_by_h: int, collection_h: int, pickup_h: int, off: list[str]) -> Settings:
    return Settings(ship_by_h, collection_h, pickup_h, frozenset(DeadlineKind(kind) for kind in off))


def hold_shop(conn: Conn, shop_id: int) -> bool:
    """Settings of one shop change one after the other; False when there is no such shop."""
    return conn.execute("SELECT FROM shop WHERE id = %s FOR NO KEY UPDATE", [shop_id]).rowcount == 1


def save_settings(conn: Conn, shop_id: int, settings: Settings) -> None:
    conn.execute(
        """INSERT INTO deadline_setting (shop_id, ship_by_h, collection_h, pickup_h, off)
           VALUES (%(shop)s, %(ship_by)s, %(collection)s, %(pickup)s, %(off)s)
           ON CONFLICT (shop_id) DO UPDATE SET ship_by_h = excluded.ship_by_h, collection_h = excluded.collection_h,
               pickup_h = excluded.pickup_h, off = excluded.off""",
        {
            "shop": shop_id,
            "ship_by": settings.ship_by_h,
            "collection": settings.collection_h,
            "pickup": settings.pickup_h,
            "off": sorted(settings.off),
        },
    )


def hold_of(conn: Conn, *, order_ids: Collection[int] = (), parcel_ids: Collection[int] = ()) -> dict[Key, Deadline]:
    """The rows of these orders and parcels, held until the end of the transaction: read what they follow from after
    this, so that it is no older than they are."""
    rows = conn.execute(
        f"""SELECT {_COLUMNS} FROM deadline WHERE subject_id = ANY (%b::bigint[])
            ORDER BY subject_id, kind FOR NO KEY UPDATE""",
        [bigints(sorted({*order_ids, *parcel_ids}))],
    )
    return {found.key: found for found in map(_deadline, rows)}


def list_due(conn: Conn, *, now: datetime, limit: int) -> list[Key]:
    """What is open and due, the oldest first."""
    rows = conn.execute(
        "SELECT kind, subject_id FROM deadline WHERE stand = 'open' AND due_at <= %s ORDER BY due_at LIMIT %s",
        [now, limit],
    )
    return [(DeadlineKind(kind), subject_id) for kind, subject_id in rows]


def take_due(conn: Conn, keys: Collection[Key], *, now: datetime) -> list[Deadline]:
    """Those that are still open and due are missed from now on, deliveries verified; only one caller gets them."""
    kinds, subjects = _keys(keys)
    rows = conn.execute(
        f"""WITH due AS (
               SELECT kind, subject_id FROM deadline
               JOIN unnest(%(kinds)b::text[], %(subjects)b::bigint[]) AS given (kind, subject_id)
                   USING (kind, subject_id)
               WHERE stand = 'open' AND due_at <= %(now)s ORDER BY subject_id, kind FOR UPDATE OF deadline),
           taken AS (
               UPDATE deadline SET stand = CASE due.kind WHEN 'verification' THEN 'met' ELSE 'missed' END,
                   missed_at = CASE due.kind WHEN 'verification' THEN NULL ELSE %(now)s END,
                   ended_at = CASE due.kind WHEN 'verification' THEN %(now)s END FROM due
               WHERE deadline.kind = due.kind AND deadline.subject_id = due.subject_id RETURNING deadline.*)
           SELECT {_COLUMNS} FROM taken ORDER BY subject_id, kind""",
        {"kinds": kinds, "subjects": subjects, "now": now},
    )
    return [_deadline(row) for row in rows]


def save(conn: Conn, deadlines: Sequence[Deadline]) -> None:
    """Over whatever stood there."""
    if not deadlines:
        return
    ordered = sorted(deadlines, key=lambda each: (each.subject_id, each.kind))
    kinds, subjects = _keys([each.key for each in ordered])
    conn.execute(
        """INSERT INTO deadline (kind, subject_id, shop_id, warehouse_id, since, due_at, stand, missed_at, ended_at,
                                 doubts)
           SELECT kind, subject_id, shop_id, warehouse_id, since, due_at, stand, missed_at, ended_at,
                  string_to_array(doubts, ' ')
           FROM unnest(%(kinds)b::text[], %(subjects)b::bigint[], %(shops)b::bigint[],
                       %(warehouses)b::bigint[], %(sinces)b::timestamptz[], %(dues)b::timestamptz[],
                       %(stands)b::text[], %(misses)b::timestamptz[], %(ends)b::timestamptz[],
                       %(doubts)b::text[])
               AS given (kind, subject_id, shop_id, warehouse_id, since, due_at, stand, missed_at, ended_at, doubts)
           ON CONFLICT (subject_id, kind) DO UPDATE SET warehouse_id = excluded.warehouse_id, since = excluded.since,
               due_at = excluded.due_at, stand = excluded.stand, missed_at = excluded.missed_at,
               ended_at = excluded.ended_at, doubts = excluded.doubts""",
        {
            "kinds": kinds,
            "subjects": subjects,
            "shops": bigints([each.shop_id for each in ordered]),
            "warehouses": bigints([each.warehouse_id for each in ordered]),
            "sinces": instants([each.since for each in ordered]),
            "dues": instants([each.due_at for each in ordered]),
            "stands": words([each.stand for each in ordered]),
            "misses": instants([each.missed_at for each in ordered]),
            "ends": instants([each.ended_at for each in ordered]),
            "doubts": texts([" ".join(each.doubts) for each in ordered]),
        },
    )


def drop(conn: Conn, keys: Sequence[Key]) -> None:
    """Forget open ones that nobody waits for any more."""
    if not keys:
        return
    kinds, subjects = _keys(sorted(keys, key=lambda key: (key[1], key[0])))
    conn.execute(
        """DELETE FROM deadline USING unnest(%(kinds)b::text[], %(subjects)b::bigint[]) AS given (kind, subject_id)
           WHERE deadline.kind = given.kind AND deadline.subject_id = given.subject_id AND deadline.stand = 'open'""",
        {"kinds": kinds, "subjects": subjects},
    )


def _keys(keys: Collection[Key]) -> tuple[Column, Column]:
    return words([kind for kind, _ in keys]), bigints([subject_id for _, subject_id in keys])


def _deadline(row: Sequence[Any]) -> Deadline:
    kind, subject_id, shop_id, warehouse_id, since, due_at, stand, missed_at, ended_at, doubts = row
    ended = (missed_at, ended_at, tuple(doubts))
    return Deadline(DeadlineKind(kind), subject_id, shop_id, warehouse_id, since, due_at, Stand(stand), *ended)
