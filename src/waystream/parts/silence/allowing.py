"""From history and a budget to the hours that are allowed: so many times what is usual. Pure.

Overdue is a silence of `times` x what is usual: the time by which nine in ten end in that stage, carrier and lane,
drawn halfway to that of all. What holds a parcel up adds hours to a short way and to a long one alike, so twice the
usual time needs less than twice the patience. One `times` for all, so that as many alerts a day follow as the budget
allows; the far tail of one lane, where true stalls lie, decides nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from waystream.core.patience import Cell, table_h
from waystream.parts.silence.survival import Gaps, Hazards, added, even_hazards, hazards, longer, quantile_h

#: With fewer gaps the table decides: `TABLE_TIMES` x its usual silence is what `core.patience` allows.
GAPS_LEAST = 2_000
LANE_GAPS_LEAST = 20
TABLE_TIMES = 3.0
USUAL = 0.9
#: Working hours: nothing is overdue before, everything is after (unless the table allows more, as in customs).
SOONEST_H, LATEST_H = 6.0, 108.0
#: Beyond, hardly anything is healthy: a smaller budget would hide trouble and save next to nothing.
TIMES_LEAST, TIMES_MOST = 1.2, 5.0
CURVE = tuple(round(TIMES_LEAST * (TIMES_MOST / TIMES_LEAST) ** (n / 39), 3) for n in range(40))
THOUSAND = 1_000.0


@dataclass(frozen=True, slots=True)
class Allowed:
    """A row of the published patience. `gaps` ended and `waiting` are its own; the rest it has from its parent."""

    carrier: str
    lane: str
    stage: str
    hours: float
    usual_h: float
    gaps: float
    waiting: float


@dataclass(frozen=True, slots=True)
class Book:
    """`expected`: alerts a day for a thousand parcels under way; None without enough history."""

    times: float
    expected: float | None
    gaps: float
    rows: tuple[Allowed, ...]
    curve: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class _Leaf:
    """The silences of one cell as the budget counts them."""

    stage: str
    drawn_h: float
    beyond: Sequence[float]


def allowed_h(stage: str, drawn_h: float, times: float) -> float:
    return min(max(times * drawn_h, SOONEST_H), max(LATEST_H, table_h(stage)))


def allow(cells: Mapping[Cell, Gaps], *, budget: float) -> Book:
    """What is allowed with this history and budget."""
    known = _with_parents(cells)
    usual = {cell: quantile_h(each, left=1 - USUAL) for cell, each in _shrunk(known).items()}
    every = added(cells.values()) if cells else Gaps()
    drawn, times, expected, curve = usual, TABLE_TIMES, None, tuple[tuple[float, float], ...]()
    if every.count >= GAPS_LEAST and every.days > 0:
        drawn = _drawn(usual, quantile_h(hazards(every), left=1 - USUAL))
        leaves = [_Leaf(cell[2], drawn[_speaks(cell, drawn)], gaps.beyond()) for cell, gaps in cells.items()]
        curve = tuple((each, THOUSAND * _alerts(leaves, each) / every.days) for each in CURVE)
        times, expected = read_curve(curve, budget)
    rows = tuple(
        Allowed(*cell, allowed_h(cell[2], drawn[cell], times), hours, known[cell].count, sum(known[cell].waiting))
        for cell, hours in sorted(usual.items())
    )
    return Book(times, expected, every.count, rows, curve)


def _drawn(usual: Mapping[Cell, float], common_h: float) -> dict[Cell, float]:
    """Halfway to what is usual for all, on the scale of times."""
    return {cell: sqrt(hours * common_h) for cell, hours in usual.items()}


def read_curve(curve: Sequence[tuple[float, float]], budget: float) -> tuple[float, float]:
    """(how many times the usual silence, alerts it means): the least that keeps the budget, or the most there is."""
    before = curve[0]
    if before[1] <= budget:
        return before
    for times, expected in curve[1:]:
        if expected <= budget:
            into = (before[1] - budget) / (before[1] - expected)
            return before[0] + into * (times - before[0]), budget
        before = (times, expected)
    return before


def _alerts(leaves: Sequence[_Leaf], times: float) -> float:
    return sum(longer(leaf.beyond, allowed_h(leaf.stage, leaf.drawn_h, times)) for leaf in leaves)


def _with_parents(cells: Mapping[Cell, Gaps]) -> dict[Cell, Gaps]:
    """The carriers' and the stages' histories beside the lanes'."""
    parts: dict[Cell, list[Gaps]] = {}
    for (carrier, _, stage), gaps in cells.items():
        parts.setdefault((carrier, "", stage), []).append(gaps)
        parts.setdefault(("", "", stage), []).append(gaps)
    lanes = {cell: gaps for cell, gaps in cells.items() if cell[1] and gaps.count >= LANE_GAPS_LEAST}
    return lanes | {cell: added(each) for cell, each in parts.items()}


def _shrunk(known: Mapping[Cell, Gaps]) -> dict[Cell, Hazards]:
    """Each towards its parent: the lane to the carrier, the carrier to the stage, the stage to the table."""
    found: dict[Cell, Hazards] = {}
    for cell in sorted(known):
        found[cell] = hazards(known[cell], _parent(cell, found))
    return found


def _parent(cell: Cell, found: Mapping[Cell, Hazards]) -> Hazards:
    carrier, lane, stage = cell
    if lane:
        return found[carrier, "", stage]
    return found["", "", stage] if carrier else even_hazards(table_h(stage) / TABLE_TIMES)


def _speaks(cell: Cell, usual: Mapping[Cell, float]) -> Cell:
    return cell if cell in usual else (cell[0], "", cell[2])
