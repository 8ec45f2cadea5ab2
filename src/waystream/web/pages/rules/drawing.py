"""How a rule, a parked event and a request are shown. Pure but for the time of the transaction."""

from collections.abc import Mapping
from dataclasses import dataclass

from waystream.kernel.dispatcher import Rule
from waystream.kernel.rule_cursor import Poison, Standing
from waystream.kernel.rule_request import Request
from waystream.kernel.tx import Tx
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.shell.vocabulary import Pill
from waystream.web.views import Deed

LATE_S = 60


@dataclass(frozen=True, slots=True)
class Parked:
    event: str
    name: str
    subject: str
    subject_href: str
    error: str
    since: Moment | None
    waiting: str
    deed: Deed | None


@dataclass(frozen=True, slots=True)
class RequestLine:
    wish: str
    state: Pill
    said: str
    who: str
    reason: str
    asked: Moment | None


def say_sentence(language: Language, name: str, known: Rule | None) -> str:
    """The rule's own sentence; one that is no more has its name left."""
    if known is None:
        return name
    return known.sentence_zh if language.code == "zh" else known.sentence


def say_late(tx: Tx, language: Language, standing: Standing) -> str:
    since = standing.behind_since
    return language.lasting((tx.now - since).total_seconds() if since else 0)


def state_of(language: Language, standing: Standing, known: Rule | None) -> Pill:
    say = language.say
    if known is None:
        return Pill("s-cancelled", say("No more"))
    if standing.halted:
        return Pill("s-exception", say("Halted"))
    if standing.poison:
        return Pill("s-hold", say("Some parked"))
    if standing.lag:
        return Pill("s-transit", say("Catching up"))
    return Pill("s-done", say("At the end"))


def draw_parked(tx: Tx, language: Language, rule: str, poison: Poison, *, may: bool) -> Parked:
    kind, _, number = poison.subject.partition(":")
    place = {"order": "/orders/", "parcel": "/parcels/"}.get(kind, "")
    ask = f"/rules/ask?do=skip&rule={rule}&event={poison.event_id}"
    return Parked(
        event=str(poison.event_id),
        name=poison.name,
        subject=poison.subject,
        subject_href=f"{place}{number}" if place else "",
        error=poison.error,
        since=language.when(poison.parked_at, tx.now),
        waiting=language.number(poison.waiting),
        deed=Deed(language.say("Give up…"), ask) if may else None,
    )


_WISHES = {
    "retry": N_("Try again"),
    "skip": N_("Give up one event"),
    "resume": N_("Resume"),
    "replay": N_("Replay"),
    "dry_run": N_("Rehearse"),
}
_STATES = {
    "asked": ("s-later", N_("Under way")),
    "done": ("s-done", N_("Done")),
    "failed": ("s-exception", N_("Failed")),
}


def draw_request(tx: Tx, language: Language, request: Request, names: Mapping[str, str]) -> RequestLine:
    shape, word = _STATES[request.state]
    return RequestLine(
        wish=language.say(_WISHES[request.wish]),
        state=Pill(shape, language.say(word)),
        said=_say_outcome(language, request),
        who=names.get(request.actor, request.actor),
        reason=request.reason,
        asked=language.when(request.asked_at, tx.now),
    )


def _say_outcome(language: Language, request: Request) -> str:
    number = language.number
    facts = {"events": number(request.events), "left": number(request.undigested)}
    if request.state == "failed":
        return request.error
    if request.wish == "replay":
        return language.say(
            "Reads positions %(first)s to %(last)s again.", first=request.first or 0, last=request.last or 0
        )
    if request.state == "asked" or request.wish == "resume":
        return ""
    if request.wish == "dry_run":
        return language.say(
            "Read from position %(first)s on: %(events)s; would follow: events (%(emitted)s), jobs (%(enqueued)s); "
            "not digested: %(left)s.",
            first=request.first or 0,
            emitted=number(request.emitted),
            enqueued=number(request.enqueued),
            **facts,
        )
    return language.say("Digested: %(events)s; still parked: %(left)s.", **facts)
