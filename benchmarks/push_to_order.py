"""`make bench-push_to_order`: how long from a push's arrival until another connection reads the order's new word.

Single pushes at a fifth of the top rate, which is measured first in the same run or given. They leave at their times,
whoever has answered: time runs from when a push was sent, or was due where it had to wait. The last line of standard
output is one JSON object.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.pushes.bench import Bench, running_bench, say
from benchmarks.pushes.poster import CONNECTIONS, Errand, rank_ms
from benchmarks.pushes.probe import LOOK_EVERY_S, Probe
from benchmarks.pushes.processes import PATH, Talker, running_poster
from benchmarks.pushes.story import BELT_LEAD, ENDS

SECONDS, TOP_SECONDS = 30.0, 10.0
SHARE = 5
#: Enough for 10 s at 4,500 pushes a second and 30 s at a fifth of that.
PARCELS = 12_000
#: Every third push tells when it left: the steps of the belt come by eights, so all of them are watched.
WATCHED = 3
PACED_CONNECTIONS = 256


@dataclass(frozen=True, slots=True)
class Outcome:
    top_per_s: float
    rate_per_s: float
    posted: dict[str, Any]
    probe: Probe

    @property
    def good(self) -> bool:
        return not self.probe.never and not self.posted["unacknowledged"]

    def as_json(self) -> str:
        waits_s, posted = sorted(self.probe.waits_s), self.posted
        return json.dumps({
            "p50_ms": rank_ms(waits_s, 0.5), "p99_ms": rank_ms(waits_s, 0.99), "longest_ms": rank_ms(waits_s, 1.0),
            "top_pushes_per_s": round(self.top_per_s), "rate_per_s": round(self.rate_per_s),
            "posted_per_s": round(posted["pushes"] / posted["seconds"]), "watched": len(waits_s),
            "never": self.probe.never, "ack_p50_ms": posted["p50_ms"], "ack_p99_ms": posted["p99_ms"],
            "again_later": posted["again"], "unacknowledged": posted["unacknowledged"],
            "look_every_ms": LOOK_EVERY_S * 1000, "looks": self.probe.looks, "seconds": round(posted["seconds"], 1),
        })  # fmt: skip


def push_to_order(folder: Path, *, seconds: float, parcels: int, lead: int, rate: float) -> Outcome:
    """`rate` 0 measures the top rate first and takes a fifth of it."""
    with (
        running_bench(folder, parcels) as bench,
        running_poster(bench.site, bench.story, bench.stock, plan="singles") as poster,
    ):
        bench.run_phase(poster, Errand(PATH, pushes=lead, connections=CONNECTIONS))
        top_per_s = 0.0
        if not rate:
            top_per_s = bench.run_phase(poster, Errand(PATH, seconds=min(seconds, TOP_SECONDS))).pushes_per_s
        paced = Errand(
            PATH, seconds=seconds, rate=rate or top_per_s / SHARE, watched=WATCHED, connections=PACED_CONNECTIONS
        )
        say(f"{paced.rate:,.0f} pushes/s")
        posted, probe = watch(bench, poster, paced)
    return Outcome(top_per_s, paced.rate, posted, probe)


def watch(bench: Bench, poster: Talker, errand: Errand) -> tuple[dict[str, Any], Probe]:
    """What the poster says came of it, and what the probe saw meanwhile."""
    probe = Probe(bench.stock, [state for state, _ in ENDS])

    def listen() -> dict[str, Any]:
        try:
            while not (line := poster.hear()).startswith("{"):
                probe.heard.put(line)
        finally:
            probe.heard.put("")
        posted: dict[str, Any] = json.loads(line)
        return posted

    with ThreadPoolExecutor(1) as pool:
        poster.say(errand.as_json())
        listening = pool.submit(listen)
        probe.watch(bench.app.urls.machine)
        return listening.result(), probe


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="push_to_order", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print nothing else")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--parcels", type=int, default=PARCELS)
    parser.add_argument("--lead", type=int, default=BELT_LEAD, help="pushes before it is measured")
    parser.add_argument("--rate", type=float, default=0.0, help="pushes a second; by default a fifth of the top rate")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="waystream-push-to-order-") as folder:
        outcome = push_to_order(
            Path(folder), seconds=given.seconds, parcels=given.parcels, lead=given.lead, rate=given.rate
        )
    print(outcome.as_json(), flush=True)
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
