"""SQL of backups and restores."""

from datetime import datetime

from psycopg.rows import class_row

from waystream.kernel.database import Connection
from waystream.parts.backups.model import BackupRow, Forgotten, RestorationRow

_BACKUP = "SELECT name, folder, began_at, ended_at, bytes, whole, line, error FROM backup"


def insert_backup(conn: Connection, row: BackupRow) -> None:
    conn.execute(
        """INSERT INTO backup (name, folder, began_at, ended_at, bytes, whole, line, error)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s)""",
        [row.name, row.folder, row.began_at, row.ended_at, row.bytes, row.whole, row.line, row.error],
    )


def list_backups(conn: Connection, *, limit: int) -> list[BackupRow]:
    """The newest try first."""
    with conn.cursor(row_factory=class_row(BackupRow)) as cur:
        return cur.execute(_BACKUP + " ORDER BY id DESC LIMIT %s", [limit]).fetchall()


def find_newest_whole(conn: Connection) -> BackupRow | None:
    with conn.cursor(row_factory=class_row(BackupRow)) as cur:
        return cur.execute(_BACKUP + " WHERE whole AND error = '' ORDER BY id DESC LIMIT 1").fetchone()


def count_waiting_orders(conn: Connection) -> int:
    row = conn.execute("SELECT count(*) FROM orders WHERE word = 'to_ship'").fetchone()
    assert row is not None
    return int(row[0])


def insert_restoration(
    conn: Connection, forgotten: Forgotten, *, backup: str, reached_at: datetime | None, at: datetime
) -> None:
    conn.execute(
        """INSERT INTO restoration (at, reached_at, backup, doubts, prints, watched, waiting)
           VALUES (%s, %s, %s, %s, %s, %s, %s)""",
        [at, reached_at, backup, forgotten.doubts, forgotten.prints, forgotten.watched, forgotten.waiting],
    )


def list_restorations(conn: Connection, *, limit: int) -> list[RestorationRow]:
    """The newest first."""
    rows = conn.execute(
        """SELECT id, at, reached_at, backup, doubts, prints, watched, waiting, settled_at IS NOT NULL
           FROM restoration ORDER BY id DESC LIMIT %s""",
        [limit],
    )
    return [
        RestorationRow(row_id, at, reached_at, backup, Forgotten(doubts, prints, watched, waiting), settled)
        for row_id, at, reached_at, backup, doubts, prints, watched, waiting, settled in rows
    ]


def settle_restoration(conn: Connection, restoration_id: int, *, actor: str, at: datetime) -> bool:
    return (
        conn.execute(
            "UPDATE restoration SET settled_at = %s, settled_by = %s WHERE id = %s AND settled_at IS NULL",
            [at, actor, restoration_id],
        ).rowcount
        == 1
    )
