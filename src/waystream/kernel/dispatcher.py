"""The dispatcher: rules follow the log, each in transactions that move its cursor together with its effects.

Guaranteed: a rule digests every event once, in order for each subject, through any crash; one process moves a rule at
a time. What a rule cannot digest is found by halving and parked with its subject; too much of that halts that rule
alone. Trouble with the database itself is tried again and never parked.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from queue import SimpleQueue
from typing import Protocol

import psycopg

from waystream.core.errors import Unavailable
from waystream.core.events import Event, registry_cached
from waystream.kernel import jobs, log, rule_cursor
from waystream.kernel.database import error_text
from waystream.kernel.log import Recorded
from waystream.kernel.log_window import NEVER_QUIET, NOTHING_READ, WINDOW, Quiet, Window
from waystream.kernel.tx import Tx, Work
from waystream.kernel.wake import Wake

logger = logging.getLogger(__name__)

BATCH = 1_000
LOOK_AHEAD = WINDOW  # no less: a turn passes what a window covers
MOST_PARKED = 100
THREADS = 4
POLL_S = 5.0
#: Between the beginnings of two turns of a rule: under load, many events cost one transaction instead of one each.
#: What comes after its rest is digested at once, and who is behind or had so many that they paid for the turn has none.
REST_S = 0.2
AMPLE = 250
#: Connection, rollback, resources, lock not available, operator, system: the same batch may work later.
TRANSIENT_CLASSES = frozenset({"08", "40", "53", "55", "57", "58"})
STATEMENT_TIMEOUT = "57014"


class RuleModule(Protocol):
    """A module of `rules/`: its docstring is its sentence and `SENTENCE_ZH` the Chinese one; `WHEN` names its events
    (a parent stands for all below it), `START` is where a new rule begins: `beginning` or `end`. One that also has
    `REPEATABLE = True` says that digesting an event again changes nothing: it looks only at what stands now. A pure
    `concerns(event)` says which of its events it is handed: for the others it has no turn and costs no transaction.
    `REST_S`, where the usual one does not suit: how long it rests between turns while events keep coming."""

    @property
    def __name__(self) -> str: ...
    @property
    def WHEN(self) -> tuple[type[Event], ...]: ...
    @property
    def START(self) -> str: ...

    def do(self, tx: Tx, events: Sequence[Recorded]) -> None: ...


def all_of_them(event: Event) -> bool:
    """What concerns a rule that does not say more than `WHEN`."""
    return True


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    events: frozenset[str]
    from_beginning: bool
    do: Callable[[Tx, Sequence[Recorded]], None]
    repeatable: bool = False
    sentence: str = ""
    sentence_zh: str = ""
    concerns: Callable[[Event], bool] = all_of_them
    rest_s: float = REST_S

    def wants(self, told: Recorded) -> bool:
        """Whether the rule is handed this event."""
        return told.name in self.events and self.concerns(told.event)

    @classmethod
    def of(cls, module: RuleModule) -> "Rule":
        assert module.START in ("beginning", "end"), f"{module.__name__} has to say where it starts"
        events = frozenset(name for name, event in registry_cached().items() if issubclass(event, module.WHEN))
        return cls(
            name=module.__name__.rpartition(".")[2],
            events=events,
            from_beginning=module.START == "beginning",
            do=module.do,
            repeatable=getattr(module, "REPEATABLE", False),
            sentence=" ".join((module.__doc__ or "").split("\n\n")[0].split()),
            sentence_zh=getattr(module, "SENTENCE_ZH", ""),
            concerns=getattr(module, "concerns", all_of_them),
            rest_s=getattr(module, "REST_S", REST_S),
        )


def list_rules(modules: Iterable[RuleModule]) -> dict[str, Rule]:
    """The rules of these modules by name."""
    return {rule.name: rule for rule in map(Rule.of, modules)}


class Causes:
    """What the effects of a batch follow from: the newest event of their subject; where there is none, all of it.

    Made when the first effect asks: most batches have none.
    """

    def __init__(self, because: Sequence[Recorded]) -> None:
        self._because = because

    def of(self, subject: str) -> str:
        return self._newest.get(subject, self._otherwise)

    @cached_property
    def _newest(self) -> dict[str, str]:
        return {recorded.event.subject: recorded.as_cause for recorded in self._because}

    @cached_property
    def _otherwise(self) -> str:
        first, last = self._because[0], self._because[-1]
        if len(self._because) == 1:
            return last.as_cause
        depth = max(log.cause_depth(recorded.cause) for recorded in self._because) + 1
        return f"log:{first.position}-{last.position}/{depth}"


@dataclass(frozen=True, slots=True)
class RuleTx(Tx):
    """A rule's transaction: what is emitted in it follows from the events the rule digests."""

    causes: Causes

    def emit(self, *events: Event, cause: str = "") -> None:
        log.emit_each(self.conn, [(event, cause or self.causes.of(event.subject)) for event in events], at=self.now)

    def enqueue(self, *wanted: jobs.Job) -> None:
        jobs.enqueue(self.conn, wanted, causes=[self.causes.of(job.subject) for job in wanted])


