"""All SQL of imports. A run is its person's own: whoever asks names the actor."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from waystream.parts.imports.model import Given, SavedMapping

Conn = Connection[Any]


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as stored, sealed parts unopened. `silent_s`: since the process that reads it was heard, machine time."""

    id: str
    actor: str
    name: str
    target: str
    shop: str
    warehouse: str
    mapping: str
    state: str
    rehearsal: bool
    done: int
    total: int
    result: list[list[Any]]
    key_id: int
    columns_sealed: bytes | None
    problems_sealed: bytes | None
    has_file: bool
    given_at: datetime
    ended_at: datetime | None
    silent_s: float


_RUN = """
SELECT id, actor, name, target, shop, warehouse, mapping, state, rehearsal, done, total, result, key_id,
       columns_sealed, problems_sealed,
       EXISTS (SELECT FROM import_piece WHERE run_id = import_run.id) AS has_file, given_at, ended_at,
       coalesce(extract(epoch FROM clock_timestamp() - beat_at), 0)::float8 AS silent_s
FROM import_run
"""


def insert_run(
    conn: Conn, run_id: str, given: Given, *, actor: str, key_id: int, size_bytes: int, at: datetime
) -> None:
    conn.execute(
        """INSERT INTO import_run (id, actor, name, target, shop, warehouse, mapping, state, key_id, size_bytes,
                                   given_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, 'kept', %s, %s, %s)""",
        [run_id, actor, given.name, given.target, given.shop, given.warehouse, given.mapping, key_id, size_bytes, at],
    )


def set_size(conn: Conn, run_id: str, size_bytes: int) -> None:
    conn.execute("UPDATE import_run SET size_bytes = %s WHERE id = %s", [size_bytes, run_id])


def insert_piece(conn: Conn, run_id: str, nth: int, sealed: bytes) -> None:
    conn.execute("INSERT INTO import_piece (run_id, nth, sealed) VALUES (%s, %s, %s)", [run_id, nth, sealed])


def list_pieces(conn: Conn, run_id: str) -> Iterator[tuple[int, bytes]]:
    """One at a time: a file may be larger than the memory one wants to give it."""
    nth = 0
    while True:
        row = conn.execute(
            "SELECT nth, sealed FROM import_piece WHERE run_id = %s AND nth = %s", [run_id, nth]
        ).fetchone()
        if row is None:
            return
        yield int(row[0]), bytes(row[1])
        nth += 1


def find_run(conn: Conn, run_id: str, *, actor: str, lock: bool = False) -> RunRow | None:
    query = _RUN + "WHERE id = %s AND actor = %s" + (" FOR NO KEY UPDATE" if lock else "")
    with conn.cursor(row_factory=class_row(RunRow)) as cur:
        return cur.execute(query.encode(), [run_id, actor]).fetchone()


def list_runs(conn: Conn, actor: str, *, limit: int) -> list[RunRow]:
    with conn.cursor(row_factory=class_row(RunRow)) as cur:
        return cur.execute(
            (_RUN + "WHERE actor = %s ORDER BY given_at DESC, id LIMIT %s").encode(), [actor, limit]
        ).fetchall()


def set_running(
    conn: Conn, run_id: str, *, token: str, rehearsal: bool, mapping: str, columns_sealed: bytes | None
) -> None:
    conn.execute(
        """UPDATE import_run SET state = 'running', rehearsal = %s, token = %s, mapping = %s, columns_sealed = %s,
                  done = 0, total = 0, result = '[]', problems_sealed = NULL, ended_at = NULL,
                  beat_at = clock_timestamp() WHERE id = %s""",
        [rehearsal, token, mapping, columns_sealed, run_id],
    )


def beat(conn: Conn, run_id: str, *, token: str, done: int, total: int) -> bool:
    """Whether the run is still this process's."""
    return (
        conn.execute(
            """UPDATE import_run SET done = %s, total = %s, beat_at = clock_timestamp()
               WHERE id = %s AND token = %s AND state = 'running'""",
            [done, total, run_id, token],
        ).rowcount
        == 1
    )


def end_run(
    conn: Conn, run_id: str, *, token: str, state: str, result: list[tuple[str, int]], problems: bytes | None,
    at: datetime,
) -> bool:  # fmt: skip
    """Whether the run was still this process's to end."""
    return (
        conn.execute(
            """UPDATE import_run SET state = %s, result = %s, problems_sealed = %s, ended_at = %s, beat_at = NULL
               WHERE id = %s AND token = %s AND state = 'running'""",
            [state, json.dumps(result), problems, at, run_id, token],
        ).rowcount
        == 1
    )


def drop_pieces(conn: Conn, run_id: str) -> None:
    conn.execute("DELETE FROM import_piece WHERE run_id = %s", [run_id])


def drop_old(conn: Conn, *, files_before: datetime, runs_before: datetime) -> int:
    """Forget files that nobody ran again and runs nobody looks at any more; how many of both."""
    pieces = conn.execute(
        """DELETE FROM import_piece USING import_run
           WHERE import_run.id = run_id AND given_at < %s AND state <> 'running'""",
        [files_before],
    ).rowcount
    return pieces + conn.execute("DELETE FROM import_run WHERE given_at < %s", [runs_before]).rowcount


def save_mapping(conn: Conn, mapping: SavedMapping, *, at: datetime) -> None:
    conn.execute(
        """INSERT INTO import_mapping (name, target, columns, changed_at) VALUES (%s, %s, %s, %s)
           ON CONFLICT (name) DO UPDATE SET target = excluded.target, columns = excluded.columns,
               changed_at = excluded.changed_at""",
        [mapping.name, mapping.target, json.dumps(dict(mapping.columns)), at],
    )


def list_mappings(conn: Conn) -> list[tuple[str, str, Mapping[str, str]]]:
    return conn.execute("SELECT name, target, columns FROM import_mapping ORDER BY name").fetchall()


def drop_mapping(conn: Conn, name: str) -> bool:
    return conn.execute("DELETE FROM import_mapping WHERE name = %s", [name]).rowcount == 1
