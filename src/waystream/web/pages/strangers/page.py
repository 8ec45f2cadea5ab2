"""GET /strangers: what carriers told that found no parcel or no meaning; kept whole until it does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Conflict, Invalid, Missing, Unreadable
from waystream.kernel.ids import mint_ids
from waystream.kernel.tx import Tx
from waystream.parts.tracking import actions as tracking
from waystream.parts.tracking import reading
from waystream.web.acting import act_on_setup
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.cursor import read_scan_cursor, write_scan_cursor
from waystream.web.forms import Form
from waystream.web.navigation import Entry
from waystream.web.pages.order.page import RowId
from waystream.web.reach import reach_unread
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.shell.vocabulary import carrier_name
from waystream.web.views import Tab

READ, WRITE = "parcels:read", "parcels:write"
NAV = (Entry(50, "rail", "/strangers", "scan", N_("Strangers"), READ, on_phone=False),)
SHOWN = 50
VIEWS = {
    "": N_("Strangers"),
    "quarantine": N_("Quarantine"),
    "lines": N_("Unreadable lines"),
    "codes": N_("Unknown codes"),
    "disputed": N_("Disputed scans"),
    "clocks": N_("Wrong clocks"),
}

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Line:
    """A row of any of the lists: what it is, of whom, how often, since when and until when, and what can be done."""

    name: str
    of: str
    count: str
    first: Moment | None
    last: Moment | None
    deed: str = ""
    value: str = ""
    href: str = ""
    text: str = ""
    why: str = ""
    position: str = ""


@dataclass(frozen=True, slots=True)
class StrangersPage:
    answer: Markup
    view: str
    tabs: tuple[Tab, ...]
    lines: tuple[Line, ...]
    first: str
    next: str
    may_write: bool


@router.get("/strangers")
def list_strangers(
    request: Request, seat: Annotated[Seat, requires(READ)], view: str = "", before: str = ""
) -> Response:
    language = language_of(request)
    view = view if view in VIEWS else ""
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw(tx, seat, language, view, before)
    return show(request, "strangers/page.html", page, live="overview")


def draw(tx: Tx, seat: Seat, language: Language, view: str, before: str) -> StrangersPage:
    lines = _LISTS[view](tx, seat, language, before)
    tabs = tuple(
        Tab(language.say(label), f"/strangers?view={name}" if name else "/strangers", name == view)
        for name, label in VIEWS.items()
    )
    more = len(lines) > SHOWN and view in PAGED
    return StrangersPage(
        answer=_answer(tx, seat, language),
        view=view,
        tabs=tabs,
        lines=tuple(lines[:SHOWN]),
        first=(f"/strangers?view={view}" if view else "/strangers") if before else "",
        next=f"/strangers?view={view}&before={lines[SHOWN - 1].position}" if more else "",
        may_write=seat.caller.may(WRITE),
    )


def _answer(tx: Tx, seat: Seat, language: Language) -> Markup:
    strangers = len(reading.list_strangers(tx, limit=200))
    unread = len(reading.list_quarantine(tx, limit=200))
    lines = len(reading.list_unread(tx, warehouse_ids=seat.caller.warehouses, limit=200))
    codes = len(reading.list_unknown_codes(tx))
    if not strangers and not unread and not lines and not codes:
        return language.say("Everything the carriers told has found its parcel.")
    say_n = language.say_n
    nobodys = say_n("%(n)s waybill is nobody’s", "%(n)s waybills are nobody’s", strangers)
    if not unread and not lines and not codes:
        return language.say("%(nobodys)s; bound waybills find their parcel by themselves.", nobodys=nobodys)
    said = {
        "nobodys": nobodys,
        "pushes": say_n("%(n)s push could not be read", "%(n)s pushes could not be read", unread),
        "codes": say_n("%(n)s code is unknown", "%(n)s codes are unknown", codes),
    }
    if not lines:
        return language.say("%(nobodys)s, %(pushes)s, %(codes)s.", **said)
    said["lines"] = say_n("%(n)s single line could not be read", "%(n)s single lines could not be read", lines)
    return language.say("%(nobodys)s, %(pushes)s, %(lines)s, %(codes)s.", **said)


def _place(before: str) -> int | None:
    return int(before) if before.isdecimal() and len(before) < 20 else None


def _strangers(tx: Tx, seat: Seat, language: Language, before: str) -> list[Line]:
    return [
        Line(
            name=row.number,
            of=carrier_name(language, row.carrier),
            count=language.number(row.pushes),
            first=language.when(row.first_at, tx.now),
            last=language.when(row.last_at, tx.now),
            deed="dismiss",
            value=f"{row.carrier}:{row.number}",
            position=str(row.inbox_id),
        )
        for row in reading.list_strangers(tx, before=_place(before), limit=SHOWN + 1)
    ]


def _quarantine(tx: Tx, seat: Seat, language: Language, before: str) -> list[Line]:
    return [
        Line(
            name=language.echo(row.reason),
            of=row.aggregator,
            count="1",
            first=language.when(row.received_at, tx.now),
            last=None,
            deed="retry",
            value=str(row.id),
            position=str(row.id),
        )
        for row in reading.list_quarantine(tx, before=_place(before), limit=SHOWN + 1)
    ]


def _lines(tx: Tx, seat: Seat, language: Language, before: str) -> list[Line]:
    return [
        Line(
            name=row.number or language.say("unreadable number"),
            of=carrier_name(language, row.carrier) if row.carrier else "",
            count=row.aggregator,
            first=language.when(row.seen_at, tx.now),
            last=None,
            deed="unread",
            value=str(row.id),
            href=f"/parcels/{row.parcel_id}" if row.parcel_id else "",
            text=row.line,
            why=language.echo(row.reason),
            position=str(row.id),
        )
        for row in reading.list_unread(tx, before=_place(before), warehouse_ids=seat.caller.warehouses, limit=SHOWN + 1)
    ]


def _codes(tx: Tx, seat: Seat, language: Language, before: str) -> list[Line]:
    return [
        Line(
            name=row.code,
            of=f"{row.source} {carrier_name(language, row.carrier)}",
            count=language.number(row.seen),
            first=language.when(row.first_at, tx.now),
            last=language.when(row.last_at, tx.now),
        )
        for row in reading.list_unknown_codes(tx)
    ]


def _disputed(tx: Tx, seat: Seat, language: Language, before: str) -> list[Line]:
    return [
        Line(
            name=row.number,
            of=carrier_name(language, row.carrier),
            count=row.code,
            first=language.when(row.at, tx.now),
            last=language.when(row.seen_at, tx.now),
            href=f"/parcels/{row.parcel_id}",
            text=row.text,
            why=language.say("Its time had not come yet when it was told.") if row.ahead else "",
            position=write_scan_cursor(row.seen_at, row.parcel_id, row.key),
        )
        for row in reading.list_disputed(
            tx, warehouse_ids=seat.caller.warehouses, before=read_scan_cursor(before), limit=SHOWN + 1
        )
    ]


def _clocks(tx: Tx, seat: Seat, language: Language, before: str) -> list[Line]:
    return [
        Line(
            name=row.aggregator,
            of=language.exact(row.told_at, tx.now),
            count=language.number(row.pushes),
            first=language.when(row.first_at, tx.now),
            last=language.when(row.last_at, tx.now),
        )
        for row in reading.list_clocks_ahead(tx)
    ]


_LISTS = {
    "": _strangers,
    "quarantine": _quarantine,
    "lines": _lines,
    "codes": _codes,
    "disputed": _disputed,
    "clocks": _clocks,
}
PAGED = {"", "quarantine", "lines", "disputed"}


@router.post("/strangers/dismiss")
def dismiss(request: Request, seat: Annotated[Seat, requires(WRITE)], form: Form) -> Response:
    waybills = [
        (carrier, number) for carrier, _, number in (each.partition(":") for each in form.many("waybill")) if number
    ]
    if not waybills:
        raise Invalid("waybill", "choose at least one waybill")
    n = act_on_setup(request, lambda tx: tracking.dismiss(tx, waybills, actor=seat.caller.actor))
    said = language_of(request).say_n("%(n)s waybill was dismissed.", "%(n)s waybills were dismissed.", n)
    return go("/strangers", said=said)


@router.post("/strangers/quarantine/{quarantine_id:int}/retry")
def retry(request: Request, seat: Annotated[Seat, requires(WRITE)], quarantine_id: RowId) -> Response:
    """Read the push again with today's reader; what stands in its way is said, and it stays."""
    language, networks = language_of(request), context_of(request).networks

    def take_in(tx: Tx) -> None:
        [inbox_id] = mint_ids(1, at_ms=int(tx.now.timestamp() * 1000))
        tracking.retry_quarantine(tx, quarantine_id, networks=networks, inbox_id=inbox_id)

    return _again(request, take_in, "/strangers?view=quarantine", language.say("The push was taken in."))


