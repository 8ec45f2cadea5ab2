"""`make bench-ingest`: how many new scans a second come in, against the floor of COPY into an equal table.

20,000 bound parcels with 8 scans each; every push carries 20 waybills with their full history so far, shuffled, a
tenth of them twice, signed, posted over HTTP by a process of its own. Ends with 0 when nothing was lost, doubled or
wrong. CPU is that of Waystream and PostgreSQL, not of the poster; the last line of standard output is one JSON object.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.pushes.bench import Phase, running_bench, say
from benchmarks.pushes.judge import Verdict, judge
from benchmarks.pushes.poster import CONNECTIONS, Errand
from benchmarks.pushes.processes import PATH, running_poster
from benchmarks.pushes.stock import measure_floor
from benchmarks.pushes.story import SCANS

PARCELS, QUICK_PARCELS = 20_000, 400
STEADY_S = 30.0


@dataclass(frozen=True, slots=True)
class Outcome:
    parcels: int
    floor_rows_per_s: float
    phase: Phase
    verdict: Verdict

    @property
    def good(self) -> bool:
        return self.verdict.good and not self.phase.posted["unacknowledged"]

    def as_json(self) -> str:
        phase, posted, scans = self.phase, self.phase.posted, self.parcels * SCANS
        return json.dumps({
            "new_scans_per_s": round(scans / phase.seconds), "traces_per_s": round(posted["traces"] / phase.seconds),
            "copy_floor_rows_per_s": round(self.floor_rows_per_s),
            "ratio": round(scans / phase.seconds / self.floor_rows_per_s, 4), "cpu_us_per_scan": phase.spent_us(scans),
            "ack_p50_ms": posted["p50_ms"], "ack_p99_ms": posted["p99_ms"], **asdict(self.verdict),
            "peak_rss_mb": round(phase.peak_mb), "pushes": phase.pushes, "again_later": posted["again"],
            "unacknowledged": posted["unacknowledged"], "seconds": round(phase.seconds, 1),
            "quiet_after_s": round(phase.quiet_after_s, 1), "poster_cpu_s": round(posted["poster_cpu_s"], 1),
        })  # fmt: skip


def ingest(folder: Path, *, parcels: int, connections: int) -> Outcome:
    """All of it, in a folder of its own."""
    with running_bench(folder, parcels) as bench:
        floor = measure_floor(bench.app, bench.story, bench.stock)
        say(f"floor: {floor:,.0f} rows/s")
        with running_poster(bench.site, bench.story, bench.stock, plan="shuffled") as poster:
            phase = bench.run_phase(poster, Errand(PATH, connections=connections))
        return Outcome(parcels, floor, phase, judge(bench.app, bench.story, bench.stock))


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
    if not given.quick and outcome.phase.seconds < STEADY_S:
        say(f"{outcome.phase.seconds:.0f} s are no steady state of {STEADY_S:.0f} s: take more --parcels")
    print(outcome.as_json(), flush=True)
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
