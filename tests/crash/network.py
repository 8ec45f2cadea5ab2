"""The sandbox carrier network as a process of its own, started again whenever it dies."""

import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tests.crash.story import KEY, MERCHANT
from tests.integrations.ipp.real_printer import free_port


@dataclass(frozen=True, slots=True)
class Network:
    """`deaths` counts how often it was started again."""

    url: str
    deaths: list[int]
    process: "list[subprocess.Popen[bytes]]"

    def kill(self) -> None:
        self.process[0].kill()

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/sandbox/{path}", timeout=10) as reply:
            return msgspec.json.decode(reply.read())

    def set_faults(self, **rates: float) -> None:
        body = msgspec.json.encode(rates)
        request = urllib.request.Request(f"{self.url}/sandbox/faults", data=body, method="PUT")
        urllib.request.urlopen(request, timeout=10).close()


@contextmanager
def running_network(folder: Path) -> Iterator[Network]:
    """A network that is always there: a thread starts it again when a fault kills it."""
    port = free_port()
    deaths: list[int] = []
    ended = threading.Event()
    ready = threading.Event()
    process: list[subprocess.Popen[bytes]] = []

    def keep() -> None:
        while not ended.is_set():
            process[:] = [_start(folder, port)]
            _wait_for(port, process[0])
            ready.set()
            code = process[0].wait()
            deaths.append(code)

    thread = threading.Thread(target=keep)
    thread.start()
    ready.wait()
    try:
        yield Network(f"http://127.0.0.1:{port}", deaths, process)
    finally:
        ended.set()
        process[0].terminate()
        thread.join()


def _start(folder: Path, port: int) -> subprocess.Popen[bytes]:
    command = [
        sys.executable, "-m", "waystream.cli", "sandbox", "--port", str(port), "--data", str(folder), "--merchant",
        MERCHANT, "--push-url", "http://127.0.0.1:9/none",
    ]  # fmt: skip
    return subprocess.Popen(command, env=os.environ | {"WAYSTREAM_NETWORK_KEY": KEY})


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/sandbox/clock", timeout=1).close()
        except OSError:
            continue
        return
