"""SQL of what one order was told, for the person who is about to write to its buyer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

Conn = Connection[Any]


@dataclass(frozen=True, slots=True)
class SaidRow:
    """`at` is when it left, or when it was planned."""

    id: int
    at: datetime
    kind: str
    state: str
    actor: str
    channel: str
    why: str
    key_id: int | None
    sealed: bytes


def list_of_order(conn: Conn, order_id: int, *, limit: int) -> list[SaidRow]:
    """The newest first."""
    query = """SELECT id, COALESCE(handed_at, composed_at, planned_at) AS at, kind, state, actor, channel, why, key_id,
                      sealed FROM notice WHERE order_id = %s ORDER BY id DESC LIMIT %s"""
    return conn.cursor(row_factory=class_row(SaidRow)).execute(query, [order_id, limit]).fetchall()


def count_said(conn: Conn, order_id: int, *, since: datetime) -> int:
    """Messages that left since then, whoever said them, and those that are about to."""
    row = conn.execute(
        "SELECT count(*) FROM notice WHERE order_id = %s AND planned_at >= %s AND state NOT IN ('refused', 'dropped')",
        [order_id, since],
    ).fetchone()
    assert row is not None
    return int(row[0])
