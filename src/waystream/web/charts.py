"""Small charts drawn on the server as SVG paths: a line over time, bars of a histogram. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 240, 48
POINTS_MOST = 120
BAR_GAP = 2


@dataclass(frozen=True, slots=True)
class Line:
    """A polyline over the whole width; `x`, `y` is its last point. Nothing is above 0 in a `flat` one."""

    path: str
    x: float
    y: float
    flat: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """One class of a histogram."""

    label: str
    count: str
    x: float
    y: float
    width: float
    height: float


def draw_line(values: Sequence[float]) -> Line | None:
    """The values from left to right, 0 at the bottom and the greatest at the top; None of fewer than two."""
    shown = _thin(values)
    if len(shown) < 2:
        return None
    top, step = max(shown), WIDTH / (len(shown) - 1)
    points = [(at * step, HEIGHT - 2 - (HEIGHT - 6) * (value / top if top else 0.0)) for at, value in enumerate(shown)]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return Line(path, round(points[-1][0], 1), round(points[-1][1], 1), flat=not top)


def draw_bars(counts: Sequence[tuple[str, int, str]]) -> tuple[Bar, ...]:
    """(label, count, count as the language writes it) from left to right, the greatest over the whole height."""
    top = max((count for _, count, _ in counts), default=0)
    if not top:
        return ()
    width = WIDTH / len(counts)
    return tuple(
        Bar(label, said, round(at * width, 1), round(HEIGHT - height, 1), round(width - BAR_GAP, 1), round(height, 1))
        for at, (label, count, said) in enumerate(counts)
        if (height := max(1.0 if count else 0.0, HEIGHT * count / top)) > 0
    )


def _thin(values: Sequence[float]) -> list[float]:
    """At most POINTS_MOST values, each the greatest of its stretch, so that no peak is lost."""
    if len(values) <= POINTS_MOST:
        return list(values)
    size = -(-len(values) // POINTS_MOST)
    return [max(values[at : at + size]) for at in range(0, len(values), size)]
