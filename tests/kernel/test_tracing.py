"""What a real collector receives: one trace from a push to its jobs, and the same figures as Prometheus."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from tests.kernel.collector import Collector, Span, collecting
from tests.kernel.machine import AT, held, rows
from waystream.core.errors import Refused
from waystream.core.events import Event
from waystream.core.events.orders import OrderHeld, OrderReleased
from waystream.kernel import log, otlp_metrics, tracing
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.dispatcher import Dispatcher, Turn
from waystream.kernel.figures import Figures
from waystream.kernel.jobs import Claimed, Job, Run
from waystream.kernel.log import Recorded
from waystream.kernel.observers import Observers
from waystream.kernel.origins import find_origins
from waystream.kernel.runner import Runner
from waystream.kernel.tracing import Tracing
from waystream.kernel.tx import Tx, Work
from waystream.kernel.vault import Keys


@pytest.fixture
def work(database: Database, clock: FixedClock, keys: Keys) -> Work:
    return Work(database, clock, keys)


@dataclass
class Asking:
    """A rule that asks for a job."""

    name: str = "asking"
    WHEN: tuple[type[Event], ...] = (OrderHeld,)
    START: str = "beginning"

    @property
    def __name__(self) -> str:
        return self.name

    def do(self, tx: Tx, events: Sequence[Recorded]) -> None:
        tx.enqueue(*(Job("call", 7, f"{told.id}", told.event.subject) for told in events))


@dataclass
class Ending(Asking):
    """A rule that ends the story."""

    name: str = "ending"
    WHEN: tuple[type[Event], ...] = (OrderReleased,)

    def do(self, tx: Tx, events: Sequence[Recorded]) -> None: ...


@dataclass
class Calling:
    """A job that says something once it is done."""

    kind: str = "call"
    lease_s: float = 60
    max_attempts: int = 1
    concurrency: int = 1
    refuses: set[str] = field(default_factory=set)

    def do(self, run: Run) -> None:
        if run.job.subject in self.refuses:
            raise Refused("no")
        with run.work.begin() as tx:
            tx.emit(OrderReleased(shop_id=7, order_id=int(run.job.subject.partition(":")[2])))
            run.finish(tx)

    def give_up(self, tx: Tx, job: Claimed) -> None: ...


def open_tracing(work: Work, collector: Collector, *, sampled: float = 1.0) -> Tracing:
    resource = tracing.describe_process({"rules", "jobs"})
    return tracing.open_tracing(work, endpoint=collector.address, sampled=sampled, resource=resource)


def live(work: Work, traces: Tracing) -> None:
    """Two pushes hold an order each; the rule asks for a job each, of which one is refused."""
    observers = Observers(Figures(), traces)
    for inbox_id in (101, 102):
        observers.saw_push("kdniao", "taken", seconds=0.02, inbox_id=inbox_id)
    observers.saw_push("kdniao", "unsigned", seconds=0.0, inbox_id=None)
    observers.saw_commit([101, 102], seconds=0.01)
    with work.begin() as tx:
        log.emit_each(tx.conn, [(held(n), f"inbox:{n}") for n in (101, 102)], at=AT)
    dispatcher = Dispatcher(work, [Asking(), Ending()], observe=observers.saw_turn, poll_s=0.05)
    runner = Runner(work, [Calling(refuses={"order:102"})], observe=observers.saw_run)
    for _ in range(2):
        work.database.run(log.sequence)
        observe_turns(dispatcher, observers)
        runner.drain()


def observe_turns(dispatcher: Dispatcher, observers: Observers) -> None:
    """One turn of each rule, in this thread, observed as its threads are."""
    dispatcher._register()
    for rule in dispatcher.rules.values():
        observers.saw_turn(rule.name, dispatcher._digest(rule, 500), seconds=0.005)


def of_trace(spans: Sequence[Span], origin: str) -> list[Span]:
    return [span for span in spans if span.said["waystream.origin"] == origin]


def test_one_trace_leads_from_a_push_to_everything_it_caused(work: Work) -> None:
    with collecting() as collector:
        traces = open_tracing(work, collector)
        live(work, traces)
        traces.stop()
    story, other = of_trace(collector.spans, "inbox:101"), of_trace(collector.spans, "inbox:102")
    assert [span.name for span in story] == ["push", "commit", "rule asking", "job call", "rule ending"]
    assert [span.name for span in other] == ["push", "commit", "rule asking", "job call"]
    assert len(collector.spans) == 9, "what was not signed has no trace"
    for spans in (story, other):
        root, *below = spans
        assert {span.trace for span in spans} == {root.trace}
        assert (root.parent, {span.parent for span in below}) == ("", {root.id})
        assert len({span.id for span in spans}) == len(spans)
    assert story[0].trace != other[0].trace
    assert (story[3].said["waystream.outcome"], other[3].said["waystream.outcome"]) == ("done", "given_up")
    assert (story[3].failed, other[3].failed) == (False, True)
    assert (story[0].took_ns, story[1].said["waystream.pushes"]) == (20_000_000, 2)
    ((first, second),) = [[event_id for (event_id,) in rows(work.database, "SELECT id FROM event ORDER BY id LIMIT 2")]]
    assert [spans[2].said["waystream.because"] for spans in (story, other)] == [f"event:{first}", f"event:{second}"]
    assert collector.resources[0]["service.name"] == "waystream"
    assert collector.resources[0]["waystream.roles"] == "jobs,rules"


def test_the_same_share_is_kept_everywhere(work: Work) -> None:
    """Two processes that never spoke keep the same traces."""
    kept = []
    for seconds in (0.1, 0.2):
        with collecting() as collector:
            traces = open_tracing(work, collector, sampled=0.25)
            for inbox_id in range(400):
                traces.saw_push(inbox_id, "kdniao", "taken", seconds=seconds)
            traces.stop()
        kept.append({span.trace for span in collector.spans})
    assert kept[0] == kept[1]
    assert 50 < len(kept[0]) < 150
    with collecting() as collector:
        traces = open_tracing(work, collector, sampled=0.0)
        traces.saw_push(1, "kdniao", "taken", seconds=0.1)
        traces.stop()
    assert not collector.raw


def test_origins_are_found_through_events_batches_and_jobs(work: Work) -> None:
    with work.begin() as tx:
        log.emit_each(tx.conn, [(held(1), "inbox:9"), (held(2), "")], at=AT)
        log.sequence(tx.conn)
        pushed, told = log.read(tx.conn, after=0, limit=2)
        log.emit_each(tx.conn, [(held(3), f"log:{pushed.position}-{told.position}/1")], at=AT)
        log.sequence(tx.conn)
        batched = log.read(tx.conn, after=2, limit=1)[0]
        found = find_origins(
            tx.conn, ["inbox:9", pushed.as_cause, told.as_cause, batched.as_cause, "event:999999/3", "decision:4", ""]
        )
    assert found == {
        "inbox:9": "inbox:9",
        pushed.as_cause: "inbox:9",
        told.as_cause: f"event:{told.id}",
        batched.as_cause: "inbox:9",
        "event:999999/3": "event:999999",
        "decision:4": "decision:4",
    }


def test_a_collector_that_is_away_costs_the_machine_nothing(work: Work) -> None:
    with collecting() as collector:
        pass
    traces = open_tracing(work, collector)
    live(work, traces)
    assert rows(work.database, "SELECT count(*) FROM job WHERE state = 'done'") == [(1,)]
    traces._processor.force_flush(1)


def test_the_figures_of_the_registry_are_sent_as_they_are(database: Database) -> None:
    figures = Figures(database)
    figures.saw_turn("asking", Turn(passed=500), seconds=0.02)
    figures.saw_push("kdniao", "taken", seconds=0.004)
    figures.saw_group(7)
    with collecting() as collector:
        resource = tracing.describe_process({"push"})
        sender = otlp_metrics.open_sender(figures.registry, endpoint=collector.address, resource=resource, every_s=60)
        sender.start()
        sender.stop()
    [told] = collector.metrics
    kind, [(labels, passed)] = told["waystream_rule_events"]
    assert (kind, labels, passed.as_double) == ("sum", {"rule": "asking"}, 500.0)
    kind, [(labels, up)] = told["waystream_database_up"]
    assert (kind, labels, up.as_double) == ("gauge", {}, 1.0)
    kind, [(_, groups)] = told["waystream_push_group_size"]
    assert (kind, groups.count, groups.sum) == ("histogram", 1, 7.0)
    assert list(groups.explicit_bounds) == [1, 2, 5, 10, 20, 50, 100, 200, 500]
    assert list(groups.bucket_counts) == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]


def test_without_a_collector_nothing_of_it_is_imported() -> None:
    code = "import sys, waystream.app, waystream.server; print('opentelemetry.sdk' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout == "False\n"
