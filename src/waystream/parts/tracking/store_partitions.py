"""The SQL of the partitions of scans: which there are, making them, and which have left."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection

from waystream.kernel.columns import bigints, texts
from waystream.parts.tracking.partitions import Partition

Conn = Connection[Any]


def list_names(conn: Conn) -> list[str]:
    """The tables that hold scans, the default one among them."""
    rows = conn.execute(
        """SELECT pg_class.relname::text FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
           WHERE inhparent = 'scan'::regclass ORDER BY 1"""
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
