"""What is done about a rule: the dialog that says what will happen, and the doing of it."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Invalid, Missing
from waystream.kernel import rule_mending
from waystream.kernel.dispatcher import Rule
from waystream.kernel.rule_mending import Start
from waystream.kernel.tx import Tx
from waystream.web import asking
from waystream.web.acting import act_on_setup, parse_ids
from waystream.web.asking import Wording
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language
from waystream.web.views import AskField

WRITE = "machine:write"
POSITION_DIGITS = 18

router = APIRouter()

Name = Annotated[str, Form(max_length=100, alias="rule")]
Reason = Annotated[str, Form(min_length=1, max_length=200)]


#: These want to know from where.
STARTED = frozenset({"replay", "dry_run"})

WORDINGS: dict[str, Wording] = {
    "retry": Wording(
        N_("Try again what this rule parked?"),
        N_("Try again"),
        (
            (
                "s-later",
                N_("Events of each order and parcel are digested in order, up to the first that fails."),
            ),
            ("s-hold", N_("What fails again stays parked with its new error.")),
            ("s-done", N_("A halted rule goes on once little enough is parked.")),
        ),
    ),
    "skip": Wording(
        N_("Give up this event?"),
        N_("Give it up"),
        (
            ("s-exception", N_("The rule will never digest it: what it should have done is left undone.")),
            ("s-later", N_("Later events of the same order or parcel are tried now.")),
        ),
        reason=N_("Why may it be left undone?"),
        danger=True,
    ),
    "resume": Wording(
        N_("Let this rule go on?"),
        N_("Resume"),
        (
            ("s-hold", N_("What is parked stays parked.")),
            ("s-exception", N_("It halts again at the next event it cannot digest.")),
        ),
        reason=N_("Why does it go on?"),
    ),
    "replay": Wording(
        N_("Let this rule read the log again?"),
        N_("Replay"),
        (
            ("s-later", N_("Its cursor moves back: it digests every event from there again, in order.")),
            ("s-hold", N_("Newer events wait until it is through; other rules go on.")),
            ("s-done", N_("It looks only at what stands now, so what is right already stays as it is.")),
        ),
        reason=N_("Why is it replayed?"),
    ),
    "dry_run": Wording(
        N_("Rehearse this rule?"),
        N_("Rehearse"),
        (
            ("s-later", N_("It runs over the log from there on, and every batch is rolled back: nothing changes.")),
            ("s-hold", N_("What would follow is counted, on what stands now.")),
        ),
    ),
}


@router.get("/rules/ask")
def ask(
    request: Request,
    seat: Annotated[Seat, requires("machine:read")],
    do: str,
    rule: Annotated[str, Query(max_length=100)] = "",
    event: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """The dialog before a deed; opened over the page, or a page of its own without scripts."""
    wording = WORDINGS.get(do)
    if wording is None:
        raise Missing("There is no such action.")
    standing = act_on_setup(request, lambda tx: rule_mending.get_standing(tx, rule))
    language = language_of(request)
    start = AskField("start", language.say("From position, or from when (2026-11-12 08:00)"), str(standing.position))
    form = asking.Form(
        f"/rules/{do.replace('_', '-')}",
        f"/rules/{rule}",
        hidden=(("rule", rule), *((("event", event),) if event else ())),
        fields=(start,) if do in STARTED else (),
    )
    return show(request, "ask.html", asking.draw(language, wording, form))


@router.post("/rules/retry")
def retry_rule(request: Request, seat: Annotated[Seat, requires(WRITE)], rule: Name = "") -> Response:
    return _done(
        request,
        rule,
        lambda tx: rule_mending.ask_retry(tx, rule, actor=seat.caller.actor),
        N_("What is parked is tried again; what came of it will stand below."),
    )


@router.post("/rules/skip")
def skip_event(
    request: Request,
    seat: Annotated[Seat, requires(WRITE)],
    reason: Reason,
    event: Annotated[str, Form(max_length=20)] = "",
    rule: Name = "",
) -> Response:
    [event_id] = parse_ids([event])
    return _done(
        request,
        rule,
        lambda tx: rule_mending.give_up(tx, rule, event_id, actor=seat.caller.actor, reason=reason),
        N_("The event is given up; what waited behind it is tried now."),
    )


@router.post("/rules/resume")
def resume_rule(request: Request, seat: Annotated[Seat, requires(WRITE)], reason: Reason, rule: Name = "") -> Response:
    return _done(
        request,
        rule,
        lambda tx: rule_mending.resume(tx, rule, actor=seat.caller.actor, reason=reason),
        N_("The rule goes on."),
    )


@router.post("/rules/replay")
def replay_rule(
    request: Request,
    seat: Annotated[Seat, requires(WRITE)],
    reason: Reason,
    start: Annotated[str, Form(max_length=40)] = "",
    rule: Name = "",
) -> Response:
    known, begins = _get_rule(request, rule), read_start(start, language_of(request))
    return _done(
        request,
        rule,
        lambda tx: rule_mending.replay(tx, known, begins, actor=seat.caller.actor, reason=reason),
        N_("The rule reads the log again from there."),
    )


@router.post("/rules/dry-run")
def rehearse_rule(
    request: Request,
    seat: Annotated[Seat, requires(WRITE)],
    start: Annotated[str, Form(max_length=40)] = "",
    rule: Name = "",
) -> Response:
    known, begins = _get_rule(request, rule), read_start(start, language_of(request))
    return _done(
        request,
        rule,
        lambda tx: rule_mending.ask_dry_run(tx, known.name, begins, actor=seat.caller.actor),
        N_("The rehearsal is under way; what it counted will stand below."),
    )


def read_start(text: str, language: Language) -> Start:
    """A position, or a date with a time in the page's zone. Raises `Invalid`."""
    text = text.strip()
    if text.isascii() and text.isdigit() and 0 < len(text) <= POSITION_DIGITS:
        return Start(position=int(text))
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid("start", "say a position of the log or a time such as 2026-11-12 08:00") from None
    return Start(at=at if at.tzinfo else at.replace(tzinfo=language.zone))


def _get_rule(request: Request, name: str) -> Rule:
    rule = context_of(request).rules.get(name)
    if rule is None:
        raise Missing("There is no such rule.")
    return rule


def _done(request: Request, rule: str, deed: Callable[[Tx], object], said: str) -> Response:
    act_on_setup(request, deed)
    return go(f"/rules/{rule}", said=language_of(request).say(said))
