"""Rules are mended from a process that runs none of them: by rows and jobs, under the rule's lock, with an audit."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from tests.kernel.machine import AT, held, list_orders, released, rows, tell
from tests.kernel.test_dispatcher import Copying, done, parked, standing, subjects
from waystream.core.errors import Conflict, Invalid, Missing
from waystream.core.events import Event
from waystream.core.events.orders import OrderHeld, OrderReleased
from waystream.kernel import log, rule_jobs, rule_mending, rule_request
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.dispatcher import Dispatcher, Rule
from waystream.kernel.jobs import Claimed, Job, Run
from waystream.kernel.log import Recorded
from waystream.kernel.rule_mending import Start
from waystream.kernel.rule_request import Asked, Request
from waystream.kernel.runner import Runner
from waystream.kernel.tx import Tx, Work
from waystream.kernel.vault import Keys

WHO = "staff:1"


@dataclass
class Repeatable(Copying):
    REPEATABLE: bool = True


@pytest.fixture
def work(database: Database, clock: FixedClock, keys: Keys) -> Work:
    return Work(database, clock, keys)


def choking(work: Work, *poison: int) -> tuple[Repeatable, Dispatcher]:
    """A rule that reads holds and releases and chokes on these orders, with everything told digested or parked."""
    rule = Repeatable(poison=set(poison), WHEN=(OrderHeld, OrderReleased))
    dispatcher = Dispatcher(work, [rule], most_parked=3)
    dispatcher.drain()
    return rule, dispatcher


def run_jobs(work: Work, rule: Copying) -> None:
    """Another process: a runner, and a dispatcher that was never started."""
    Runner(work, rule_jobs.handlers(Dispatcher(work, [rule], most_parked=3))).drain()


def last_request(work: Work, rule: str = "copying") -> Request:
    with work.begin(read_only=True) as tx:
        return rule_mending.list_requests(tx, rule)[0]


def audited(work: Work) -> list[tuple[str, str, str]]:
    return rows(work.database, "SELECT action, subject, reason FROM audit WHERE actor = %s ORDER BY id", WHO)


def test_a_retry_is_asked_here_and_done_there(work: Work) -> None:
    tell(work.database, held(1), released(1), held(2))
    rule, _ = choking(work, 1, 2)
    asked = work.run(lambda tx: rule_mending.ask_retry(tx, "copying", actor=WHO))
    assert (asked.state, asked.wish, asked.actor) == ("asked", "retry", WHO)
    assert len(parked(work)) == 3, "asking runs nothing"

    rule.poison = {2}
    run_jobs(work, rule)
    ended = last_request(work)
    assert (ended.id, ended.state, ended.events, ended.undigested) == (asked.id, "done", 2, 1)
    assert parked(work) == [("order:2", True)]
    assert audited(work) == [("rule.retry", "rule:copying", "")]


def test_nothing_parked_is_nothing_to_retry(work: Work) -> None:
    tell(work.database, held(1))
    choking(work)
    with pytest.raises(Conflict):
        work.run(lambda tx: rule_mending.ask_retry(tx, "copying", actor=WHO))
    with pytest.raises(Missing):
        work.run(lambda tx: rule_mending.ask_retry(tx, "nobody", actor=WHO))
    assert rows(work.database, "SELECT count(*) FROM rule_request")[0] == (0,)


def test_one_event_is_given_up_and_what_waited_behind_it_is_digested(work: Work) -> None:
    tell(work.database, held(1), released(1), held(1), held(2))
    rule, _ = choking(work, 1, 2)
    with work.begin(read_only=True) as tx:
        first, second = rule_mending.list_poison(tx, "copying")
    assert (first.name, first.subject, first.waiting, second.waiting) == ("OrderHeld", "order:1", 2, 0)
    assert first.error.startswith("ZeroDivisionError at test_dispatcher.py")

    work.run(lambda tx: rule_mending.give_up(tx, "copying", first.event_id, actor=WHO, reason="seen by hand"))
    rule.poison = {2}
    run_jobs(work, rule)

    query = "SELECT action FROM audit WHERE subject = 'order:1' ORDER BY id"
    assert rows(work.database, query) == [("OrderReleased",), ("OrderHeld",)], "the first is never digested"
    assert parked(work) == [("order:2", True)], "of another subject nothing is tried"
    assert (last_request(work).wish, last_request(work).events, last_request(work).undigested) == ("skip", 2, 0)
    assert audited(work) == [("rule.skip", "rule:copying", "seen by hand")]
    [(detail,)] = rows(work.database, "SELECT detail FROM audit WHERE action = 'rule.skip'")
    assert (detail["event"], detail["name"], detail["subject"]) == (first.event_id, "OrderHeld", "order:1")


def test_only_poison_can_be_given_up(work: Work) -> None:
    tell(work.database, held(1), released(1))
    choking(work, 1)
    [(waiting,)] = rows(work.database, "SELECT event_id FROM parked WHERE error = ''")
    for event_id in (waiting, 999_999):
        with pytest.raises(Missing):
            work.run(lambda tx, e=event_id: rule_mending.give_up(tx, "copying", e, actor=WHO, reason="x"))
    assert len(parked(work)) == 2


def test_a_halted_rule_goes_on_and_halts_at_the_next_poison(work: Work) -> None:
    tell(work.database, *(held(n) for n in range(8)))
    rule, dispatcher = choking(work, 0, 1, 2, 3, 6)
    assert standing(work).halted
    work.run(lambda tx: rule_mending.resume(tx, "copying", actor=WHO, reason="4 and 5 are urgent"))
    assert not standing(work).halted
    dispatcher.drain()
    assert done(work) == subjects(4, 5)
    assert standing(work).halted, "6 was one too many again"
    rule.poison = set()
    work.run(lambda tx: rule_mending.ask_retry(tx, "copying", actor=WHO))
    run_jobs(work, rule)
    dispatcher.drain()
    assert not standing(work).halted
    assert sorted(done(work)) == subjects(*range(8))
    with pytest.raises(Conflict):
        work.run(lambda tx: rule_mending.resume(tx, "copying", actor=WHO, reason="again"))


def test_a_repeatable_rule_reads_a_stretch_again(work: Work) -> None:
    tell(work.database, held(1), held(2), held(3))
    rule, dispatcher = choking(work)
    request = work.run(lambda tx: rule_mending.replay(tx, Rule.of(rule), Start(position=2), actor=WHO, reason="mended"))
    assert (request.first, request.last, request.state) == (2, 3, "done")
    assert (standing(work).position, standing(work).lag) == (1, 2)
    tell(work.database, held(4))
    dispatcher.drain()
    assert done(work) == subjects(1, 2, 3, 2, 3, 4)


def test_a_replay_takes_back_what_was_parked_in_its_stretch(work: Work) -> None:
    tell(work.database, held(1), held(2), released(2), held(3))
    rule, dispatcher = choking(work, 1, 2)
    rule.poison = {1}
    work.run(lambda tx: rule_mending.replay(tx, Rule.of(rule), Start(position=2), actor=WHO, reason="mended"))
    assert parked(work) == [("order:1", True)], "before the stretch nothing changes"
    dispatcher.drain()
    query = "SELECT action FROM audit WHERE subject = 'order:2' ORDER BY id"
    assert rows(work.database, query) == [("OrderHeld",), ("OrderReleased",)]
    assert parked(work) == [("order:1", True)]


def test_a_rule_that_is_not_repeatable_is_only_rehearsed(work: Work) -> None:
    tell(work.database, held(1))
    rule = Copying()
    Dispatcher(work, [rule]).drain()
    with pytest.raises(Conflict):
        work.run(lambda tx: rule_mending.replay(tx, Rule.of(rule), Start(position=1), actor=WHO, reason="x"))
    assert standing(work).position == 1


@pytest.mark.parametrize("position", [0, 4, 2**62])
def test_a_replay_begins_where_the_rule_has_been(work: Work, position: int) -> None:
    tell(work.database, held(1), held(2), held(3))
    rule, _ = choking(work)
    with pytest.raises(Invalid):
        work.run(lambda tx: rule_mending.replay(tx, Rule.of(rule), Start(position=position), actor=WHO, reason="x"))


def test_a_time_is_the_first_position_from_then_on(work: Work) -> None:
    for hours in range(6):
        with work.database.tx() as conn:
            log.emit(conn, [held(hours), held(hours)], at=AT + timedelta(hours=hours))
            log.sequence(conn)
    with work.begin(read_only=True) as tx:
        found = [log.position_at(tx.conn, AT + timedelta(minutes=30 * n)) for n in range(-1, 12)]
    assert found == [1, 1, 3, 3, 5, 5, 7, 7, 9, 9, 11, 11, 13]


@dataclass
class Saying(Repeatable):
    """Emits an event and asks for a job for each of its events."""

    seen: list[int] = field(default_factory=list)

    def do(self, tx: Tx, events: Sequence[Recorded]) -> None:
        super().do(tx, events)
        for order_id in list_orders(events):
            tx.emit(released(order_id))
            tx.enqueue(Job("print", 7, str(order_id), f"order:{order_id}"))


def test_a_rehearsal_counts_and_leaves_nothing(work: Work) -> None:
    tell(work.database, *(held(n) for n in range(20)))
    rule = Saying(WHEN=(OrderHeld,))
    dispatcher = Dispatcher(work, [rule], batch=7)
    dispatcher.drain()
    rule.poison = {5, 13}
    with work.begin() as tx:
        tx.conn.execute("UPDATE job SET state = 'done'")
    before = contents(work)

    work.run(lambda tx: rule_mending.ask_dry_run(tx, "copying", Start(position=1), actor=WHO))
    Runner(work, rule_jobs.handlers(dispatcher)).drain()

    ended = last_request(work)
    assert (ended.wish, ended.state, ended.events, ended.undigested) == ("dry_run", "done", 20, 2)
    assert (ended.emitted, ended.enqueued) == (18, 18)
    assert contents(work) == before
    assert standing(work).position == 20


def contents(work: Work) -> list[object]:
    """Everything a rule of these tests writes."""
    return [
        rows(work.database, "SELECT count(*), max(id) FROM event"),
        rows(work.database, "SELECT count(*) FROM job WHERE kind = 'print'"),
        rows(work.database, "SELECT count(*) FROM audit WHERE actor = 'rule:copying'"),
        parked(work),
    ]


def test_a_rehearsal_of_a_rule_that_is_no_more_fails_aloud(work: Work) -> None:
    tell(work.database, held(1))
    choking(work)
    work.run(lambda tx: rule_mending.ask_dry_run(tx, "copying", Start(position=1), actor=WHO))
    run_jobs(work, Copying(name="another"))
    assert (last_request(work).state, last_request(work).error) == ("failed", "the job was given up")


def test_a_rule_in_motion_is_waited_for(work: Work) -> None:
    """A replay that is asked while a batch runs moves the cursor only after that batch is done."""
    tell(work.database, held(1))
    rule, dispatcher = choking(work)
    tell(work.database, held(2))
    inside, go_on = threading.Event(), threading.Event()

    def wait(tx: Tx) -> None:
        inside.set()
        assert go_on.wait(10)

    rule.first = wait
    turning = threading.Thread(target=dispatcher.drain)
    turning.start()
    assert inside.wait(10)
    asked: list[Request] = []
    asking = threading.Thread(
        target=lambda: asked.append(
            work.run(lambda tx: rule_mending.replay(tx, Rule.of(rule), Start(position=1), actor=WHO, reason="x"))
        )
    )
    asking.start()
    asking.join(0.2)
    assert not asked, "the rule is in motion"
    go_on.set()
    turning.join()
    asking.join()
    assert (asked[0].first, asked[0].last) == (1, 2)
    rule.first = lambda tx: None
    dispatcher.drain()
    assert done(work) == subjects(1, 2, 1, 2)


@dataclass
class Answering:
    """A rule that answers one kind of event with another of the same order."""

    name: str
    WHEN: tuple[type[Event], ...]
    START: str = "beginning"

    @property
    def __name__(self) -> str:
        return self.name

    def do(self, tx: Tx, events: Sequence[Recorded]) -> None:
        say = held if (OrderReleased,) == self.WHEN else released
        tx.emit(*map(say, list_orders(events)))


def test_two_rules_that_trigger_each_other_are_stopped_with_a_clear_error(work: Work) -> None:
    """The seventeenth event of the chain is never written: the rule that would is stopped, and says why."""
    tell(work.database, held(1))
    rules = [Answering("releasing", (OrderHeld,)), Answering("holding", (OrderReleased,))]
    dispatcher, sequencer = Dispatcher(work, rules), log.Sequencer(work.database)
    while dispatcher.drain():
        sequencer.drain()

    names = [name for (name,) in rows(work.database, "SELECT name FROM event ORDER BY id")]
    assert names == ["OrderHeld", "OrderReleased"] * 8 + ["OrderHeld"]
    causes = [cause for (cause,) in rows(work.database, "SELECT cause FROM event ORDER BY id")]
    assert [log.cause_depth(cause) for cause in causes] == list(range(log.DEEPEST_CAUSE + 1))
    with work.begin(read_only=True) as tx:
        [poison] = rule_mending.list_poison(tx, "releasing")
        assert not rule_mending.list_poison(tx, "holding")
    assert poison.subject == "order:1"
    assert poison.error == "EndlessCause: a chain of more than 16 events: rules feed each other"


@dataclass
class Asking(Answering):
    """A rule that asks for a job for each of its events."""

    def do(self, tx: Tx, events: Sequence[Recorded]) -> None:
        tx.enqueue(*(Job("answer", 7, f"{each.id}", each.event.subject) for each in events))


@dataclass(frozen=True)
class HoldingAgain:
    """A job whose run says what the rule that asked for it listens to."""

    kind: str = "answer"
    lease_s: float = 60
    max_attempts: int = 1
    concurrency: int = 1

    def do(self, run: Run) -> None:
        with run.work.begin() as tx:
            tx.emit(held(1))
            run.finish(tx)

    def give_up(self, tx: Tx, job: Claimed) -> None: ...


def test_a_loop_through_jobs_is_stopped_as_well(work: Work) -> None:
    """What a job says is as deep in the chain as the event that led to the job."""
    tell(work.database, held(1))
    dispatcher, runner = Dispatcher(work, [Asking("asking", (OrderHeld,))]), Runner(work, [HoldingAgain()])
    sequencer = log.Sequencer(work.database)
    while dispatcher.drain():
        runner.drain()
        sequencer.drain()
    causes = [cause for (cause,) in rows(work.database, "SELECT cause FROM event ORDER BY id")]
    assert [log.cause_depth(cause) for cause in causes] == list(range(log.DEEPEST_CAUSE + 1))
    assert {cause.partition(":")[0] for cause in causes[1:]} == {"job"}
    [(error,)] = rows(work.database, "SELECT error FROM job WHERE state = 'given_up'")
    assert error == "EndlessCause: a chain of more than 16 events: rules feed each other"


def test_wishes_that_ended_long_ago_are_pruned_and_waiting_ones_stay(work: Work) -> None:
    def ask(tx: Tx, *, days: int, done: bool) -> int:
        return rule_request.insert(tx.conn, Asked("copying", "skip", WHO, done=done), at=AT - timedelta(days=days))

    with work.begin() as tx:
        ended, waiting, young = (
            ask(tx, days=366, done=True),
            ask(tx, days=366, done=False),
            ask(tx, days=364, done=True),
        )
    runner = Runner(work, [], [rule_request.pruning()])
    assert runner.sweep("ended_rule_requests") == 1
    assert rows(work.database, "SELECT id FROM rule_request ORDER BY id") == [(waiting,), (young,)]
    assert ended not in (waiting, young)
