"""The river: how many passed each stage today, drawn as one band whose width is the count. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 1344.0, 84.0
WIDEST, NARROWEST = 36.0, 3.0
EASED_AT = (0.25, 0.5, 0.75, 1.0)
LANES = (-1.0, -0.5, 0.0, 0.5, 1.0)
TINTS = ("idle", "idle", "idle", "move", "move", "move", "move", "done")


@dataclass(frozen=True, slots=True)
class Band:
    """One stretch of one colour: its ground and the lines drawn on it."""

    tint: str
    ground: str
    lines: tuple[str, ...]


def draw_river(counts: Sequence[int]) -> tuple[Band, ...]:
    """Bands for as many stages as there are tints; the widest stage fills the height."""
    assert len(counts) == len(TINTS)
    halves = _half_widths(counts)
    starts = [at for at, tint in enumerate(TINTS) if at == 0 or TINTS[at - 1] != tint]
    ends = [*starts[1:], len(TINTS)]
    return tuple(_band(halves, start, end) for start, end in zip(starts, ends, strict=True))


def _half_widths(counts: Sequence[int]) -> list[float]:
    most = max(*counts, 1)
    return [max(WIDEST * count / most, NARROWEST) for count in counts]


def _band(halves: Sequence[float], start: int, end: int) -> Band:
    top, bottom = _edge(halves, start, end, -1.0), _edge(halves, start, end, 1.0)
    forth = "M" + "L".join(top)
    back = "L" + "L".join(reversed(bottom))
    lines = tuple("M" + "L".join(_edge(halves, start, end, lane)) for lane in LANES)
    return Band(TINTS[start], f"{forth}{back}Z", lines)


def _edge(halves: Sequence[float], start: int, end: int, lane: float) -> list[str]:
    """Points along one lane: level under each stage, an eased step before the next."""
    step = WIDTH / len(halves)
    points = []
    for at in range(start, end):
        here = HEIGHT / 2 + lane * halves[at]
        following = HEIGHT / 2 + lane * halves[min(at + 1, len(halves) - 1)]
        points += [f"{at * step:.0f} {here:.1f}", f"{(at + 0.6) * step:.0f} {here:.1f}"]
        points += [_eased((at + 0.6) * step, (at + 1) * step, (here, following), part) for part in EASED_AT]
    return points


def _eased(left: float, right: float, heights: tuple[float, float], part: float) -> str:
    smooth = part * part * (3 - 2 * part)
    return f"{left + (right - left) * part:.0f} {heights[0] + (heights[1] - heights[0]) * smooth:.1f}"
