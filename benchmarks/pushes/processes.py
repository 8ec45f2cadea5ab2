"""The processes of a push benchmark, started and stopped cleanly, and the CPU that each of them takes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pushes.stock import AGGREGATOR, Stock
from benchmarks.pushes.story import Story
from benchmarks.replay.processes import Site

PATH = f"/push/kdniao/{AGGREGATOR}"
STOP_LIMIT_S = 60.0
TICKS = os.sysconf("SC_CLK_TCK")


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
def running(module: str, *arguments: str) -> Iterator[Talker]:
    process = subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.pushes.{module}", *arguments], stdin=subprocess.PIPE,
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


@contextmanager
def running_server(site: Site) -> Iterator[Talker]:
    with running("server", str(site.settings.data_folder), str(site.port)) as server:
        assert server.hear() == "ready"
        yield server


@contextmanager
def running_poster(site: Site, story: Story, stock: Stock, *, connections: int) -> Iterator[Talker]:
    """Every push is made when this is entered."""
    arguments = (str(story.parcels), story.start.isoformat(), str(site.port), str(connections), PATH)
    with running("poster", *arguments) as poster:
        poster.say(stock.key)
        assert poster.hear() == "ready"
        yield poster


def cpu_s(site: Site, server: Talker) -> dict[str, float]:
    """CPU seconds by stage so far: the server's threads and all of PostgreSQL."""
    server.say()
    spent: dict[str, float] = json.loads(server.hear())
    return spent | {"postgres": _postgres_cpu_s(site.folder / "data")}


def _postgres_cpu_s(data_folder: Path) -> float:
    """Of the postmaster, of the children it has buried, and of those that live."""
    postmaster = int((data_folder / "postgres" / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return sum(_process_cpu_s(int(pid)) for pid in (postmaster, *children))


def _process_cpu_s(pid: int) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return 0.0
    return sum(map(int, stat.rpartition(")")[2].split()[11:15])) / TICKS


def spent(before: Mapping[str, float], after: Mapping[str, float], *, each: int) -> dict[str, float]:
    """Microseconds of CPU for each of so many things, by stage."""
    stages = sorted(after.keys() - {"peak_rss_mb"})
    return {stage: round((after[stage] - before[stage]) / each * 1e6, 1) for stage in stages}
