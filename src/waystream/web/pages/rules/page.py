"""GET /rules and /rules/{rule}: each rule by its sentence, where it stands, what it parked, what was asked of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.kernel import rule_mending, samples
from waystream.kernel.dispatcher import Rule
from waystream.kernel.rule_cursor import Poison, Standing
from waystream.kernel.tx import Tx
from waystream.parts.people import actions as people
from waystream.web.acting import act_on_setup
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.navigation import Entry
from waystream.web.pages.rules import deeds, drawing
from waystream.web.pages.rules.drawing import Parked, RequestLine
from waystream.web.render import language_of, show
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.shell.vocabulary import Pill
from waystream.web.views import Deed

READ, WRITE = "machine:read", "machine:write"
NAV = (Entry(60, "settings", "/rules", "settings", N_("Rules"), READ),)
SHOWN = 50
RATE_OVER = timedelta(minutes=2)
MAX_ID = 2**63 - 1

router = APIRouter()
router.include_router(deeds.router)


@dataclass(frozen=True, slots=True)
class RuleLine:
    name: str
    href: str
    sentence: str
    state: Pill
    behind: str
    late: str
    rate: str
    parked: str
    waiting: str
    moved: Moment | None


@dataclass(frozen=True, slots=True)
class RulesPage:
    answer: Markup
    aside: Markup | str
    lines: tuple[RuleLine, ...]


@dataclass(frozen=True, slots=True)
class RulePage:
    title: str
    answer: Markup
    aside: Markup | str
    line: RuleLine
    position: str
    events: tuple[str, ...]
    repeatable: bool
    parked: tuple[Parked, ...]
    next: str
    requests: tuple[RequestLine, ...]
    deeds: tuple[Deed, ...]


@router.get("/rules")
def list_rules(request: Request, seat: Annotated[Seat, requires(READ)]) -> Response:
    rules, language = context_of(request).rules, language_of(request)
    page = act_on_setup(request, lambda tx: draw(tx, language, rules))
    return show(request, "rules/page.html", page, live="machine")


@router.get("/rules/{rule}")
def show_rule(
    request: Request,
    seat: Annotated[Seat, requires(READ)],
    rule: Annotated[str, Path(max_length=100)],
    after: Annotated[str, Query(max_length=19)] = "",
) -> Response:
    known, language = context_of(request).rules.get(rule), language_of(request)
    position = min(int(after), MAX_ID) if after.isdecimal() else 0
    page = act_on_setup(request, lambda tx: draw_rule(tx, seat, language, name=rule, known=known, after=position))
    return show(request, "rules/rule.html", page, live="machine")


def draw(tx: Tx, language: Language, rules: Mapping[str, Rule]) -> RulesPage:
    standings = rule_mending.list_standings(tx, rules)
    rates = read_rates(tx)
    return RulesPage(
        answer=_answer(tx, language, standings),
        aside=_aside(language, standings),
        lines=tuple(_line(tx, language, each, rules.get(each.rule), rates) for each in sorted(standings, key=_grave)),
    )


def _grave(standing: Standing) -> tuple[bool, int, str]:
    """Halted first, then what has most parked, then by name."""
    return not standing.halted, -standing.poison, standing.rule


def draw_rule(tx: Tx, seat: Seat, language: Language, *, name: str, known: Rule | None, after: int) -> RulePage:
    standing = rule_mending.get_standing(tx, name)
    poison = rule_mending.list_poison(tx, name, after=after, limit=SHOWN + 1)
    shown, may = poison[:SHOWN], seat.caller.may(WRITE)
    names = {f"staff:{staff.id}": staff.name for staff in people.list_staff(tx)}
    return RulePage(
        title=drawing.say_sentence(language, name, known),
        answer=_answer_one(tx, language, standing),
        aside=_aside(language, [standing]),
        line=_line(tx, language, standing, known, read_rates(tx)),
        position=language.number(standing.position),
        events=tuple(sorted(known.events)) if known else (),
        repeatable=known.repeatable if known else False,
        parked=tuple(drawing.draw_parked(tx, language, name, each, may=may) for each in shown),
        next=f"/rules/{name}?after={shown[-1].event_id}" if len(poison) > SHOWN else "",
        requests=tuple(
            drawing.draw_request(tx, language, each, names) for each in rule_mending.list_requests(tx, name)
        ),
        deeds=_deeds(language, standing, known, poison) if may else (),
    )


def read_rates(tx: Tx) -> dict[str, float]:
    """Positions a second of every rule over the last minutes, from the machine's samples."""
    taken = samples.list_database(tx.conn, within=RATE_OVER)
    if len(taken) < 2:
        return {}
    first, last = taken[0], taken[-1]
    seconds = (last.at - first.at).total_seconds()
    before = {each.rule: each.position for each in first.value.rules}
    return {
        each.rule: max(0, each.position - before.get(each.rule, each.position)) / seconds for each in last.value.rules
    }


