"""Backups and restores as rows, and when the next backup is due. All times are the machine's, but for `since`."""

from dataclasses import dataclass
from datetime import datetime, timedelta

LATE_FACTOR = 2  # a backup is missed when twice the usual time has passed


@dataclass(frozen=True, slots=True)
class BackupRow:
    """A try to make a backup; `error` is empty when it is there. `whole`: the database is in it."""

    name: str
    folder: str
    began_at: datetime
    ended_at: datetime
    bytes: int
    whole: bool
    line: str
    error: str

    @property
    def seconds(self) -> float:
        return (self.ended_at - self.began_at).total_seconds()


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was done about what happened after the moment the database came back to, and what only people know.

    `doubts`: attempts to get a number, asked again under their own codes. `prints`: labels in a queue, which may be on
    paper already. `watched`: numbers asked for again. `waiting`: orders to ship, which may have left meanwhile.
    """

    doubts: int
    prints: int
    watched: int
    waiting: int


@dataclass(frozen=True, slots=True)
class RestorationRow:
    """`reached_at` is the last transaction that is there; `since` is business time."""

    id: int
    since: datetime
    reached_at: datetime | None
    backup: str
    forgotten: Forgotten
    settled: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """The newest backup that is there, and the newest try."""

    newest: BackupRow | None
    last_try: BackupRow | None

    def is_late(self, now: datetime, every: timedelta) -> bool:
        return self.newest is None or now - self.newest.began_at > LATE_FACTOR * every


def is_due(standing: Standing, *, now: datetime, every: timedelta, line: str, again: timedelta) -> bool:
    """At once when the log began a new line, for without a backup it is of no use; after a failure `again` later."""
    last = standing.last_try
    if last is not None and last.error:
        return now - last.ended_at >= again
    newest = standing.newest
    return newest is None or newest.line != line or now - newest.began_at >= every
