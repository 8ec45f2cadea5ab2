"""Figures for Prometheus: what this process counted, and what the database knows of log, rules and jobs.

Guaranteed: no personal data; labels are names of rules, jobs and outcomes, never of people or parcels. Lag and queues
are asked at the scrape, so every process tells the same.
"""

from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from waystream.core.errors import Unavailable
from waystream.kernel import job_table, log, rule_cursor
from waystream.kernel.clock import Clock
from waystream.kernel.database import Database
from waystream.kernel.dispatcher import Turn
from waystream.kernel.jobs import Claimed
from waystream.kernel.samples import EDGES_MS, EDGES_PUSHES
from waystream.kernel.sampling import PushTally

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


class Figures:
    """The figures of one process. `registry` takes those of the parts above; its observers go to the machine."""

    def __init__(self, database: Database | None = None, clock: Clock | None = None) -> None:
        self.registry = CollectorRegistry()
        self._rule_seconds = Histogram(
            "waystream_rule_turn_seconds", "Turns of rules", ["rule"], registry=self.registry, buckets=SECONDS
        )
        self._rule_events = Counter(
            "waystream_rule_events", "Events that passed a rule", ["rule"], registry=self.registry
        )
        self._job_seconds = Histogram(
            "waystream_job_run_seconds", "Runs of jobs", ["kind", "outcome"], registry=self.registry, buckets=SECONDS
        )
        self._pushes = Counter(
            "waystream_pushes", "Pushes by what became of them", ["integration", "outcome"], registry=self.registry
        )
        self._commit_seconds = Histogram(
            "waystream_push_commit_seconds",
            "From a push's arrival to its commit",
            registry=self.registry,
            buckets=[edge / 1000 for edge in EDGES_MS],
        )
        self._group_pushes = Histogram(
            "waystream_push_group_size", "Pushes committed together", registry=self.registry, buckets=EDGES_PUSHES
        )
        self._effect_seconds = Histogram(
            "waystream_effect_seconds",
            "From an event's record to its effect, of the oldest event of each turn",
            ["rule"],
            registry=self.registry,
            buckets=SECONDS,
        )
        self.pushes = PushTally()
        self._clock = clock
        if database is not None:
            self.registry.register(MachineCollector(database))

    def saw_turn(self, rule: str, turn: Turn, *, seconds: float) -> None:
        """For the dispatcher: a rule had its turn."""
        self._rule_seconds.labels(rule).observe(seconds)
        self._rule_events.labels(rule).inc(turn.passed)
        if turn.digested and self._clock:
            age_s = (self._clock.now() - turn.digested[0].at).total_seconds()
            self._effect_seconds.labels(rule).observe(max(0.0, age_s))

    def saw_run(self, job: Claimed, *, seconds: float, outcome: str) -> None:
        """For the runner: a job's run ended; `outcome` is done, ready, given_up or lost."""
        self._job_seconds.labels(job.kind, outcome).observe(seconds)

    def saw_push(self, integration: str, outcome: str, *, seconds: float) -> None:
        """For the push desk: a push was answered. `outcome` is taken, again ("again later"), unsigned or unreadable;
        `seconds` is from its last byte to the answer."""
        self._pushes.labels(integration, outcome).inc()
        if outcome == "taken":
            self._commit_seconds.observe(seconds)
        self.pushes.saw_push(outcome, seconds=seconds)

    def saw_group(self, pushes: int) -> None:
        """For the door: pushes were committed together."""
        self._group_pushes.observe(pushes)
        self.pushes.saw_group(pushes)

    def render(self) -> bytes:
        """The text that Prometheus scrapes, as CONTENT_TYPE."""
        return generate_latest(self.registry)


class MachineCollector(Collector):
    """What only the database knows, asked at each scrape."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand: registering does not ask the database."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("waystream_database_up", "Whether the database answers", value=0)
        try:
            with self._database.tx(read_only=True) as conn:
                standings = rule_cursor.list_standings(conn)
                queues = job_table.list_queues(conn)
                head, unplaced = log.head(conn), log.count_unplaced(conn)
        except Unavailable:
            yield up
            return
        yield GaugeMetricFamily("waystream_database_up", up.documentation, value=1)
        yield GaugeMetricFamily("waystream_log_position", "Events placed in the log", value=head)
        yield GaugeMetricFamily("waystream_log_unplaced", "Committed events without a place", value=unplaced)
        yield from _rule_gauges(standings)
        yield from _job_gauges(queues)


def _rule_gauges(standings: list[rule_cursor.Standing]) -> Iterator[Metric]:
    lag = GaugeMetricFamily("waystream_rule_lag", "Positions a rule is behind the log", labels=["rule"])
    parked = GaugeMetricFamily("waystream_rule_parked", "Events a rule laid aside", labels=["rule", "why"])
    halted = GaugeMetricFamily("waystream_rule_halted", "1 if the rule is halted", labels=["rule"])
    for found in standings:
        lag.add_metric([found.rule], found.lag)
        parked.add_metric([found.rule, "poison"], found.poison)
        parked.add_metric([found.rule, "waiting"], found.waiting)
        halted.add_metric([found.rule], float(bool(found.halted)))
    yield from (lag, parked, halted)


def _job_gauges(queues: list[job_table.Queue]) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("waystream_jobs", "Jobs that are not done", labels=["kind", "state"])
    overdue = GaugeMetricFamily("waystream_job_overdue_seconds", "How long the oldest due job waits", labels=["kind"])
    for queue in queues:
        jobs.add_metric([queue.kind, "ready"], queue.ready)
        jobs.add_metric([queue.kind, "running"], queue.running)
        jobs.add_metric([queue.kind, "given_up"], queue.given_up)
        overdue.add_metric([queue.kind], queue.overdue_s)
    yield from (jobs, overdue)
