"""Silence: scans that did not come when they were due, alone or many at one place."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from waystream.core.events import Event, ParcelEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanOverdue(ParcelEvent):
    """The next scan did not come by the time it was due; the carrier network is asked first."""

    public: ClassVar[str] = ""
    silent_since: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelStalled(ParcelEvent):
    """It is silent for longer than it should be (停滞), and asking brought nothing new.

    Told again when a slow-down that explained it has ended and it is silent still.
    """

    public: ClassVar[str] = "parcel.stalled"
    silent_since: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelStirred(ParcelEvent):
    """A stalled parcel was scanned again, perhaps without a change of its state."""

    public: ClassVar[str] = "parcel.stirred"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowdownEvent(Event):
    """Many parcels of one carrier are silent at one place, or everywhere; told once to every shop that has some."""

    slowdown_id: int

    @property
    def subject(self) -> str:
        return f"slowdown:{self.slowdown_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowdownBegan(SlowdownEvent):
    """A hub or a network slows down. An empty `place` is the whole network; `parcels` are the shop's, so far."""

    public: ClassVar[str] = "slowdown.began"
    carrier: str
    place: str
    parcels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowdownEnded(SlowdownEvent):
    """It flows again. `parcels` are the shop's, all in all."""

    public: ClassVar[str] = "slowdown.ended"
    carrier: str
    place: str
    parcels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PatienceChanged(Event):
    """How long parcels may be silent was published anew: from history, or because a person set another budget."""

    public: ClassVar[str] = ""
    version_id: int

    @property
    def subject(self) -> str:
        return f"patience:{self.version_id}"