def _answer(tx: Tx, language: Language, standings: Sequence[Standing]) -> Markup:
    """The gravest thing first: one whole sentence per case."""
    halted = [each for each in standings if each.halted]
    poison = sum(each.poison for each in standings)
    behind = max(standings, key=lambda each: each.lag, default=None)
    if halted:
        return language.say_n(
            '<a href="/rules/%(rule)s">%(n)s rule is halted</a> and waits for a person; all others go on.',
            '<a href="/rules/%(rule)s">%(n)s rules are halted</a> and wait for a person; all others go on.',
            len(halted),
            rule=halted[0].rule,
        )
    if poison:
        rule = max(standings, key=lambda each: each.poison).rule
        return language.say_n(
            '<a href="/rules/%(rule)s">%(n)s event could not be digested</a> and is parked; everything else goes on.',
            '<a href="/rules/%(rule)s">%(n)s events could not be digested</a> and are parked; everything else goes on.',
            poison,
            rule=rule,
        )
    if behind is None or not behind.lag:
        return language.say("Every rule is at the end of the log; nothing is parked.")
    return language.say_n(
        'The slowest rule is <a href="/rules/%(rule)s">%(n)s event behind</a>, by %(late)s; nothing is parked.',
        'The slowest rule is <a href="/rules/%(rule)s">%(n)s events behind</a>, by %(late)s; nothing is parked.',
        behind.lag,
        rule=behind.rule,
        late=drawing.say_late(tx, language, behind),
    )


def _answer_one(tx: Tx, language: Language, standing: Standing) -> Markup:
    if standing.halted:
        return language.say_n(
            "This rule is halted: %(n)s event could not be digested.",
            "This rule is halted: %(n)s events could not be digested.",
            standing.poison,
        )
    if standing.poison:
        return language.say_n(
            "This rule goes on, but %(n)s event could not be digested and is parked.",
            "This rule goes on, but %(n)s events could not be digested and are parked.",
            standing.poison,
        )
    if standing.lag:
        return language.say_n(
            "This rule is %(n)s event behind, by %(late)s.",
            "This rule is %(n)s events behind, by %(late)s.",
            standing.lag,
            late=drawing.say_late(tx, language, standing),
        )
    return language.say("This rule is at the end of the log; nothing is parked.")


def _aside(language: Language, standings: Sequence[Standing]) -> Markup | str:
    waiting = sum(each.waiting for each in standings)
    if not waiting:
        return ""
    return language.say_n(
        "%(n)s later event of the same orders and parcels waits behind them.",
        "%(n)s later events of the same orders and parcels wait behind them.",
        waiting,
    )


def _line(tx: Tx, language: Language, standing: Standing, known: Rule | None, rates: Mapping[str, float]) -> RuleLine:
    rate = rates.get(standing.rule)
    return RuleLine(
        name=standing.rule,
        href=f"/rules/{standing.rule}",
        sentence=drawing.say_sentence(language, standing.rule, known),
        state=drawing.state_of(language, standing, known),
        behind=language.number(standing.lag),
        late=drawing.say_late(tx, language, standing) if standing.lag else "–",
        rate=language.number(rate, 1 if rate < 10 else 0) if rate is not None else "–",
        parked=language.number(standing.poison),
        waiting=language.number(standing.waiting),
        moved=language.when(standing.moved_at, tx.now),
    )


def _deeds(language: Language, standing: Standing, known: Rule | None, poison: Sequence[Poison]) -> tuple[Deed, ...]:
    say, ask = language.say, f"/rules/ask?rule={standing.rule}"
    wanted = (
        Deed(say("Try again…"), f"{ask}&do=retry") if poison else None,
        Deed(say("Resume…"), f"{ask}&do=resume") if standing.halted else None,
        Deed(say("Rehearse…"), f"{ask}&do=dry_run") if known else None,
        Deed(say("Replay…"), f"{ask}&do=replay") if known and known.repeatable else None,
    )
    return tuple(deed for deed in wanted if deed)
