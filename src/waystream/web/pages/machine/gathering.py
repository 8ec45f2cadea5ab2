"""What the page and the interface tell of the machine, read in one transaction so that the figures agree."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from waystream.kernel import job_table, log, rule_mending, samples
from waystream.kernel.dispatcher import Rule
from waystream.kernel.engines import list_engines
from waystream.kernel.job_table import Queue
from waystream.kernel.rule_cursor import Standing
from waystream.kernel.samples import EDGES_MS, EDGES_PUSHES, At, DatabaseSample, PushSample
from waystream.kernel.tx import Tx
from waystream.parts.hub import hearing
from waystream.parts.hub.hearing import Hearing
from waystream.parts.tracking import reading
from waystream.parts.tracking.store_lists import UnknownCodeRow

LOOKED_BACK = timedelta(hours=1)
SPOKEN_OF = timedelta(minutes=5)
CODES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Machine:
    """`at` is business time, `machine_at` the machine's own; samples go back LOOKED_BACK."""

    at: datetime
    machine_at: datetime
    unplaced: int
    unplaced_s: float
    position: int
    rules: Sequence[Standing]
    queues: Sequence[Queue]
    database: Sequence[At[DatabaseSample]]
    pushes: Sequence[At[PushSample]]
    heard: Sequence[Hearing]
    codes: Sequence[UnknownCodeRow]
    engines: Mapping[str, str]
    size_bytes: int
    free_bytes: int | None

    @property
    def recent(self) -> list[PushSample]:
        """What came in the last SPOKEN_OF: the answer speaks of it."""
        return [each.value for each in self.pushes if self.machine_at - each.at <= SPOKEN_OF]

    @property
    def commit_ms(self) -> int | None:
        """Within how many milliseconds 99 of 100 pushes were committed lately; None if none came."""
        counts = samples.add_up((each.commit_ms for each in self.recent), EDGES_MS)
        return samples.quantile(counts, EDGES_MS, 0.99)

    @property
    def groups(self) -> tuple[int, ...]:
        """Commits of the last hour by the class of their size, EDGES_PUSHES."""
        return samples.add_up((each.value.group_pushes for each in self.pushes), EDGES_PUSHES)

    @property
    def halted(self) -> list[Standing]:
        return [each for each in self.rules if each.halted]

    @property
    def poison(self) -> int:
        return sum(each.poison for each in self.rules)

    @property
    def slowest(self) -> Standing | None:
        return max(self.rules, key=lambda each: each.lag, default=None)

    @property
    def quiet(self) -> list[Hearing]:
        return [each for each in self.heard if each.is_quiet(self.at)]

    @property
    def overdue(self) -> Queue | None:
        return max(self.queues, key=lambda each: each.overdue_s, default=None)


def gather(tx: Tx, rules: Mapping[str, Rule], data_folder: Path | None) -> Machine:
    since = log.unplaced_since(tx.conn)
    size = tx.conn.execute("SELECT pg_database_size(current_database())").fetchone()
    assert size is not None
    return Machine(
        at=tx.now,
        machine_at=samples.machine_now(tx.conn),
        unplaced=log.count_unplaced(tx.conn),
        unplaced_s=max(0.0, (tx.now - since).total_seconds()) if since else 0.0,
        position=log.head(tx.conn),
        rules=rule_mending.list_standings(tx, rules),
        queues=job_table.list_queues(tx.conn),
        database=samples.list_database(tx.conn, within=LOOKED_BACK),
        pushes=samples.list_pushes(tx.conn, within=LOOKED_BACK),
        heard=hearing.list_hearing(tx),
        codes=reading.list_unknown_codes(tx)[:CODES_SHOWN],
        engines=list_engines(tx),
        size_bytes=int(size[0]),
        free_bytes=shutil.disk_usage(data_folder).free if data_folder else None,
    )
