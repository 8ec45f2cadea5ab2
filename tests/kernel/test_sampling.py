"""Samples say how the machine did, bounded in what they hold and how long."""

from datetime import timedelta

import pytest

from tests.kernel.machine import AT, SHOP, eventually, held, rows, running, tell
from waystream.kernel import job_table, jobs, log, rule_cursor, samples, sampling
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.samples import EDGES_MS, EDGES_PUSHES
from waystream.kernel.sampling import PushTally, Sampler
from waystream.kernel.tx import Work
from waystream.kernel.vault import Keys

HOUR = timedelta(hours=1)


@pytest.fixture
def work(database: Database, clock: FixedClock, keys: Keys) -> Work:
    return Work(database, clock, keys)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, None), ([0.4], 0.5, 1), ([1, 1, 1, 9], 0.5, 1), ([1, 1, 1, 9], 0.99, 12), ([99_999], 0.5, 5000)],
)
def test_a_quantile_is_the_edge_within_which_the_share_lies(
    values: list[float], share: float, expected: int | None
) -> None:
    counts = [0] * (len(EDGES_MS) + 1)
    for value in values:
        counts[samples.class_of(value, EDGES_MS)] += 1
    assert samples.quantile(counts, EDGES_MS, share) == expected


def test_histograms_add_up() -> None:
    assert samples.add_up([], EDGES_PUSHES) == (0,) * 10
    one, other = (1,) * 10, (2,) * 10
    assert samples.add_up([one, other], EDGES_PUSHES) == (3,) * 10


def test_what_a_process_counted_is_taken_once() -> None:
    tally = PushTally()
    assert tally.take() is None
    for outcome, seconds in (("taken", 0.004), ("taken", 0.2), ("again", 1.0), ("unsigned", 0.0)):
        tally.saw_push(outcome, seconds=seconds)
    tally.saw_group(2)
    taken = tally.take()
    assert taken is not None
    assert (taken.taken, taken.again, taken.unsigned, taken.unreadable, taken.refused) == (2, 1, 1, 0, 2)
    assert [edge for edge, count in zip(EDGES_MS, taken.commit_ms, strict=False) if count] == [5, 200]
    assert [edge for edge, count in zip(EDGES_PUSHES, taken.group_pushes, strict=False) if count] == [2]
    assert tally.take() is None
    tally.saw_group(500)
    applied = tally.take()
    assert applied is not None, "a process that applies pushes others took"
    assert (applied.taken, sum(applied.group_pushes)) == (0, 1)


def test_the_sampler_writes_what_came_and_what_comes_last(work: Work) -> None:
    tally = PushTally()
    tally.saw_push("taken", seconds=0.001)
    with running(Sampler(work, tally, every_s=0.02)):
        eventually(lambda: rows(work.database, "SELECT count(*) FROM machine_sample")[0][0])
        tally.saw_push("again", seconds=0.001)
    with work.begin(read_only=True) as tx:
        found = samples.list_pushes(tx.conn, within=HOUR)
    assert [(each.value.taken, each.value.again) for each in found] == [(1, 0), (0, 1)]


def test_the_database_is_sampled_by_a_sweep(work: Work) -> None:
    tell(work.database, held(1), held(2))
    with work.begin() as tx:
        log.emit(tx.conn, [held(3)], at=AT - timedelta(seconds=7))
        rule_cursor.register(tx.conn, "copying", from_beginning=True, at=AT)
        rule_cursor.park(tx.conn, "copying", log.read(tx.conn, after=0, limit=1), error="x", at=AT)
        jobs.enqueue(tx.conn, [jobs.Job("print", SHOP, key, "parcel:1") for key in "ab"])
        job_table.claim(tx.conn, [job_table.Wanted("print", slots=1, lease_s=60)], limit=1)
        sampling.sweep().do(tx)
        [found] = samples.list_database(tx.conn, within=HOUR)
    sample = found.value
    assert (sample.position, sample.unplaced, sample.unplaced_s) == (2, 1, 7.0)
    assert sample.rules == (samples.RulePoint("copying", position=0, lag=2, parked=1),)
    [queue] = sample.queues
    assert (queue.kind, queue.ready, queue.running, queue.given_up) == ("print", 1, 1, 0)
    assert sample.size_bytes > 1_000_000


def test_old_samples_go(work: Work) -> None:
    with work.begin() as tx:
        tx.conn.execute(
            """INSERT INTO machine_sample (at, source, body)
               SELECT clock_timestamp() - make_interval(hours => n), 'old', '{}' FROM generate_series(1, 10) AS n"""
        )
        assert sampling.sweep().do(tx) == 10 - 5, "of the sixth hour it is gone as well"
        assert rows_left(tx) == 6
        assert len(samples.list_database(tx.conn, within=HOUR)) == 1


def rows_left(tx: object) -> int:
    found = tx.conn.execute("SELECT count(*) FROM machine_sample").fetchone()  # type: ignore[attr-defined]
    return int(found[0])
