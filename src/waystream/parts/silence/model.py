"""What silence means: pure values and decisions."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from waystream.core.events.silence import ParcelStalled


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


@dataclass(frozen=True, slots=True)
class Left:
    """A parcel that is stalled still though its slow-down has ended, or explains it no longer."""

    parcel_id: int
    shop_id: int
    silent_since: datetime
    due_at: datetime


def stalled(silence: Open | Left) -> ParcelStalled:
    return ParcelStalled(
        shop_id=silence.shop_id, parcel_id=silence.parcel_id, silent_since=silence.silent_since, due_at=silence.due_at
    )


def state_after(silence: Open, *, now: datetime, wait: timedelta) -> str:
    """What a silence is now. `wait`: so long the carrier network's answer is waited for."""
    if silence.scanned:
        return "stirred" if silence.state == "stalled" else "heard"
    if silence.over:
        return "over"
    if silence.answered or now >= silence.found_at + wait:
        return "stalled"
    return silence.state
