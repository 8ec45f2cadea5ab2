"""A sparkline: one small line through the counts of the last hours, its newest marked. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from waystream.web.shell.language import N_

WIDTH, TOP, BOTTOM = 48.0, 2.0, 20.0
#: What a line shows, in words, by the word of the tally it is drawn from.
HOURLY = {
    "received": N_("Orders that came in, by the hour of the last 24; most in one: %(n)s"),
    "dispatched": N_("Parcels dispatched, by the hour of the last 24; most in one: %(n)s"),
    "delivered": N_("Parcels delivered, by the hour of the last 24; most in one: %(n)s"),
    "exception": N_("Exceptions and failed attempts, by the hour of the last 24; most in one: %(n)s"),
}


@dataclass(frozen=True, slots=True)
class Spark:
    """The path through every point, and the newest; `label` says in words what it shows."""

    path: str
    x: str
    y: str
    label: str


def draw_spark(counts: Sequence[int], label: str) -> Spark | None:
    """None where nothing happened at all: a flat line says nothing."""
    most = max(counts, default=0)
    if not most or len(counts) < 2:
        return None
    step = WIDTH / (len(counts) - 1)
    points = [(at * step, BOTTOM - (BOTTOM - TOP) * count / most) for at, count in enumerate(counts)]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return Spark(path, f"{points[-1][0]:.1f}", f"{points[-1][1]:.1f}", label)
