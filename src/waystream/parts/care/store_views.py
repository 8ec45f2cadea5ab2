"""SQL of kept views."""

from datetime import datetime
from typing import Any

from psycopg import Connection

Conn = Connection[Any]


def list_views(conn: Conn, actor: str, *, limit: int) -> list[tuple[int, str, str]]:
    query = "SELECT id, name, filters FROM care_view WHERE actor = %s ORDER BY id LIMIT %s"
    return conn.execute(query, [actor, limit]).fetchall()


def save(conn: Conn, *, actor: str, name: str, filters: str, at: datetime) -> None:
    conn.execute(
        """INSERT INTO care_view (actor, name, filters, created_at) VALUES (%s, %s, %s, %s)
           ON CONFLICT (actor, name) DO UPDATE SET filters = excluded.filters""",
        [actor, name, filters, at],
    )


def delete(conn: Conn, view_id: int, *, actor: str) -> None:
    conn.execute("DELETE FROM care_view WHERE id = %s AND actor = %s", [view_id, actor])
