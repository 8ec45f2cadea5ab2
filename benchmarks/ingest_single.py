"""`make bench-ingest_single`: how many pushes a second come in when each carries one waybill and one new scan.

Every push tells its waybill's full history so far, as the carriers do, over many connections kept alive. The floor is
an endpoint of the same server that reads the same bodies and drops them. CPU is that of Waystream and PostgreSQL, not
of the poster, until every effect is there; the last line of standard output is one JSON object.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from benchmarks.pushes.bench import Phase, running_bench
from benchmarks.pushes.judge import Verdict, judge
from benchmarks.pushes.poster import CONNECTIONS, Errand
from benchmarks.pushes.processes import FLOOR_PATH, PATH, run_errand, running_poster
from benchmarks.pushes.story import BELT_LEAD, Story

SECONDS, FLOOR_SECONDS = 30.0, 5.0
#: Enough for 30 s at 4,500 pushes a second.
PARCELS = 19_000


@dataclass(frozen=True, slots=True)
class Outcome:
    floor_per_s: float
    phase: Phase
    verdict: Verdict

    @property
    def good(self) -> bool:
        return self.verdict.good and not self.phase.posted["unacknowledged"]

    def as_json(self) -> str:
        phase, posted = self.phase, self.phase.posted
        return json.dumps({
            "pushes_per_s": round(phase.pushes_per_s),
            "cpu_ms_per_push": round(sum(phase.cpu_s.values()) / phase.pushes * 1000, 3),
            "http_floor_per_s": round(self.floor_per_s), "ratio": round(phase.pushes_per_s / self.floor_per_s, 4),
            "ack_p50_ms": posted["p50_ms"], "ack_p99_ms": posted["p99_ms"],
            "cpu_us_per_push": phase.spent_us(phase.pushes), **asdict(self.verdict),
            "peak_rss_mb": round(phase.peak_mb), "pushes": phase.pushes, "again_later": posted["again"],
            "unacknowledged": posted["unacknowledged"], "seconds": round(phase.seconds, 1),
            "quiet_after_s": round(phase.quiet_after_s, 1),
            "poster_cpu_ms_per_push": round(posted["poster_cpu_s"] / phase.pushes * 1000, 3),
        })  # fmt: skip


def ingest_single(folder: Path, *, seconds: float, parcels: int, lead: int, connections: int) -> Outcome:
    """The floor, then `lead` pushes that are not measured, then as many as are taken in the time."""
    with running_bench(folder, parcels) as bench:
        with running_poster(bench.site, bench.story, bench.stock, plan="singles") as poster:
            floor = run_errand(
                poster, Errand(FLOOR_PATH, seconds=min(seconds, FLOOR_SECONDS), again=True, connections=connections)
            )
            led = bench.run_phase(poster, Errand(PATH, pushes=lead, connections=connections))
            phase = bench.run_phase(poster, Errand(PATH, seconds=seconds, connections=connections))
        told = told_scans(bench.story, led.pushes + phase.pushes)
        verdict = judge(bench.app, bench.story, bench.stock, told)
    return Outcome(floor["pushes"] / floor["seconds"], phase, verdict)


def told_scans(story: Story, pushes: int) -> Counter[int]:
    """How many scans of each parcel the first so many pushes of the belt tell."""
    return Counter(n for n, _ in islice(story.belt(), pushes))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="ingest_single", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print nothing else")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--parcels", type=int, default=PARCELS)
    parser.add_argument("--lead", type=int, default=BELT_LEAD, help="pushes before it is measured")
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="waystream-single-") as folder:
        outcome = ingest_single(Path(folder), seconds=given.seconds, parcels=given.parcels, lead=given.lead,
                                connections=given.connections)  # fmt: skip
    print(outcome.as_json(), flush=True)
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
