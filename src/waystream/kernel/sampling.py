"""Taking samples: what a process counts of pushes while it runs, and the thread and the sweep that write it down.

Guaranteed: counting a push is a few additions under a lock, and what a process holds is bounded by the classes of its
histograms. What the samples are is `samples`.
"""

import logging
import os
import socket
import threading
from collections import Counter

import psycopg

from waystream.core.errors import Unavailable
from waystream.kernel import job_table, log, rule_cursor, samples
from waystream.kernel.database import error_text
from waystream.kernel.jobs import Sweep
from waystream.kernel.samples import EDGES_MS, EDGES_PUSHES, DatabaseSample, PushSample, QueuePoint, RulePoint
from waystream.kernel.tx import Tx, Work

logger = logging.getLogger(__name__)

EVERY_S = 10.0


class PushTally:
    """What came since it was last taken."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outcomes: Counter[str] = Counter()
        self._commit_ms: Counter[int] = Counter()
        self._group_pushes: Counter[int] = Counter()

    def saw_push(self, outcome: str, *, seconds: float) -> None:
        with self._lock:
            self._outcomes[outcome] += 1
            if outcome == "taken":
                self._commit_ms[samples.class_of(seconds * 1000, EDGES_MS)] += 1

    def saw_group(self, pushes: int) -> None:
        with self._lock:
            self._group_pushes[samples.class_of(pushes, EDGES_PUSHES)] += 1

    def take(self) -> PushSample | None:
        """The counts, which begin anew; None where nothing came."""
        with self._lock:
            outcomes, self._outcomes = self._outcomes, Counter()
            commit_ms, self._commit_ms = self._commit_ms, Counter()
            group_pushes, self._group_pushes = self._group_pushes, Counter()
        if not (outcomes or group_pushes):
            return None
        return PushSample(
            taken=outcomes["taken"],
            again=outcomes["again"],
            unsigned=outcomes["unsigned"],
            unreadable=outcomes["unreadable"],
            commit_ms=tuple(commit_ms[at] for at in range(len(EDGES_MS) + 1)),
            group_pushes=tuple(group_pushes[at] for at in range(len(EDGES_PUSHES) + 1)),
        )


class Sampler:
    """The thread that writes a process's samples; a sample that cannot be written is left out."""

    def __init__(self, work: Work, tally: PushTally, *, every_s: float = EVERY_S) -> None:
        self._work = work
        self._tally = tally
        self._every_s = every_s
        self._source = f"{socket.gethostname()}:{os.getpid()}"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Write what came last, then end."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        ended = False
        while not ended:
            ended = self._ended.wait(self._every_s)
            sample = self._tally.take()
            if sample is not None:
                self._write(sample)

    def _write(self, sample: PushSample) -> None:
        try:
            self._work.run(lambda tx: samples.insert(tx.conn, self._source, sample))
        except (psycopg.Error, Unavailable) as error:
            logger.warning("a sample was not written: %s", error_text(error))


def sample_database(tx: Tx) -> DatabaseSample:
    """How log, rules and queues stand at this moment."""
    conn = tx.conn
    since = log.unplaced_since(conn)
    standings = rule_cursor.list_standings(conn)
    size = conn.execute("SELECT pg_database_size(current_database())").fetchone()
    assert size is not None
    return DatabaseSample(
        position=log.head(conn),
        unplaced=log.count_unplaced(conn),
        unplaced_s=max(0.0, (tx.now - since).total_seconds()) if since else 0.0,
        rules=tuple(RulePoint(each.rule, each.position, each.lag, each.poison + each.waiting) for each in standings),
        queues=tuple(
            QueuePoint(each.kind, each.ready, each.running, each.given_up, each.overdue_s)
            for each in job_table.list_queues(conn)
        ),
        size_bytes=int(size[0]),
    )


def sweep(*, every_s: float = EVERY_S) -> Sweep:
    """Samples the database, one process at a time, and forgets what is old."""

    def do(tx: Tx) -> int:
        samples.insert(tx.conn, samples.DATABASE, sample_database(tx))
        return samples.prune(tx.conn)

    return Sweep("machine_samples", every_s, do)
