"""What all processes of an embedded PostgreSQL take: their CPU so far, and the memory of theirs and others'."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
LOOK_S = 0.5


def list_postgres(data_folder: Path) -> list[int]:
    """The postmaster and its living children."""
    postmaster = int((data_folder / "postgres" / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return [postmaster, *map(int, children)]


def postgres_cpu_s(data_folder: Path) -> float:
    """Of the postmaster, of the children it has buried, and of those that live."""
    return sum(map(_process_cpu_s, list_postgres(data_folder)))


def _process_cpu_s(pid: int) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return 0.0
    return sum(map(int, stat.rpartition(")")[2].split()[11:15])) / TICKS


class Memory:
    """The most memory seen at once: a page that several processes share counts once."""

    def __init__(self) -> None:
        self.peak_mb = 0.0

    def look(self, pids: list[int]) -> None:
        self.peak_mb = max(self.peak_mb, sum(map(_process_mb, pids)))


@contextmanager
def watched_memory(data_folder: Path, *pids: int) -> Iterator[Memory]:
    """Of PostgreSQL and these processes, twice a second, while the block runs."""
    memory, ended = Memory(), threading.Event()

    def watch() -> None:
        while not ended.wait(LOOK_S):
            memory.look([*pids, *list_postgres(data_folder)])

    memory.look([*pids, *list_postgres(data_folder)])
    watcher = threading.Thread(target=watch, name="memory")
    watcher.start()
    try:
        yield memory
    finally:
        ended.set()
        watcher.join()


def _process_mb(pid: int) -> float:
    """Its share of what it has in memory (PSS)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):  # it ended just now
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
