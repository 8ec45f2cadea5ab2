"""The herald tells what was committed, nothing else, and nothing less after a lost connection or at the end."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.engine import Engine
from tests.kernel.machine import frail, kill_frail
from waystream.kernel import database as kernel_database
from waystream.kernel.database import Connection, Database

CHANNEL = "waystream_test"


@pytest.fixture
def listener(engine: Engine) -> Iterator[Connection]:
    with psycopg.connect(engine.postgres.machine_url, autocommit=True) as conn:
        conn.execute("LISTEN waystream_test")
        yield conn


def tell(database: Database, *, then_fail: bool = False) -> None:
    with database.tx() as conn:
        kernel_database.tell(conn, CHANNEL)
        if then_fail:
            raise ZeroDivisionError


def heard(listener: Connection, *, within_s: float) -> list[str]:
    return [word.channel for word in listener.notifies(timeout=within_s, stop_after=1)]


def test_what_was_rolled_back_is_not_told_by_it_nor_by_the_next(database: Database, listener: Connection) -> None:
    with pytest.raises(ZeroDivisionError):
        tell(database, then_fail=True)
    with database.tx() as conn:
        conn.execute("SELECT 1")
    assert heard(listener, within_s=0.2) == []
    tell(database)
    assert heard(listener, within_s=10) == [CHANNEL]


def test_the_only_word_after_a_lost_connection_is_told(
    engine: Engine, database: Database, listener: Connection
) -> None:
    with frail(engine) as own:
        tell(own)
        assert heard(listener, within_s=10) == [CHANNEL]
        kill_frail(engine)
        tell(own)
        assert heard(listener, within_s=10) == [CHANNEL]


def test_what_was_committed_just_before_the_end_is_told(engine: Engine, listener: Connection) -> None:
    database = Database(engine.postgres.machine_url, role="short")
    database.open()
    tell(database)
    database.close()
    assert heard(listener, within_s=10) == [CHANNEL]
