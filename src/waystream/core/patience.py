"""How long a parcel may be silent before its next scan is overdue: the clock that counts it, and the hours allowed.

Silence is counted in working hours: an hour weighs as much as scans of that stage usually happen in it, so a quiet
night, a Sunday or a holiday uses up little patience. The hours come from history (`parts.silence` learns and publishes
them); where there is none, `TABLE_H`. Pure: calendar and weights are given.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from itertools import accumulate

from waystream.core.state import NOT_YET, State

#: Carriers live by one clock, in all of China.
ZONE = timezone(timedelta(hours=8))
HOUR = timedelta(hours=1)
#: The clock reaches so far back and ahead of the moment it was made; beyond, every hour weighs the same.
BACK, AHEAD = timedelta(days=45), timedelta(days=60)
LEAST_WEIGHT = 0.02

#: Silence there is another matter: nobody has collected the parcel yet, or it waits for its receiver.
NOT_WATCHED = NOT_YET | {State.READY_FOR_PICKUP}
#: Working hours allowed in a stage without history; of stages that are not watched, plain hours.
TABLE_H: Mapping[State, float] = {
    State.AWAITING_COLLECTION: 48.0,
    State.NO_TRACE: 48.0,
    State.READY_FOR_PICKUP: 72.0,
    State.OUT_FOR_DELIVERY: 36.0,
    State.CUSTOMS: 168.0,
}
TABLE_OTHERWISE_H = 72.0

Cell = tuple[str, str, str]  # carrier, lane, stage; empty: all of them


class Day(StrEnum):
    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True)
class Calendar:
    """`off`: public holidays; `made_up`: days of a weekend that are worked for them (调休)."""

    off: frozenset[date] = frozenset()
    made_up: frozenset[date] = frozenset()

    def kind(self, day: date) -> Day:
        """A weekend that touches a holiday is part of it."""
        if day in self.off:
            return Day.HOLIDAY
        if day.isoweekday() < 6 or day in self.made_up:
            return Day.WORKDAY
        friday = day - timedelta(days=day.isoweekday() - 5)
        touched = any(friday + timedelta(days=n) in self.off for n in range(4))
        return Day.HOLIDAY if touched else Day.WEEKEND


@dataclass(frozen=True, slots=True)
class Pulse:
    """How much an hour of a stage weighs: on a workday (1 on average), and by how much less on others."""

    hours: tuple[float, ...] = (1.0,) * 24
    weekend: float = 0.9
    holiday: float = 0.5

    def of(self, kind: Day) -> float:
        return {Day.WORKDAY: 1.0, Day.WEEKEND: self.weekend, Day.HOLIDAY: self.holiday}[kind]


EVEN = Pulse()


class WorkClock:
    """Counts working hours, by stage, around an instant."""

    def __init__(self, pulses: Mapping[str, Pulse], calendar: Calendar, *, around: datetime) -> None:
        start = (around - BACK).astimezone(ZONE)
        self.made_at = around
        self._start = start.replace(minute=0, second=0, microsecond=0)
        hours = [self._start + n * HOUR for n in range((BACK + AHEAD) // HOUR)]
        self._hours = [(calendar.kind(hour.date()), hour.hour) for hour in hours]
        self._even = self._dial(EVEN)
        self._dials = {stage: self._dial(pulse) for stage, pulse in pulses.items()}

    def _dial(self, pulse: Pulse) -> list[float]:
        """What the clock shows at each full hour."""
        weights = [max(LEAST_WEIGHT, pulse.of(kind) * pulse.hours[hour]) for kind, hour in self._hours]
        return [0.0, *accumulate(weights)]

    def length_h(self, stage: str, since: datetime, until: datetime) -> float:
        """The working hours between two instants."""
        dial = self._dials.get(stage, self._even)
        return self._shows(dial, until) - self._shows(dial, since)

    def after(self, stage: str, since: datetime, hours: float) -> datetime:
        """When so many working hours will have passed."""
        dial = self._dials.get(stage, self._even)
        shows = self._shows(dial, since) + hours
        if shows < 0 or shows >= dial[-1]:
            plain_h = shows if shows < 0 else len(dial) - 1 + shows - dial[-1]
        else:
            hour = bisect_right(dial, shows) - 1
            plain_h = hour + (shows - dial[hour]) / (dial[hour + 1] - dial[hour])
        return (self._start + plain_h * HOUR).astimezone(since.tzinfo)

    def _shows(self, dial: list[float], at: datetime) -> float:
        plain_h = (at - self._start) / HOUR
        last = len(dial) - 1
        if plain_h < 0:
            return plain_h
        if plain_h >= last:
            return dial[last] + plain_h - last
        hour = int(plain_h)
        return dial[hour] + (plain_h - hour) * (dial[hour + 1] - dial[hour])


def table_h(stage: str) -> float:
    """The hours allowed where there is no history."""
    return TABLE_H.get(State(stage), TABLE_OTHERWISE_H)


@dataclass(frozen=True, slots=True)
class Patience:
    """What is allowed, by cell: the lane's where it has enough history, else the carrier's, else the stage's."""

    version: int
    clock: WorkClock = field(repr=False)
    hours: Mapping[Cell, float] = field(default_factory=dict, repr=False)

    def allowed_h(self, *, carrier: str, lane: str, stage: str) -> float:
        for cell in ((carrier, lane, stage), (carrier, "", stage), ("", "", stage)):
            if cell in self.hours:
                return self.hours[cell]
        return table_h(stage)

    def due_at(self, since: datetime, *, carrier: str, lane: str, stage: State) -> datetime:
        """When the next scan of a parcel silent since then is due."""
        if stage in NOT_WATCHED:
            return since + table_h(stage) * HOUR
        return self.clock.after(stage, since, self.allowed_h(carrier=carrier, lane=lane, stage=stage))
