"""What a parcel whose way has ended teaches: its gaps, in working hours, and when and where they were. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby, pairwise

from waystream.core.patience import NOT_WATCHED, ZONE, Cell, WorkClock
from waystream.core.state import RANK, TERMINAL, State
from waystream.parts.silence.places import place_of
from waystream.parts.silence.survival import CLASSES, Gaps, class_of

_UNTAUGHT = NOT_WATCHED | TERMINAL | {State.UNKNOWN}
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Scanned:
    """A standing scan of a parcel that went this way."""

    parcel_id: int
    carrier: str
    lane: str
    at: datetime
    state: str
    text: str
    location: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Parcels under way that are silent since then."""

    carrier: str
    lane: str
    stage: str
    since: datetime
    parcels: int


@dataclass(slots=True)
class Lesson:
    """Gaps by cell and class, days by cell, scans by (stage, day, hour), gaps begun by (carrier, place)."""

    gaps: Counter[tuple[Cell, int]] = field(default_factory=Counter)
    days: dict[Cell, float] = field(default_factory=lambda: defaultdict(float))
    pulses: Counter[tuple[str, date, int]] = field(default_factory=Counter)
    places: Counter[tuple[str, str]] = field(default_factory=Counter)


def learn(scans: Iterable[Scanned], clock: WorkClock) -> Lesson:
    """`scans` by parcel."""
    lesson = Lesson()
    for _, group in groupby(scans, key=lambda scan: scan.parcel_id):
        for before, after in _gaps(group):
            cell = (before.carrier, before.lane, before.state)
            lesson.gaps[cell, class_of(clock.length_h(before.state, before.at, after.at))] += 1
            lesson.days[cell] += (after.at - before.at).total_seconds() / DAY_S
            local = after.at.astimezone(ZONE)
            lesson.pulses[before.state, local.date(), local.hour] += 1
            lesson.places[before.carrier, place_of(before.text, before.location)] += 1
    return lesson


def _gaps(scans: Iterable[Scanned]) -> Iterator[tuple[Scanned, Scanned]]:
    in_order = sorted(scans, key=lambda scan: (scan.at, RANK[State(scan.state)]))
    yield from ((before, after) for before, after in pairwise(in_order) if State(before.state) not in _UNTAUGHT)


def with_waiting(
    cells: Mapping[Cell, Gaps], waiting: Sequence[Waiting], clock: WorkClock, *, now: datetime
) -> dict[Cell, Gaps]:
    """The history with those who wait still: censored, their silence lasts longer than it has."""
    counts: dict[Cell, list[float]] = {}
    days: dict[Cell, float] = defaultdict(float)
    for row in waiting:
        cell = (row.carrier, row.lane, row.stage)
        length_h = clock.length_h(row.stage, row.since, max(now, row.since))
        counts.setdefault(cell, [0.0] * CLASSES)[class_of(length_h)] += row.parcels
        days[cell] += row.parcels * (now - row.since).total_seconds() / DAY_S
    return dict(cells) | {
        cell: Gaps(known.ended, tuple(row), known.days + max(0.0, days[cell]))
        for cell, row in counts.items()
        for known in (cells.get(cell, Gaps()),)
    }
