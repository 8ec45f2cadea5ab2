"""The SQL of what a source told that we do not believe: clocks that run ahead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from waystream.parts.tracking.model import ClockAhead

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
