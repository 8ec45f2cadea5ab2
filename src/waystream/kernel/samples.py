"""How the machine did in the last hours: the rows of `machine_sample`, what they say together, and their SQL.

The database as a whole is sampled by one process at a time, pushes by each process that takes them. All instants are
the machine's clock; nothing in a sample names a parcel or a person.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import msgspec
from psycopg import Connection

DATABASE = "database"
KEPT_HOURS = 6.0
READ_MOST = 5_000
#: Upper edges of the classes of a histogram; the last class has none.
EDGES_MS = (1, 2, 3, 5, 8, 12, 20, 30, 40, 60, 80, 120, 200, 300, 500, 1000, 2000, 5000)
EDGES_PUSHES = (1, 2, 5, 10, 20, 50, 100, 200, 500)


S = TypeVar("S")


class RulePoint(msgspec.Struct, frozen=True):
    rule: str
    position: int
    lag: int
    parked: int


class QueuePoint(msgspec.Struct, frozen=True):
    kind: str
    ready: int
    running: int
    given_up: int
    overdue_s: float


class DatabaseSample(msgspec.Struct, frozen=True):
    """`unplaced` events wait for the sequencer, the oldest for `unplaced_s`; `size_bytes` is the whole database."""

    position: int
    unplaced: int
    unplaced_s: float
    rules: tuple[RulePoint, ...]
    queues: tuple[QueuePoint, ...]
    size_bytes: int


class PushSample(msgspec.Struct, frozen=True):
    """What one process took in since its sample before: counts by outcome, by class of time to the commit (EDGES_MS)
    and by class of group size (EDGES_PUSHES)."""

    taken: int
    again: int
    unsigned: int
    unreadable: int
    commit_ms: tuple[int, ...]
    group_pushes: tuple[int, ...]

    @property
    def refused(self) -> int:
        return self.again + self.unsigned


@dataclass(frozen=True, slots=True)
class At(Generic[S]):
    """A sample and when it was taken."""

    at: datetime
    value: S


def class_of(value: float, edges: Sequence[int]) -> int:
    """The class a value falls into: the first whose edge is not below it."""
    return bisect_left(edges, value)


def add_up(counts: Iterable[Sequence[int]], edges: Sequence[int]) -> tuple[int, ...]:
    """The sum of histograms over the same edges; all zeros of none."""
    whole = [0] * (len(edges) + 1)
    for each in counts:
        whole = [one + other for one, other in zip(whole, each, strict=True)]
    return tuple(whole)


def quantile(counts: Sequence[int], edges: Sequence[int], share: float) -> int | None:
    """The upper edge within which this share of the values lies; None of no values; beyond the last edge, that one."""
    total, seen = sum(counts), 0
    if not total:
        return None
    for index, count in enumerate(counts):
        seen += count
        if seen >= share * total:
            return edges[min(index, len(edges) - 1)]
    raise AssertionError("the shares add up to one")


def insert(conn: Connection[Any], source: str, sample: DatabaseSample | PushSample) -> None:
    conn.execute(
        "INSERT INTO machine_sample (source, body) VALUES (%s, %s)", [source, msgspec.json.encode(sample).decode()]
    )


def prune(conn: Connection[Any], *, keep_hours: float = KEPT_HOURS) -> int:
    return conn.execute(
        "DELETE FROM machine_sample WHERE at < (SELECT clock_timestamp()) - %s * interval '1 hour'", [keep_hours]
    ).rowcount


def machine_now(conn: Connection[Any]) -> datetime:
    found = conn.execute("SELECT clock_timestamp()").fetchone()
    assert found is not None
    instant: datetime = found[0]
    return instant


def list_database(conn: Connection[Any], *, within: timedelta) -> list[At[DatabaseSample]]:
    """Samples of the database, the oldest first."""
    return [At(at, msgspec.json.decode(body, type=DatabaseSample)) for at, body in _list(conn, within, DATABASE, "=")]


def list_pushes(conn: Connection[Any], *, within: timedelta) -> list[At[PushSample]]:
    """Samples of every process that took pushes, the oldest first."""
    return [At(at, msgspec.json.decode(body, type=PushSample)) for at, body in _list(conn, within, DATABASE, "<>")]


def _list(conn: Connection[Any], within: timedelta, source: str, is_it: str) -> list[tuple[datetime, str]]:
    rows = conn.execute(
        f"""SELECT at, body FROM (
                SELECT at, body::text FROM machine_sample
                WHERE at > (SELECT clock_timestamp()) - %s AND source {is_it} %s ORDER BY at DESC LIMIT %s
            ) AS newest ORDER BY at""",
        [within, source, READ_MOST],
    )
    return [(at, body) for at, body in rows]
