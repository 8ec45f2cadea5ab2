"""Whom we hear: when each carrier last pushed, how long it is usually silent, and which one is quiet now.

A carrier's usual silence is the median of the longest gap of each of its last days, so that nights and Sundays count
as what they are. All times are business time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from waystream.kernel.tx import Tx
from waystream.parts.hub import store_heard

USUAL_DAYS = 14
KNOWN_AFTER_DAYS = 3
#: A carrier is quiet after half as long again as its usual silence, and never before half an hour.
PATIENCE = 1.5
LEAST_S = 1_800.0
#: Before enough days are known.
UNKNOWN_S = 86_400.0
KEPT_DAYS = 90


@dataclass(frozen=True, slots=True)
class Hearing:
    """One carrier through one aggregator; `usual_s` is None before enough days are known, `moving` its parcels now."""

    aggregator: str
    carrier: str
    last_at: datetime
    usual_s: float | None
    days: int
    moving: int

    def silent_s(self, now: datetime) -> float:
        return max(0.0, (now - self.last_at).total_seconds())

    @property
    def patience_s(self) -> float:
        """How long it may be silent before it is quiet."""
        if self.usual_s is None or self.days < KNOWN_AFTER_DAYS:
            return UNKNOWN_S
        return max(LEAST_S, self.usual_s * PATIENCE)

    def is_quiet(self, now: datetime) -> bool:
        """Whether it has something to tell and does not."""
        return self.moving > 0 and self.silent_s(now) > self.patience_s


def note(tx: Tx, heard: Mapping[tuple[int, str], int]) -> None:
    """These carriers pushed just now: (aggregator, carrier) and how many pushes named them."""
    if heard:
        store_heard.add(tx.conn, heard, at=tx.now)


def list_hearing(tx: Tx) -> list[Hearing]:
    """Every carrier heard in the last days, by name; those we never heard are not known to be quiet."""
    since = (tx.now - timedelta(days=USUAL_DAYS)).date()
    return [Hearing(*row) for row in store_heard.list_heard(tx.conn, since=since, today=tx.now.date())]


def forget(tx: Tx) -> int:
    """Remove the days nobody looks at any more; how many rows."""
    return store_heard.prune(tx.conn, before=(tx.now - timedelta(days=KEPT_DAYS)).date())
