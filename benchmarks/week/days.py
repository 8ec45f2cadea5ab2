"""The days as they pass: a virtual clock moves on, and at each stop everything that is due is done, to the end.

Orders and parcels leave, pushes come through the real door, the sequencer places events, rules, jobs and sweeps run
until nothing is left. All of it in this process; business time stands still while it happens.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any

from benchmarks.week.doorway import Doorway
from benchmarks.week.house import House, let_go, take_orders
from benchmarks.week.network import NetworkExchange, WeekNetwork
from benchmarks.week.plan import Order, Parcel, Week
from benchmarks.week.recorder import Recorder
from waystream.app import App, load_work
from waystream.kernel import log
from waystream.kernel.clock import FixedClock
from waystream.kernel.dispatcher import Dispatcher, Rule
from waystream.kernel.jobs import Outside, Sweep
from waystream.kernel.log import Sequencer
from waystream.kernel.runner import Runner
from waystream.kernel.tx import Work

#: Rules cause events cause rules: more rounds at one stop mean that they feed each other.
ROUNDS_MAX = 50


class Days:
    """`spent_s`: where the time went, by what was done."""

    def __init__(self, app: App, week: Week, house: House, *, clock: FixedClock) -> None:
        self.clock, self._house = clock, house
        self._work = app.machine
        self.network = WeekNetwork(week, key=house.key)
        self._orders, self._leaving = _Queue(week.orders, _ordered_at), _Queue(_by_gate(week), _leaves_at)
        self.spent_s: Counter[str] = Counter()
        self._doorway = Doorway(app, house)
        self._sequencer = Sequencer(app.machine_database)
        self._rules = [(Rule.of(module).events, Dispatcher(self._work, [module])) for module in app.rules]
        self.recorder = Recorder()
        exchange = NetworkExchange(self.network, clock)
        outside = Outside(exchange, app.networks, app.drivers, channels=self.recorder.of_shop)
        handlers, sweeps = load_work(outside, app.settings)
        self._sweeps = [_Due(sweep) for sweep in sweeps]
        self._runner = Runner(self._work, handlers, sweeps)
        self._head = 0

    def __enter__(self) -> "Days":
        self._doorway.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._doorway.__exit__(*exc)

    def pass_until(self, at: datetime, step: timedelta, told: Callable[[datetime], None]) -> None:
        while self.clock.now() < at:
            self.stop_at(self.clock.now() + step)
            told(self.clock.now())

    def stop_at(self, at: datetime) -> None:
        """Everything that is due by this instant is done."""
        step = at - self.clock.now()
        self.clock.jump(at)
        self._timed("shop", self._sell)
        self._timed("door", self._take_pushes)
        self._settle()
        self._sweep(step)

    def _timed(self, what: str, do: Callable[[], Any]) -> Any:
        began_s = time.perf_counter()
        done = do()
        self.spent_s[what] += time.perf_counter() - began_s
        return done

    def _sell(self) -> None:
        now = self.clock.now()
        if told := self._orders.due(now):
            self._work.run(lambda tx: take_orders(tx, self._house, told))
        for gate in self._leaving.due(now):
            self._work.run(lambda tx, gate=gate: let_go(tx, self._house, [parcel for parcel, _ in gate],
                                                        [line for _, line in gate]))  # fmt: skip

    def _take_pushes(self) -> None:
        self._doorway.take(self.network.pushes(self.clock.now()))

    # ------------------------------------------------------------------ until nothing is left

    def _settle(self) -> None:
        for _ in range(ROUNDS_MAX):
            placed = self._timed("sequencer", self._sequencer.drain)
            if placed:
                self._timed("rules", self._run_rules)
            ran = self._timed("jobs", self._runner.drain)
            if not (placed or ran):
                return
        raise RuntimeError(f"after {ROUNDS_MAX} rounds there was still something to do")

    def _run_rules(self) -> None:
        """Those rules that read what was placed: a turn of the others would move nothing but a cursor."""
        arrived = self._list_arrived()
        for events, dispatcher in self._rules:
            if events & arrived:
                dispatcher.drain()

    def _list_arrived(self) -> set[str]:
        with self._work.begin(read_only=True) as tx:
            rows = tx.conn.execute(
                f"SELECT DISTINCT event.name FROM {log.PLACED} WHERE log.position > %s", [self._head]
            ).fetchall()
            self._head = log.head(tx.conn)
        return {name for (name,) in rows}

    def _sweep(self, step: timedelta) -> None:
        """Those that found something look again, as often as they would have in this time."""
        due = [each.sweep for each in self._sweeps if each.is_due(self.clock.now())]
        for nth in range(ROUNDS_MAX):
            found = [sweep for sweep in due if self._timed("sweeps", partial(self._runner.sweep, sweep.name))]
            self._settle()
            due = [sweep for sweep in found if sweep.every_s * (nth + 2) <= step.total_seconds()]
            if not due:
                return


class _Due:
    """A sweep, and when it is due next: its seconds are taken for business seconds."""

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        self._next: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        if self._next is not None and now < self._next:
            return False
        self._next = now + timedelta(seconds=self.sweep.every_s)
        return True


class _Queue:
    """Things in the order of their time, handed out once."""

    def __init__(self, things: Sequence[Any], when: Callable[[Any], datetime]) -> None:
        self._things, self._when, self._at = things, when, 0

    def due(self, now: datetime) -> list[Any]:
        first = self._at
        while self._at < len(self._things) and self._when(self._things[self._at]) <= now:
            self._at += 1
        return list(self._things[first : self._at])


def _ordered_at(order: Order) -> datetime:
    return order.ordered_at


def _leaves_at(gate: Sequence[tuple[Parcel, int]]) -> datetime:
    return gate[0][0].trip.dispatched_at


def _by_gate(week: Week) -> list[list[tuple[Parcel, int]]]:
    """The parcels that leave together, each with the line of its order that is in it."""
    line_no: Counter[int] = Counter()
    leaving = []
    for parcel in week.all:
        line_no[parcel.order] += 1
        leaving.append((parcel, line_no[parcel.order]))
    leaving.sort(key=lambda each: (each[0].trip.dispatched_at, each[0].n))
    return [list(gate) for _, gate in groupby(leaving, key=lambda each: each[0].trip.dispatched_at)]


def still(app: App, at: datetime) -> FixedClock:
    """From now on this app's business time stands still until it is moved."""
    clock = FixedClock(at)
    app.clock = clock
    app.machine = Work(app.machine_database, clock, app.keys)
    app.page = Work(app.page_database, clock, app.keys)
    return clock
