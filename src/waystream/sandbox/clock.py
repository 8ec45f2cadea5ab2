"""The sandbox's clock: business time that runs `speed` times as fast as the machine, from an anchor both sides know.

Given the same three values, Waystream's own fast clock and this one always agree.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


def machine_now() -> datetime:
    """The machine's own time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class VirtualClock:
    """`anchor_business` is the business time at the machine time `anchor_machine`, both aware UTC."""

    anchor_business: datetime
    anchor_machine: datetime
    speed: float = 1.0

    def __post_init__(self) -> None:
        assert self.speed > 0, "time runs forwards"

    def now(self) -> datetime:
        return self.anchor_business + (machine_now() - self.anchor_machine) * self.speed

    def wall_s(self, virtual: timedelta) -> float:
        """How many seconds of the machine a stretch of business time takes."""
        return virtual.total_seconds() / self.speed

    def virtual(self, *, wall_s: float) -> timedelta:
        return timedelta(seconds=wall_s * self.speed)
