"""`make bench-cluster`: what becomes of pushes while the stream's leader and an applier are killed with -9.

Three JetStream nodes, a PostgreSQL, a process each for pushes and for pages, rules and jobs, two appliers; carriers
push signed bodies over HTTP at a steady rate and send again what was not acknowledged. Ends with 0 when nothing was
lost or counted twice, nothing stood still for 15 s and every carrier had an answer within 5 s.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from benchmarks.ingest_single import told_scans
from benchmarks.pushes import stock
from benchmarks.pushes.bench import attached, say
from benchmarks.pushes.carriers import Answers, Carriers, longest_gap_s
from benchmarks.pushes.judge import Verdict, judge
from benchmarks.pushes.nats_servers import Servers, running_servers
from benchmarks.pushes.processes import PATH
from benchmarks.replay.processes import new_site
from benchmarks.replay.quiet import wait_until_quiet
from waystream.app import App, jetstream_place
from waystream.core.public_event import public_types
from waystream.kernel.jetstream import JetStream
from waystream.settings import Role, Roles, Settings

SECONDS, RATE, CONNECTIONS = 30.0, 250.0, 64
STALL_MAX_S, ANSWER_MAX_S = 15.0, 5.0
LOOK_EVERY_S = 0.05
START_LIMIT_S = 120.0
SETTLE_LIMIT_S = 60.0
#: What of the time passes before the kill.
BEFORE = 0.4


@dataclass(frozen=True, slots=True)
class Outcome:
    """`missing` were acknowledged and not applied; `unpublished` are events that did not come out, or came twice."""

    answers: Answers
    applied: int
    missing: int
    unpublished: int
    apply_gap_s: float
    verdict: Verdict
    killed: str

    @property
    def lost(self) -> int:
        return self.missing + self.verdict.lost

    @property
    def stall_s(self) -> float:
        return max(self.answers.longest_gap_s, self.apply_gap_s)

    @property
    def good(self) -> bool:
        right = self.verdict.good and not (self.lost or self.unpublished)
        return right and self.stall_s < STALL_MAX_S and self.answers.slowest_s < ANSWER_MAX_S

    def as_json(self) -> str:
        answers, verdict = self.answers, self.verdict
        return json.dumps({
            "acked": len(answers.acked), "applied": self.applied, "lost": self.lost,
            "duplicated_effects": verdict.duplicated_effects, "longest_stall_s": round(self.stall_s, 2),
            "slowest_answer_s": round(answers.slowest_s, 2), "longest_ack_gap_s": round(answers.longest_gap_s, 2),
            "longest_apply_gap_s": round(self.apply_gap_s, 2), "again_later": answers.again,
            "wrong_states": verdict.wrong_states, "events_unpublished": self.unpublished,
            "invariants_broken": verdict.invariants_broken, "killed": self.killed,
        })  # fmt: skip


class Applied:
    """Looks again and again how many pushes are in the inbox, and remembers when it saw more."""

    def __init__(self, app: App) -> None:
        self.grew_s: list[float] = []
        self.count = 0
        self._app = app
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="applied", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_EVERY_S):
            with self._app.machine.begin(read_only=True) as tx:
                row = tx.conn.execute("SELECT count(*) FROM inbox").fetchone()
            assert row is not None
            if row[0] > self.count:
                self.count = row[0]
                self.grew_s.append(time.perf_counter())


@dataclass(frozen=True, slots=True)
class Running:
    """One `waystream up`; `wait` returns when it is ready."""

    process: "subprocess.Popen[bytes]"
    port: int

    def wait(self) -> None:
        deadline_s = time.monotonic() + START_LIMIT_S
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline_s:
                    raise
                time.sleep(0.05)


@contextmanager
def running(settings: Settings, *roles: Role) -> Iterator[Running]:
    """With these roles, on a port of its own."""
    own = replace(settings, roles=Roles(roles), port=new_site(settings.data_folder.parent).port)
    process = subprocess.Popen([sys.executable, "-m", "waystream.cli", "up"], env=os.environ | own.as_environment(),
                               stdout=sys.stderr, start_new_session=True)  # fmt: skip
    try:
        yield Running(process, own.port)
    finally:
        process.terminate()
        process.wait()


def cluster(folder: Path, *, seconds: float, rate: float) -> Outcome:
    """All of it, in a folder of its own."""
    pushes = int(seconds * rate)
    story = stock.begin_story(pushes)
    with ExitStack() as stack:
        servers = stack.enter_context(running_servers(folder / "nats"))
        settings = replace(new_site(folder).settings, nats_url=servers.url, nats_monitor_urls=servers.monitor_urls,
                           nats_pushes_gb=1, nats_events_gb=1)  # fmt: skip
        stack.enter_context(running(settings, Role.WEB, Role.RULES, Role.JOBS)).wait()
        app = stack.enter_context(attached(settings))
        there = stock.set_up(app, story)
        appliers = [stack.enter_context(running(settings, Role.APPLY)) for _ in range(2)]
        door = stack.enter_context(running(settings, Role.PUSH))
        bodies = [push.body for push in islice(story.singles(there.key), pushes)]
        for each in (*appliers, door):
            each.wait()
        carriers = Carriers(bodies, port=door.port, path=PATH, rate=rate, connections=CONNECTIONS)
        jetstream = stack.enter_context(JetStream(jetstream_place(settings)))
        applied = Applied(app)
        applied.start()
        stack.callback(applied.stop)
        carriers.start()
        carriers.done.wait(BEFORE * seconds)
        killed = _kill(servers, jetstream, appliers[0].process)
        carriers.join()
        say(f"acknowledged: {len(carriers.answers.acked)}, again later: {carriers.answers.again}")
        _wait_until_applied(applied, len(carriers.answers.acked))
        wait_until_quiet(app, lambda dispatched: None)
        return Outcome(
            carriers.answers, applied.count, max(0, len({*carriers.answers.acked}) - applied.count),
            _count_unpublished(app, jetstream), longest_gap_s(applied.grew_s),
            judge(app, story, there, told_scans(story, pushes)), killed,
        )  # fmt: skip


def _kill(servers: Servers, jetstream: JetStream, applier: "subprocess.Popen[bytes]") -> str:
    """The leader of the stream of pushes and one applier, with -9; who it was."""
    info = jetstream.find_stream("pushes")
    assert info is not None
    leader = servers.node(info.cluster.leader)
    leader.kill()
    applier.kill()
    say(f"killed {leader.name}, which led the stream, and an applier")
    return leader.name


def _wait_until_applied(applied: Applied, acked: int) -> None:
    """Or until it is clear that something was lost."""
    deadline_s = time.monotonic() + SETTLE_LIMIT_S
    while applied.count < acked and time.monotonic() < deadline_s:
        time.sleep(LOOK_EVERY_S)


def _count_unpublished(app: App, jetstream: JetStream) -> int:
    """How many public events the stream of events has too few or too many, once it had time."""
    names = [event.__name__ for event in public_types().values()]
    with app.machine.begin(read_only=True) as tx:
        row = tx.conn.execute("SELECT count(*) FROM event WHERE name = ANY (%s)", [names]).fetchone()
    assert row is not None
    deadline_s, there = time.monotonic() + SETTLE_LIMIT_S, -1
    while there < row[0] and time.monotonic() < deadline_s:
        info = jetstream.find_stream("events")
        there = info.state.messages if info is not None else 0
        time.sleep(LOOK_EVERY_S)
    return abs(int(row[0]) - there)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="cluster", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print nothing else")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of pushing; the kill comes in the middle")
    parser.add_argument("--rate", type=float, default=RATE, help="pushes a second")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="waystream-cluster-") as folder:
        outcome = cluster(Path(folder), seconds=given.seconds, rate=given.rate)
    print(outcome.as_json(), flush=True)
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
