"""GET /printers and what can be done with one: add, change, try, switch, move its queue."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Conflict, Invalid
from waystream.kernel.tx import Tx
from waystream.parts.floor import actions as floor
from waystream.parts.floor.model import SIZES, Print, Printer, PrinterIn
from waystream.web.acting import act_on_setup
from waystream.web.auth import Seat, requires
from waystream.web.forms import Filled, Form, FormField, FormPage, filled_in, loose_problem
from waystream.web.navigation import Entry
from waystream.web.pages.order.page import RowId
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.shell.vocabulary import Pill
from waystream.web.views import Deed

READ, WRITE = "setup:read", "setup:write"
NAV = (Entry(40, "rail", "/printers", "floor", N_("Printers"), READ),)
BACK = "/printers"
QUEUE_SHOWN = 20

router = APIRouter()


@dataclass(frozen=True, slots=True)
class QueueLine:
    parcel: str
    href: str
    state: Pill
    queued: Moment | None
    said: str


@dataclass(frozen=True, slots=True)
class PrinterView:
    id: int
    name: str
    uri: str
    state: Pill
    said: str
    seen: Moment | None
    waiting: int
    paper: str
    queue: tuple[QueueLine, ...]
    more: str
    on: bool


@dataclass(frozen=True, slots=True)
class PrintersPage:
    answer: Markup
    printers: tuple[PrinterView, ...]
    may_write: bool


@router.get("/printers")
def show_printers(request: Request, seat: Annotated[Seat, requires(READ)]) -> Response:
    language = language_of(request)
    page = act_on_setup(request, lambda tx: draw(tx, seat, language))
    return show(request, "printers/page.html", page, live="floor")


def draw(tx: Tx, seat: Seat, language: Language) -> PrintersPage:
    printers = floor.list_printers(tx)
    return PrintersPage(
        answer=_answer(language, printers),
        printers=tuple(_view(tx, seat, language, printer) for printer in printers),
        may_write=seat.caller.may(WRITE),
    )


def _answer(language: Language, printers: list[Printer]) -> Markup:
    if not printers:
        return language.say("There is no printer yet; labels can be opened as files.")
    off = [printer for printer in printers if printer.state == "offline" and not printer.disabled]
    waiting = sum(printer.waiting for printer in printers)
    if not off:
        return language.say_n(
            "Every printer works; %(n)s label waits its turn.",
            "Every printer works; %(n)s labels wait their turn.",
            waiting,
        )
    who = (
        language.say("%(name)s is off.", name=off[0].name)
        if len(off) == 1
        else language.say("%(n)s printers are off.", n=language.number(len(off)))
    )
    if not waiting:
        return who
    queued = language.say_n(
        "%(n)s label waits and prints by itself afterwards.",
        "%(n)s labels wait and print by themselves afterwards.",
        waiting,
    )
    return who + " " + queued


_STATES = {
    "ready": ("s-done", N_("Ready")),
    "offline": ("s-hold", N_("Off")),
    "unknown": ("s-later", N_("Not heard of yet")),
}
_PRINTS = {
    "queued": ("s-later", N_("Waits")),
    "printing": ("s-transit", N_("Printing")),
    "printed": ("s-done", N_("Printed")),
    "failed": ("s-exception", N_("Failed")),
    "voided": ("s-cancelled", N_("Void")),
}


def _pill(language: Language, words: dict[str, tuple[str, str]], state: str) -> Pill:
    shape, word = words[state]
    return Pill(shape, language.say(word))


def _view(tx: Tx, seat: Seat, language: Language, printer: Printer) -> PrinterView:
    queue = [line for line in floor.list_queue(tx, printer.id, QUEUE_SHOWN) if line.shop_id in seat.shops]
    off = Pill("s-cancelled", language.say("Switched off"))
    return PrinterView(
        id=printer.id,
        name=printer.name,
        uri=printer.uri,
        state=off if printer.disabled else _pill(language, _STATES, printer.state),
        said=printer.said,
        seen=language.when(printer.seen_at, tx.now),
        waiting=printer.waiting,
        paper=language.say("%(size)s mm, %(dpi)s dpi", size=printer.label_size.replace("x", " × "), dpi=printer.dpi),
        queue=tuple(_line(language, line, tx.now) for line in queue),
        more=language.number(printer.waiting - len(queue)) if printer.waiting > len(queue) else "",
        on=not printer.disabled,
    )


def _line(language: Language, line: Print, now: datetime) -> QueueLine:
    return QueueLine(
        parcel=str(line.parcel_id),
        href=f"/parcels/{line.parcel_id}",
        state=_pill(language, _PRINTS, line.state),
        queued=language.when(line.queued_at, now),
        said=line.said,
    )


@router.get("/printers/new")
def show_new(request: Request, seat: Annotated[Seat, requires(WRITE)]) -> Response:
    return show(request, "form.html", draw_form(language_of(request), None, None))


@router.post("/printers/new")
def add(request: Request, seat: Annotated[Seat, requires(WRITE)], form: Form) -> Response:
    language = language_of(request)
    try:
        told = _told(form)
        act_on_setup(request, lambda tx: floor.add_printer(tx, told, actor=seat.caller.actor))
    except (Invalid, Conflict) as refusal:
        return show(request, "form.html", draw_form(language, None, form.refused(refusal)), status=refusal.status)
    return go(BACK, said=language.say("The printer is there. Print a test page to see that it works."))


@router.get("/printers/{printer_id:int}")
def show_one(request: Request, seat: Annotated[Seat, requires(WRITE)], printer_id: RowId) -> Response:
    printer = act_on_setup(request, lambda tx: floor.get_printer(tx, printer_id))
    return show(request, "form.html", draw_form(language_of(request), printer, None))


@router.post("/printers/{printer_id:int}")
def change(request: Request, seat: Annotated[Seat, requires(WRITE)], printer_id: RowId, form: Form) -> Response:
    language = language_of(request)
    printer = act_on_setup(request, lambda tx: floor.get_printer(tx, printer_id))
    try:
        told = _told(form)
        act_on_setup(request, lambda tx: floor.change_printer(tx, printer_id, told, actor=seat.caller.actor))
    except (Invalid, Conflict) as refusal:
        return show(request, "form.html", draw_form(language, printer, form.refused(refusal)), status=refusal.status)
    return go(BACK, said=language.say("Saved."))


@router.post("/printers/{printer_id:int}/try")
def try_one(request: Request, seat: Annotated[Seat, requires(WRITE)], printer_id: RowId) -> Response:
    act_on_setup(request, lambda tx: floor.try_printer(tx, printer_id, actor=seat.caller.actor))
    return go(BACK, said=language_of(request).say("A test page is on its way."))


@router.post("/printers/{printer_id:int}/on")
def switch_on(request: Request, seat: Annotated[Seat, requires(WRITE)], printer_id: RowId) -> Response:
    act_on_setup(request, lambda tx: floor.switch_printer(tx, printer_id, on=True, actor=seat.caller.actor))
    return go(BACK, said=language_of(request).say("The printer goes on with its queue."))


@router.post("/printers/{printer_id:int}/off")
def switch_off(request: Request, seat: Annotated[Seat, requires(WRITE)], printer_id: RowId) -> Response:
    act_on_setup(request, lambda tx: floor.switch_printer(tx, printer_id, on=False, actor=seat.caller.actor))
    return go(BACK, said=language_of(request).say("The printer is switched off; it keeps its queue."))


def _told(form: Filled) -> PrinterIn:
    size = form.text("label_size")
    if size not in SIZES:
        raise Invalid("label_size", f"The label size must be one of {', '.join(SIZES)}.")
    return PrinterIn(form.text("name"), form.text("uri"), form.number("dpi", 203), size)


def draw_form(language: Language, printer: Printer | None, form: Filled | None) -> FormPage:
    say = language.say
    sizes = tuple((size, size.replace("x", " × ") + " mm") for size in SIZES)
    fields = (
        FormField("name", say("Name"), value=printer.name if printer else "", max=60),
        FormField(
            "uri", say("Address"), value=printer.uri if printer else "ipp://",
            hint=say("ipp://printer/ipp/print, socket://printer:9100 for ZPL, folder:///labels for files"),
        ),
        FormField("dpi", say("Resolution, dpi"), "number", value=str(printer.dpi if printer else 203)),
        FormField(
            "label_size", say("Paper"), "choice", options=sizes, value=printer.label_size if printer else "100x180"
        ),
    )  # fmt: skip
    return FormPage(
        title=say("Printer"),
        answer=say("How labels reach this printer. A printer that is off keeps its queue."),
        action=f"/printers/{printer.id}" if printer else "/printers/new",
        verb=say("Save"),
        back=BACK,
        fields=filled_in(fields, form),
        problem=loose_problem(fields, form),
        deeds=_form_deeds(language, printer) if printer else (),
    )


def _form_deeds(language: Language, printer: Printer) -> tuple[Deed, ...]:
    label = language.say("Use it again") if printer.disabled else language.say("Switch off")
    turn = "on" if printer.disabled else "off"
    return (
        Deed(language.say("Test page"), f"/printers/{printer.id}/try"),
        Deed(label, f"/printers/{printer.id}/{turn}"),
    )
