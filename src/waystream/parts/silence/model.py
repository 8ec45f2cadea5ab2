"""What silence means: pure values and decisions."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Overdue:
    """A parcel whose next scan is overdue since `due_at`; `place` is where it was scanned last."""

    parcel_id: int
    shop_id: int
    carrier: str
    place: str
    stage: str
    silent_since: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Open:
    """A silence that lasts, beside its parcel's track. `answered`: it was asked for since, and nothing was new."""

    id: int
    parcel_id: int
    shop_id: int
    state: str
    silent_since: datetime
    due_at: datetime
    found_at: datetime
    answered: bool
    scanned_at: datetime | None
    over: bool

    @property
    def scanned(self) -> bool:
        """Whether it was scanned since."""
        return self.scanned_at is not None and self.scanned_at > self.silent_since


def state_after(silence: Open, *, now: datetime, wait: timedelta) -> str:
    """What a silence is now. `wait`: so long the carrier network's answer is waited for."""
    if silence.scanned:
        return "stirred" if silence.state == "stalled" else "heard"
    if silence.over:
        return "over"
    if silence.answered or now >= silence.found_at + wait:
        return "stalled"
    return silence.state
