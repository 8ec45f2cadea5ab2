"""`make bench-rules`: how many events a second pass all the rules.

Cohorts of parcels live their whole life, from the waybill to the door, in the mix of a steady day: every tick a new
cohort begins and every other goes on by one wave. What a tick says is recorded set-wise, then sequencer and dispatcher
drain it, and only that is measured. Events that rules cause count as well: they pass all the rules like any other.
The last line of standard output is one JSON object.
"""

import argparse
import gc
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.lives.drain import Drain, Drained
from benchmarks.lives.waves import WAVES, Cohort, House, furnish
from benchmarks.lives.ways import started
from benchmarks.pushes.bench import say
from benchmarks.replay.processes import new_site
from waystream.app import App, build
from waystream.doctor import check
from waystream.kernel.ids import mint_ids
from waystream.kernel.tx import Tx
from waystream.server import GC_THRESHOLDS

SECONDS, COHORT = 30.0, 1_000
TICKS_MAX = 200
#: Of the open list those that the drain has to leave whole: it stores no scans.
INVARIANTS = ("order_word_equals_its_parcels", "no_label_without_live_number", "nothing_printed_for_a_dead_number",
              "one_live_number_per_parcel")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    drained: Drained
    recorded: int
    ticks: int
    parked: int
    broken: list[str]

    @property
    def good(self) -> bool:
        return not self.parked and not self.broken

    def as_json(self) -> str:
        done = self.drained
        return json.dumps({
            "events_per_s": round(done.events / done.seconds), "recorded_per_s": round(self.recorded / done.seconds),
            "cpu_us_per_event": {"python": round(done.python_cpu_s / done.events * 1e6, 1),
                                 "postgres": round(done.postgres_cpu_s / done.events * 1e6, 1)},
            "turn_us_per_event": {rule: round(done.turns_s[rule] / read * 1e6, 1)
                                  for rule, read in sorted(done.read.items()) if read},
            "turn_s": {rule: round(seconds, 2) for rule, seconds in done.turns_s.most_common()},
            "events": done.events, "recorded": self.recorded, "seconds": round(done.seconds, 1), "ticks": self.ticks,
            "parked": self.parked, "invariants_broken": self.broken,
        })  # fmt: skip


def measure_rules(app: App, *, seconds: float, cohort: int) -> Outcome:
    """As many ticks as make so many seconds of draining, after those that fill the waves."""
    house, drain, drained = app.machine.run(furnish), Drain(app), Drained()
    cohorts: list[Cohort] = []
    ticks = recorded = 0
    analyze(app)
    with drain.running():
        while drained.seconds < seconds and ticks < TICKS_MAX:
            before = drain.head()
            said = record_tick(app, house, cohorts, size=cohort)
            if len(cohorts) < len(WAVES):
                drain.measure(before, Drained())
                analyze(app)
                continue
            drain.measure(before, drained)
            ticks, recorded = ticks + 1, recorded + said
            say(f"tick {ticks}: {drained.events / drained.seconds:,.0f} events/s")
    with app.machine.begin(read_only=True) as tx:
        parked = tx.conn.execute("SELECT count(*) FROM parked").fetchone()
        held = [invariant for invariant in app.invariants if invariant.__name__.rpartition(".")[2] in INVARIANTS]
        broken = [finding.name for finding in check(tx, held) if not finding.holds]
    assert parked is not None
    assert len(held) == len(INVARIANTS)
    return Outcome(drained, recorded, ticks, int(parked[0]), broken)


def analyze(app: App) -> None:
    """What autovacuum does within a minute: the ticks that fill the waves take no minute."""
    with psycopg.connect(app.urls.owner, autocommit=True) as conn:
        conn.execute("VACUUM (ANALYZE)")


def record_tick(app: App, house: House, cohorts: list[Cohort], *, size: int) -> int:
    """A new cohort begins, the others go on by a wave, the eldest has ended; how many events that said."""

    def work(tx: Tx) -> int:
        ids = mint_ids(size, at_ms=int(tx.now.timestamp() * 1000))
        cohorts.insert(0, Cohort(ids, started(tx.now)))
        del cohorts[len(WAVES) :]
        for wave, cohort in zip(WAVES, cohorts, strict=False):
            wave(tx, house, cohort)
        row = tx.conn.execute("SELECT count(*) FROM event_new").fetchone()
        assert row is not None
        return int(row[0])

    return app.machine.run(work)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="rules", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print nothing else")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--cohort", type=int, default=COHORT, help="parcels that begin with each tick")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="waystream-rules-") as folder:
        app = build(new_site(Path(folder)).settings)
        app.attach()
        try:
            gc.set_threshold(*GC_THRESHOLDS)
            outcome = measure_rules(app, seconds=given.seconds, cohort=given.cohort)
        finally:
            app.stop()
    print(outcome.as_json(), flush=True)
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
