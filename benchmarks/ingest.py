"""`make bench-ingest`: how many new scans a second come in, against the floor of COPY into an equal table.

20,000 bound parcels with 8 scans each; every push carries 20 waybills with their full history so far, shuffled, a
tenth of them twice, signed, posted over HTTP by a process of its own. Ends with 0 when nothing was lost, doubled or
wrong. CPU is that of Waystream and PostgreSQL, not of the poster; the last line of standard output is one JSON object.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.pushes import processes, stock
from benchmarks.pushes.judge import Verdict, judge
from benchmarks.pushes.story import SCANS
from benchmarks.replay.processes import new_site
from benchmarks.replay.quiet import wait_until_quiet
from waystream.app import App, build
from waystream.settings import Settings

PARCELS, QUICK_PARCELS = 20_000, 400
CONNECTIONS = 64


@dataclass(frozen=True, slots=True)
class Outcome:
    """`posted` is what the poster says; `spent_us` the CPU of a new scan by stage until the effects were there."""

    parcels: int
    floor_rows_per_s: float
    posted: dict[str, Any]
    spent_us: dict[str, float]
    quiet_after_s: float
    peak_rss_mb: float
    verdict: Verdict

    @property
    def good(self) -> bool:
        return self.verdict.good and not self.posted["unacknowledged"]

    @property
    def new_scans_per_s(self) -> float:
        return self.parcels * SCANS / float(self.posted["seconds"])

    def as_json(self) -> str:
        posted = self.posted
        return json.dumps({
            "new_scans_per_s": round(self.new_scans_per_s), "traces_per_s": round(posted["traces"] / posted["seconds"]),
            "copy_floor_rows_per_s": round(self.floor_rows_per_s),
            "ratio": round(self.new_scans_per_s / self.floor_rows_per_s, 4), "cpu_us_per_scan": self.spent_us,
            "ack_p50_ms": posted["p50_ms"], "ack_p99_ms": posted["p99_ms"], **asdict(self.verdict),
            "peak_rss_mb": round(self.peak_rss_mb), "pushes": posted["pushes"], "again_later": posted["again"],
            "unacknowledged": posted["unacknowledged"], "seconds": round(posted["seconds"], 1),
            "quiet_after_s": round(self.quiet_after_s, 1),
        })  # fmt: skip


def ingest(folder: Path, *, parcels: int, connections: int) -> Outcome:
    """All of it, in a folder of its own."""
    site, story = new_site(folder), stock.begin_story(parcels)
    with processes.running_server(site) as server, attached(site.settings) as app:
        there = stock.set_up(app, story)
        floor = stock.measure_floor(app, story, there)
        _say(f"floor: {floor:,.0f} rows/s")
        with processes.running_poster(site, story, there, connections=connections) as poster:
            before = processes.cpu_s(site, server)
            poster.say()
            posted = json.loads(poster.hear())
            _say(f"posted: {posted}")
            began_s = time.monotonic()
            wait_until_quiet(app, lambda dispatched: None)
            quiet_after_s = time.monotonic() - began_s
            after = processes.cpu_s(site, server)
        verdict = judge(app, story, there)
    return Outcome(parcels, floor, posted, processes.spent(before, after, each=parcels * SCANS), quiet_after_s,
                   after["peak_rss_mb"], verdict)  # fmt: skip


@contextmanager
def attached(settings: Settings) -> Iterator[App]:
    """Our own look into the database of the running server."""
    app = build(settings)
    app.attach()
    try:
        yield app
    finally:
        app.stop()


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="ingest", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print nothing else")
    parser.add_argument(
        "--quick", action="store_true", help=f"{QUICK_PARCELS} parcels: for tests, says nothing of speed"
    )
    parser.add_argument("--parcels", type=int, default=PARCELS)
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="waystream-ingest-") as folder:
        outcome = ingest(Path(folder), parcels=QUICK_PARCELS if given.quick else given.parcels,
                         connections=given.connections)  # fmt: skip
    print(outcome.as_json(), flush=True)
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
