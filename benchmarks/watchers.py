"""`make bench-watchers`: what 200 open workbenches and 2,000 open buyers' pages cost while scans come in.

The load is that of `benchmarks.ingest` in three parts: nobody looks, everybody looks, nobody looks. The pages' event
streams are really open over HTTP, from a process of its own; a buyer's page is of a parcel that is scanned meanwhile.
`ingest_share` is the rate with watchers over the mean of the rates without, in this run. Ends with 0 when that is at
least 0.80, nothing was lost and every page stayed open; the last line of standard output is one JSON object.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.pages import sign_in
from benchmarks.pushes.bench import Bench, Phase, running_bench, say
from benchmarks.pushes.judge import Verdict, judge
from benchmarks.pushes.poster import CONNECTIONS, Errand
from benchmarks.pushes.processes import PATH, Talker, running, running_poster
from benchmarks.pushes.story import SCANS
from benchmarks.watching import lag
from benchmarks.watching.lag import Happened
from waystream.kernel import log
from waystream.kernel.tx import Tx
from waystream.parts.buyer import actions as buyer
from waystream.parts.people.actions import Limits
from waystream.web.live import STREAMS_EACH

PARCELS, WORKBENCHES, BUYERS = 30_000, 200, 2_000
PARTS = 3
GOAL_SHARE = 0.80
#: What a workbench follows: the queue.
QUEUE = "tickets"


@dataclass(frozen=True, slots=True)
class Opened:
    """An open page: its stream's address, its cookie, its own address."""

    stream: str
    cookie: str
    page: str


@dataclass(frozen=True, slots=True)
class Outcome:
    parcels: int
    watchers: int
    alone: list[Phase]
    watched: Phase
    told: dict[str, Any]
    lags_s: list[float]
    verdict: Verdict

    @property
    def rate_alone(self) -> float:
        return sum(map(self._rate, self.alone)) / len(self.alone)

    @property
    def share(self) -> float:
        return self._rate(self.watched) / self.rate_alone

    def _rate(self, phase: Phase) -> float:
        return self.parcels / PARTS * SCANS / phase.seconds

    @property
    def good(self) -> bool:
        return self.share >= GOAL_SHARE and self.verdict.good and self.told["open"] == self.watchers

    def as_json(self) -> str:
        return json.dumps({
            "ingest_share": round(self.share, 3), "new_scans_per_s": round(self._rate(self.watched)),
            "alone_scans_per_s": [round(self._rate(phase)) for phase in self.alone],
            "ack_p99_ms": {"watched": self.watched.posted["p99_ms"],
                           "alone": [phase.posted["p99_ms"] for phase in self.alone]},
            "peak_rss_mb": {"watched": round(self.watched.peak_mb),
                            "alone": [round(phase.peak_mb) for phase in self.alone]},
            "watchers": self.watchers, "open": self.told["open"], "reopened": self.told["reopened"],
            "refused": self.told["refused"], "messages": len(self.told["told"]), "fetched": self.told["fetched"],
            "lag_s": {"p50": lag.rank(self.lags_s, 0.5), "p99": lag.rank(self.lags_s, 0.99), "of": len(self.lags_s)},
            "seconds": round(self.watched.seconds, 1), **asdict(self.verdict),
        })  # fmt: skip


def watch(folder: Path, *, parcels: int, workbenches: int, buyers: int, refetch: bool) -> Outcome:
    """All of it, in a folder of its own."""
    with running_bench(folder, parcels) as bench:
        part = parcels // PARTS
        alone = [_ingest(bench, 0, part)]
        with _open_pages(bench, workbenches, list(range(part, 2 * part))[:buyers], refetch=refetch) as (pages, since):
            watched = _ingest(bench, part, 2 * part)
            pages.say()
            told = json.loads(pages.hear())
        alone.append(_ingest(bench, 2 * part, parcels))
        happened = _happened(bench, since, {workbenches + at: part + at for at in range(buyers)})
        lags_s = sorted(lag.lags_s(told["told"], happened, since=since))
        verdict = judge(bench.app, bench.story, bench.stock)
        return Outcome(parcels, workbenches + buyers, alone, watched, told, lags_s, verdict)


def _ingest(bench: Bench, first: int, past: int) -> Phase:
    with running_poster(bench.site, bench.story, bench.stock, plan="shuffled", first=first, past=past) as poster:
        return bench.run_phase(poster, Errand(PATH, connections=CONNECTIONS))


@contextmanager
def _open_pages(
    bench: Bench, workbenches: int, parcels: Sequence[int], *, refetch: bool
) -> Iterator[tuple[Talker, int]]:
    """The process that holds them, and where the log stood."""
    opened = [*_workbenches(bench, workbenches), *_buyers_pages(bench, parcels)]
    with bench.app.machine.begin(read_only=True) as tx:
        since = log.head(tx.conn)
    port = str(bench.site.network_port)  # the process of rules, jobs and pages
    with running("pages", port, "refetch" if refetch else "", package="watching") as pages:
        pages.say(json.dumps([[page.stream, page.cookie, page.page] for page in opened]))
        assert pages.hear() == "ready"
        say(f"{len(opened)} pages are open")
        yield pages, since


def _workbenches(bench: Bench, count: int) -> list[Opened]:
    """As many people as it takes: nobody has more than so many pages open."""
    cookies = [sign_in(bench.app.machine, f"agent{nth}", Limits(every_shop=True))["Cookie"].partition("=")
               for nth in range(-(-count // STREAMS_EACH))]  # fmt: skip
    return [Opened(f"/live?keys={QUEUE}", "=".join(cookies[nth // STREAMS_EACH][::2]), "/workbench")
            for nth in range(count)]  # fmt: skip


def _buyers_pages(bench: Bench, parcels: Sequence[int]) -> list[Opened]:
    def link(tx: Tx) -> list[str]:
        orders = [bench.stock.parcel_ids[n] for n in parcels]
        return [buyer.link(tx, order_id).signed(tx.keys.vault) for order_id in orders]

    return [Opened(f"/t/{token}/live", "", f"/t/{token}") for token in bench.app.machine.run(link)]


def _happened(bench: Bench, since: int, parcels: dict[int, int]) -> dict[int, Happened]:
    """By page, what happened to its parcel and to the order of the same id."""
    pages = {bench.stock.parcel_ids[n]: page for page, n in parcels.items()}
    found: dict[int, list[tuple[int, float]]] = {}
    with bench.app.machine.begin(read_only=True) as tx:
        rows = tx.conn.execute(
            """SELECT log.position, event.subject, event.at FROM log JOIN event ON event.id = log.event_id
               WHERE log.position > %s AND event.subject ~ '^(parcel|order):' ORDER BY log.position""",
            [since],
        )
        for position, subject, at in rows:
            page = pages.get(int(subject.partition(":")[2]))
            if page is not None:
                found.setdefault(page, []).append((position, at.timestamp()))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="watchers", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print nothing else")
    parser.add_argument("--parcels", type=int, default=PARCELS, help="a third in each part")
    parser.add_argument("--workbenches", type=int, default=WORKBENCHES)
    parser.add_argument("--buyers", type=int, default=BUYERS)
    parser.add_argument("--refetch", action="store_true", help="every page asks for itself again when it is told")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="waystream-watchers-") as folder:
        outcome = watch(Path(folder), parcels=given.parcels, workbenches=given.workbenches, buyers=given.buyers,
                        refetch=given.refetch)  # fmt: skip
    print(outcome.as_json(), flush=True)
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
