"""GET /replay: read kept pushes again with today's tables; GET /replay/{id}: how far it is, what differs, apply it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Invalid
from waystream.kernel.tx import Tx
from waystream.parts.orders import actions as orders
from waystream.parts.tracking import replaying
from waystream.parts.tracking.replaying import Difference, Selection
from waystream.parts.tracking.store_replay import ChangedParcel, ReplayRow
from waystream.web.acting import act_on_setup
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.forms import Filled, Form
from waystream.web.navigation import Entry
from waystream.web.pages.order.page import RowId
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.shell.vocabulary import Pill, order_pill, track_pill

READ, WRITE = "machine:read", "machine:write"
NAV = (Entry(57, "settings", "/replay", "settings", N_("Replay"), READ),)
STATES = {
    "comparing": ("s-transit", N_("Reading")),
    "compared": ("s-later", N_("To be applied")),
    "applying": ("s-transit", N_("Being applied")),
    "applied": ("s-delivered", N_("Applied")),
    "stopped": ("s-hold", N_("Stopped")),
}
SHOWN, DAYS_BEFORE = 50, 45

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Past:
    href: str
    asked: Moment | None
    what: str
    state: Pill


@dataclass(frozen=True, slots=True)
class ReplaysPage:
    answer: Markup
    since: str
    until: str
    past: tuple[Past, ...]
    may_write: bool


@dataclass(frozen=True, slots=True)
class CodeLine:
    code: str
    before: Pill
    after: Pill
    facts: str


@dataclass(frozen=True, slots=True)
class ParcelLine:
    href: str
    name: str
    before: Pill
    after: Pill
    events: str


@dataclass(frozen=True, slots=True)
class OrderLine:
    href: str
    name: str
    before: Pill
    after: Pill


@dataclass(frozen=True, slots=True)
class ReplayPage:
    id: int
    answer: Markup
    what: str
    state: Pill
    running: bool
    done: int
    of: int
    told: str
    codes: tuple[CodeLine, ...]
    parcels: tuple[ParcelLine, ...]
    orders: tuple[OrderLine, ...]
    quarantine: str
    next: str
    may_apply: bool
    may_stop: bool


@router.get("/replay")
def list_replays(request: Request, seat: Annotated[Seat, requires(READ)]) -> Response:
    language = language_of(request)
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        page = ReplaysPage(
            answer=language.say(
                "Kept pushes are read again with today’s tables; you see what would change before anything does."
            ),
            since=f"{tx.now - timedelta(days=DAYS_BEFORE):%Y-%m-%d}",
            until=f"{tx.now + timedelta(days=1):%Y-%m-%d}",
            past=tuple(_past(tx, language, row) for row in replaying.list_replays(tx)),
            may_write=seat.caller.may(WRITE),
        )
    return show(request, "replay/page.html", page)


def _past(tx: Tx, language: Language, row: ReplayRow) -> Past:
    asked = language.when(row.asked_at, tx.now)
    return Past(f"/replay/{row.id}", asked, _what(language, row), _state(language, row))


def _what(language: Language, row: ReplayRow) -> str:
    narrow = [row.carrier, row.number, row.code, str(row.parcel_id or "")]
    told = language.say("%(since)s to %(until)s", since=f"{row.since:%Y-%m-%d}", until=f"{row.until:%Y-%m-%d}")
    return " · ".join([told, *(each for each in narrow if each)])


def _state(language: Language, row: ReplayRow) -> Pill:
    shape, word = STATES[row.state]
    return Pill(shape, language.say(word))


@router.post("/replay")
def begin(request: Request, seat: Annotated[Seat, requires(WRITE)], form: Form) -> Response:
    zone = context_of(request).zone
    selection = Selection(
        since=_day(form, "since").replace(tzinfo=zone),
        until=_day(form, "until").replace(tzinfo=zone),
        carrier=form.text("carrier"),
        number=form.text("number"),
        code=form.text("code"),
        parcel_id=form.number("parcel") or None,
    )
    replay_id = act_on_setup(request, lambda tx: replaying.begin(tx, selection, actor=seat.caller.actor, by_job=True))
    return go(f"/replay/{replay_id}")


def _day(form: Filled, name: str) -> datetime:
    try:
        return datetime.strptime(form.text(name), "%Y-%m-%d")  # noqa: DTZ007 (the zone of the pages is put in)
    except ValueError:
        raise Invalid(name, "a day is written as 2026-11-11") from None


@router.get("/replay/{replay_id:int}")
def show_replay(request: Request, seat: Annotated[Seat, requires(READ)], replay_id: RowId, after: str = "") -> Response:
    position = int(after) if after.isdecimal() and len(after) < 20 else 0
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw(tx, seat, language_of(request), replay_id, position)
    return show(request, "replay/replay.html", page)


def draw(tx: Tx, seat: Seat, language: Language, replay_id: int, after: int) -> ReplayPage:
    found = replaying.look(tx, replay_id)
    changed = replaying.list_changed(tx, replay_id, after=after, limit=SHOWN + 1)
    moving = orders.foresee(tx, {row.parcel_id: (row.state, row.kind, row.direction) for row in changed})
    counts, row, may_write = found.counts, found.replay, seat.caller.may(WRITE)
    applying = row.state == "applying"
    done, of = (counts.applied, counts.parcels) if applying else (row.pushes, row.pushes_of)
    return ReplayPage(
        id=replay_id,
        answer=_answer(language, found),
        what=_what(language, row),
        state=_state(language, row),
        running=row.state in ("comparing", "applying"),
        done=min(done, of),
        of=max(1, of),
        told=language.say("%(done)s of %(of)s", done=language.number(done), of=language.number(of)),
        codes=tuple(
            CodeLine(
                each.code or language.say("by its words"),
                track_pill(language, each.state_before, each.kind_before),
                track_pill(language, each.state, each.kind),
                language.number(each.facts),
            )
            for each in found.codes
        ),
        parcels=tuple(_parcel(language, each) for each in changed[:SHOWN]),
        orders=tuple(
            OrderLine(
                f"/orders/{each.order_id}",
                str(each.order_id),
                order_pill(language, each.before),
                order_pill(language, each.after),
            )
            for each in moving
        ),
        quarantine=_quarantine(language, found),
        next=f"/replay/{replay_id}?after={changed[SHOWN - 1].parcel_id}" if len(changed) > SHOWN else "",
        may_apply=may_write and row.state == "compared" and bool(counts.parcels or counts.quarantined),
        may_stop=may_write and row.state in ("comparing", "compared", "applying"),
    )


def _parcel(language: Language, row: ChangedParcel) -> ParcelLine:
    return ParcelLine(
        f"/parcels/{row.parcel_id}",
        str(row.parcel_id),
        track_pill(language, row.state_before, row.kind_before),
        track_pill(language, row.state, row.kind),
        " · ".join(row.events),
    )


def _answer(language: Language, found: Difference) -> Markup:
    counts = found.counts
    facts = {
        "facts": language.number(counts.scans + counts.claims),
        "moved": language.number(counts.moved),
        "pushes": language.number(found.replay.pushes),
    }
    match found.replay.state:
        case "comparing":
            return language.say("Pushes are being read; facts that say something else so far: %(facts)s.", **facts)
        case "applied":
            return language.say(
                "Applied: facts with another meaning: %(facts)s, parcels that moved by it: %(moved)s.", **facts
            )
        case "applying":
            return language.say("Facts are being given another meaning: %(facts)s.", **facts)
        case "stopped":
            return language.say_n(
                "Stopped after %(n)s push; what was not applied stays as it was.",
                "Stopped after %(n)s pushes; what was not applied stays as it was.",
                found.replay.pushes,
            )
    if not counts.parcels and not counts.quarantined:
        return language.say("Nothing differs; pushes that say today what they said then: %(pushes)s.", **facts)
    return language.say(
        "Nothing is written yet: facts that would say something else: %(facts)s, parcels that would move: %(moved)s.",
        **facts,
    )


def _quarantine(language: Language, found: Difference) -> str:
    if not found.counts.quarantined and not found.counts.refused:
        return ""
    return language.say_n(
        "%(n)s quarantined push can be read now, %(still)s still cannot.",
        "%(n)s quarantined pushes can be read now, %(still)s still cannot.",
        found.counts.quarantined,
        still=language.number(found.counts.refused),
    )


@router.post("/replay/{replay_id:int}/apply")
def apply(request: Request, seat: Annotated[Seat, requires(WRITE)], replay_id: RowId) -> Response:
    act_on_setup(request, lambda tx: replaying.apply(tx, replay_id, actor=seat.caller.actor, by_job=True))
    return go(f"/replay/{replay_id}", said=language_of(request).say("It is being applied, once."))


@router.post("/replay/{replay_id:int}/stop")
def stop(request: Request, seat: Annotated[Seat, requires(WRITE)], replay_id: RowId) -> Response:
    act_on_setup(request, lambda tx: replaying.stop(tx, replay_id, actor=seat.caller.actor))
    return go(f"/replay/{replay_id}", said=language_of(request).say("The replay is stopped."))
