"""A whole Waystream that can be killed at a chosen point: `python -m tests.crash.victim FOLDER --kill-at N`.

Points are counted from the ship action on: before and after every commit, before and after every call to the outside,
in whatever thread they happen. Point N sends our own process SIGKILL: no handler runs, nothing is flushed. Without
`--kill-at` it goes on until nothing is left to do and prints how many points there were.
"""

import argparse
import itertools
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import waystream.app
from tests.crash import story
from waystream.core.ports import Ask, Reply
from waystream.kernel.database import Connection, Database
from waystream.kernel.exchange import Exchange
from waystream.settings import load


class Points:
    """Counts once armed; at the fatal one there is no more."""

    def __init__(self, fatal: int) -> None:
        self._fatal = fatal
        self._count = itertools.count(1)
        self._armed = threading.Event()
        self.passed = 0

    def arm(self) -> None:
        self._armed.set()

    def point(self) -> None:
        if not self._armed.is_set():
            return
        self.passed = next(self._count)
        if self.passed == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)


def traced(points: Points) -> None:
    """Put the points into the two doors everything goes through: transactions and calls outside."""

    class TracedDatabase(Database):
        @contextmanager
        def tx(self, **how: Any) -> Iterator[Connection]:
            with super().tx(**how) as conn:
                yield conn
                points.point()
            points.point()

    class TracedExchange(Exchange):
        def send(self, ask: Ask) -> Reply:
            points.point()
            reply = super().send(ask)
            points.point()
            return reply

    waystream.app.Database = TracedDatabase  # type: ignore[misc]
    waystream.app.Exchange = TracedExchange  # type: ignore[misc]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--network", required=True)
    parser.add_argument("--kill-at", type=int, default=0)
    parser.add_argument("--orders", type=int, default=1)
    parser.add_argument("--trouble", default="")
    given = parser.parse_args()
    points = Points(given.kill_at)
    traced(points)
    settings = load(data_folder=given.folder / "data", lease_s=3.0)
    with waystream.app.build(settings) as app:
        app.machine.run(lambda tx: story.set_up(tx, network_url=given.network, labels=given.folder / "labels"))
        points.arm()
        story.ship_orders(app, given.orders, trouble=given.trouble)
        story.wait_until_quiet(app)
        print(points.passed)


if __name__ == "__main__":
    main()
