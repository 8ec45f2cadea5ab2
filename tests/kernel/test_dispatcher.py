"""Rules digest every event once and in order; what they cannot digest is parked alone, with its subject."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import psycopg
import pytest

from tests.engine import Engine
from tests.kernel.machine import (
    eventually,
    frail,
    held,
    kill_frail,
    list_orders,
    read_all,
    released,
    rows,
    running,
    tell,
)
from waystream.core.events import Event, OrderEvent
from waystream.core.events.orders import OrderCompleted, OrderHeld, OrderReleased
from waystream.kernel import log, rule_cursor
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.dispatcher import Dispatcher, Turn, is_transient
from waystream.kernel.jobs import Job
from waystream.kernel.log import Recorded, Sequencer
from waystream.kernel.tx import Tx, Work
from waystream.kernel.vault import Keys


@dataclass
class Copying:
    """A rule like a module: notes each order as a job of its own name, unless it chokes on it."""

    name: str = "copying"
    WHEN: tuple[type[Event], ...] = (OrderHeld,)
    START: str = "beginning"
    poison: set[int] = field(default_factory=set)
    batches: list[list[int]] = field(default_factory=list)
    first: Callable[[Tx], object] = lambda tx: None

    @property
    def __name__(self) -> str:
        return self.name

    def do(self, tx: Tx, events: Sequence[Recorded]) -> None:
        self.batches.append(list_orders(events))
        self.first(tx)
        for recorded in events:
            tx.conn.execute(
                "INSERT INTO audit (at, actor, action, subject) VALUES (%s, %s, %s, %s)",
                [tx.now, f"rule:{self.name.rpartition('.')[2]}", type(recorded.event).__name__, recorded.event.subject],
            )
        if self.poison & set(list_orders(events)):
            raise ZeroDivisionError


@pytest.fixture
def work(database: Database, clock: FixedClock, keys: Keys) -> Work:
    return Work(database, clock, keys)


def done(work: Work, rule: str = "copying") -> list[str]:
    query = "SELECT subject FROM audit WHERE actor = %s ORDER BY id"
    return [subject for (subject,) in rows(work.database, query, f"rule:{rule}")]


def subjects(*order_ids: int) -> list[str]:
    return [f"order:{order_id}" for order_id in order_ids]


def parked(work: Work) -> list[tuple[str, bool]]:
    """Every parked event: its subject, and whether it is poison."""
    return rows(work.database, "SELECT subject, error <> '' FROM parked ORDER BY event_id")


def standing(work: Work, rule: str = "copying") -> rule_cursor.Standing:
    with work.begin() as tx:
        return next(found for found in rule_cursor.list_standings(tx.conn) if found.rule == rule)


def test_a_rule_digests_its_events_in_one_batch(work: Work) -> None:
    tell(work.database, held(1), released(2), held(3))
    rule = Copying()
    assert Dispatcher(work, [rule]).drain() == 2
    assert (rule.batches, done(work)) == ([[1, 3]], subjects(1, 3))
    found = standing(work)
    assert (found.position, found.lag, found.moved_at, found.halted) == (3, 0, work.clock.now(), "")


def test_nothing_is_digested_twice(work: Work) -> None:
    tell(work.database, held(1))
    rule = Copying()
    dispatcher = Dispatcher(work, [rule])
    assert [dispatcher.drain(), dispatcher.drain()] == [1, 0]
    tell(work.database, released(1))
    assert dispatcher.drain() == 0
    assert rule.batches == [[1]]
    assert standing(work).lag == 0


def test_batches_are_bounded(work: Work) -> None:
    tell(work.database, *(held(n) for n in range(7)))
    rule = Copying()
    Dispatcher(work, [rule], batch=3).drain()
    assert rule.batches == [[0, 1, 2], [3, 4, 5], [6]]


def test_a_new_rule_begins_where_it_says(work: Work) -> None:
    tell(work.database, held(1))
    old, new = Copying(name="waystream.rules.old"), Copying(name="new", START="end")
    dispatcher = Dispatcher(work, [old, new])
    dispatcher.drain()
    tell(work.database, held(2))
    dispatcher.drain()
    assert (old.batches, new.batches) == ([[1], [2]], [[2]])
    assert done(work, "old") == subjects(1, 2)
    assert [found.rule for found in list_standings(work)] == ["new", "old"]


def list_standings(work: Work) -> list[rule_cursor.Standing]:
    with work.begin() as tx:
        return rule_cursor.list_standings(tx.conn)


def test_a_parent_stands_for_every_event_below_it(work: Work) -> None:
    tell(work.database, held(1), released(2))
    rule = Copying(WHEN=(OrderEvent,))
    Dispatcher(work, [rule]).drain()
    assert rule.batches == [[1, 2]]


def test_poison_is_halved_out_and_parked_alone(work: Work) -> None:
    tell(work.database, *(held(n) for n in range(40)))
    rule = Copying(poison={17})
    assert Dispatcher(work, [rule]).drain() == 40
    assert done(work) == subjects(*(n for n in range(40) if n != 17)), "all others, once, in order"
    assert parked(work) == [("order:17", True)]
    assert rows(work.database, "SELECT rule, error, parked_at FROM parked")[0][:1] == ("copying",)
    assert len(rule.batches) <= 2 * 6 + 2, "a binary search"


def test_the_parked_error_quotes_nothing(work: Work) -> None:
    def choke(tx: Tx) -> None:
        raise ValueError("张三 13800138000")

    tell(work.database, held(1))
    Dispatcher(work, [Copying(first=choke)]).drain()
    ((error,),) = rows(work.database, "SELECT error FROM parked")
    assert error.startswith("ValueError at test_dispatcher.py:")


def test_later_events_of_a_parked_subject_wait_behind_it(work: Work) -> None:
    rule = Copying(poison={1}, WHEN=(OrderHeld, OrderReleased))
    dispatcher = Dispatcher(work, [rule])
    tell(work.database, held(1), held(2), released(1))
    dispatcher.drain()
    tell(work.database, held(1), held(3))
    dispatcher.drain()
    assert done(work) == subjects(2, 3)
    assert parked(work) == [("order:1", True), ("order:1", False), ("order:1", False)]
    assert (standing(work).poison, standing(work).waiting) == (1, 2)


def test_parked_events_are_replayed_in_order(work: Work) -> None:
    rule = Copying(poison={1, 2}, WHEN=(OrderHeld, OrderReleased))
    dispatcher = Dispatcher(work, [rule], batch=2)
    tell(work.database, held(1), held(2), released(1), released(2), held(1), held(3))
    dispatcher.drain()
    rule.poison = {2}
    assert dispatcher.retry_parked("copying") == 3
    query = "SELECT action FROM audit WHERE subject = 'order:1' ORDER BY id"
    assert rows(work.database, query) == [("OrderHeld",), ("OrderReleased",), ("OrderHeld",)]
    assert parked(work) == [("order:2", True), ("order:2", False)]
    rule.poison = set()
    assert dispatcher.retry_parked("copying") == 2
    assert parked(work) == []
    tell(work.database, held(1))
    dispatcher.drain()
    assert done(work)[-1] == "order:1"


def test_too_much_poison_halts_that_rule_alone(work: Work, caplog: pytest.LogCaptureFixture) -> None:
    tell(work.database, *(held(n) for n in range(10)))
    sick, well = Copying(name="sick", poison=set(range(10))), Copying(name="well")
    dispatcher = Dispatcher(work, [sick, well], most_parked=3)
    dispatcher.drain()
    assert standing(work, "sick").halted == "more than 3 events could not be digested"
    assert (standing(work, "sick").poison, standing(work, "sick").position) == (4, 4)
    assert len(done(work, "well")) == 10
    assert [record.levelname for record in caplog.records if "halted" in record.message] == ["CRITICAL"]

    dispatcher.drain()
    assert standing(work, "sick").position == 4
    dispatcher.retry_parked("sick")
    assert standing(work, "sick").halted, "still too much"
    sick.poison = {5}
    assert dispatcher.retry_parked("sick") == 4
    dispatcher.drain()
    assert done(work, "sick") == subjects(0, 1, 2, 3, 4, 6, 7, 8, 9)
    assert not standing(work, "sick").halted


def test_waiting_events_do_not_count_as_poison(work: Work) -> None:
    tell(work.database, held(1), *(held(1) for _ in range(20)), held(2))
    rule = Copying(poison={1})
    Dispatcher(work, [rule], most_parked=3).drain()
    assert done(work) == subjects(2)
    assert not standing(work).halted


def test_a_crash_before_the_commit_leaves_nothing_and_the_event_comes_again(work: Work, engine: Engine) -> None:
    """The connection is killed after the rule wrote its rows: neither rows nor cursor remain, nothing is parked."""

    def kill(tx: Tx) -> None:
        with psycopg.connect(engine.admin_url, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(%s)", [tx.conn.info.backend_pid])

    tell(work.database, held(1), held(2))
    rule = Copying(first=kill)
    with pytest.raises(psycopg.OperationalError):
        Dispatcher(work, [rule]).drain()
    assert (done(work), parked(work)) == ([], [])
    rule.first = lambda tx: None
    Dispatcher(work, [rule]).drain()
    assert (done(work), rule.batches) == (subjects(1, 2), [[1, 2], [1, 2]])


@pytest.fixture
def deferring(engine: Engine) -> Iterator[None]:
    """A constraint that is looked at only at the commit: each subject of the audit is audited once."""
    with psycopg.connect(engine.admin_url, autocommit=True) as admin:
        admin.execute("ALTER TABLE audit ADD CONSTRAINT once UNIQUE (subject) DEFERRABLE INITIALLY DEFERRED")
        yield
        admin.execute("ALTER TABLE audit DROP CONSTRAINT once")


@pytest.mark.usefixtures("deferring")
def test_an_error_at_the_commit_is_found_before_it(work: Work) -> None:
    tell(work.database, held(1), held(2), held(1))
    Dispatcher(work, [Copying()]).drain()
    assert done(work) == subjects(1, 2)
    assert parked(work) == [("order:1", True)]
    error = "UniqueViolation 23505 table=audit constraint=once"
    assert rows(work.database, "SELECT error FROM parked") == [(error,)]


def test_deadlocks_are_tried_again_at_once(work: Work) -> None:
    fails = iter([True, True, False])

    def deadlock(tx: Tx) -> None:
        if next(fails):
            raise psycopg.errors.DeadlockDetected

    tell(work.database, held(1), held(2))
    rule = Copying(first=deadlock)
    Dispatcher(work, [rule]).drain()
    assert rule.batches == [[1, 2]] * 3
    assert done(work) == subjects(1, 2)


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (psycopg.OperationalError("connection lost"), True),
        (psycopg.errors.LockNotAvailable(), True),
        (psycopg.errors.DiskFull(), True),
        (psycopg.errors.AdminShutdown(), True),
        (psycopg.errors.QueryCanceled(), False),
        (psycopg.errors.ProgramLimitExceeded(), False),
        (psycopg.errors.UniqueViolation(), False),
        (ValueError(), False),
    ],
)
def test_what_is_the_database_s_trouble(error: Exception, transient: bool) -> None:
    assert is_transient(error) is transient


def test_one_process_moves_a_rule_at_a_time(work: Work) -> None:
    tell(work.database, held(1))
    inside, go_on = threading.Event(), threading.Event()

    def wait(tx: Tx) -> None:
        inside.set()
        assert go_on.wait(10)

    slow, other = Copying(first=wait), Copying()
    thread = threading.Thread(target=Dispatcher(work, [slow]).drain)
    thread.start()
    assert inside.wait(10)
    assert Dispatcher(work, [other]).drain() == 0
    go_on.set()
    thread.join()
    assert (done(work), other.batches) == (subjects(1), [])


@dataclass
class Answering:
    """A rule that answers each event with one of the same order, or with one of another order."""

    name: str = "answering"
    WHEN: tuple[type[Event], ...] = (OrderHeld,)
    START: str = "beginning"
    step: int = 0

    @property
    def __name__(self) -> str:
        return self.name

    def do(self, tx: Tx, events: Sequence[Recorded]) -> None:
        tx.emit(*(held(order_id + self.step) for order_id in list_orders(events)))


def test_what_a_rule_emits_names_its_cause(work: Work) -> None:
    @dataclass
    class Completing(Answering):
        def do(self, tx: Tx, events: Sequence[Recorded]) -> None:
            for order_id in (5, 99):
                tx.emit(OrderCompleted(shop_id=7, order_id=order_id, by="policy", at=tx.now))
            tx.emit(released(3), cause=events[0].as_cause)

    tell(work.database, held(4), held(5))
    Dispatcher(work, [Completing()]).drain()
    with work.begin() as tx:
        log.sequence(tx.conn)
        first, second, own, others, told = read_all(tx.conn)
    assert own.cause == f"event:{second.id}/1"
    assert others.cause == "log:1-2/1"
    assert told.cause == f"event:{first.id}/1"


def test_a_job_knows_the_event_that_made_it_necessary(work: Work) -> None:
    @dataclass
    class Asking(Copying):
        def do(self, tx: Tx, events: Sequence[Recorded]) -> None:
            tx.enqueue(*(Job("print", 7, f"{n}", f"order:{n}") for n in (1, 2, 9)))

    tell(work.database, held(1), held(2))
    Dispatcher(work, [Asking()]).drain()
    with work.begin() as tx:
        first, second = read_all(tx.conn)
    causes = rows(work.database, "SELECT key, cause FROM job ORDER BY id")
    assert causes == [("1", first.as_cause), ("2", second.as_cause), ("9", "log:1-2/1")]


@pytest.mark.parametrize("step", [0, 1000])
def test_two_rules_cannot_feed_each_other_for_ever(work: Work, step: int) -> None:
    tell(work.database, held(1), held(2))
    dispatcher, sequencer = Dispatcher(work, [Answering(step=step)]), Sequencer(work.database)
    while dispatcher.drain():
        sequencer.drain()
    ((events,),) = rows(work.database, "SELECT count(*) FROM event")
    assert events == 2 + 2 * log.DEEPEST_CAUSE
    assert [poison for _, poison in parked(work)] == [True, True]
    assert {error.split()[0] for (error,) in rows(work.database, "SELECT error FROM parked")} == {"EndlessCause:"}


def test_threads_follow_the_log_by_themselves(work: Work) -> None:
    rules = [Copying(name=f"rule_{n}", poison={13}) for n in range(6)]
    with running(Sequencer(work.database), Dispatcher(work, rules, threads=2, batch=10, poll_s=60)):
        for start in range(0, 60, 3):
            with work.begin() as tx:
                tx.emit(held(start), held(start + 1), held(start + 2))
        everyone = subjects(*(n for n in range(60) if n != 13))
        eventually(lambda: all(len(done(work, rule.name)) == len(everyone) for rule in rules))
    for rule in rules:
        assert done(work, rule.name) == everyone


@dataclass
class Choosy(Copying):
    """A copying rule that only even orders concern."""

    def concerns(self, event: Event) -> bool:
        return isinstance(event, OrderEvent) and event.order_id % 2 == 0


@dataclass
class Resting(Copying):
    """A copying rule that rests for long."""

    REST_S = 1.5


def test_a_rule_is_handed_what_concerns_it_and_passes_the_rest(work: Work) -> None:
    tell(work.database, *(held(n) for n in range(7)))
    rule = Choosy()
    assert Dispatcher(work, [rule], batch=3).drain() == 4
    assert rule.batches == [[0, 2, 4], [6]]
    assert standing(work).lag == 0


def test_poison_among_what_does_not_concern_a_rule_is_parked_alone(work: Work) -> None:
    tell(work.database, *(held(n) for n in range(12)))
    Dispatcher(work, [Choosy(poison={6})]).drain()
    assert done(work) == subjects(0, 2, 4, 8, 10)
    assert parked(work) == [("order:6", True)]


def test_what_concerns_a_rule_not_gives_it_no_turn(work: Work) -> None:
    turns: list[str] = []
    rules = [Choosy(name="choosy"), Copying(name="all")]
    observed = Dispatcher(work, rules, poll_s=60, observe=lambda rule, turn, seconds: turns.append(rule))
    with running(Sequencer(work.database), observed):
        eventually(lambda: {"all", "choosy"} <= set(turns))
        turns.clear()
        with work.begin() as tx:
            tx.emit(held(1), held(3))
        eventually(lambda: "all" in turns)
        assert turns == ["all"]
        with work.begin() as tx:
            tx.emit(held(4))
        eventually(lambda: done(work, "choosy") == subjects(4))
    assert done(work, "all") == subjects(1, 3, 4)


def test_what_comes_while_a_rule_rests_is_one_turn(work: Work) -> None:
    rule = Resting()
    with running(Sequencer(work.database), Dispatcher(work, [rule], poll_s=60)):
        tell(work.database, held(1))
        eventually(lambda: done(work) == subjects(1))
        for n in range(2, 6):
            with work.begin() as tx:
                tx.emit(held(n))
        eventually(lambda: done(work) == subjects(1, 2, 3, 4, 5))
    assert rule.batches == [[1], [2, 3, 4, 5]]


def test_every_turn_is_observed(work: Work) -> None:
    seen: list[tuple[str, list[int]]] = []

    def observe(rule: str, turn: Turn, /, *, seconds: float) -> None:
        assert seconds >= 0
        seen.append((rule, list_orders(turn.digested)))

    tell(work.database, held(1), held(2), held(3))
    with running(Dispatcher(work, [Copying()], batch=2, observe=observe)):
        eventually(lambda: len(seen) >= 2)
    assert seen == [("copying", [1, 2]), ("copying", [3])]


def test_two_dispatchers_share_the_rules(work: Work) -> None:
    names = ["one", "two", "three"]
    dispatchers = [Dispatcher(work, [Copying(name=name) for name in names], batch=7, poll_s=0.2) for _ in "ab"]
    with running(Sequencer(work.database), *dispatchers):
        for n in range(100):
            with work.begin() as tx:
                tx.emit(held(n))
        eventually(lambda: all(len(done(work, name)) >= 100 for name in names))
    assert all(done(work, name) == subjects(*range(100)) for name in names)


def test_threads_that_lost_their_connections_go_on(work: Work, engine: Engine) -> None:
    with frail(engine) as database, running(Dispatcher(replace(work, database=database), [Copying()], poll_s=0.1)):
        tell(work.database, held(1))
        eventually(lambda: done(work) == subjects(1))
        kill_frail(engine)
        tell(work.database, held(2))
        eventually(lambda: done(work) == subjects(1, 2))
