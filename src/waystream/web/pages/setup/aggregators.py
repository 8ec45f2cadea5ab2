"""The form of an account at an aggregator, and its test call."""

from typing import Annotated

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Conflict, Invalid
from waystream.parts.hub import actions as hub
from waystream.parts.hub.model import AggregatorIn, AggregatorRow
from waystream.web.acting import act_on_setup
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.forms import Filled, Form, FormField, FormPage, filled_in, loose_problem
from waystream.web.pages.order.page import RowId
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import Language
from waystream.web.views import Deed

WRITE = "setup:write"
BACK = "/setup"

router = APIRouter()


@router.get("/setup/aggregators/new")
def show_new(request: Request, seat: Annotated[Seat, requires(WRITE)]) -> Response:
    page = draw(language_of(request), sorted(context_of(request).networks), None, None)
    return show(request, "form.html", page)


@router.post("/setup/aggregators/new")
def add(request: Request, seat: Annotated[Seat, requires(WRITE)], form: Form) -> Response:
    networks = context_of(request).networks
    try:
        told = _told(form)
        act_on_setup(request, lambda tx: hub.add_aggregator(tx, told, integrations=networks, actor=seat.caller.actor))
    except (Invalid, Conflict) as refusal:
        page = draw(language_of(request), sorted(networks), None, form.refused(refusal))
        return show(request, "form.html", page, status=refusal.status)
    return go(BACK, said=language_of(request).say("The account is there. Next: a carrier, then the test call."))


@router.get("/setup/aggregators/{aggregator_id:int}")
def show_one(request: Request, seat: Annotated[Seat, requires(WRITE)], aggregator_id: RowId) -> Response:
    row = act_on_setup(request, lambda tx: hub.get_aggregator(tx, aggregator_id))
    page = draw(language_of(request), sorted(context_of(request).networks), row, None)
    return show(request, "form.html", page)


@router.post("/setup/aggregators/{aggregator_id:int}")
def change(request: Request, seat: Annotated[Seat, requires(WRITE)], aggregator_id: RowId, form: Form) -> Response:
    networks = context_of(request).networks
    row = act_on_setup(request, lambda tx: hub.get_aggregator(tx, aggregator_id))
    try:
        told = _told(form)
        act_on_setup(
            request,
            lambda tx: hub.change_aggregator(tx, aggregator_id, told, integrations=networks, actor=seat.caller.actor),
        )
    except (Invalid, Conflict) as refusal:
        page = draw(language_of(request), sorted(networks), row, form.refused(refusal))
        return show(request, "form.html", page, status=refusal.status)
    return go(BACK, said=language_of(request).say("Saved."))


@router.post("/setup/aggregators/{aggregator_id:int}/test")
def test(request: Request, seat: Annotated[Seat, requires(WRITE)], aggregator_id: RowId) -> Response:
    act_on_setup(request, lambda tx: hub.ask_test_call(tx, aggregator_id, actor=seat.caller.actor))
    return go(BACK, said=language_of(request).say("The test call is under way; its answer appears here."))


def _told(form: Filled) -> AggregatorIn:
    return AggregatorIn(
        code=form.text("code"),
        integration=form.text("integration"),
        merchant_id=form.text("merchant_id"),
        base_url=form.text("base_url").rstrip("/"),
        key=form.text("key"),
    )


def draw(language: Language, networks: list[str], row: AggregatorRow | None, form: Filled | None) -> FormPage:
    say = language.say
    integrations = tuple((name, name) for name in networks)
    fixed = (
        FormField("code", say("Short name"), value="main", hint=say("Stands in the push address.")),
        FormField("integration", say("Aggregator"), "choice", options=integrations),
    )
    fields = (
        *(fixed if row is None else ()),
        FormField("merchant_id", say("Merchant id"), value=row.merchant_id if row else ""),
        FormField(
            "key", say("Key"), "password", required=row is None,
            hint=say("The console shows it.") if row is None else say("Empty keeps the present one."),
        ),
        FormField(
            "base_url", say("Address of the aggregator"), value=row.base_url if row else "https://api.kdniao.com",
            hint=say("Its production address, or a sandbox."),
        ),
    )  # fmt: skip
    return FormPage(
        title=say("Account at an aggregator"),
        answer=say("What the aggregator’s console shows, copied here; the key is kept sealed and never shown again."),
        action=f"/setup/aggregators/{row.id}" if row else "/setup/aggregators/new",
        verb=say("Save"),
        back=BACK,
        fields=filled_in(fields, form),
        problem=loose_problem(fields, form),
        deeds=(Deed(say("Test call"), f"/setup/aggregators/{row.id}/test"),) if row else (),
    )
