"""The form of a carrier's account: what each carrier wants to know, for one warehouse or all."""

from typing import Annotated

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Conflict, Invalid
from waystream.core.ports import CarrierAccount
from waystream.kernel.tx import Tx
from waystream.parts.catalogue import actions as catalogue
from waystream.parts.hub import actions as hub
from waystream.parts.hub.model import AccountIn, AccountRow
from waystream.web.acting import act_on_setup
from waystream.web.auth import Seat, requires
from waystream.web.forms import Filled, Form, FormField, FormPage, filled_in, loose_problem
from waystream.web.pages.order.page import RowId
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language
from waystream.web.shell.vocabulary import CARRIER_WORDS
from waystream.web.views import Deed

WRITE = "setup:write"
BACK = "/setup"
PAY_TYPES = ((1, N_("Sender pays")), (2, N_("Receiver pays")), (3, N_("Monthly bill")), (4, N_("Third party pays")))

router = APIRouter()


@router.get("/setup/accounts/new")
def show_new(request: Request, seat: Annotated[Seat, requires(WRITE)]) -> Response:
    language = language_of(request)
    return show(request, "form.html", act_on_setup(request, lambda tx: draw(tx, language, None, None)))


@router.post("/setup/accounts/new")
def add(request: Request, seat: Annotated[Seat, requires(WRITE)], form: Form) -> Response:
    language = language_of(request)
    try:
        told = _told(form)
        act_on_setup(request, lambda tx: hub.add_account(tx, told, actor=seat.caller.actor))
    except (Invalid, Conflict) as refusal:
        refused = form.refused(refusal)
        page = act_on_setup(request, lambda tx: draw(tx, language, None, refused))
        return show(request, "form.html", page, status=refusal.status)
    return go(BACK, said=language.say("The carrier is there; its numbers are being counted."))


@router.get("/setup/accounts/{account_id:int}")
def show_one(request: Request, seat: Annotated[Seat, requires(WRITE)], account_id: RowId) -> Response:
    language = language_of(request)
    page = act_on_setup(request, lambda tx: draw(tx, language, hub.get_account(tx, account_id), None))
    return show(request, "form.html", page)


@router.post("/setup/accounts/{account_id:int}")
def change(request: Request, seat: Annotated[Seat, requires(WRITE)], account_id: RowId, form: Form) -> Response:
    language = language_of(request)
    try:
        told = _told(form)
        act_on_setup(request, lambda tx: hub.change_account(tx, account_id, told, actor=seat.caller.actor))
    except (Invalid, Conflict) as refusal:
        refused = form.refused(refusal)
        page = act_on_setup(request, lambda tx: draw(tx, language, hub.get_account(tx, account_id), refused))
        return show(request, "form.html", page, status=refusal.status)
    return go(BACK, said=language.say("Saved."))


@router.post("/setup/accounts/{account_id:int}/{switch}")
def switch(request: Request, seat: Annotated[Seat, requires(WRITE)], account_id: RowId, switch: str) -> Response:
    on = switch == "on"
    act_on_setup(request, lambda tx: hub.switch_account(tx, account_id, on=on, actor=seat.caller.actor))
    language = language_of(request)
    said = language.say("The account is in use again.") if on else language.say("No new number is taken from it.")
    return go(BACK, said=said)


def _told(form: Filled) -> AccountIn:
    return AccountIn(
        aggregator_id=form.number("aggregator_id"),
        name=form.text("name"),
        parameters=CarrierAccount(
            carrier=form.text("carrier").upper(),
            customer_name=form.text("customer_name"),
            customer_password=form.text("customer_password"),
            month_code=form.text("month_code"),
            send_site=form.text("send_site"),
            send_staff=form.text("send_staff"),
            warehouse_code=form.text("warehouse_code"),
            pay_type=form.number("pay_type", 3),
            product_type=form.text("product_type", "1"),
            template_size=form.text("template_size"),
        ),
        warehouse_id=form.number("warehouse_id") or None,
        priority=form.number("priority", 100),
        low_mark=form.number("low_mark", 500),
    )


def draw(tx: Tx, language: Language, row: AccountRow | None, form: Filled | None) -> FormPage:
    say = language.say
    known = hub.open_account(tx, row.id).parameters if row else CarrierAccount(carrier="")
    fields = (*_placing(tx, language, row), *_parameters(language, known, new=row is None))
    return FormPage(
        title=say("Carrier account"),
        answer=say("What the carrier’s outlet gave you; passwords are kept sealed and never shown again."),
        action=f"/setup/accounts/{row.id}" if row else "/setup/accounts/new",
        verb=say("Save"),
        back=BACK,
        fields=filled_in(fields, form),
        problem=loose_problem(fields, form),
        deeds=(_switch(language, row),) if row else (),
    )


def _switch(language: Language, row: AccountRow) -> Deed:
    label = language.say("Use it again") if row.disabled else language.say("Switch off")
    return Deed(label, f"/setup/accounts/{row.id}/{'on' if row.disabled else 'off'}")


def _placing(tx: Tx, language: Language, row: AccountRow | None) -> tuple[FormField, ...]:
    say = language.say
    hubs = tuple((str(each.id), each.code) for each in hub.list_aggregators(tx))
    houses = tuple((str(each.id), each.name) for each in catalogue.list_warehouses(tx))
    carriers = tuple((code, str(say(word))) for code, word in CARRIER_WORDS.items())
    fixed = (
        FormField("aggregator_id", say("Through"), "choice", options=hubs),
        FormField("carrier", say("Carrier"), "choice", options=carriers),
    )
    return (
        *(fixed if row is None else ()),
        FormField("name", say("Name"), value=row.name if row else "", hint=say("How you call it here.")),
        FormField(
            "warehouse_id", say("Warehouse"), "choice", options=(("", say("every warehouse")), *houses),
            value=str(row.warehouse_id or "") if row else "",
        ),
        FormField(
            "priority", say("Priority"), "number", value=str(row.priority if row else 100),
            hint=say("The lowest is used first."),
        ),
        FormField(
            "low_mark", say("Warn below"), "number", value=str(row.low_mark if row else 500),
            hint=say("So many numbers should be left."),
        ),
    )  # fmt: skip


def _parameters(language: Language, known: CarrierAccount, *, new: bool) -> tuple[FormField, ...]:
    say = language.say
    keeps = "" if new else say("Empty keeps the present one.")
    pay_types = tuple((str(code), str(say(word))) for code, word in PAY_TYPES)
    return (
        FormField("customer_name", say("Customer name"), value=known.customer_name, required=False),
        FormField("customer_password", say("Customer password"), "password", hint=keeps, required=False),
        FormField("month_code", say("Monthly code"), "password", hint=keeps, required=False),
        FormField("send_site", say("Outlet"), value=known.send_site, required=False),
        FormField("send_staff", say("Courier"), value=known.send_staff, required=False),
        FormField("warehouse_code", say("Warehouse code at the carrier"), value=known.warehouse_code, required=False),
        FormField("pay_type", say("Who pays"), "choice", value=str(known.pay_type), options=pay_types),
        FormField("product_type", say("Service"), value=known.product_type, required=False),
        FormField("template_size", say("Label template"), value=known.template_size, required=False),
    )
