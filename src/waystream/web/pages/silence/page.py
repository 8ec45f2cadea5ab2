"""GET /silence: who is silent beyond its time, what slows down, how long silence may last; set the budget of alerts.

What lanes are allowed and the budget concern every shop: only who may see the machine sees them.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Query
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Invalid
from waystream.kernel.tx import Tx
from waystream.parts.silence import history, reading
from waystream.parts.silence.reading import Meaning
from waystream.parts.silence.store_reading import Counts, SlowdownRow
from waystream.web.acting import act_on_setup
from waystream.web.auth import Seat, requires
from waystream.web.charts import Line, draw_line
from waystream.web.context import context_of
from waystream.web.cursor import read_cursor, write_cursor
from waystream.web.navigation import Entry
from waystream.web.pages.silence.rows import Allowance, Silent, Slow, draw_allowed, draw_silent, draw_slow
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language
from waystream.web.views import Address

READ, MACHINE, WRITE = "tickets:read", "machine:read", "machine:write"
NAV = (Entry(16, "rail", "/silence", "clock", N_("Silence"), READ, on_phone=False),)
BUDGET_CHARS = 12
SHOWN = 50

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Budget:
    """The budget as it is or as it would be, in words; `problem` where it cannot be."""

    value: str
    is_preview: bool
    means: Markup
    source: Markup
    curve: Line | None
    may_set: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SilencePage:
    answer: Markup
    slow: tuple[Slow, ...]
    chosen: int
    silent: tuple[Silent, ...]
    first: str
    next: str
    budget: Budget | None
    allowed: tuple[Allowance, ...]


@router.get("/silence")
def show_silence(
    request: Request,
    seat: Annotated[Seat, requires(READ)],
    budget: str = "",
    slowdown: str = "",
    after: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    context = context_of(request)
    chosen = int(slowdown) if slowdown.isascii() and slowdown.isdigit() and len(slowdown) < 19 else 0
    with context.work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw(tx, seat, language_of(request), asked=budget.strip()[:BUDGET_CHARS], chosen=chosen, after=after)
    return show(request, "silence/page.html", page)


def draw(tx: Tx, seat: Seat, language: Language, *, asked: str = "", chosen: int = 0, after: str = "") -> SilencePage:
    within = seat.caller.warehouses
    counts, slow = reading.count(tx, within), reading.list_slowdowns(tx, within)
    known = chosen if chosen in {row.id for row in slow} else 0
    silent = reading.list_silent(tx, within, slowdown_id=known or None, after=read_cursor(after), limit=SHOWN + 1)
    shown, address = silent[:SHOWN], Address("/silence", {"slowdown": str(known or "")})
    everywhere = seat.caller.may(MACHINE)
    return SilencePage(
        answer=_answer(language, counts, slow),
        slow=tuple(draw_slow(language, row, now=tx.now) for row in slow),
        chosen=known,
        silent=tuple(draw_silent(language, row, now=tx.now) for row in shown),
        first=f"{address.but()}#silent" if after else "",
        next=f"{address.but(after=write_cursor(shown[-1].silent_since, shown[-1].parcel_id))}#silent"
        if len(silent) > SHOWN
        else "",
        budget=_budget(tx, seat, language, counts, asked) if everywhere else None,
        allowed=tuple(draw_allowed(language, row) for row in reading.list_allowed(tx)) if everywhere else (),
    )


def _answer(language: Language, counts: Counts, slow: list[SlowdownRow]) -> Markup:
    lasting = sum(row.ended_at is None for row in slow)
    facts = {
        "stalled": language.number(counts.stalled),
        "asked": language.number(counts.asked),
        "slowed": language.number(counts.slowed),
    }
    if lasting:
        return language.say_n(
            'Stalled: <a href="#silent">%(stalled)s</a>; <a href="#slow">%(n)s slow-down</a> holds %(slowed)s more; '
            "carriers are being asked about %(asked)s.",
            'Stalled: <a href="#silent">%(stalled)s</a>; <a href="#slow">%(n)s slow-downs</a> hold %(slowed)s more; '
            "carriers are being asked about %(asked)s.",
            lasting,
            **facts,
        )
    if counts.stalled or counts.asked:
        return language.say(
            'Stalled: <a href="#silent">%(stalled)s</a>; carriers are being asked about %(asked)s; '
            "no hub and no network is slow.",
            **facts,
        )
    under_way = language.number(counts.under_way)
    return language.say("No parcel is silent for too long; under way, each within its time: %(n)s.", n=under_way)


def _budget(tx: Tx, seat: Seat, language: Language, counts: Counts, asked: str) -> Budget:
    book, problem = reading.get_book(tx), ""
    wanted = book.budget
    try:
        wanted = _parse(asked) if asked else book.budget
        meaning = reading.preview(tx, wanted, under_way=counts.under_way)
    except Invalid as error:
        problem = error.sentence
        meaning = reading.preview(tx, book.budget, under_way=counts.under_way)
    curve = reading.list_curve(tx)
    source = (
        language.say("From %(n)s gaps between scans.", n=language.number(round(book.gaps)))
        if curve
        else language.say("There is too little history yet: a table decides.")
    )
    return Budget(
        value=asked or f"{book.budget:g}",
        is_preview=bool(asked) and not problem and wanted != book.budget,
        means=_means(language, meaning),
        source=source,
        curve=draw_line([expected for _, expected in curve]) if curve else None,
        may_set=seat.caller.may(WRITE),
        problem=problem and language.echo(problem),
    )


def _means(language: Language, meaning: Meaning) -> Markup:
    if meaning.times is None or meaning.a_day is None:
        return language.say("Without history, what it means cannot be said.")
    facts = {"a_day": language.number(meaning.a_day, 1), "times": language.number(meaning.times, 1)}
    if not meaning.kept:
        return language.say(
            "It cannot be kept: about %(a_day)s alerts a day even with the most patience there is, %(times)s times.",
            **facts,
        )
    return language.say(
        "About %(a_day)s alerts a day with the parcels now under way: overdue is what is silent for %(times)s times "
        "the usual, which is first drawn halfway to the usual of all parcels.",
        **facts,
    )


def _parse(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise Invalid("budget", "A budget is a number of alerts.") from error


@router.post("/silence/budget")
def set_budget(
    request: Request, seat: Annotated[Seat, requires(WRITE)], budget: Annotated[str, Form(max_length=BUDGET_CHARS)] = ""
) -> Response:
    wanted = _parse(budget)
    act_on_setup(request, lambda tx: history.set_budget(tx, wanted, actor=seat.caller.actor))
    return go("/silence", said=language_of(request).say("The budget is set; the due times of all parcels follow."))
