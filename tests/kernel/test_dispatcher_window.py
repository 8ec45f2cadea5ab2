"""What all rules read together hides nothing from any, whether a look fails or the log is shorter than it was."""

import threading
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from tests.kernel.machine import eventually, held, released, running, tell
from tests.kernel.test_dispatcher import Copying, done, subjects
from waystream.kernel import rule_cursor
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.dispatcher import NOTHING_READ, Dispatcher
from waystream.kernel.tx import Work
from waystream.kernel.vault import Keys


@pytest.fixture
def work(database: Database, clock: FixedClock, keys: Keys) -> Work:
    return Work(database, clock, keys)


class Trouble:
    """The question which rules lag fails while there is trouble, after the log was read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.on = threading.Event()
        self.asked = self.failed = 0
        self._ask = rule_cursor.list_lagging
        monkeypatch.setattr(rule_cursor, "list_lagging", self)

    def __call__(self, conn: Connection[Any]) -> set[str]:
        self.asked += 1
        if self.on.is_set():
            self.failed += 1
            raise psycopg.OperationalError
        return self._ask(conn)


def test_what_came_while_looks_failed_is_digested(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    trouble = Trouble(monkeypatch)
    tell(work.database, held(1))
    with running(Dispatcher(work, [Copying()], poll_s=0.001)):
        eventually(lambda: done(work) == subjects(1))
        trouble.on.set()
        tell(work.database, released(2), held(3))
        eventually(lambda: trouble.failed >= 3)
        trouble.on.clear()
        eventually(lambda: done(work) == subjects(1, 3))


def test_a_log_that_lost_its_end_is_read_anew(work: Work) -> None:
    """As after a fail-over to a copy that had not received the newest."""
    tell(work.database, held(1), held(2), held(3))
    with work.begin() as tx:
        window = NOTHING_READ.follow(tx)
        tx.conn.execute("DELETE FROM log WHERE position > 1")
        tx.conn.execute("UPDATE sequencer SET position = 1")
        shorter = window.follow(tx)
    assert (window.upto, [told.position for told in window.events]) == (3, [1, 2, 3])
    assert (shorter.upto, [told.position for told in shorter.events]) == (1, [1])


def test_a_rule_digests_what_took_the_place_of_a_lost_end(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Trouble(monkeypatch)
    tell(work.database, held(1), held(2), held(3))
    with running(Dispatcher(work, [Copying()], poll_s=0.01)):
        eventually(lambda: done(work) == subjects(1, 2, 3))
        with work.begin() as tx:
            tx.conn.execute("DELETE FROM log WHERE position > 1")
            tx.conn.execute("UPDATE sequencer SET position = 1")
            tx.conn.execute("UPDATE rule_cursor SET position = 1")
        looked = looks.asked
        eventually(lambda: looks.asked >= looked + 2)
        tell(work.database, held(4), held(5))
        eventually(lambda: len(done(work)) >= 5)
    assert done(work) == subjects(1, 2, 3, 4, 5)
