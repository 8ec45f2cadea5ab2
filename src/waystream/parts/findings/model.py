"""A finding as it is told, and what a check makes of it. Pure values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["holds", "suspected", "broken", "unchecked"]

EVERY_S = 60.0
SUSPECTED_S = 5.0
#: A check that took long waits so many times as long: at most a fiftieth of the database's time is spent on it.
REST = 50.0
KEPT_MAX = 20


@dataclass(frozen=True, slots=True)
class Checked:
    """What one check saw. `broken` None: it took too long to say."""

    name: str
    sentence: str
    sentence_zh: str
    broken: tuple[str, ...] | None
    took_s: float


@dataclass(frozen=True, slots=True)
class Finding:
    """An invariant as last checked; `since` it is as it is, of a broken one when it was first suspected."""

    name: str
    sentence: str
    sentence_zh: str
    state: State
    broken: tuple[str, ...]
    since: datetime
    checked_at: datetime

    @property
    def is_broken(self) -> bool:
        return self.state == "broken"


def state_after(checked: Checked, before: State | None) -> State:
    """Broken is what was seen broken twice: a check beside running work may see half of it."""
    if checked.broken is None:
        return "unchecked"
    if not checked.broken:
        return "holds"
    return "broken" if before in ("suspected", "broken") else "suspected"


def began_anew(now: State, before: State | None) -> bool:
    """Whether `since` is now: a suspicion that comes true began when it arose."""
    return now != before and (before, now) != ("suspected", "broken")


def rest_s(checked: Checked, now: State) -> float:
    if now == "suspected":
        return SUSPECTED_S
    return max(EVERY_S, REST * checked.took_s)
