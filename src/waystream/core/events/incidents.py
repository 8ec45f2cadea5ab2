"""What came of telling every buyer in an incident."""

from dataclasses import dataclass
from typing import ClassVar

from waystream.core.events.silence import SlowdownEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentTold(SlowdownEvent):
    """Every buyer in an incident was written to, or not: `whys` are words of reasons with how many each."""

    public: ClassVar[str] = "slowdown.told"
    ticket_id: int
    told: int
    untold: int
    doubted: int = 0
    whys: tuple[str, ...] = ()
