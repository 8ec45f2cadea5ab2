"""GET /machine: whether everything flows, in one sentence; then lag, queues, groups, codes, carriers, engines, disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.kernel.samples import EDGES_MS, EDGES_PUSHES, add_up, quantile
from waystream.parts.hub.hearing import Hearing
from waystream.web.acting import act_on_setup
from waystream.web.auth import Seat, requires
from waystream.web.charts import Bar, Line, draw_bars, draw_line
from waystream.web.context import context_of
from waystream.web.navigation import Entry
from waystream.web.pages.machine.gathering import LOOKED_BACK, Machine, gather
from waystream.web.render import language_of, show
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.shell.vocabulary import Pill, carrier_name

READ = "machine:read"
NAV = (Entry(50, "settings", "/machine", "settings", N_("System"), READ),)
STEP = timedelta(minutes=1)
LATE_S = 60.0
GIB = 1024**3
LITTLE_FREE_BYTES = 5 * GIB

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure with how it went in the last hour; `now` is what it is at this moment."""

    title: str
    now: str
    unit: str
    below: str
    href: str
    line: Line | None
    bad: bool = False


@dataclass(frozen=True, slots=True)
class CarrierLine:
    name: str
    aggregator: str
    state: Pill
    silent: str
    usual: str
    moving: str
    last: Moment | None


@dataclass(frozen=True, slots=True)
class CodeLine:
    code: str
    carrier: str
    source: str
    seen: str
    last: Moment | None


@dataclass(frozen=True, slots=True)
class MachinePage:
    answer: Markup
    aside: Markup | str
    charts: tuple[Chart, ...]
    groups: tuple[Bar, ...]
    carriers: tuple[CarrierLine, ...]
    codes: tuple[CodeLine, ...]
    engines: tuple[tuple[str, str], ...]
    size: str
    free: str
    little_free: bool


@router.get("/machine")
def show_machine(request: Request, seat: Annotated[Seat, requires(READ)]) -> Response:
    context = context_of(request)
    machine = act_on_setup(request, lambda tx: gather(tx, context.rules, context.data_folder))
    return show(request, "machine/page.html", draw(language_of(request), machine), live="machine")


def draw(language: Language, machine: Machine) -> MachinePage:
    groups = (*(str(edge) for edge in EDGES_PUSHES), f"> {EDGES_PUSHES[-1]}")
    counts = [(name, count, language.number(count)) for name, count in zip(groups, machine.groups, strict=True)]
    free = machine.free_bytes
    return MachinePage(
        answer=say_machine(language, machine),
        aside=_aside(language, machine),
        charts=_charts(language, machine),
        groups=draw_bars(counts),
        carriers=tuple(_carrier(language, each, machine.at) for each in machine.heard),
        codes=tuple(
            CodeLine(each.code, carrier_name(language, each.carrier), each.source, language.number(each.seen),
                     language.when(each.last_at, machine.at))
            for each in machine.codes
        ),
        engines=tuple(machine.engines.items()),
        size=language.number(machine.size_bytes / GIB, 2),
        free=language.number(free / GIB, 1) if free is not None else "",
        little_free=free is not None and free < LITTLE_FREE_BYTES,
    )  # fmt: skip


def say_machine(language: Language, machine: Machine) -> Markup:
    """The gravest thing first; where nothing is wrong, how quick it is. One whole sentence per case."""
    slowest, overdue = machine.slowest, machine.overdue
    if machine.halted:
        return language.say_n(
            '<a href="/rules">%(n)s rule is halted</a> and waits for a person; everything else goes on.',
            '<a href="/rules">%(n)s rules are halted</a> and wait for a person; everything else goes on.',
            len(machine.halted),
        )
    if machine.unplaced_s > LATE_S:
        return language.say_n(
            "Nobody places events: %(n)s waits, the oldest for %(late)s. Is a process with the role rules running?",
            "Nobody places events: %(n)s wait, the oldest for %(late)s. Is a process with the role rules running?",
            machine.unplaced,
            late=language.lasting(machine.unplaced_s),
        )
    if slowest is not None and _late_s(machine, slowest.behind_since) > LATE_S:
        return language.say_n(
            'Pushes are taken, but <a href="/rules">a rule is %(n)s event behind</a>, by %(late)s.',
            'Pushes are taken, but <a href="/rules">a rule is %(n)s events behind</a>, by %(late)s.',
            slowest.lag,
            late=language.lasting(_late_s(machine, slowest.behind_since)),
        )
    if overdue is not None and overdue.overdue_s > LATE_S:
        return language.say(
            'Pushes and rules flow, but <a href="/jobs">jobs wait</a>, the oldest for %(late)s.',
            late=language.lasting(overdue.overdue_s),
        )
    return _say_well(language, machine)


