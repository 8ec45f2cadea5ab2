"""Rows of buyers' links, gates and words, and what is read of orders and parcels for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from waystream.parts.buyer.model import OrderSeen

Conn = Connection[Any]

PARCELS_AT_MOST = 50
SCANS_AT_MOST = 500


@dataclass(frozen=True, slots=True)
class Linked:
    """An order as far as its link is concerned."""

    shop_id: int
    received_at: datetime
    version: int


def find_linked(conn: Conn, order_id: int) -> Linked | None:
    return (
        conn.cursor(row_factory=class_row(Linked))
        .execute(
            """SELECT o.shop_id, o.received_at, COALESCE(l.version, 0) AS version
               FROM orders o LEFT JOIN buyer_link l ON l.order_id = o.id WHERE o.id = %s""",
            [order_id],
        )
        .fetchone()
    )


def revoke(conn: Conn, order_id: int, *, shop_id: int, at: datetime) -> None:
    conn.execute(
        """INSERT INTO buyer_link (order_id, shop_id, version, revoked_at) VALUES (%s, %s, 1, %s)
           ON CONFLICT (order_id) DO UPDATE SET version = buyer_link.version + 1, revoked_at = excluded.revoked_at""",
        [order_id, shop_id, at],
    )


def list_origins(conn: Conn, shop_id: int) -> list[str]:
    """Whose pages may show this shop's buyers their order."""
    row = conn.execute("SELECT embed_origins FROM shop WHERE id = %s", [shop_id]).fetchone()
    return list(row[0]) if row else []


@dataclass(frozen=True, slots=True)
class OrderRow(OrderSeen):
    """`readable`: its receiver is known in the clear and was not erased."""

    readable: bool


def find_order(conn: Conn, order_id: int) -> OrderRow | None:
    return (
        conn.cursor(row_factory=class_row(OrderRow))
        .execute(
            """SELECT o.id AS order_id, o.shop_id, shop.name AS shop, o.number, o.person_id, o.received_at,
                      o.promised_at, o.cancelled_at, o.completed_at, o.held_at IS NOT NULL AS held, o.dispatch,
                      p.name_mask, p.phone_mask, p.address_mask, p.province, p.city, p.district,
                      w.province AS from_province, w.city AS from_city, p.plain AND p.erased_at IS NULL AS readable
               FROM orders o JOIN shop ON shop.id = o.shop_id JOIN person p ON p.id = o.person_id
                    JOIN warehouse w ON w.id = o.warehouse_id
               WHERE o.id = %s""",
            [order_id],
        )
        .fetchone()
    )


@dataclass(frozen=True, slots=True)
class ParcelRow:
    """A parcel of the order with its track, its last living number, this order's goods in it, what was said of it."""

    id: int
    carrier: str
    number: str
    stage: str
    held: bool
    state: str
    kind: str
    direction: str
    at: datetime | None
    dispatched_at: datetime | None
    delivered_at: datetime | None
    slowed_at: str | None
    goods: list[str]
    pieces: int
    said: list[str]


def list_parcels(conn: Conn, order_id: int) -> list[ParcelRow]:
    """In the order they were made; voided ones are nothing to a buyer."""
    return (
        conn.cursor(row_factory=class_row(ParcelRow))
        .execute(
            """SELECT p.id, p.carrier, COALESCE(b.number, '') AS number, p.stage, p.held_reason <> '' AS held,
                      COALESCE(t.state, 'awaiting_collection') AS state, COALESCE(t.kind, '') AS kind,
                      COALESCE(t.direction, 'out') AS direction, t.at, p.dispatched_at, t.delivered_at,
                      (SELECT slowdown.place FROM silence JOIN slowdown ON slowdown.id = slowdown_id
                       WHERE silence.parcel_id = p.id AND silence.state IN ('asked', 'stalled')
                         AND slowdown.ended_at IS NULL LIMIT 1) AS slowed_at,
                      COALESCE(goods.names, '{}') AS goods, COALESCE(goods.pieces, 0)::int AS pieces,
                      ARRAY(SELECT DISTINCT kind FROM buyer_word w WHERE w.parcel_id = p.id
                            AND w.order_id = po.order_id) AS said
               FROM parcel_order po JOIN parcel p ON p.id = po.parcel_id
               LEFT JOIN track t ON t.parcel_id = p.id
               LEFT JOIN LATERAL (SELECT number FROM binding WHERE binding.parcel_id = p.id AND state <> 'cancelled'
                                  ORDER BY id DESC LIMIT 1) b ON true
               LEFT JOIN LATERAL (
                   SELECT array_agg(COALESCE(NULLIF(line.name, ''), line.sku) ORDER BY line.line_no) AS names,
                          sum(pl.quantity) AS pieces
                   FROM parcel_line pl JOIN order_line line ON line.id = pl.order_line_id
                   WHERE pl.parcel_id = p.id AND line.order_id = po.order_id) goods ON true
               WHERE po.order_id = %s AND p.stage <> 'voided' ORDER BY p.id LIMIT %s""",
            [order_id, PARCELS_AT_MOST],
        )
        .fetchall()
    )


def list_parcel_ids(conn: Conn, order_id: int) -> list[int]:
    rows = conn.execute(
        "SELECT parcel_id FROM parcel_order WHERE order_id = %s ORDER BY parcel_id LIMIT %s",
        [order_id, PARCELS_AT_MOST],
    )
    return [int(row[0]) for row in rows.fetchall()]


@dataclass(frozen=True, slots=True)
class ScanRow:
    parcel_id: int
    at: datetime
    state: str
    kind: str
    text: str
    location: str


