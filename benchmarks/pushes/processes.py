"""The processes of a push benchmark, started and stopped cleanly, and the CPU that each of them takes."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.pushes.poster import Errand
from benchmarks.pushes.postgres import postgres_cpu_s
from benchmarks.pushes.stock import AGGREGATOR, Stock
from benchmarks.pushes.story import Story
from benchmarks.replay.processes import Site
from waystream.supervisor import PUSHES, THE_REST

PATH, FLOOR_PATH = f"/push/kdniao/{AGGREGATOR}", "/floor"
STOP_LIMIT_S = 60.0
PUSH_PROCESSES = 1


@dataclass(frozen=True, slots=True)
class Talker:
    """A process that answers a line with a line."""

    process: "subprocess.Popen[str]"

    def say(self, words: str = "") -> None:
        assert self.process.stdin is not None
        print(words, file=self.process.stdin, flush=True)

    def hear(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args} ended by itself")
        return line.strip()


@contextmanager
def running(module: str, *arguments: str, package: str = "pushes") -> Iterator[Talker]:
    process = subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.{package}.{module}", *arguments], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Talker(process)
    finally:
        process.stdin.close()
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


@dataclass(frozen=True, slots=True)
class Fleet:
    """The processes of one Waystream: the one of rules, jobs and pages owns the engine, others take pushes."""

    talkers: Sequence[Talker]

    @property
    def pids(self) -> list[int]:
        return [talker.process.pid for talker in self.talkers]

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds by stage so far, of all of them."""
        spent: Counter[str] = Counter()
        for talker in self.talkers:
            talker.say()
            spent.update(json.loads(talker.hear()))
        return dict(spent)


@contextmanager
def running_server(site: Site, *, push_processes: int = PUSH_PROCESSES) -> Iterator[Fleet]:
    """As `waystream up --push-processes` starts them."""
    folder, port = str(site.settings.data_folder), str(site.port)
    posts = [(str(site.network_port), THE_REST), *[(port, PUSHES)] * push_processes]
    with ExitStack() as stack:
        talkers: list[Talker] = []
        for at, roles in posts:
            talkers.append(stack.enter_context(running("server", folder, at, ",".join(sorted(roles)))))
            assert talkers[-1].hear() == "ready"
        yield Fleet(talkers)


@contextmanager
def running_poster(
    site: Site, story: Story, stock: Stock, *, plan: str, first: int = 0, past: int | None = None
) -> Iterator[Talker]:
    """Every push is made when this is entered; `plan` is `shuffled` (of parcels `first` <= n < `past`) or `singles`."""
    parcels = (str(first), str(story.parcels if past is None else past))
    with running("poster", plan, str(story.parcels), story.start.isoformat(), str(site.port), *parcels) as poster:
        poster.say(stock.key)
        assert poster.hear() == "ready"
        yield poster


def run_errand(poster: Talker, errand: Errand) -> dict[str, Any]:
    """What came of it, as `poster.Posted` says it."""
    poster.say(errand.as_json())
    posted: dict[str, Any] = json.loads(poster.hear())
    return posted


def cpu_s(site: Site, server: Fleet) -> dict[str, float]:
    """CPU seconds by stage so far: the servers' threads and all of PostgreSQL."""
    return server.cpu_s() | {"postgres": postgres_cpu_s(site.settings.data_folder)}