def _say_well(language: Language, machine: Machine) -> Markup:
    within = machine.commit_ms
    if machine.poison:
        return language.say_n(
            'Everything flows but <a href="/rules">%(n)s parked event</a>, which waits for a person.',
            'Everything flows but <a href="/rules">%(n)s parked events</a>, which wait for a person.',
            machine.poison,
        )
    if machine.quiet:
        return language.say_n(
            '<a href="#carriers">%(n)s carrier is silent</a> for longer than usual; everything else flows.',
            '<a href="#carriers">%(n)s carriers are silent</a> for longer than usual; everything else flows.',
            len(machine.quiet),
        )
    if within is None:
        return language.say("No push came in the last five minutes; nothing waits.")
    return language.say("Pushes are applied within %(ms)s ms; nothing waits.", ms=language.number(within))


def _late_s(machine: Machine, since: datetime | None) -> float:
    return (machine.at - since).total_seconds() if since else 0.0


def _aside(language: Language, machine: Machine) -> Markup | str:
    refused = sum(each.refused for each in machine.recent)
    if refused:
        return language.say_n(
            "%(n)s push was refused in the last five minutes.",
            "%(n)s pushes were refused in the last five minutes.",
            refused,
        )
    if machine.codes:
        return language.say_n(
            '<a href="#codes">%(n)s code</a> has no meaning here yet.',
            '<a href="#codes">%(n)s codes</a> have no meaning here yet.',
            len(machine.codes),
        )
    return ""


def _charts(language: Language, machine: Machine) -> tuple[Chart, ...]:
    say, number = language.say, language.number
    lags = [max((rule.lag for rule in each.value.rules), default=0) for each in machine.database]
    unplaced = [each.value.unplaced for each in machine.database]
    ready = [sum(queue.ready for queue in each.value.queues) for each in machine.database]
    taken = _by_minute(machine, "taken")
    refused = _by_minute(machine, "refused")
    slowest, waiting = machine.slowest, sum(queue.ready for queue in machine.queues)
    given_up = sum(queue.given_up for queue in machine.queues)
    within = machine.commit_ms
    return (
        Chart(say("Commit within"), number(within) if within is not None else "–", "ms" if within is not None else "",
              say("99 of 100 pushes, last five minutes"), "", draw_line(_commit_by_minute(machine)),
              bad=(within or 0) > 1000),
        Chart(say("Pushes"), number(taken[-1] if taken else 0), say("a minute"), say("in the last minute"), "",
              draw_line(taken)),
        Chart(say("Refused"), number(sum(refused)), say("pushes"), say("unsigned, or told to come later"), "",
              draw_line(refused), bad=bool(sum(each.refused for each in machine.recent))),
        Chart(say("To be placed"), number(machine.unplaced), say("events"), say("wait for the sequencer"), "",
              draw_line(unplaced), bad=machine.unplaced_s > LATE_S),
        Chart(say("Slowest rule"), number(slowest.lag if slowest else 0), say("events behind"),
              say("%(n)s parked", n=number(machine.poison)), "/rules", draw_line(lags),
              bad=bool(machine.halted or machine.poison)),
        Chart(say("Jobs"), number(waiting), say("waiting"), say("%(n)s given up", n=number(given_up)), "/jobs",
              draw_line(ready), bad=bool(given_up)),
    )  # fmt: skip


def _by_minute(machine: Machine, name: str) -> list[int]:
    """The sums of a count of all processes' samples, minute by minute, the last one ending now."""
    slots = [0] * int(LOOKED_BACK / STEP)
    for each in machine.pushes:
        ago = int((machine.machine_at - each.at) / STEP)
        if 0 <= ago < len(slots):
            slots[-1 - ago] += getattr(each.value, name)
    return slots


def _commit_by_minute(machine: Machine) -> list[float]:
    """Within how many milliseconds 99 of 100 pushes of each minute were committed; minutes without a push left out."""
    slots: list[list[Sequence[int]]] = [[] for _ in range(int(LOOKED_BACK / STEP))]
    for each in machine.pushes:
        ago = int((machine.machine_at - each.at) / STEP)
        if 0 <= ago < len(slots):
            slots[-1 - ago].append(each.value.commit_ms)
    found = [quantile(add_up(slot, EDGES_MS), EDGES_MS, 0.99) for slot in slots]
    return [float(within) for within in found if within is not None]


def _carrier(language: Language, heard: Hearing, now: datetime) -> CarrierLine:
    say = language.say
    quiet = Pill("s-exception", say("Quiet")) if heard.is_quiet(now) else Pill("s-done", say("Heard"))
    return CarrierLine(
        name=carrier_name(language, heard.carrier),
        aggregator=heard.aggregator,
        state=quiet if heard.moving else Pill("s-later", say("Nothing on its way")),
        silent=language.lasting(heard.silent_s(now)),
        usual=language.lasting(heard.usual_s) if heard.usual_s is not None else say("not known yet"),
        moving=language.number(heard.moving),
        last=language.when(heard.last_at, now),
    )
