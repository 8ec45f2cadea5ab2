"""The SQL of what a source told that we cannot believe or cannot read: clocks that run ahead, lines of a push."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from waystream.parts.tracking.masks import masked
from waystream.parts.tracking.model import ClockAhead, UnreadLine, Waybill

Conn = Connection[Any]


def count_ahead(conn: Conn, rows: Sequence[ClockAhead]) -> None:
    """Count the pushes of each account whose clock ran ahead, and remember the newest."""
    if not rows:
        return
    newest = {row.aggregator_id: row for row in sorted(rows, key=lambda row: row.inbox_id)}
    for aggregator_id, row in sorted(newest.items()):
        conn.execute(
            """INSERT INTO clock_ahead (aggregator_id, pushes, first_at, last_at, told_at, inbox_id)
               VALUES (%(aggregator)s, %(pushes)s, %(at)s, %(at)s, %(told_at)s, %(inbox)s)
               ON CONFLICT (aggregator_id) DO UPDATE
               SET pushes = clock_ahead.pushes + EXCLUDED.pushes, last_at = EXCLUDED.last_at,
                   told_at = EXCLUDED.told_at, inbox_id = EXCLUDED.inbox_id""",
            {
                "aggregator": aggregator_id,
                "pushes": sum(other.aggregator_id == aggregator_id for other in rows),
                "at": row.received_at,
                "told_at": row.told_at,
                "inbox": row.inbox_id,
            },
        )


@dataclass(frozen=True, slots=True)
class ClockAheadRow:
    """An account whose pushes bear times that lie too far ahead; `told_at` is what the newest of them said."""

    aggregator: str
    pushes: int
    first_at: datetime
    last_at: datetime
    told_at: datetime


def list_ahead(conn: Conn, *, limit: int) -> list[ClockAheadRow]:
    with conn.cursor(row_factory=class_row(ClockAheadRow)) as cursor:
        return cursor.execute(
            """SELECT aggregator.code AS aggregator, pushes, first_at, last_at, told_at
               FROM clock_ahead JOIN aggregator ON aggregator.id = aggregator_id
               ORDER BY last_at DESC, aggregator_id LIMIT %s""",
            [limit],
        ).fetchall()


def insert_unread(conn: Conn, rows: Sequence[UnreadLine]) -> None:
    """List the lines, masked; one that is told again only points to the newest push that told it."""
    if not rows:
        return
    named = {
        (row.aggregator_id, row.carrier, row.number, masked(row.unread.line), row.unread.reason): row for row in rows
    }
    given = [
        (*name, row.owner.parcel_id if row.owner else None, row.owner.shop_id if row.owner else 0, row.inbox_id, row.at)
        for name, row in sorted(named.items(), key=lambda item: item[0])
    ]
    conn.execute(
        """INSERT INTO unread_line (aggregator_id, carrier, number, line, reason, parcel_id, shop_id, inbox_id, seen_at)
           SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[],
                                %s::bigint[], %s::bigint[], %s::timestamptz[])
           ON CONFLICT (aggregator_id, carrier, number, line, reason) DO UPDATE
           SET inbox_id = greatest(unread_line.inbox_id, EXCLUDED.inbox_id), parcel_id = EXCLUDED.parcel_id,
               shop_id = EXCLUDED.shop_id""",
        [list(column) for column in zip(*given, strict=True)],
    )


@dataclass(frozen=True, slots=True)
class UnreadRow:
    """A line of a push that could not be read, masked, and why; `parcel_id` where its number is bound."""

    id: int
    aggregator: str
    carrier: str
    number: str
    parcel_id: int | None
    line: str
    reason: str
    inbox_id: int
    seen_at: datetime


def list_unread(conn: Conn, *, before: int | None, warehouses: Sequence[int] | None, limit: int) -> list[UnreadRow]:
    """The newest first; `before`: the last row's id. A line whose number is nobody's is in every warehouse."""
    with conn.cursor(row_factory=class_row(UnreadRow)) as cursor:
        return cursor.execute(
            """SELECT unread_line.id, aggregator.code AS aggregator, carrier, number, parcel_id, line, reason, inbox_id,
                      seen_at
               FROM unread_line JOIN aggregator ON aggregator.id = aggregator_id
               WHERE settled_by = '' AND (%(before)s::bigint IS NULL OR unread_line.id < %(before)s)
                 AND (%(warehouses)s::bigint[] IS NULL OR parcel_id IS NULL OR
                      (SELECT warehouse_id FROM parcel WHERE parcel.id = unread_line.parcel_id) = ANY (%(warehouses)s))
               ORDER BY unread_line.id DESC LIMIT %(limit)s""",
            {"before": before, "warehouses": warehouses, "limit": limit},
        ).fetchall()


def find_unread_owner(conn: Conn, line_id: int) -> tuple[int, int | None] | None:
    """Shop (0: nobody's) and parcel of an open line; None where there is no such line."""
    return conn.execute(
        "SELECT shop_id, parcel_id FROM unread_line WHERE id = %s AND settled_by = ''", [line_id]
    ).fetchone()


def lock_unread(conn: Conn, line_id: int) -> tuple[int, int, Waybill] | None:
    """Shop, push and waybill of a line that is still open."""
    row = conn.execute(
        """SELECT shop_id, inbox_id, carrier, number FROM unread_line
           WHERE id = %s AND settled_by = '' FOR NO KEY UPDATE""",
        [line_id],
    ).fetchone()
    return (row[0], row[1], (row[2], row[3])) if row else None


def settle_unread(conn: Conn, line_id: int, *, by: str) -> None:
    conn.execute("UPDATE unread_line SET settled_by = %s WHERE id = %s", [by, line_id])


def delete_old_unread(conn: Conn, *, before: datetime, limit: int) -> int:
    """Forget lines whose push is forgotten; how many."""
    return conn.execute(
        "DELETE FROM unread_line WHERE id IN (SELECT id FROM unread_line WHERE seen_at < %s ORDER BY seen_at LIMIT %s)",
        [before, limit],
    ).rowcount
