"""How long silences last, from histories that are cut off: Kaplan-Meier over classes of length, shrunk. Pure.

A gap between two scans has ended; a parcel that still waits is censored: its silence lasts longer than it has. Lengths
are counted in `CLASSES` classes, so a history of any size has one size. A thin history is shrunk towards its parent's:
in each class `WEIGHT` gaps at risk are lent, ending as often as the parent's do; where nothing was seen it speaks.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import exp, log

CLASSES = 80
SHORTEST_H, LONGEST_H = 0.25, 24.0 * 45
_STEP = log(LONGEST_H / SHORTEST_H) / (CLASSES - 1)
#: Class n holds lengths from EDGES_H[n] up to EDGES_H[n + 1]; each edge is an eleventh longer than the one before.
EDGES_H = (0.0, *(SHORTEST_H * exp(_STEP * n) for n in range(CLASSES)))
WEIGHT = 50.0

Hazards = Sequence[float]  # of each class: the share of those that last so long that ends in it


def class_of(hours: float) -> int:
    return min(CLASSES - 1, max(0, bisect_right(EDGES_H, hours) - 1))


@dataclass(frozen=True, slots=True)
class Gaps:
    """How many silences of each class have ended, how many still last, and how many days all of them were."""

    ended: tuple[float, ...] = (0.0,) * CLASSES
    waiting: tuple[float, ...] = (0.0,) * CLASSES
    days: float = 0.0

    @property
    def count(self) -> float:
        return sum(self.ended)

    def beyond(self) -> list[float]:
        """How many last at least until each edge: one more than there are classes."""
        both = [ended + waits for ended, waits in zip(self.ended, self.waiting, strict=True)]
        return [*reversed(list(accumulate(reversed(both)))), 0.0]


def added(parts: Iterable[Gaps]) -> Gaps:
    rows = list(parts)
    return Gaps(
        tuple(map(sum, zip(*(row.ended for row in rows), strict=True))),
        tuple(map(sum, zip(*(row.waiting for row in rows), strict=True))),
        sum(row.days for row in rows),
    )


def even_hazards(usual_h: float) -> Hazards:
    """Of silences that end at any time with the same chance, nine in ten before `usual_h`."""
    return [1 - 0.1 ** ((EDGES_H[n + 1] - EDGES_H[n]) / usual_h) for n in range(CLASSES)]


def hazards(gaps: Gaps, parent: Hazards | None = None, *, weight: float = WEIGHT) -> Hazards:
    """Kaplan-Meier where nothing is lent; else shrunk towards the parent's."""
    lent = weight if parent is not None else 0.0
    of = parent or (0.0,) * CLASSES
    return [
        (ended + lent * share) / (risk + lent) if risk + lent > 0 else 0.0
        for ended, risk, share in zip(gaps.ended, gaps.beyond(), of, strict=False)
    ]


def survival(of: Hazards) -> list[float]:
    """The share that lasts beyond the end of each class."""
    return list(accumulate((1 - hazard for hazard in of), lambda left, stays: left * stays))


def quantile_h(of: Hazards, *, left: float) -> float:
    """When only this share still lasts; between the edges of a class as if it ended evenly in it."""
    before = 1.0
    for n, share in enumerate(survival(of)):
        if share <= left:
            into = log(before / left) / log(before / share) if 0 < share < before else 1.0
            return EDGES_H[n] + into * (EDGES_H[n + 1] - EDGES_H[n])
        before = share
    return EDGES_H[-1]


def longer(beyond: Sequence[float], hours: float) -> float:
    """How many last longer, given how many last until each edge."""
    n = class_of(hours)
    if hours >= EDGES_H[-1]:
        return 0.0
    into = (hours - EDGES_H[n]) / (EDGES_H[n + 1] - EDGES_H[n])
    return beyond[n] + into * (beyond[n + 1] - beyond[n])
