"""`make replay-real`: real orders through the whole system, from "hand in" to "completed", and a judge at the end.

Orders go in over the API, are shipped through the real jobs and the sandbox carrier network, and their real hand-overs
and deliveries come back as signed pushes, shuffled and repeated. Ends with 0 when everything is as the data says, 1
when not, 2 when there is no data. The last line of standard output is one JSON object.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.replay import processes
from benchmarks.replay.data import DataAbsent, RealOrder, choose, read_orders
from benchmarks.replay.judge import Verdict, judge, list_at_the_gate, list_waybills
from benchmarks.replay.network import NetworkDesk, plan_pushes, travels
from benchmarks.replay.processes import Site
from benchmarks.replay.quiet import wait_until_quiet
from benchmarks.replay.shop import Seller, set_up
from benchmarks.replay.story import Order, moments, tell
from waystream.app import App, build

ORDERS = 5_000
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SHOWN_MAX = 10
BEFORE_THE_FIRST, AFTER_THE_LAST = timedelta(hours=1), timedelta(days=1)
SAY_EVERY_S = 5.0


@dataclass(slots=True)
class Stages:
    """Says on standard error what is going on, and remembers how long each stage took."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str, of: int = 0) -> Iterator["Progress"]:
        began_s = time.monotonic()
        yield Progress(name, of)
        self.seconds[name] = round(time.monotonic() - began_s, 1)
        _say(f"{name}: {self.seconds[name]} s")


@dataclass(slots=True)
class Progress:
    name: str
    of: int
    said_at_s: float = field(default_factory=time.monotonic)

    def __call__(self, done: int) -> None:
        if time.monotonic() - self.said_at_s >= SAY_EVERY_S:
            self.said_at_s = time.monotonic()
            _say(f"{self.name}: {done} of {self.of}")


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    verdict: Verdict
    pushes: int
    pushes_failed: int
    seconds: dict[str, float]

    @property
    def good(self) -> bool:
        return self.verdict.good and not self.pushes_failed

    def as_json(self) -> str:
        told = asdict(self.verdict) | {"mismatches": len(self.verdict.mismatches)}
        return json.dumps(told | {"pushes": self.pushes, "pushes_failed": self.pushes_failed, "seconds": self.seconds})


def replay(real: Sequence[RealOrder], folder: Path) -> Outcome:
    """All of it, in a folder of its own."""
    orders, stages, site = [tell(order) for order in real], Stages(), processes.new_site(folder)
    happened = moments(orders)
    began_s = time.monotonic()
    first, last = happened[0] - BEFORE_THE_FIRST, happened[-1] + AFTER_THE_LAST
    with processes.running_network(site, at=first), NetworkDesk(site) as desk:
        with _living(site, stages, at=first) as app:
            _ship(app, site, real=real, orders=orders, stages=stages)
            travelling = travels(orders, list_waybills(app))
            with stages.stage("journeys"):
                desk.fix_journeys(travelling)
        with _living(site, stages, at=last) as app:
            pushes = plan_pushes(travelling)
            with stages.stage("pushes", len(pushes)) as told:
                failed = desk.push(pushes, told)
            with stages.stage("catching up"):
                wait_until_quiet(app, lambda numbered: None)
            with stages.stage("judge"):
                verdict = judge(app, orders, desk.list_issued())
    stages.seconds["all"] = round(time.monotonic() - began_s, 1)
    return Outcome(verdict, len(pushes), failed, stages.seconds)


@contextmanager
def _living(site: Site, stages: Stages, *, at: datetime) -> Iterator[App]:
    """Waystream from a business time on, and our own look into its database."""
    with ExitStack() as stack:
        with stages.stage(f"start in {at:%Y-%m}"):
            processes.set_clock(site, at)
            stack.enter_context(processes.running_waystream(site))
            app = build(site.settings)
            app.attach()
            stack.callback(app.stop)
        yield app


def _ship(app: App, site: Site, *, real: Sequence[RealOrder], orders: Sequence[Order], stages: Stages) -> None:
    secret = set_up(app, site, real)
    parcels = sum(len(order.parcels) for order in orders)
    with Seller(site, secret) as seller:
        with stages.stage("hand in", len(orders)) as told:
            seller.hand_in(orders, told)
        with stages.stage("ship", parcels) as told:
            seller.ship(orders)
            wait_until_quiet(app, told)
        with stages.stage("gate", parcels) as told:
            seller.scan_out(list_at_the_gate(app))
            wait_until_quiet(app, told)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="replay_real", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--orders", type=int, default=ORDERS)
    given = parser.parse_args(arguments)
    try:
        real = choose(read_orders(Path(os.environ.get("WAYSTREAM_DATA") or DATA)), given.orders)
    except DataAbsent as absent:
        _say(str(absent))
        return 2
    try:
        with tempfile.TemporaryDirectory(prefix="waystream-replay-") as folder:
            outcome = replay(real, Path(folder))
    except processes.ReplayFailed as failed:
        _say(str(failed))
        return 1
    for mismatch in outcome.verdict.mismatches[:SHOWN_MAX]:
        _say(mismatch)
    if given.json:
        print(outcome.as_json(), flush=True)
    else:
        _say(_in_words(outcome))
    return 0 if outcome.good else 1


def _in_words(outcome: Outcome) -> str:
    verdict = outcome.verdict
    return (
        f"{verdict.orders} orders in {verdict.parcels} parcels, {verdict.completed} complete of "
        f"{verdict.completed_expected} expected: {len(verdict.mismatches)} mismatches, {verdict.unbound} unbound, "
        f"{len(verdict.invariants_broken)} invariants broken, {outcome.seconds['all']} s."
    )


if __name__ == "__main__":
    sys.exit(main())
