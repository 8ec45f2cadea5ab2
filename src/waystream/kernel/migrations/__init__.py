"""The schema, as numbered SQL files applied in order, and the runner that applies them.

Guaranteed: one runner at a time, each file in one transaction, an applied file never changes, and a database that is
newer than this code is left alone. Files are named `0001_what_it_brings.sql` and hold no transaction statements.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.rows import TupleRow

from waystream.core.errors import Conflict, Invalid, Unavailable

FOLDER = Path(__file__).parent
NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
ADVISORY_LOCK = 0x57415953  # "WAYS"
OTHER_RUNNER_S = 60
TABLE_LOCK_S = 5
TRANSACTION = "select pg_current_xact_id()::text"


@dataclass(frozen=True, slots=True)
class Migration:
    version: int
    name: str
    digest: str
    statements: str


def migrate(owner_url: str, *, folder: Path = FOLDER) -> list[str]:
    """Bring the database up to this code; the names of the files applied, in order.

    Raises `Invalid` for files that do not add up, `Conflict` for a changed file or a newer database, `Unavailable`
    when another runner or a busy table is in the way.
    """
    files = read_folder(folder)
    with psycopg.connect(owner_url, autocommit=True, application_name="waystream migrate") as conn:
        conn.execute(f"set lock_timeout = '{OTHER_RUNNER_S}s'")
        try:
            conn.execute("select pg_advisory_lock(%s)", [ADVISORY_LOCK])
        except psycopg.errors.LockNotAvailable:
            raise Unavailable("Another migration is running", retry_after_s=OTHER_RUNNER_S) from None
        conn.execute(f"set lock_timeout = '{TABLE_LOCK_S}s'")
        _make_table(conn)
        pending = compare(files, _list_applied(conn))
        for migration in pending:
            _apply(conn, migration)
        return [migration.name for migration in pending]


def read_folder(folder: Path) -> list[Migration]:
    """The folder's migrations in order. Every .sql file must be well named and the numbers must run from 1."""
    migrations = []
    for version, path in enumerate(sorted(folder.glob("*.sql")), start=1):
        match = NAME.fullmatch(path.name)
        if match is None or int(match[1]) != version:
            raise Invalid(
                path.name, f"{path.name} should be named {version:04}_what_it_brings.sql: numbers have no gaps"
            )
        body = path.read_bytes().replace(b"\r\n", b"\n")
        migrations.append(Migration(version, path.stem, hashlib.sha256(body).hexdigest(), body.decode()))
    return migrations


def compare(files: list[Migration], applied: dict[int, tuple[str, str]]) -> list[Migration]:
    """What is still to be applied. `applied` is version → (name, digest)."""
    newest = max(applied, default=0)
    if newest > len(files):
        raise Conflict(f"The database is at version {newest}, this Waystream knows {len(files)}: upgrade Waystream")
    for migration in files[:newest]:
        name, digest = applied.get(migration.version, ("nothing", ""))
        if digest != migration.digest:
            raise Conflict(f"{migration.name} is not what was applied as {name}: an applied migration never changes")
    return files[newest:]


def _make_table(conn: psycopg.Connection[TupleRow]) -> None:
    conn.execute(
        "create table if not exists migration (version int primary key, name text not null, digest text not null,"
        " applied_at timestamptz not null)"
    )


def _list_applied(conn: psycopg.Connection[TupleRow]) -> dict[int, tuple[str, str]]:
    rows = conn.execute("select version, name, digest from migration")
    return {version: (name, digest) for version, name, digest in rows}


def _apply(conn: psycopg.Connection[TupleRow], migration: Migration) -> None:
    try:
        with conn.transaction():
            begun = conn.execute(TRANSACTION).fetchone()
            conn.execute(migration.statements.encode())
            if conn.execute(TRANSACTION).fetchone() != begun:
                raise Invalid(migration.name, f"{migration.name} ends its own transaction: leave that to the runner")
            conn.execute(
                "insert into migration (version, name, digest, applied_at) values (%s, %s, %s, clock_timestamp())",
                [migration.version, migration.name, migration.digest],
            )
    except psycopg.errors.LockNotAvailable:
        raise Unavailable(f"Migration {migration.name} waits for a busy table", retry_after_s=TABLE_LOCK_S) from None
    except psycopg.Error as error:
        error.add_note(f"in migration {migration.name}")
        raise