class Observer(Protocol):
    """Told of every turn, for the figures."""

    def __call__(self, rule: str, turn: "Turn", /, *, seconds: float) -> None: ...


class Undigested(Exception):
    """The rule failed on a batch of `count` events; the error is the cause."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} events")
        self.count = count


@dataclass(frozen=True, slots=True)
class Batch:
    """The next events of a rule: `free` to be digested, `held` behind a parked one of their subject."""

    free: Sequence[Recorded]
    held: Sequence[Recorded]
    reached: int
    more: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """What a rule got done: how many events passed, whether more are waiting, and which were `digested`."""

    passed: int = 0
    more: bool = False
    digested: Sequence[Recorded] = ()


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed later: the trouble is the database's, not the event's."""
    if isinstance(error, psycopg.OperationalError) and error.sqlstate:
        return error.sqlstate[:2] in TRANSIENT_CLASSES and error.sqlstate != STATEMENT_TIMEOUT
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | Unavailable)


class Dispatcher:
    """Gives rules their turns on a few threads; a rule with much to do gives way after each batch."""

    def __init__(
        self,
        work: Work,
        rules: Iterable[RuleModule],
        *,
        threads: int = THREADS,
        batch: int = BATCH,
        most_parked: int = MOST_PARKED,
        poll_s: float = POLL_S,
        observe: Observer | None = None,
    ) -> None:
        self.rules = list_rules(rules)
        self._work = work
        self._batch = batch
        self._most_parked = most_parked
        self._poll_s = poll_s
        self._observe = observe
        self._wake = Wake(work.database, log.LOG_CHANNEL, poll_s=poll_s)
        self._thread = threading.Thread(target=self._coordinate, name="dispatcher", daemon=True)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="rule")
        self._ended: SimpleQueue[tuple[str, Turn]] = SimpleQueue()
        self._busy: set[str] = set()
        self._due: set[str] = set()
        self._window = NOTHING_READ
        self._quiet: dict[str, Quiet] = {}
        self._turned_at: dict[str, float] = {}
        self._polled_at = float("-inf")

    def start(self) -> None:
        self._register()
        self._wake.start()
        self._thread.start()

    def stop(self) -> None:
        """End after the batches that are running."""
        self._wake.stop(self._thread)
        self._pool.shutdown(cancel_futures=True)

    def drain(self) -> int:
        """Let every rule digest all that is in the log, in this thread; how many events passed (rules × events)."""
        self._register()
        return sum(self._drain(rule) for rule in self.rules.values())

    @property
    def batch(self) -> int:
        """How many events a rule is handed at most."""
        return self._batch

    def retry_parked(self, name: str) -> int:
        """Replay what the rule parked, each subject in order up to its first failure; how many were digested.

        Its poison shows the new error. A halted rule goes on once little enough is parked.
        """
        with self._work.begin(read_only=True) as tx:
            subjects = rule_cursor.list_parked_subjects(tx.conn, name)
        return self.retry_subjects(name, subjects)

    def retry_subjects(self, name: str, subjects: Sequence[str]) -> int:
        """The same for what it parked of these subjects alone."""
        rule = self.rules[name]
        digested = sum(self._retry_subject(rule, subject) for subject in subjects)
        self._work.run(lambda tx: self._resume(tx, rule))
        return digested

    # ------------------------------------------------------------------ whose turn it is

    def _register(self) -> None:
        def register(tx: Tx) -> None:
            for rule in self.rules.values():
                rule_cursor.register(tx.conn, rule.name, from_beginning=rule.from_beginning, at=tx.now)

        self._work.run(register)

    def _coordinate(self) -> None:
        rest_s: float | None = None
        while self._wake.wait(rest_s):
            try:
                self._find_due()
            except Exception as error:  # noqa: BLE001
                logger.warning("the dispatcher cannot look: %s", error_text(error))
            rest_s = self._give_turns()

    def _give_turns(self) -> float | None:
        """Start what is due and rested; in how many seconds the next will be."""
        now, resting = time.monotonic(), []
        for name in sorted(self._due - self._busy):
            rest_s = self._turned_at.get(name, float("-inf")) + self.rules[name].rest_s - now
            if rest_s > 0:
                resting.append(rest_s)
            else:
                self._due.discard(name)
                self._busy.add(name)
                self._turned_at[name] = now
                seen = replace(self._window, quiet=self._quiet.get(name, NEVER_QUIET))
                self._pool.submit(self._take_turn, self.rules[name], seen)
        return min(resting, default=None)

    def _find_due(self) -> None:
        """Rules whose last turn left more, whose events arrived since we looked, or, at each poll, that lag at all."""
        while not self._ended.empty():
            name, turn = self._ended.get()
            self._busy.discard(name)
            if turn.more:
                self._due.add(name)
            if turn.more or len(turn.digested) >= AMPLE:
                self._turned_at.pop(name, None)
        polled = time.monotonic() - self._polled_at >= self._poll_s
        if not (self._wake.heard() or polled):
            return
        with self._work.begin(read_only=True) as tx:
            window = self._window.follow(tx)
            lagging = rule_cursor.list_lagging(tx.conn) if polled else set()
        # Only now, together: a window that moved on while its arrivals went unnoted would hide them for ever.
        self._note_arrivals(window)
        self._due |= lagging & self.rules.keys()
        self._polled_at = time.monotonic() if polled else self._polled_at

    def _note_arrivals(self, window: Window) -> None:
        """What came since the window we had makes its rules due, and lies quiet for all others."""
        known, self._window = self._window, window
        upto = window.upto
        # More came than a window holds, or the log itself was put back: whose events lie there nobody knows.
        skipped = upto < known.upto or window.after > known.upto
        came = window.since(known.upto)
        arrived = {told.name for told in came}
        for rule in self.rules.values():
            if skipped or (rule.events & arrived and any(map(rule.wants, came))):
                self._due.add(rule.name)
                self._quiet[rule.name] = Quiet(upto, upto)
            else:
                self._quiet[rule.name] = Quiet(self._quiet[rule.name].after, upto)

    def _take_turn(self, rule: Rule, window: Window) -> None:
        turn, began = Turn(), time.monotonic()
        try:
            turn = self._digest(rule, self._batch, window)
        except Exception as error:  # noqa: BLE001
            level = logging.WARNING if is_transient(error) else logging.ERROR
            logger.log(level, "rule %s rests until the next poll: %s", rule.name, error_text(error))
        finally:
            self._ended.put((rule.name, turn))
            self._wake.set()
            if self._observe:
                self._observe(rule.name, turn, seconds=time.monotonic() - began)

    def _drain(self, rule: Rule) -> int:
        turn = self._digest(rule, self._batch)
        passed = turn.passed
        while turn.more:
            turn = self._digest(rule, self._batch)
            passed += turn.passed
        return passed

    # ------------------------------------------------------------------ what happens in a turn

    def _digest(self, rule: Rule, limit: int, window: Window = NOTHING_READ) -> Turn:
        """The next events in one transaction; if the rule fails on them, each half in its own, down to one event."""
        if limit == 1:
            return self._work.run(lambda tx: self._pass_one(tx, rule))
        try:
            return self._work.run(lambda tx: self._pass_batch(tx, rule, limit, window))
        except Undigested as failed:
            count = failed.count
            logger.info("rule %s failed on %d events: %s", rule.name, count, error_text(failed.__cause__ or failed))
        if count == 1:
            return self._digest(rule, 1)
        first = self._digest(rule, count // 2)
        second = self._digest(rule, count - count // 2)
        return Turn(first.passed + second.passed, second.more, (*first.digested, *second.digested))

    def _pass_batch(self, tx: Tx, rule: Rule, limit: int, window: Window) -> Turn:
        batch = _take(tx, rule, limit, window)
        if batch is None:
            return Turn()

        digest(tx, rule, batch.free)

        rule_cursor.park(tx.conn, rule.name, batch.held, at=tx.now)
        rule_cursor.move(tx.conn, rule.name, position=batch.reached, at=tx.now)
        return Turn(len(batch.free) + len(batch.held), batch.more, batch.free)

    def _pass_one(self, tx: Tx, rule: Rule) -> Turn:
        """One event under a savepoint: digested, or parked in the same transaction that moves past it."""
        batch = _take(tx, rule, 1)
        if batch is None:
            return Turn()

        error = _try(tx, rule, batch.free)

        if error:
            self._park_poison(tx, rule, batch.free, error=error)
        rule_cursor.park(tx.conn, rule.name, batch.held, at=tx.now)
        rule_cursor.move(tx.conn, rule.name, position=batch.reached, at=tx.now)
        return Turn(len(batch.free) + len(batch.held), batch.more, () if error else batch.free)

    def _park_poison(self, tx: Tx, rule: Rule, poison: Sequence[Recorded], *, error: str) -> None:
        rule_cursor.park(tx.conn, rule.name, poison, error=error, at=tx.now)
        logger.error("rule %s parked event %d: %s", rule.name, poison[0].id, error)
        if rule_cursor.count_poison(tx.conn, rule.name) > self._most_parked:
            rule_cursor.halt(tx.conn, rule.name, f"more than {self._most_parked} events could not be digested")
            logger.critical("rule %s is halted: more than %d events are parked", rule.name, self._most_parked)

    def _retry_subject(self, rule: Rule, subject: str) -> int:
        total = digested = self._work.run(lambda tx: self._replay(tx, rule, subject))
        while digested == self._batch:
            total += (digested := self._work.run(lambda tx: self._replay(tx, rule, subject)))
        return total

    def _replay(self, tx: Tx, rule: Rule, subject: str) -> int:
        """The parked events of a subject in order, while the rule stands still, so that no later one overtakes."""
        rule_cursor.wait_for_lock(tx.conn, rule.name)
        digested = 0
        for recorded in rule_cursor.list_parked(tx.conn, rule.name, subject=subject, limit=self._batch):
            if error := _try(tx, rule, [recorded]):
                rule_cursor.park(tx.conn, rule.name, [recorded], error=error, at=tx.now)
                break
            rule_cursor.unpark(tx.conn, rule.name, recorded.id)
            digested += 1
        return digested

    def _resume(self, tx: Tx, rule: Rule) -> None:
        rule_cursor.wait_for_lock(tx.conn, rule.name)
        if rule_cursor.count_poison(tx.conn, rule.name) <= self._most_parked:
            rule_cursor.resume(tx.conn, rule.name)


def _take(tx: Tx, rule: Rule, limit: int, window: Window = NOTHING_READ) -> Batch | None:
    """The rule's next events, its cursor locked; None if there is nothing, or if it is not ours to move."""
    found = rule_cursor.lock(tx.conn, rule.name)
    if found is None:
        return None
    stood, parked = found
    position = window.quiet.passed(stood)
    head = window.upto if window.covers(position) else log.head(tx.conn)
    if stood >= head:
        return None
    upto = min(head, position + LOOK_AHEAD)
    if window.covers(position):
        events = window.list_after(position, rule.wants)[:limit]
    else:
        most = max(limit, BATCH)
        read = log.read(tx.conn, after=position, upto=upto, limit=most, names=rule.events)
        upto = read[-1].position if len(read) == most else upto
        events = list(filter(rule.wants, read))[:limit]
    reached = events[-1].position if len(events) == limit else upto
    subjects = {told.event.subject for told in events}
    held = rule_cursor.list_held(tx.conn, rule.name, subjects) if parked else set()
    return Batch(
        free=[told for told in events if told.event.subject not in held],
        held=[told for told in events if told.event.subject in held],
        reached=reached,
        more=reached < head,
    )


def digest(tx: Tx, rule: Rule, events: Sequence[Recorded]) -> None:
    """Run the rule on the events. Raises `Undigested` if the events, not the database, are to blame."""
    if not events:
        return
    try:
        rule.do(RuleTx(tx.conn, tx.now, tx.keys, Causes(events)), events)
        # What would fail at the commit shall fail here, where the batch can still be halved.
        tx.conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except Exception as error:
        if is_transient(error):
            raise
        raise Undigested(len(events)) from error


def _try(tx: Tx, rule: Rule, events: Sequence[Recorded]) -> str:
    """Run the rule under a savepoint; the error's text if it failed, and then nothing of it remains."""
    try:
        with tx.conn.transaction():
            digest(tx, rule, events)
    except Undigested as failed:
        return error_text(failed.__cause__ or failed)
    return ""
