"""A whole Waystream for one benchmark: server, our look into its database, parcels that left; and measured phases.

A phase ends when its effects are there: its CPU is that of every Waystream and PostgreSQL process until nothing is
left to do, so work put off is not work saved.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.pushes import processes, stock
from benchmarks.pushes.poster import Errand
from benchmarks.pushes.postgres import watched_memory
from benchmarks.pushes.processes import Fleet, Talker
from benchmarks.pushes.stock import Stock
from benchmarks.pushes.story import Story
from benchmarks.replay.processes import Site, new_site
from benchmarks.replay.quiet import wait_until_quiet
from waystream.app import App, build
from waystream.settings import Settings


@dataclass(frozen=True, slots=True)
class Phase:
    """`posted` is what the poster says; `cpu_s` by stage, until the effects were there."""

    posted: dict[str, Any]
    cpu_s: dict[str, float]
    quiet_after_s: float
    peak_mb: float

    @property
    def pushes(self) -> int:
        return int(self.posted["pushes"])

    @property
    def seconds(self) -> float:
        return float(self.posted["seconds"])

    @property
    def pushes_per_s(self) -> float:
        return self.pushes / self.seconds

    def spent_us(self, each: int) -> dict[str, float]:
        """CPU for each of so many things, by stage."""
        return {stage: round(seconds / max(1, each) * 1e6, 1) for stage, seconds in sorted(self.cpu_s.items())}


@dataclass(frozen=True, slots=True)
class Bench:
    site: Site
    server: Fleet
    app: App
    story: Story
    stock: Stock

    def run_phase(self, poster: Talker, errand: Errand) -> Phase:
        before = processes.cpu_s(self.site, self.server)
        with watched_memory(self.site.settings.data_folder, *self.server.pids) as memory:
            posted = processes.run_errand(poster, errand)
            say(f"posted: {posted}")
            began_s = time.monotonic()
            wait_until_quiet(self.app, lambda dispatched: None)
        quiet_after_s = time.monotonic() - began_s
        after = processes.cpu_s(self.site, self.server)
        return Phase(posted, {stage: after[stage] - before[stage] for stage in after}, quiet_after_s, memory.peak_mb)


@contextmanager
def running_bench(folder: Path, parcels: int) -> Iterator[Bench]:
    """All of it, in a folder of its own."""
    site, story = new_site(folder), stock.begin_story(parcels)
    with processes.running_server(site) as server, attached(site.settings) as app:
        yield Bench(site, server, app, story, stock.set_up(app, story))


@contextmanager
def attached(settings: Settings) -> Iterator[App]:
    """Our own look into the database of the running server."""
    app = build(settings)
    app.attach()
    try:
        yield app
    finally:
        app.stop()


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