@router.post("/strangers/lines/{line_id:int}/retry")
def retry_line(request: Request, seat: Annotated[Seat, requires(WRITE)], line_id: RowId) -> Response:
    """Read the line again with today's reader; what stands in its way is said, and it stays."""
    networks, done = context_of(request).networks, language_of(request).say("The line was taken in.")

    def take_in(tx: Tx) -> None:
        tracking.retry_unread(tx, reach_unread(tx, seat, line_id), networks=networks)

    return _again(request, take_in, "/strangers?view=lines", done)


@router.post("/strangers/lines/{line_id:int}/aside")
def set_aside(request: Request, seat: Annotated[Seat, requires(WRITE)], line_id: RowId) -> Response:
    def aside(tx: Tx) -> None:
        tracking.set_unread_aside(tx, reach_unread(tx, seat, line_id), actor=seat.caller.actor)

    context_of(request).work.run(aside, shops=seat.shops)
    return go("/strangers?view=lines", said=language_of(request).say("The line was set aside."))


def _again(request: Request, take_in: Callable[[Tx], None], back: str, done: str) -> Response:
    language = language_of(request)
    try:
        act_on_setup(request, take_in)
    except (Unreadable, Conflict, Missing) as refusal:
        return go(back, said=language.say("It still cannot be taken in: %(why)s", why=language.echo(refusal.sentence)))
    return go(back, said=done)
