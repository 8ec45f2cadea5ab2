"""What a person can ask of a rule: retry, give up, resume, replay, rehearse.

Guaranteed: asking is one transaction with its audit line and a row of `rule_request`, in any process; what has to run
the rule is a job of `rule_jobs`. The cursor moves only under the rule's lock, so nothing is asked of a rule in motion.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from waystream.core.errors import Conflict, Invalid, Missing
from waystream.kernel import log, rule_cursor, rule_request
from waystream.kernel.audit import Entry
from waystream.kernel.dispatcher import Rule
from waystream.kernel.jobs import Job
from waystream.kernel.rule_cursor import Poison, Standing
from waystream.kernel.rule_request import Asked, Request
from waystream.kernel.tx import Tx

RETRY, DRY_RUN = "retry_rule", "dry_run_rule"
POISON_PAGE_MAX = 200
REQUESTS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Start:
    """Where a replay begins: at a position, or at a business time."""

    position: int | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """The positions a replay reads again: `first` to `last`, which the rule has passed."""

    first: int
    last: int

    @property
    def positions(self) -> int:
        return max(0, self.last - self.first + 1)


def list_standings(tx: Tx, rules: Mapping[str, Rule]) -> list[Standing]:
    """Where every rule stands, those that ran once and are no more included."""
    known = {standing.rule: standing for standing in rule_cursor.list_standings(tx.conn)}
    head = log.head(tx.conn)
    fresh = [
        Standing(name, position=0 if rule.from_beginning else head, lag=head if rule.from_beginning else 0,
                 moved_at=tx.now, poison=0, waiting=0, halted="")
        for name, rule in rules.items() if name not in known
    ]  # fmt: skip
    return sorted([*known.values(), *fresh], key=lambda standing: standing.rule)


def get_standing(tx: Tx, name: str) -> Standing:
    """Raises `Missing`."""
    found = rule_cursor.find_standing(tx.conn, name)
    if found is None:
        raise Missing("There is no such rule.")
    return found


def list_poison(tx: Tx, name: str, *, after: int = 0, limit: int = POISON_PAGE_MAX) -> list[Poison]:
    """What the rule could not digest, each with how many of its subject wait behind it."""
    return rule_cursor.list_poison(tx.conn, name, after=after, limit=min(limit, POISON_PAGE_MAX))


def list_requests(tx: Tx, name: str, *, limit: int = REQUESTS_SHOWN) -> list[Request]:
    return rule_request.list_of_rule(tx.conn, name, limit=limit)


def ask_retry(tx: Tx, name: str, *, actor: str) -> Request:
    """Let the rule try again what it parked."""
    standing = _hold(tx, name)
    if not standing.poison + standing.waiting:
        raise Conflict("This rule has nothing parked.")

    request_id = _write(tx, Asked(name, "retry", actor))

    tx.enqueue(_job(RETRY, request_id, name))
    return _get(tx, request_id)


def give_up(tx: Tx, name: str, event_id: int, *, actor: str, reason: str) -> Request:
    """The rule shall never digest this event; those of its subject that waited behind it are tried now."""
    _hold(tx, name)
    poison = rule_cursor.find_poison(tx.conn, name, event_id)
    if poison is None:
        raise Missing("This rule has no such parked event.")

    rule_cursor.unpark(tx.conn, name, event_id)
    request_id = _write(
        tx, Asked(name, "skip", actor, reason, poison.position, poison.position),
        event=event_id, name=poison.name, subject=poison.subject, error=poison.error,
    )  # fmt: skip

    tx.enqueue(_job(RETRY, request_id, name, subject=poison.subject))
    return _get(tx, request_id)


def resume(tx: Tx, name: str, *, actor: str, reason: str) -> Request:
    """Let a halted rule go on with what is parked left aside; it halts again at the next event it cannot digest."""
    if not _hold(tx, name).halted:
        raise Conflict("This rule is not halted.")

    rule_cursor.resume(tx.conn, name)

    return _get(tx, _write(tx, Asked(name, "resume", actor, reason, done=True)))


def find_stretch(tx: Tx, name: str, start: Start) -> Stretch:
    """What a replay from there would read. Raises `Invalid` where the rule has not been, or the log is not kept."""
    standing, tail = get_standing(tx, name), log.tail(tx.conn)
    first = start.position
    if first is None:
        assert start.at is not None, "a start is a position or a time"
        first = log.position_at(tx.conn, start.at)
    if first < tail:
        raise Invalid("position", f"the log is kept from position {tail} on")
    if first > standing.position:
        raise Invalid("position", f"the rule stands at {standing.position}: there is nothing behind this to read again")
    return Stretch(first, standing.position)


def replay(tx: Tx, rule: Rule, start: Start, *, actor: str, reason: str) -> Request:
    """Move a repeatable rule's cursor back: it reads everything from there again, newer events wait meanwhile.

    What it parked in that stretch is taken back first, for it is read again in its place.
    """
    if not rule.repeatable:
        raise Conflict("This rule does not declare itself repeatable: rehearse it instead.")
    _hold(tx, rule.name)
    stretch = find_stretch(tx, rule.name, start)

    taken_back = rule_cursor.unpark_after(tx.conn, rule.name, position=stretch.first - 1)
    rule_cursor.move(tx.conn, rule.name, position=stretch.first - 1, at=tx.now)
    asked = Asked(rule.name, "replay", actor, reason, stretch.first, stretch.last, done=True)
    request_id = _write(tx, asked, positions=stretch.positions, taken_back=taken_back)

    return _get(tx, request_id)


def ask_dry_run(tx: Tx, name: str, start: Start, *, actor: str, reason: str = "") -> Request:
    """Count what a replay would do, in transactions that are rolled back. Any rule can be rehearsed."""
    stretch = find_stretch(tx, name, start)

    request_id = _write(tx, Asked(name, "dry_run", actor, reason, stretch.first, stretch.last))

    tx.enqueue(_job(DRY_RUN, request_id, name))
    return _get(tx, request_id)


def _hold(tx: Tx, name: str) -> Standing:
    """The rule's standing, while it stands still until the commit."""
    rule_cursor.wait_for_lock(tx.conn, name)
    return get_standing(tx, name)


def _write(tx: Tx, asked: Asked, **detail: str | int) -> int:
    request_id = rule_request.insert(tx.conn, asked, at=tx.now)
    tx.note(Entry(asked.actor, f"rule.{asked.wish}", f"rule:{asked.rule}", reason=asked.reason, detail=detail))
    return request_id


def _job(kind: str, request_id: int, rule: str, *, subject: str = "") -> Job:
    args: dict[str, str | int] = {"request": request_id, "rule": rule, "subject": subject}
    return Job(kind, shop_id=0, key=str(request_id), subject=f"rule:{rule}", args=args)


def _get(tx: Tx, request_id: int) -> Request:
    found = rule_request.find(tx.conn, request_id)
    assert found is not None
    return found
