"""What a reader saw of the log outlives the server's death: no position is ever given a second time."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.kernel.machine import AT, eventually, held, list_orders, read_all, released
from waystream.kernel import log, migrations
from waystream.kernel.database import Database
from waystream.kernel.lifecycle import EmbeddedPostgres


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A migrated server of the test's own, that may be killed and is then started again."""
    with EmbeddedPostgres(tmp_path / "data", key_folder=tmp_path / "keys", fsync=False) as postgres:
        migrations.migrate(postgres.owner_url)
        yield postgres


@pytest.fixture
def machine(mortal: EmbeddedPostgres) -> Iterator[Database]:
    database = Database(mortal.machine_url, role="mortal")
    database.open()
    yield database
    database.close()


def find_server(postgres: EmbeddedPostgres) -> tuple[int, int]:
    """The process ids of the server and of the one that writes to the disk what no commit waited for."""
    with psycopg.connect(make_conninfo(postgres.admin_url, dbname="waystream")) as admin:
        found = admin.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'").fetchone()
        assert found is not None
        cluster = Path(admin.execute("SHOW data_directory").fetchall()[0][0])
    return int((cluster / "postmaster.pid").read_text().split()[0]), int(found[0])


def test_a_position_that_was_seen_is_not_given_again(mortal: EmbeddedPostgres, machine: Database) -> None:
    with machine.tx() as conn:
        log.emit(conn, [held(1), held(2)], at=AT)
    server, writer = find_server(mortal)
    os.kill(writer, signal.SIGSTOP)  # what the commit itself does not bring to the disk stays in memory
    machine.run(log.sequence)
    with machine.tx(read_only=True) as conn:
        seen = read_all(conn)

    os.kill(server, signal.SIGKILL)
    os.kill(writer, signal.SIGKILL)
    eventually(mortal.answers, within_s=30)

    with machine.tx() as conn:
        assert read_all(conn) == seen
        log.emit(conn, [released(3)], at=AT)
    machine.run(log.sequence)
    with machine.tx() as conn:
        assert list_orders(log.read(conn, after=seen[-1].position, limit=10)) == [3]
