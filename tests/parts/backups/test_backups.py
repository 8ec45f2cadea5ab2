"""When a backup is due or missed; what a restore leaves for people; the thread that makes one."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.parts import world
from waystream.core.errors import Conflict
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.tx import Work
from waystream.kernel.vault import Keys
from waystream.parts.backups import actions, store
from waystream.parts.backups.model import BackupRow, Forgotten, Standing, is_due
from waystream.parts.backups.nightly import NightlyBackups, Rhythm
from waystream.parts.orders import actions as orders

NOW = datetime(2026, 11, 12, 6, 0, tzinfo=UTC)
DAY, AGAIN = timedelta(days=1), timedelta(minutes=15)
NOTHING = Standing(None, None)


def tried(hours_ago: float, *, line: str = "a", error: str = "") -> BackupRow:
    at = NOW - timedelta(hours=hours_ago)
    return BackupRow("" if error else f"{at:%Y%m%dT%H%M%SZ}", "/b", at, at, 1, not error, line, error)


def standing(row: BackupRow, *, last: BackupRow | None = None) -> Standing:
    return Standing(row, last or row)


@pytest.mark.parametrize(
    ("found", "line", "due"),
    [
        (NOTHING, "a", True),
        (standing(tried(23)), "a", False),
        (standing(tried(24)), "a", True),
        (standing(tried(1)), "b", True),
        (standing(tried(30), last=tried(0.1, error="the disk is full")), "a", False),
        (standing(tried(30), last=tried(0.3, error="the disk is full")), "a", True),
    ],
)
def test_a_backup_is_due(found: Standing, line: str, due: bool) -> None:
    assert is_due(found, now=NOW, every=DAY, line=line, again=AGAIN) is due


def test_a_backup_is_late_after_twice_its_time() -> None:
    assert NOTHING.is_late(NOW, DAY)
    assert not standing(tried(47)).is_late(NOW, DAY)
    assert standing(tried(49)).is_late(NOW, DAY)


@pytest.fixture
def work(database: Database, clock: FixedClock, keys: Keys) -> Work:
    return Work(database, clock, keys)


def test_the_thread_makes_a_backup_when_it_is_due_and_not_before_the_log_is_there(work: Work) -> None:
    made: list[str] = []
    line = [""]

    def make() -> None:
        now = work.clock.machine_now()
        work.run(lambda tx: store.insert_backup(tx.conn, BackupRow("n", "/b", now, now, 1, True, line[0], "")))
        made.append(line[0])

    nightly = NightlyBackups(work, Rhythm(every=DAY, make=make, line=lambda: line[0]))
    assert not nightly.look()
    line[0] = "a"
    assert [nightly.look(), nightly.look()] == [True, False]
    line[0] = "b"
    assert [nightly.look(), nightly.look()] == [True, False]
    assert made == ["a", "b"]


def test_a_restore_waits_for_people_once(work: Work) -> None:
    told = Forgotten(doubts=1, prints=2, watched=3, waiting=4)
    work.run(lambda tx: actions.note_restoration(tx, told, backup="n", reached_at=NOW))
    [row] = work.run(actions.list_unsettled)
    assert (row.backup, row.reached_at, row.forgotten) == ("n", NOW, told)
    work.run(lambda tx: actions.settle_restoration(tx, row.id, actor="staff:1", reason="looked"))
    assert work.run(actions.list_unsettled) == []
    with pytest.raises(Conflict, match="before"):
        work.run(lambda tx: actions.settle_restoration(tx, row.id, actor="staff:1", reason="looked"))


def test_orders_that_wait_are_counted(database: Database, clock: FixedClock, keys: Keys) -> None:
    work = world.build(database, clock, keys).work
    work.run(lambda tx: orders.accept(tx, [world.order("A"), world.order("B")]))
    assert work.run(actions.count_waiting_orders) == 2
