"""`make bench-ingest_growth`: what a new scan costs with 0.1 M scans stored, and with 10 M.

The first parcels come in by pushes and are the small store; new ones are measured beside them. Then what the first left
is copied to ever earlier days until the store is large, and as many new ones are measured again, in the same server.
The cost is CPU of Waystream and PostgreSQL until every effect is there. Making 10 M rows takes most of the time:
`--stored` makes fewer. The last line of standard output is one JSON object.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pushes.bench import Bench, Phase, running_bench
from benchmarks.pushes.copies import copy_back
from benchmarks.pushes.poster import Errand
from benchmarks.pushes.processes import PATH, running_poster
from benchmarks.pushes.story import SCANS

PARCELS, STORED = 12_500, 10_000_000
LEAD_PARCELS = 1_000


@dataclass(frozen=True, slots=True)
class Side:
    """One measurement beside so many stored scans."""

    stored: int
    scans: int
    phase: Phase

    @property
    def cost_us(self) -> float:
        return sum(self.phase.cpu_s.values()) / self.scans * 1e6


@dataclass(frozen=True, slots=True)
class Outcome:
    small: Side
    large: Side
    load_s: float

    @property
    def good(self) -> bool:
        return not any(side.phase.posted["unacknowledged"] for side in (self.small, self.large))

    def as_json(self) -> str:
        sides = {"small": self.small, "large": self.large}
        return json.dumps({
            "cost_ratio": round(self.large.cost_us / self.small.cost_us, 3),
            **{f"{name}_stored": side.stored for name, side in sides.items()},
            **{f"{name}_cost_us": round(side.cost_us, 1) for name, side in sides.items()},
            **{f"{name}_cpu_us_per_scan": side.phase.spent_us(side.scans) for name, side in sides.items()},
            **{f"{name}_new_scans_per_s": round(side.scans / side.phase.seconds) for name, side in sides.items()},
            **{f"{name}_seconds": round(side.phase.seconds, 1) for name, side in sides.items()},
            "unacknowledged": sum(side.phase.posted["unacknowledged"] for side in sides.values()),
            "load_s": round(self.load_s, 1),
        })  # fmt: skip


def ingest_growth(folder: Path, *, parcels: int, stored: int, lead: int) -> Outcome:
    """`lead` parcels warm everything up, so that the first side is not the colder one."""
    with running_bench(folder, lead + 3 * parcels) as bench:
        bounds = [0, lead, *(lead + n * parcels for n in (1, 2, 3))]
        ingest(bench, *bounds[0:2])
        ingest(bench, *bounds[1:3])
        small = Side(count_scans(bench), parcels * SCANS, ingest(bench, *bounds[2:4]))
        load_s = copy_back(bench, copies=max(1, stored // count_scans(bench)))
        large = Side(count_scans(bench), parcels * SCANS, ingest(bench, *bounds[3:5]))
    return Outcome(small, large, load_s)


def ingest(bench: Bench, first: int, past: int) -> Phase:
    with running_poster(bench.site, bench.story, bench.stock, plan="shuffled", first=first, past=past) as poster:
        return bench.run_phase(poster, Errand(PATH))


def count_scans(bench: Bench) -> int:
    with bench.app.machine.begin(read_only=True) as tx:
        row = tx.conn.execute("SELECT count(*) FROM scan").fetchone()
    assert row is not None
    return int(row[0])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="ingest_growth", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print nothing else")
    parser.add_argument("--stored", type=int, default=STORED, help="scans beside which it is measured again")
    parser.add_argument("--parcels", type=int, default=PARCELS, help="of each measurement, with 8 scans each")
    parser.add_argument("--lead", type=int, default=LEAD_PARCELS, help="parcels that warm up")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="waystream-growth-") as folder:
        outcome = ingest_growth(Path(folder), parcels=given.parcels, stored=given.stored, lead=given.lead)
    print(outcome.as_json(), flush=True)
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
