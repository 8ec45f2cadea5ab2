"""The real programs as processes of their own: `waystream up` and `waystream sandbox`, started and stopped cleanly.

Guaranteed: nothing outlives the block that started it, nor us, should we be killed in it. Between two lives of
Waystream its business clock may be set on; within one it runs as fast as the machine's.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from waystream.kernel.clock import FastClock
from waystream.settings import Settings, load

AGGREGATOR, MERCHANT = "replay", "1237100"
START_LIMIT_S = 90.0
STOP_LIMIT_S = 60.0


class ReplayFailed(Exception):
    """The replay cannot go on; the text is the sentence that says why."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where this run lives: its folder, its ports, the key both sides sign with."""

    folder: Path
    port: int
    network_port: int
    key: str = field(repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def network_url(self) -> str:
        return f"http://127.0.0.1:{self.network_port}"

    @property
    def settings(self) -> Settings:
        return load(None, {}, data_folder=self.folder / "data", port=self.port, log_level="warning")


def new_site(folder: Path) -> Site:
    folder.chmod(0o711)  # started by root, the database is another user and has to pass through
    return Site(folder, _free_port(), _free_port(), secrets.token_hex(16))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def set_clock(site: Site, at: datetime) -> None:
    """Waystream's next life begins at this business time."""
    settings = site.settings
    settings.key_folder.mkdir(mode=0o700, exist_ok=True)
    FastClock(at, datetime.now(UTC), speed=1.0).save(settings.key_folder / "clock.json")


@contextmanager
def running_network(site: Site, *, at: datetime) -> Iterator[None]:
    """The carrier network; it takes its own clock from the same business time."""
    command = [
        "sandbox", "--port", str(site.network_port), "--data", str(site.folder / "network"), "--merchant", MERCHANT,
        "--push-url", f"{site.url}/push/kdniao/{AGGREGATOR}", "--anchor-business", at.isoformat(), "--with-parent",
    ]  # fmt: skip
    environment = {"WAYSTREAM_NETWORK_KEY": site.key}
    with _running(command, ready=f"{site.network_url}/sandbox/clock", environment=environment):
        yield


@contextmanager
def running_waystream(site: Site) -> Iterator[None]:
    command = ["up", "--data", str(site.settings.data_folder), "--port", str(site.port), "--with-parent"]
    environment = {"WAYSTREAM_LOG_LEVEL": "warning"}
    with _running(command, ready=f"{site.url}/readyz", environment=environment, end=signal.SIGINT):
        yield


@contextmanager
def _running(
    arguments: list[str], *, ready: str, environment: dict[str, str], end: signal.Signals | None = None
) -> Iterator[None]:
    """In a session of its own, so that Ctrl-C reaches us first and everything is stopped in its order.

    `end` stops it; without one it ends by itself when its standard input closes.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "waystream.cli", *arguments], stdin=subprocess.PIPE, stdout=sys.stderr,
        env=_environment() | environment, start_new_session=True,
    )  # fmt: skip
    try:
        _wait_for(process, ready)
        yield
        if process.poll() is not None:
            raise ReplayFailed(f"waystream {arguments[0]} ended by itself with {process.returncode}")
    finally:
        _stop(process, end)


def _environment() -> dict[str, str]:
    """Ours without settings of a Waystream that may be installed here."""
    return {name: value for name, value in os.environ.items() if not name.startswith("WAYSTREAM_")}


def _wait_for(process: subprocess.Popen[bytes], url: str) -> None:
    """Until it answers; a process that only starts has no other signal to give."""
    deadline_s = time.monotonic() + START_LIMIT_S
    while process.poll() is None and time.monotonic() < deadline_s:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise ReplayFailed(f"{url} does not answer")


def _stop(process: subprocess.Popen[bytes], end: signal.Signals | None) -> None:
    assert process.stdin is not None
    process.stdin.close()
    if end is not None and process.poll() is None:
        process.send_signal(end)
    try:
        process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
