"""The form of a warehouse: where parcels leave, who hands them over, when, and what counts as leaving."""

from typing import Annotated, Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Conflict, Invalid
from waystream.kernel.tx import Tx
from waystream.parts.catalogue import actions as catalogue
from waystream.parts.catalogue.model import parse_warehouse, read_cutoffs, write_cutoffs
from waystream.parts.floor import actions as floor
from waystream.web.acting import act_on_setup
from waystream.web.auth import Seat, requires
from waystream.web.forms import Filled, Form, FormField, FormPage, filled_in, loose_problem
from waystream.web.pages.order.page import RowId
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language

WRITE = "setup:write"
BACK = "/setup"
DISPATCH_WORDS = {"print": N_("when the label is printed"), "scan": N_("at a scan"), "weigh": N_("when weighed")}
SENDER = ("name", "mobile", "phone", "company", "address", "postcode")

router = APIRouter()


@router.get("/setup/warehouses/new")
def show_new(request: Request, seat: Annotated[Seat, requires(WRITE)]) -> Response:
    language = language_of(request)
    return show(request, "form.html", act_on_setup(request, lambda tx: draw(tx, language, 0, None)))


@router.get("/setup/warehouses/{warehouse_id:int}")
def show_one(request: Request, seat: Annotated[Seat, requires(WRITE)], warehouse_id: RowId) -> Response:
    language = language_of(request)
    return show(request, "form.html", act_on_setup(request, lambda tx: draw(tx, language, warehouse_id, None)))


@router.post("/setup/warehouses/new")
def add(request: Request, seat: Annotated[Seat, requires(WRITE)], form: Form) -> Response:
    return _save(request, seat, 0, form)


@router.post("/setup/warehouses/{warehouse_id:int}")
def change(request: Request, seat: Annotated[Seat, requires(WRITE)], warehouse_id: RowId, form: Form) -> Response:
    return _save(request, seat, warehouse_id, form)


def _save(request: Request, seat: Seat, warehouse_id: int, form: Filled) -> Response:
    language = language_of(request)

    def save(tx: Tx) -> None:
        code = catalogue.get_warehouse(tx, warehouse_id).code if warehouse_id else form.text("code")
        if not warehouse_id and catalogue.find_warehouse(tx, code) is not None:
            raise Conflict("There is a warehouse of this code already.", path="code")
        catalogue.upsert_warehouse(tx, parse_warehouse(_raw(form, code)), actor=seat.caller.actor)

    try:
        act_on_setup(request, save)
    except (Invalid, Conflict) as refusal:
        refused = form.refused(refusal)
        page = act_on_setup(request, lambda tx: draw(tx, language, warehouse_id, refused))
        return show(request, "form.html", page, status=refusal.status)
    return go(BACK, said=language.say("Saved."))


def _raw(form: Filled, code: str) -> dict[str, Any]:
    """As `parse_warehouse` takes it; empty fields are left out, so that their defaults hold."""
    plain = ("name", "province", "city", "district", "dispatch_by", "cutoff", "printer")
    raw: dict[str, Any] = {name: form.text(name) for name in plain if form.text(name)}
    sender = {name: form.text(f"sender.{name}") for name in SENDER if form.text(f"sender.{name}")}
    days = "".join(sorted(form.many("working_days")))
    return {
        **raw,
        "code": code,
        "sender": sender,
        "cutoffs": _cutoffs(form),
        **({"working_days": days} if days else {}),
    }


def _cutoffs(form: Filled) -> dict[str, str]:
    try:
        return read_cutoffs(form.text("cutoffs"))
    except ValueError as wrong:
        raise Invalid("cutoffs", str(wrong)) from None


def draw(tx: Tx, language: Language, warehouse_id: int, form: Filled | None) -> FormPage:
    say = language.say
    fields = (*_place(tx, language, warehouse_id), *_sender(tx, language, warehouse_id))
    return FormPage(
        title=say("Warehouse"),
        answer=say("Where parcels leave and who hands them over, as it stands on every label."),
        action=f"/setup/warehouses/{warehouse_id}" if warehouse_id else "/setup/warehouses/new",
        verb=say("Save"),
        back=BACK,
        fields=filled_in(fields, form),
        problem=loose_problem(fields, form),
    )


def _place(tx: Tx, language: Language, warehouse_id: int) -> tuple[FormField, ...]:
    say = language.say
    house = catalogue.get_warehouse(tx, warehouse_id) if warehouse_id else None
    printers = tuple((printer.name, printer.name) for printer in floor.list_printers(tx) if not printer.disabled)
    named = {printer.id: printer.name for printer in floor.list_printers(tx)}
    dispatch = tuple((code, str(say(word))) for code, word in DISPATCH_WORDS.items())
    days = tuple((str(nth), str(say(word))) for nth, word in enumerate(_DAYS, 1))
    code = FormField("code", say("Code"), hint=say("Letters and digits; orders name it."), max=64)
    return (
        *(() if house else (code,)),
        FormField("name", say("Name"), value=house.name if house else "", max=100),
        FormField("province", say("Province"), value=house.province if house else "", max=32),
        FormField("city", say("City"), value=house.city if house else "", max=32),
        FormField("district", say("District"), value=house.district if house else "", required=False, max=32),
        FormField(
            "dispatch_by", say("Counts as dispatched"), "choice", value=house.dispatch_by if house else "scan",
            options=dispatch,
        ),
        FormField("cutoff", say("Cut-off"), value=house.cutoff if house else "18:00", max=5, hint="HH:MM"),
        FormField(
            "cutoffs", say("Cut-off of single carriers"), value=write_cutoffs(house.cutoffs) if house else "",
            required=False, hint=say("Such as SF 20:00, ZTO 17:30; the others keep the warehouse’s."),
        ),
        FormField(
            "printer", say("Printer"), "choice", options=(("", say("none")), *printers),
            value=named.get(house.printer_id or 0, "") if house else "",
        ),
        FormField(
            "working_days", say("Working days"), "ticks", options=days,
            ticked=tuple(house.working_days if house else "1234567"),
        ),
    )  # fmt: skip


_DAYS = (
    N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"), N_("Sunday"),
)  # fmt: skip


def _sender(tx: Tx, language: Language, warehouse_id: int) -> tuple[FormField, ...]:
    say = language.say
    sender = catalogue.open_sender(tx, warehouse_id) if warehouse_id else None
    return (
        FormField("sender.name", say("Sender"), value=sender.name if sender else "", max=64),
        FormField(
            "sender.mobile", say("Mobile"), value=sender.mobile if sender else "", required=False, max=32,
            hint=say("A mobile or a phone is needed."),
        ),
        FormField("sender.phone", say("Phone"), value=sender.phone if sender else "", required=False, max=32),
        FormField("sender.company", say("Company"), value=sender.company if sender else "", required=False, max=100),
        FormField("sender.address", say("Street"), value=sender.address if sender else ""),
        FormField("sender.postcode", say("Postcode"), value=sender.postcode if sender else "", required=False, max=12),
    )  # fmt: skip
