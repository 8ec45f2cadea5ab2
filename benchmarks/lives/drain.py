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

from benchmarks.pushes.postgres import postgres_cpu_s
from waystream.app import App
from waystream.kernel import log, rule_cursor
from waystream.kernel.dispatcher import Dispatcher, Turn
from waystream.kernel.log import Sequencer

SILENT_S = 0.02
STUCK_S = 120.0


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
        for loop in (self._sequencer, self._dispatcher):
            loop.start()
        try:
            yield
        finally:
            for loop in (self._dispatcher, self._sequencer):
                loop.stop()

    def measure(self, before: int, into: Drained) -> None:
        """From now, when everything is committed, until nothing is left; `before` is where the log stood."""
        began_s, python_s = time.perf_counter(), time.process_time()
        postgres_s = postgres_cpu_s(self._app.settings.data_folder)
        self._turns_s, self._read, self._ended_s = Counter(), Counter(), began_s
        while self._is_left():
            self._await_silence()
            if time.perf_counter() - self._ended_s > STUCK_S:
                raise RuntimeError(f"events are left, but no rule took a turn for {STUCK_S:.0f} s")
        into.seconds += self._ended_s - began_s
        into.python_cpu_s += time.process_time() - python_s
        into.postgres_cpu_s += postgres_cpu_s(self._app.settings.data_folder) - postgres_s
        into.events += self.head() - before
        into.turns_s += self._turns_s
        into.read += self._read

    def head(self) -> int:
        with self._app.machine.begin(read_only=True) as tx:
            return log.head(tx.conn)

    def _saw_turn(self, rule: str, turn: Turn, /, *, seconds: float) -> None:
        self._turns_s[rule] += seconds
        self._read[rule] += turn.passed
        if turn.passed:
            self._ended_s = time.perf_counter()
        self._turned.set()

    def _await_silence(self) -> None:
        self._turned.clear()
        while self._turned.wait(SILENT_S):
            self._turned.clear()
            time.sleep(SILENT_S)

    def _is_left(self) -> bool:
        """Whether the sequencer, or any rule, has something before it."""
        with self._app.machine.begin(read_only=True) as tx:
            if log.count_unplaced(tx.conn):
                return True
            head = log.head(tx.conn)
            standings = rule_cursor.list_standings(tx.conn)
            names = {at: log.list_names(tx.conn, after=at, upto=head) for at in {each.position for each in standings}}
            return any(names[each.position] & self._dispatcher.rules[each.rule].events for each in standings)
