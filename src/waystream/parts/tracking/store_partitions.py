"""The SQL of partitions, of scans and of kept pushes: which there are, making them, and which have left."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection

from waystream.kernel.columns import bigints, texts
from waystream.parts.tracking.partitions import Partition

Conn = Connection[Any]


def list_names(conn: Conn) -> list[str]:
    """The tables that hold scans, the default one among them."""
    return _list_names(conn, "scan")


def list_day_names(conn: Conn) -> list[str]:
    """The tables that hold kept pushes, the default one among them."""
    return _list_names(conn, "inbox")


def _list_names(conn: Conn, parent: str) -> list[str]:
    rows = conn.execute(
        """SELECT pg_class.relname::text FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
           WHERE inhparent = %s::regclass ORDER BY 1""",
        [parent],
    )
    return [name for (name,) in rows]


def make(conn: Conn, partition: Partition) -> bool:
    """False where it is there already. Waits for whoever writes to the default partition."""
    row = conn.execute(
        "SELECT make_scan_partition(%s, %s, %s)", [partition.name, partition.first, partition.past]
    ).fetchone()
    return row is not None and bool(row[0])


def list_detached(conn: Conn) -> list[Partition]:
    rows = conn.execute("SELECT partition, first, past FROM scan_detached ORDER BY first")
    return [Partition(*row) for row in rows]


def list_closed(conn: Conn, partitions: Sequence[Partition], *, ended: Collection[str], before: datetime) -> list[str]:
    """Those whose parcels all lie in one of the states `ended` since `before`: nothing more can become of them."""
    rows = conn.execute(
        """SELECT given.name FROM unnest(%b::text[], %b::bigint[], %b::bigint[]) AS given (name, first, past)
           WHERE NOT EXISTS (
               SELECT FROM parcel LEFT JOIN track ON track.parcel_id = parcel.id
               WHERE parcel.id >= given.first AND parcel.id < given.past AND parcel.stage <> 'voided'
                 AND (track.state = ANY (%s) AND track.changed_at < %s) IS NOT TRUE)
           ORDER BY 1""",
        [
            texts([one.name for one in partitions]),
            bigints([one.first for one in partitions]),
            bigints([one.past for one in partitions]),
            list(ended),
            before,
        ],
    )
    return [name for (name,) in rows]


def make_day(conn: Conn, day: Partition) -> bool:
    """False where it is there already. Waits for whoever writes to the default partition, never long."""
    row = conn.execute("SELECT make_inbox_day(%s, %s, %s)", [day.name, day.first, day.past]).fetchone()
    return row is not None and bool(row[0])


def drop_day(conn: Conn, name: str) -> None:
    """Forget the day's pushes with their table. Raises `LockNotAvailable` while somebody reads for long."""
    conn.execute("SELECT drop_inbox_day(%s)", [name])


def delete_digests(conn: Conn, *, before: int, limit: int) -> int:
    """Forget the digests of the pushes with smaller ids, oldest first; how many."""
    return conn.execute(
        """DELETE FROM inbox_digest WHERE digest IN (
               SELECT inbox.digest FROM inbox JOIN inbox_digest USING (digest)
               WHERE inbox.id < %s ORDER BY inbox.id LIMIT %s)""",
        [before, limit],
    ).rowcount


def delete_undated(conn: Conn, *, before: int, limit: int) -> int:
    """Forget the pushes with smaller ids, oldest first: those that lie in no day's partition; how many."""
    return conn.execute(
        "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox WHERE id < %s ORDER BY id LIMIT %s)", [before, limit]
    ).rowcount
