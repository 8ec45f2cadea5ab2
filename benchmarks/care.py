"""`make bench-care`: does the agent know before the buyer asks? A seeded week of parcels, and what was said of it.

20,000 parcels leave within a week, with 2% stalled, 1% failed attempts, 0.3% damaged, 0.1% lost and a storm over one
hub; healthy silences are heavy-tailed and reach into the stalls. Due times are learned from four earlier weeks of
another seed. Pushes come signed through the real door; rules, jobs and sweeps run on a virtual clock.
Ends with 0 when every goal is met; the last line of standard output is one JSON object.
"""

import argparse
import gc
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.pushes.bench import say
from benchmarks.replay.processes import new_site
from benchmarks.week import history, house, judge, said
from benchmarks.week.days import Days, still
from benchmarks.week.gaps import BEIJING
from benchmarks.week.journeys import Trouble
from benchmarks.week.plan import Week
from benchmarks.week.said import Said
from waystream.app import App, build
from waystream.core.channels import Letter
from waystream.server import GC_THRESHOLDS

PARCELS, SEED = 20_000, 1
BEGINS = datetime(2026, 3, 30, tzinfo=BEIJING)  # a Monday; Qingming is its Saturday
#: The history ends so long before the week that its ways have ended, too, but for those that stand still for ever.
HISTORY_DAYS, HISTORY_ENDS_BEFORE = 28, timedelta(days=12)
#: Orders come in before the first parcels leave, and the last ways are followed until their silence was long due.
BEFORE, FOLLOWED = timedelta(hours=24), timedelta(days=18)
STEP = timedelta(minutes=30)
#: After the last scans but stalls only silence is left: the clock may take longer steps.
LATER, LATER_STEP = timedelta(days=12), timedelta(hours=2)
RECALL_CODED, RECALL_SILENT, FALSE_TICKETS = 1.0, 0.90, 0.01


@dataclass(frozen=True, slots=True)
class Outcome:
    week: Week
    said: Said
    seconds: float
    spent_s: dict[str, float]
    asked: int
    letters: list[Letter]

    @property
    def figures(self) -> dict[str, Any]:
        parcels, said = self.week.all, self.said
        struck = {parcel.n for parcel in parcels if parcel.trouble is Trouble.STORM}
        return {
            "recall_coded": judge.recall_coded(parcels, said.tickets),
            "recall_silent": judge.recall_silent(parcels, said.tickets, said.silences),
            "false_ticket_rate": judge.false_ticket_rate(parcels, said.tickets),
            "duplicates": judge.count_duplicates(said.tickets),
            "notices_per_order_max": judge.notices_per_order_max(self.letters),
            "told_twice": judge.count_told_twice(parcels, self.letters),
            "median_minutes_to_ticket": judge.median_minutes_to_ticket(parcels, said.tickets, said.silences),
            "fixed_48h": asdict(judge.judge_fixed(parcels)),
            "false_by_cause": judge.count_false(parcels, said.tickets),
            "storm": {"parcels": len(struck), "slowdowns": len(said.slowdowns),
                      "incidents": said.incidents, "muted": said.muted,
                      "ticketed": len({ticket.parcel for ticket in said.tickets} & struck)},
        }  # fmt: skip

    @property
    def good(self) -> bool:
        figures = self.figures
        return (
            figures["recall_coded"] >= RECALL_CODED
            and figures["recall_silent"] >= RECALL_SILENT
            and figures["false_ticket_rate"] < FALSE_TICKETS
            and not (figures["duplicates"] or figures["told_twice"] or self.said.parked or self.said.broken)
        )

    def as_json(self) -> str:
        return json.dumps(self.figures | {
            "parcels": self.week.parcels, "seed": self.week.seed, "carrier_asked": self.asked,
            "notices": len(self.letters),
            "events": sum(self.said.events.values()), "parked": self.said.parked,
            "invariants_broken": self.said.broken, "seconds": round(self.seconds, 1),
            "spent_s": {what: round(spent, 1) for what, spent in sorted(self.spent_s.items())},
        })  # fmt: skip


def live(app: App, *, parcels: int, seed: int, step: timedelta = STEP) -> Outcome:
    """The history, then the week, day by day."""
    began_s = time.monotonic()
    week = Week(parcels, seed, BEGINS)
    before = BEGINS - HISTORY_ENDS_BEFORE - timedelta(days=HISTORY_DAYS)
    earlier = Week(parcels, seed + 1_000, before, days=HISTORY_DAYS, stormy=False, prefix="H")
    clock = still(app, week.start - BEFORE)
    home = app.machine.run(house.furnish)
    history.tell_history(app, home, earlier)
    say(f"history: {len(earlier.all)} parcels, {time.monotonic() - began_s:.0f} s")
    with Days(app, week, home, clock=clock) as days:
        days.pass_until(week.start + LATER, step, _say_day)
        days.pass_until(week.start + FOLLOWED, max(step, LATER_STEP), _say_day)
        told = said.read(app, {an_id: n for n, an_id in home.parcel_ids.items()})
        return Outcome(week, told, time.monotonic() - began_s, dict(days.spent_s), days.network.asked,
                       days.recorder.letters)  # fmt: skip


def _say_day(now: datetime) -> None:
    local = now.astimezone(BEIJING)
    if (local.hour, local.minute) == (0, 0):
        say(f"{local:%Y-%m-%d}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="care", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print nothing else")
    parser.add_argument("--parcels", type=int, default=PARCELS, help="of the week, and as many of its history")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument(
        "--step-min", type=float, default=STEP.total_seconds() / 60, help="how far the clock moves at once"
    )
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="waystream-care-") as folder:
        app = build(new_site(Path(folder)).settings)
        app.attach()
        try:
            gc.set_threshold(*GC_THRESHOLDS)
            outcome = live(app, parcels=given.parcels, seed=given.seed, step=timedelta(minutes=given.step_min))
        finally:
            app.stop()
    print(outcome.as_json(), flush=True)
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