def list_scans(conn: Conn, parcel_ids: Sequence[int]) -> list[ScanRow]:
    """The standing scans of these parcels, newest first."""
    return (
        conn.cursor(row_factory=class_row(ScanRow))
        .execute(
            """SELECT parcel_id, at, state, kind, text, location
               FROM (SELECT * FROM scan WHERE parcel_id = ANY (%(ids)s)
                     UNION ALL SELECT * FROM afterlife WHERE parcel_id = ANY (%(ids)s)) scan
               WHERE withdrawn_at IS NULL ORDER BY at DESC, key LIMIT %(most)s""",
            {"ids": list(parcel_ids), "most": SCANS_AT_MOST},
        )
        .fetchall()
    )


def lock_order(conn: Conn, order_id: int) -> None:
    """What one order's buyer says is said one after another."""
    conn.execute("SELECT FROM orders WHERE id = %s FOR NO KEY UPDATE", [order_id])


def count_words(conn: Conn, order_id: int) -> int:
    row = conn.execute("SELECT count(*) FROM buyer_word WHERE order_id = %s", [order_id]).fetchone()
    return int(row[0]) if row else 0


@dataclass(frozen=True, slots=True)
class WordRow:
    """A thing that was said; `sealed` holds the buyer's own words under the receiver's key."""

    id: int
    shop_id: int
    order_id: int
    parcel_id: int | None
    kind: str
    content_hash: bytes
    key_id: int | None
    sealed: bytes | None


def insert_word(conn: Conn, word: WordRow, *, at: datetime) -> bool:
    """False when the same was said before."""
    return (
        conn.execute(
            """INSERT INTO buyer_word (id, shop_id, order_id, parcel_id, kind, content_hash, key_id, sealed, said_at)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (order_id, kind, content_hash) DO NOTHING""",
            [
                word.id, word.shop_id, word.order_id, word.parcel_id, word.kind, word.content_hash, word.key_id,
                word.sealed, at,
            ],
        ).rowcount
        == 1
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SaidRow:
    """A stored word for those who answer it."""

    id: int
    parcel_id: int | None
    kind: str
    key_id: int | None
    sealed: bytes | None
    said_at: datetime


def list_words(conn: Conn, order_id: int, *, limit: int) -> list[SaidRow]:
    """Newest first."""
    return (
        conn.cursor(row_factory=class_row(SaidRow))
        .execute(
            """SELECT id, parcel_id, kind, key_id, sealed, said_at FROM buyer_word
               WHERE order_id = %s ORDER BY id DESC LIMIT %s""",
            [order_id, limit],
        )
        .fetchall()
    )


@dataclass(frozen=True, slots=True)
class Sealed:
    """A receiver as stored."""

    key_id: int
    sealed: bytes


def find_receiver(conn: Conn, person_id: int) -> Sealed | None:
    """None where nobody here can read it."""
    row = conn.execute(
        "SELECT key_id, sealed FROM person WHERE id = %s AND plain AND erased_at IS NULL", [person_id]
    ).fetchone()
    return Sealed(*row) if row else None


def find_key(conn: Conn, person_id: int) -> int | None:
    row = conn.execute("SELECT key_id FROM person WHERE id = %s AND erased_at IS NULL", [person_id]).fetchone()
    return int(row[0]) if row else None


def list_hashes(conn: Conn, person_id: int, *, purpose: int) -> list[bytes]:
    rows = conn.execute("SELECT hash FROM person_index WHERE person_id = %s AND purpose = %s", [person_id, purpose])
    return [bytes(row[0]) for row in rows.fetchall()]


def take_try(conn: Conn, order_id: int, *, shop_id: int, hour_s: int) -> tuple[int, int]:
    """One more try: how many in its hour, and how many wrong ones there were before."""
    row = conn.execute(
        """INSERT INTO buyer_gate AS gate (order_id, shop_id, tries, began_at, wrong)
           VALUES (%(order)s, %(shop)s, 1, clock_timestamp(), 0)
           ON CONFLICT (order_id) DO UPDATE SET
               tries = CASE WHEN gate.began_at < clock_timestamp() - make_interval(secs => %(hour)s) THEN 1
                            ELSE gate.tries + 1 END,
               began_at = CASE WHEN gate.began_at < clock_timestamp() - make_interval(secs => %(hour)s)
                               THEN clock_timestamp() ELSE gate.began_at END
           RETURNING tries, wrong""",
        {"order": order_id, "shop": shop_id, "hour": hour_s},
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def note_wrong(conn: Conn, order_id: int) -> None:
    conn.execute("UPDATE buyer_gate SET wrong = wrong + 1 WHERE order_id = %s", [order_id])


def forget_tries(conn: Conn, order_id: int) -> None:
    conn.execute("UPDATE buyer_gate SET tries = 0, wrong = 0 WHERE order_id = %s", [order_id])


def find_mark(conn: Conn, order_id: int) -> int:
    """The newest event of the order and its parcels: what is drawn of them is as new as that."""
    row = conn.execute(
        """SELECT max(newest.id) FROM unnest(ARRAY['order:' || %(order)s] || ARRAY(
               SELECT 'parcel:' || parcel_id FROM parcel_order WHERE order_id = %(order)s)) AS of (subject)
           CROSS JOIN LATERAL (SELECT id FROM event WHERE event.subject = of.subject
                               ORDER BY id DESC LIMIT 1) newest""",
        {"order": order_id},
    ).fetchone()
    return int(row[0] or 0) if row else 0
