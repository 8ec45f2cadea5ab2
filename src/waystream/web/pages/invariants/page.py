"""GET /invariants: every sentence that must always hold, whether it does, since when, and what breaks it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.parts.findings import actions as findings
from waystream.parts.findings.model import Finding
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.render import language_of, show
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.shell.vocabulary import Pill

READ = "orders:read"
STATES = {
    "holds": ("s-done", N_("holds")),
    "suspected": ("s-hold", N_("looked at again")),
    "broken": ("s-exception", N_("broken")),
    "unchecked": ("s-unknown", N_("takes too long to check")),
}

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Line:
    """`broken`: the first of what breaks it, for whoever sees every shop."""

    sentence: str
    name: str
    state: Pill
    since: Moment | None
    checked: Moment | None
    broken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InvariantsPage:
    answer: Markup
    lines: tuple[Line, ...]


@router.get("/invariants")
def show_invariants(request: Request, seat: Annotated[Seat, requires(READ)]) -> Response:
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        found, now = findings.list_findings(tx), tx.now
    everything = seat.caller.shops.ids is None and seat.caller.warehouses is None
    return show(request, "invariants/page.html", draw(language_of(request), found, now, everything=everything))


def draw(language: Language, found: list[Finding], now: datetime, *, everything: bool) -> InvariantsPage:
    return InvariantsPage(
        answer=_answer(language, found),
        lines=tuple(_line(language, each, now, everything=everything) for each in found),
    )


def _line(language: Language, each: Finding, now: datetime, *, everything: bool) -> Line:
    shape, word = STATES[each.state]
    return Line(
        sentence=each.sentence_zh if language.code == "zh" else each.sentence,
        name=each.name,
        state=Pill(shape, language.say(word)),
        since=language.when(each.since, now),
        checked=language.when(each.checked_at, now),
        broken=each.broken if everything else (),
    )


def _answer(language: Language, found: list[Finding]) -> Markup:
    broken, held = sum(each.is_broken for each in found), sum(each.state == "holds" for each in found)
    if not found:
        return language.say("Nothing was checked yet; a running Waystream checks every minute.")
    if broken:
        return language.say_n(
            "%(n)s sentence that must always hold does not: tell whoever looks after Waystream.",
            "%(n)s sentences that must always hold do not: tell whoever looks after Waystream.",
            broken,
        )
    if held < len(found):
        return language.say_n(
            "Nothing is broken; %(n)s sentence holds, the others could not be checked.",
            "Nothing is broken; %(n)s sentences hold, the others could not be checked.",
            held,
        )
    return language.say_n("%(n)s sentence must always hold, and does.",
                          "All %(n)s sentences that must always hold do.", held)  # fmt: skip
