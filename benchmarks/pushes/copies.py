"""Years of business in a minute: what real pushes left of some parcels, copied set-wise to ever earlier days.

Copied are the rows that taking in a push can meet: orders, parcels, bindings, tracks, tellings, scans and the kept
pushes, these without their bytes. Events, which only ever grow at their end, are not.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql

from benchmarks.pushes.bench import Bench, say
from waystream.kernel.ids import LOW_BITS, minted_ms
from waystream.kernel.lifecycle import EmbeddedPostgres
from waystream.kernel.tx import Tx
from waystream.parts.tracking import partitions, store_partitions

#: Each copy lies so much earlier than the one before.
STEP = timedelta(hours=6)
_EARLIER = "{} - copies.n * %(step)s"

#: Which columns a copy has of its own, by table, and the column that tells which rows are copied.
_TABLES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "orders": ("id", {"id": _EARLIER, "number": "{} || '-' || copies.n"}),
    "order_line": ("order_id", {"id": _EARLIER, "order_id": _EARLIER}),
    "parcel": ("id", {"id": _EARLIER}),
    "parcel_order": ("parcel_id", {"parcel_id": _EARLIER, "order_id": _EARLIER}),
    "parcel_line": ("parcel_id", {"parcel_id": _EARLIER, "order_line_id": _EARLIER}),
    "binding": ("parcel_id", {"id": _EARLIER, "parcel_id": _EARLIER, "number": "{} || '-' || copies.n"}),
    "track": ("parcel_id", {"parcel_id": _EARLIER, "binding_id": _EARLIER}),
    "telling": ("parcel_id", {"binding_id": _EARLIER, "parcel_id": _EARLIER, "inbox_id": _EARLIER}),
    "scan": ("parcel_id", {"parcel_id": _EARLIER, "binding_id": _EARLIER, "inbox_id": _EARLIER}),
    "inbox": ("id", {"id": _EARLIER, "digest": "sha256({} || copies.n::text::bytea)", "sealed": "''"}),
    "inbox_digest": ("id", {"digest": "sha256({} || copies.n::text::bytea)", "id": _EARLIER}),
}


def copy_back(bench: Bench, *, copies: int) -> float:
    """Copies of all parcels that have scans, and of every kept push; how many seconds that took."""
    began_s = time.perf_counter()
    admin = EmbeddedPostgres(bench.site.settings.data_folder, key_folder=bench.site.settings.key_folder).admin_url
    with psycopg.connect(admin, autocommit=True) as conn:
        first, last = _range(conn, "SELECT min(parcel_id), max(parcel_id) FROM scan")
        pushes = _range(conn, "SELECT min(id), max(id) FROM inbox")
        for oldest in (first, pushes[0]):
            bench.app.machine.run(lambda tx, oldest=oldest: _make_partitions(tx, oldest, copies))
        # Foreign keys and triggers sleep: every row is a copy of one that passed them.
        conn.execute("SET session_replication_role = replica")
        for table, (chosen, own) in _TABLES.items():
            bounds = pushes if table.startswith("inbox") else (first, last)
            _copy_table(conn, table, own, chosen=chosen, bounds=bounds, copies=copies)
        conn.execute("VACUUM (ANALYZE)")
        conn.execute("CHECKPOINT")
    return time.perf_counter() - began_s


def _range(conn: psycopg.Connection, query: str) -> tuple[int, int]:
    row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def _make_partitions(tx: Tx, oldest: int, copies: int) -> None:
    """As if they had been there at the time."""
    newest_at = datetime.fromtimestamp(minted_ms(oldest) / 1000, UTC)
    for n in range(copies + 1):
        at = newest_at - n * STEP
        store_partitions.make(tx.conn, partitions.partition_of(at.year, at.month))
        store_partitions.make_day(tx.conn, partitions.day_of(at))


def _copy_table(
    conn: psycopg.Connection, table: str, own: Mapping[str, str], *, chosen: str, bounds: tuple[int, int], copies: int
) -> None:
    began_s = time.perf_counter()
    columns = [name for (name,) in conn.execute(
        """SELECT attname FROM pg_attribute
           WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
           ORDER BY attnum""",
        [table],
    )]  # fmt: skip
    values = [sql.SQL(own.get(name, "{}")).format(sql.Identifier(table, name)) for name in columns]
    query = sql.SQL(
        """INSERT INTO {table} ({columns}) SELECT {values} FROM generate_series(1, %(copies)s) AS copies (n)
           CROSS JOIN (SELECT * FROM {table} WHERE {chosen} BETWEEN %(first)s AND %(last)s) AS {table}
           ORDER BY copies.n DESC"""
    ).format(
        table=sql.Identifier(table), columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        values=sql.SQL(", ").join(values), chosen=sql.Identifier(chosen),
    )  # fmt: skip
    step = int(STEP.total_seconds() * 1000) << LOW_BITS
    rows = conn.execute(query, {"copies": copies, "first": bounds[0], "last": bounds[1], "step": step}).rowcount
    say(f"{table}: {rows:,} rows in {time.perf_counter() - began_s:.1f} s")
