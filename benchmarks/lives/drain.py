"""The drain: the real sequencer and dispatcher follow the log, until no rule has an event before it.

A drain begins when the events are committed and ends with the last turn of a rule: looking whether it is over costs
nothing while rules are at work.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from benchmarks.pushes.postgres import postgres_cpu_s
from waystream.app import App
from waystream.kernel import log
from waystream.kernel.dispatcher import Dispatcher, Turn
from waystream.kernel.log import Sequencer

SILENT_S, LONGEST_S = 0.05, 0.5
STUCK_S = 120.0


#: The last position of each event no rule may have passed yet. OFFSET keeps the planner from joining whole tables.
_AHEAD = """SELECT event.name, max(log.position)
            FROM log CROSS JOIN LATERAL (SELECT name FROM event WHERE id = log.event_id OFFSET 0) AS event
            WHERE log.position > (SELECT min(position) FROM rule_cursor) GROUP BY event.name"""


@dataclass(slots=True)
class Drained:
    """Events that got their position and were passed by every rule; `turns_s` and `read` by rule."""

    events: int = 0
    seconds: float = 0.0
    python_cpu_s: float = 0.0
    postgres_cpu_s: float = 0.0
    turns_s: Counter[str] = field(default_factory=Counter)
    read: Counter[str] = field(default_factory=Counter)


class Drain:
    def __init__(self, app: App) -> None:
        self._app = app
        self._sequencer = Sequencer(app.machine_database)
        self._dispatcher = Dispatcher(app.machine, app.rules, observe=self._saw_turn)
        self._turned = threading.Event()
        self._ended_s = 0.0
        self._turns_s: Counter[str] = Counter()
        self._read: Counter[str] = Counter()

    @contextmanager
    def running(self) -> Iterator[None]:
        with psycopg.connect(self._app.urls.machine, autocommit=True) as self._looking:
            for loop in (self._sequencer, self._dispatcher):
                loop.start()
            try:
                yield
            finally:
                for loop in (self._dispatcher, self._sequencer):
                    loop.stop()

    def measure(self, before: int, into: Drained) -> None:
        """From now, when everything is committed, until nothing is left; `before` is where the log stood."""
        began_s, (python_s, postgres_s) = time.perf_counter(), self._cpu_s()
        self._turns_s, self._read, self._ended_s = Counter(), Counter(), began_s
        silent_s = SILENT_S
        while self._is_left():
            silent_s = SILENT_S if self._await_silence(silent_s) else min(LONGEST_S, silent_s * 2)
            if time.perf_counter() - self._ended_s > STUCK_S:
                raise RuntimeError(f"events are left, but no rule took a turn for {STUCK_S:.0f} s")
        into.seconds += self._ended_s - began_s
        python_after_s, postgres_after_s = self._cpu_s()
        into.python_cpu_s += python_after_s - python_s
        into.postgres_cpu_s += postgres_after_s - postgres_s
        into.events += self.head() - before
        into.turns_s += self._turns_s
        into.read += self._read

    def _cpu_s(self) -> tuple[float, float]:
        """Of sequencer and rules, and of PostgreSQL for them: without this thread and its connection, which look."""
        looking_s = int(Path(f"/proc/{self._looking.info.backend_pid}/schedstat").read_text().split()[0]) / 1e9
        return (time.process_time() - time.thread_time(),
                postgres_cpu_s(self._app.settings.data_folder) - looking_s)  # fmt: skip

    def head(self) -> int:
        with self._app.machine.begin(read_only=True) as tx:
            return log.head(tx.conn)

    def _saw_turn(self, rule: str, turn: Turn, /, *, seconds: float) -> None:
        self._turns_s[rule] += seconds
        self._read[rule] += turn.passed
        if turn.passed:
            self._ended_s = time.perf_counter()
        self._turned.set()

    def _await_silence(self, silent_s: float) -> bool:
        """Until no rule took a turn for so long; whether any did."""
        self._turned.clear()
        any_turned = False
        while self._turned.wait(silent_s):
            self._turned.clear()
            any_turned = True
        return any_turned

    def _is_left(self) -> bool:
        """Whether the sequencer, or any rule, has something before it. Asked against the stream, so that what moves on
        between two questions is seen by the next: rules, what they said, where that was placed."""
        standings = self._looking.execute("SELECT rule, position FROM rule_cursor").fetchall()
        unplaced = self._looking.execute("SELECT FROM event_new LIMIT 1").fetchone()
        ahead = dict(self._looking.execute(_AHEAD).fetchall())
        rules = self._dispatcher.rules
        return unplaced is not None or any(
            ahead.get(name, 0) > position for rule, position in standings for name in rules[rule].events
        )
