"""Rules over the API: where each stands, what it parked, and what can be asked of it.

Rules work on every shop's orders and parcels: the permission is the only bound. What has to run a rule is done by
whoever runs jobs; the answer is the request, whose outcome stands in the rule's `requests` later.
"""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from msgspec import Meta
from starlette.responses import Response

from waystream.core.errors import Invalid, Missing
from waystream.kernel import rule_mending
from waystream.kernel.dispatcher import Rule
from waystream.kernel.rule_cursor import Poison, Standing
from waystream.kernel.rule_mending import POISON_PAGE_MAX, Start
from waystream.kernel.rule_request import Request
from waystream.kernel.tx import Tx
from waystream.web.interface import Call, may, told
from waystream.web.wire import MAX_ID, REASON_MAX, Asked, Id, Reason, Told, see

READ, WRITE = "machine:read", "machine:write"

router = APIRouter(tags=["rules"])

Name = Annotated[str, Path(max_length=100, pattern="^[a-z0-9_]+$", description="the rule's name")]
Position = Annotated[int, Meta(ge=1, le=MAX_ID)]


class RuleView(Told, frozen=True):
    """`lag` counts positions of the log; `behind_since` is when the first of them was recorded.

    `halted` is why it does not move; `repeatable`: it can be replayed.
    """

    name: str
    sentence: str
    sentence_zh: str
    events: tuple[str, ...]
    repeatable: bool
    position: int
    lag: int
    behind_since: datetime | None
    moved_at: datetime
    poison: int
    waiting: int
    halted: str


class Rules(Told, frozen=True):
    rules: tuple[RuleView, ...]


class PoisonView(Told, frozen=True):
    """An event the rule could not digest, and how many of its subject wait behind it."""

    event_id: Id
    position: int
    name: str
    subject: str
    shop_id: Id | None
    error: str
    parked_at: datetime
    waiting: int


class RequestView(Told, frozen=True):
    """What was asked of a rule and what came of it.

    `events`: digested, or read by a dry run; `undigested`: still parked, or would be; `emitted` and `enqueued`: what a
    dry run would have said and asked for.
    """

    id: Id
    wish: Literal["retry", "skip", "resume", "replay", "dry_run"]
    first: int | None
    last: int | None
    actor: str
    reason: str
    asked_at: datetime
    state: Literal["asked", "done", "failed"]
    ended_at: datetime | None
    events: int
    undigested: int
    emitted: int
    enqueued: int
    error: str


class RuleDetail(Told, frozen=True):
    """`after` leads to the next page of `parked`; null on the last."""

    rule: RuleView
    parked: tuple[PoisonView, ...]
    after: str | None
    requests: tuple[RequestView, ...]


class SkipIn(Asked, frozen=True):
    event_id: Id
    reason: Reason


class ResumeIn(Asked, frozen=True):
    reason: Reason


class ReplayIn(Asked, frozen=True, kw_only=True):
    """From a position of the log or from a business time, one of the two; `dry_run` counts and changes nothing."""

    position: Position | None = None
    since: datetime | None = None
    dry_run: bool = False
    reason: Annotated[str, Meta(max_length=REASON_MAX, description="Why; needed unless it is a dry run")] = ""


@router.get("/rules", summary="List rules and where they stand")
@told(gives=Rules)
def list_rules(call: Annotated[Call, may(READ)]) -> Response:
    rules = call.context.rules

    def read(tx: Tx) -> Rules:
        standings = rule_mending.list_standings(tx, rules)
        return Rules(rules=tuple(_view(rules.get(standing.rule), standing) for standing in standings))

    return call.show(read, setup=True)


@router.get("/rules/{rule}", summary="Show a rule, what it parked and what was asked of it")
@told(gives=RuleDetail, errors=(404, 422))
def show_rule(
    call: Annotated[Call, may(READ)],
    rule: Name,
    after: Annotated[str, Query(max_length=20, pattern="^[0-9]*$", description="`after` of the page before")] = "",
    limit: Annotated[int, Query(ge=1, le=POISON_PAGE_MAX, description="rows of a page")] = 50,
) -> Response:
    known = call.context.rules.get(rule)

    def read(tx: Tx) -> RuleDetail:
        standing = rule_mending.get_standing(tx, rule)
        poison = rule_mending.list_poison(tx, rule, after=min(int(after or 0), MAX_ID), limit=limit)
        return RuleDetail(
            rule=_view(known, standing),
            parked=tuple(_poison(each) for each in poison),
            after=str(poison[-1].event_id) if len(poison) == limit else None,
            requests=tuple(see(RequestView, request) for request in rule_mending.list_requests(tx, rule)),
        )

    return call.show(read, setup=True)


