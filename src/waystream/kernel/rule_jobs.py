"""The jobs that mend rules: trying again what is parked, and rehearsing a replay.

They run wherever jobs run, with a dispatcher that need not be started: the rule's lock keeps the running one still
meanwhile. The outcome is written into the row of `rule_request` in the transaction that ends the job.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from waystream.core.errors import Refused
from waystream.kernel import log, rule_cursor, rule_request
from waystream.kernel.dispatcher import Dispatcher, Rule, Undigested, digest
from waystream.kernel.jobs import Claimed, Handler, Run
from waystream.kernel.log import Recorded
from waystream.kernel.rule_mending import DRY_RUN, RETRY
from waystream.kernel.rule_request import Outcome
from waystream.kernel.tx import Tx, Work

READ_AT_ONCE = 10_000
UNDIGESTED_MOST = 100


class _Rehearsed(Exception):
    """Ends the transaction of a rehearsal, so that nothing of it stays."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class RetryRule:
    """Tries again what a rule parked: all of it, or that of one subject."""

    dispatcher: Dispatcher
    kind: str = RETRY
    lease_s: float = 600.0
    max_attempts: int = 5
    concurrency: int = 1

    def do(self, run: Run) -> None:
        rule, subject = _rule_of(self.dispatcher, run.job), str(run.job.args["subject"])
        retry = self.dispatcher.retry_subjects
        digested = retry(rule.name, [subject]) if subject else self.dispatcher.retry_parked(rule.name)

        def finish(tx: Tx) -> None:
            left = rule_cursor.count_parked(tx.conn, rule.name, subject=subject)
            rule_request.end(tx.conn, _request_of(run.job), Outcome(digested, left), at=tx.now)
            run.finish(tx)

        run.work.run(finish)

    def give_up(self, tx: Tx, job: Claimed) -> None:
        _fail(tx, job)


@dataclass(frozen=True, slots=True)
class DryRunRule:
    """Runs a rule over a stretch of the log again, batch by batch, and rolls every batch back."""

    dispatcher: Dispatcher
    kind: str = DRY_RUN
    lease_s: float = 3600.0
    max_attempts: int = 2
    concurrency: int = 1

    def do(self, run: Run) -> None:
        rule, request_id = _rule_of(self.dispatcher, run.job), _request_of(run.job)
        with run.work.begin(read_only=True) as tx:
            request = rule_request.find(tx.conn, request_id)
        if request is None or request.first is None or request.last is None:
            raise Refused("This request has no stretch to read")
        outcome = rehearse(run.work, rule, first=request.first, last=request.last, batch=self.dispatcher.batch)

        def finish(tx: Tx) -> None:
            rule_request.end(tx.conn, request_id, outcome, at=tx.now)
            run.finish(tx)

        run.work.run(finish)

    def give_up(self, tx: Tx, job: Claimed) -> None:
        _fail(tx, job)


def handlers(dispatcher: Dispatcher) -> tuple[Handler, ...]:
    return (RetryRule(dispatcher), DryRunRule(dispatcher))


def rehearse(work: Work, rule: Rule, *, first: int, last: int, batch: int) -> Outcome:
    """What the rule would do with its events from `first` to `last`, each batch on what stands now.

    It ends early at more than UNDIGESTED_MOST events it could not digest: such a replay would halt.
    """
    total, after = Outcome(), first - 1
    while after < last and total.undigested <= UNDIGESTED_MOST:
        upto = min(last, after + READ_AT_ONCE)
        with work.begin(read_only=True) as tx:
            read = log.read(tx.conn, after=after, upto=upto, limit=batch, names=rule.events)
        after = read[-1].position if len(read) == batch else upto
        total += _rehearse(work, rule, list(filter(rule.wants, read)))
    return total


def _rehearse(work: Work, rule: Rule, events: Sequence[Recorded]) -> Outcome:
    if not events:
        return Outcome()
    try:
        work.run(lambda tx: _count_and_roll_back(tx, rule, events))
    except _Rehearsed as rehearsed:
        return rehearsed.outcome
    except Undigested:
        if len(events) == 1:
            return Outcome(events=1, undigested=1)
    middle = len(events) // 2
    return _rehearse(work, rule, events[:middle]) + _rehearse(work, rule, events[middle:])


def _count_and_roll_back(tx: Tx, rule: Rule, events: Sequence[Recorded]) -> None:
    before = _newest_ids(tx)
    digest(tx, rule, events)
    after = _count_own(tx, *before)
    raise _Rehearsed(Outcome(events=len(events), emitted=after[0], enqueued=after[1]))


def _newest_ids(tx: Tx) -> tuple[int, int]:
    found = tx.conn.execute(
        "SELECT coalesce((SELECT max(id) FROM event), 0), coalesce((SELECT max(id) FROM job), 0)"
    ).fetchone()
    assert found is not None
    return int(found[0]), int(found[1])


def _count_own(tx: Tx, event_id: int, job_id: int) -> tuple[int, int]:
    """How many events and jobs newer than these this very transaction wrote: others go on writing meanwhile."""
    found = tx.conn.execute(
        """SELECT (SELECT count(*) FROM event WHERE id > %s AND xmin = pg_current_xact_id()::xid),
                  (SELECT count(*) FROM job WHERE id > %s AND xmin = pg_current_xact_id()::xid)""",
        [event_id, job_id],
    ).fetchone()
    assert found is not None
    return int(found[0]), int(found[1])


def _rule_of(dispatcher: Dispatcher, job: Claimed) -> Rule:
    rule = dispatcher.rules.get(str(job.args["rule"]))
    if rule is None:
        raise Refused("There is no such rule in this version")
    return rule


def _request_of(job: Claimed) -> int:
    return int(job.args["request"])


def _fail(tx: Tx, job: Claimed) -> None:
    rule_request.end(tx.conn, _request_of(job), Outcome(), error="the job was given up", at=tx.now)
