"""Pushes while a real Waystream loses its disk, its database or its life: whatever was acknowledged is there."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from tests.crash import story
from tests.crash.site import leave_no_room
from tests.integrations.ipp.real_printer import free_port
from waystream.app import build
from waystream.integrations.kdniao.fakepush import Merchant, News, TraceNews, push_data, seal_push
from waystream.kernel.lifecycle import EmbeddedPostgres, default_key_folder
from waystream.settings import load

PATH = "/push/kdniao/crash"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
START_LIMIT_S = 60.0
PUSHERS = 4


class Waystream:
    """`waystream up` as a process of its own, in a folder that outlives it."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.port = free_port()
        with build(load(data_folder=self.data)) as app:
            app.machine.run(lambda tx: story.set_up(tx, network_url="http://127.0.0.1:9", labels=folder / "labels"))

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "waystream.cli", "up", "--data", str(self.data), "--port", str(self.port)],
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_LIMIT_S
        while self.push(seal("warm up", 0)) != 200:
            assert time.monotonic() < deadline, "waystream did not come up"
            assert self.process.poll() is None, "waystream ended"
            time.sleep(0.1)

    def push(self, body: bytes) -> int:
        return push_to(self.port, body)

    def postgres(self) -> int:
        return int((self.data / "postgres" / "postmaster.pid").read_text().split()[0])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait()


def push_to(port: int, body: bytes) -> int:
    """The status of one push; 0 where nobody answered. Only 200 acknowledges."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("POST", PATH, body, FORM)
        return connection.getresponse().status
    return 0


def seal(who: str, n: int) -> bytes:
    at = datetime(2026, 11, 12, 1, 0, tzinfo=UTC)
    news = News("YTO", f"YT{abs(hash(who)) % 10**6:06d}{n:07d}", "", "1", (TraceNews(at, "1", "已揽收"),))
    return seal_push(Merchant(story.MERCHANT, story.KEY), "102", push_data(story.MERCHANT, "102", [news], at=at))


class Load:
    """A few carriers that push one thing after another and note what was acknowledged."""

    def __init__(self, waystream: Waystream) -> None:
        self._waystream = waystream
        self._ended = threading.Event()
        self.acknowledged: list[str] = []
        self.refused = 0
        self._threads = [threading.Thread(target=self._push, args=(f"carrier {n}",)) for n in range(PUSHERS)]

    def _push(self, who: str) -> None:
        n = 0
        while not self._ended.is_set():
            n += 1
            body = seal(who, n)
            if self._waystream.push(body) == 200:
                self.acknowledged.append(f"YT{abs(hash(who)) % 10**6:06d}{n:07d}")
            else:
                self.refused += 1
                self._ended.wait(0.05)

    def wait_for(self, count: int) -> None:
        """Until `count` more pushes were acknowledged."""
        target = len(self.acknowledged) + count
        deadline = time.monotonic() + START_LIMIT_S
        while len(self.acknowledged) < target:
            assert time.monotonic() < deadline, "pushes are not taken any more"
            time.sleep(0.01)

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()


def kept_numbers(waystream: Waystream) -> set[str]:
    """The numbers that the stopped Waystream's database holds."""
    server = EmbeddedPostgres(waystream.data, key_folder=default_key_folder(waystream.data))
    with server, psycopg.connect(server.machine_url) as conn:
        return {row[0] for row in conn.execute("SELECT number FROM stranger")}


@pytest.fixture
def waystream(tmp_path: Path) -> Iterator[Waystream]:
    running = Waystream(tmp_path)
    running.start()
    yield running
    if running.process.poll() is None:
        running.stop()


@pytest.mark.timeout(240)
def test_nothing_acknowledged_is_lost_when_waystream_is_killed(waystream: Waystream) -> None:
    with Load(waystream) as load:
        for _ in range(3):
            load.wait_for(100)
            waystream.kill()
            waystream.start()
        load.wait_for(50)
    waystream.stop()
    assert load.refused > 0
    assert set(load.acknowledged) <= kept_numbers(waystream)


@pytest.mark.timeout(240)
def test_nothing_acknowledged_is_lost_when_the_database_is_killed(waystream: Waystream) -> None:
    with Load(waystream) as load:
        for _ in range(2):
            load.wait_for(100)
            os.kill(waystream.postgres(), signal.SIGKILL)
        load.wait_for(50)
    waystream.stop()
    assert set(load.acknowledged) <= kept_numbers(waystream)


@pytest.mark.timeout(240)
def test_a_full_disk_is_answered_with_failure_and_taken_when_there_is_room(waystream: Waystream) -> None:
    with Load(waystream) as load:
        load.wait_for(100)
        refused = load.refused
        leave_no_room(waystream.postgres())
        deadline = time.monotonic() + START_LIMIT_S
        while load.refused == refused:
            assert time.monotonic() < deadline, "a disk that takes nothing has to be noticed"
            time.sleep(0.01)
        load.wait_for(50)  # the server was started again, on a disk that has room
    waystream.stop()
    assert set(load.acknowledged) <= kept_numbers(waystream)