@router.post("/rules/{rule}/retry", summary="Try again what a rule parked")
@told(gives=RequestView, errors=(404, 409, 422), status=202)
def retry_rule(call: Annotated[Call, may(WRITE)], rule: Name) -> Response:
    """Each subject in order, up to its first failure; a halted rule goes on once little enough is parked."""
    return call.do(
        lambda tx: see(RequestView, rule_mending.ask_retry(tx, rule, actor=call.actor)), status=202, setup=True
    )


@router.post("/rules/{rule}/skip", summary="Give up one parked event")
@told(takes=SkipIn, gives=RequestView, errors=(404, 422), status=202)
def skip_event(call: Annotated[Call, may(WRITE)], rule: Name) -> Response:
    """The rule never digests it; what waited behind it is tried now."""
    asked = call.read(SkipIn)

    def skip(tx: Tx) -> RequestView:
        done = rule_mending.give_up(tx, rule, int(asked.event_id), actor=call.actor, reason=asked.reason)
        return see(RequestView, done)

    return call.do(skip, status=202, setup=True)


@router.post("/rules/{rule}/resume", summary="Let a halted rule go on")
@told(takes=ResumeIn, gives=RequestView, errors=(404, 409, 422))
def resume_rule(call: Annotated[Call, may(WRITE)], rule: Name) -> Response:
    """What is parked stays aside; it halts again at the next event it cannot digest."""
    asked = call.read(ResumeIn)
    return call.do(
        lambda tx: see(RequestView, rule_mending.resume(tx, rule, actor=call.actor, reason=asked.reason)), setup=True
    )


@router.post("/rules/{rule}/replay", summary="Let a rule read the log again, or count what that would do")
@told(takes=ReplayIn, gives=RequestView, errors=(404, 409, 422), status=202)
def replay_rule(call: Annotated[Call, may(WRITE)], rule: Name) -> Response:
    """A repeatable rule reads everything from there again, newer events wait meanwhile. Any rule can be rehearsed."""
    asked = call.read(ReplayIn)
    if (asked.position is None) == (asked.since is None):
        raise Invalid("position", "give a position or a time, one of the two")
    if not asked.dry_run and not asked.reason:
        raise Invalid("reason", "a replay needs a reason")
    start = Start(asked.position, asked.since)

    def replay(tx: Tx) -> Request:
        if asked.dry_run:
            return rule_mending.ask_dry_run(tx, rule, start, actor=call.actor, reason=asked.reason)
        return rule_mending.replay(tx, _known(call, rule), start, actor=call.actor, reason=asked.reason)

    return call.do(lambda tx: see(RequestView, replay(tx)), status=202, setup=True)


def _known(call: Call, name: str) -> Rule:
    rule = call.context.rules.get(name)
    if rule is None:
        raise Missing("There is no such rule.")
    return rule


def _view(rule: Rule | None, standing: Standing) -> RuleView:
    return RuleView(
        name=standing.rule,
        sentence=rule.sentence if rule else "",
        sentence_zh=rule.sentence_zh if rule else "",
        events=tuple(sorted(rule.events)) if rule else (),
        repeatable=rule.repeatable if rule else False,
        position=standing.position,
        lag=standing.lag,
        behind_since=standing.behind_since,
        moved_at=standing.moved_at,
        poison=standing.poison,
        waiting=standing.waiting,
        halted=standing.halted,
    )


def _poison(found: Poison) -> PoisonView:
    return PoisonView(
        event_id=Id(found.event_id),
        position=found.position,
        name=found.name,
        subject=found.subject,
        shop_id=Id(found.shop_id) if found.shop_id else None,
        error=found.error,
        parked_at=found.parked_at,
        waiting=found.waiting,
    )
