"""SQL of wishes: what was asked for a ticket, and what a parcel's movement settles."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

Conn = Connection[Any]


@dataclass(frozen=True, slots=True)
class About:
    """What a ticket is about, as far as a wish needs it; `key_id` is the receiver's key."""

    ticket_id: int
    shop_id: int
    parcel_id: int | None
    order_id: int
    closed: bool
    stage: str
    state: str
    total_fen: int
    key_id: int


def lock_about(conn: Conn, ticket_id: int) -> About | None:
    """The ticket stays as it is until the end of the transaction."""
    query = """SELECT t.id AS ticket_id, t.shop_id, t.parcel_id, t.order_id, t.state = 'closed' AS closed,
                      COALESCE(p.stage, '') AS stage, COALESCE(track.state, '') AS state, o.total_fen, person.key_id
               FROM ticket t JOIN orders o ON o.id = t.order_id JOIN person ON person.id = o.person_id
               LEFT JOIN parcel p ON p.id = t.parcel_id LEFT JOIN track ON track.parcel_id = p.id
               WHERE t.id = %s FOR NO KEY UPDATE OF t"""
    return conn.cursor(row_factory=class_row(About)).execute(query, [ticket_id]).fetchone()


@dataclass(frozen=True, slots=True)
class WishRow:
    id: int
    ticket_id: int
    shop_id: int
    parcel_id: int | None
    order_id: int
    kind: str
    state: str
    amount_fen: int | None
    key_id: int
    sealed: bytes
    actor: str
    asked_at: datetime
    settled_at: datetime | None
    settled_by: str


_COLUMNS = """id, ticket_id, shop_id, parcel_id, order_id, kind, state, amount_fen, key_id, sealed, actor, asked_at,
    settled_at, settled_by"""


def insert(
    conn: Conn, about: About, *, kind: str, sealed: bytes, amount_fen: int | None, actor: str, at: datetime
) -> int | None:
    """None where the same is being asked already."""
    row = conn.execute(
        """INSERT INTO care_wish (ticket_id, shop_id, parcel_id, order_id, kind, amount_fen, key_id, sealed, actor,
                                  asked_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id""",
        [
            about.ticket_id, about.shop_id, about.parcel_id, about.order_id, kind, amount_fen, about.key_id, sealed,
            actor, at,
        ],
    ).fetchone()  # fmt: skip
    return int(row[0]) if row else None


def lock(conn: Conn, ticket_id: int, wish_id: int) -> WishRow | None:
    query = f"SELECT {_COLUMNS} FROM care_wish WHERE id = %s AND ticket_id = %s FOR NO KEY UPDATE"
    return conn.cursor(row_factory=class_row(WishRow)).execute(query.encode(), [wish_id, ticket_id]).fetchone()


def lock_intercepted(conn: Conn, parcel_ids: Collection[int]) -> list[WishRow]:
    """Interceptions of these parcels that wait for their answer."""
    query = f"""SELECT {_COLUMNS} FROM care_wish
                WHERE parcel_id = ANY (%s) AND state = 'asked' AND kind = 'intercept'
                ORDER BY id FOR NO KEY UPDATE"""
    return conn.cursor(row_factory=class_row(WishRow)).execute(query.encode(), [sorted(parcel_ids)]).fetchall()


def settle(conn: Conn, wish_ids: Collection[int], *, state: str, by: str, at: datetime) -> None:
    query = "UPDATE care_wish SET state = %s, settled_by = %s, settled_at = %s WHERE id = ANY (%s)"
    conn.execute(query, [state, by, at, sorted(wish_ids)])


def list_wishes(conn: Conn, ticket_id: int, *, limit: int) -> list[WishRow]:
    query = f"SELECT {_COLUMNS} FROM care_wish WHERE ticket_id = %s ORDER BY id DESC LIMIT %s"
    return conn.cursor(row_factory=class_row(WishRow)).execute(query.encode(), [ticket_id, limit]).fetchall()
