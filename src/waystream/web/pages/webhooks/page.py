"""GET /webhooks: every endpoint with how it fares; adding one, changing one."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Conflict, Invalid
from waystream.core.public_event import EVERY, groups, public_types
from waystream.kernel.tx import Tx
from waystream.parts.shops import actions as shops
from waystream.parts.webhooks import actions as webhooks
from waystream.parts.webhooks.model import DESCRIPTION_MAX, URL_MAX, Endpoint, EndpointIn, NewEndpoint
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.forms import Filled, Form, FormField, FormPage, filled_in, loose_problem
from waystream.web.navigation import Entry
from waystream.web.pages.order.page import RowId
from waystream.web.pages.webhooks import endpoint
from waystream.web.pages.webhooks.endpoint import BACK, READ, WRITE, say_count, say_wanted, show_secret, view_state
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language
from waystream.web.shell.vocabulary import Pill

NAV = (Entry(35, "settings", "/webhooks", "settings", N_("Webhooks"), READ),)
WANTED_SHOWN = 3

router = APIRouter()
router.include_router(endpoint.router)


@dataclass(frozen=True, slots=True)
class EndpointView:
    id: int
    url: str
    description: str
    shop: str
    wanted: str
    state: Pill
    waiting: str
    given_up: str


@dataclass(frozen=True, slots=True)
class WebhooksPage:
    answer: Markup
    endpoints: tuple[EndpointView, ...]
    may_write: bool


@router.get("/webhooks")
def show_webhooks(request: Request, seat: Annotated[Seat, requires(READ)]) -> Response:
    language = language_of(request)
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        found = webhooks.list_endpoints(tx)
    page = WebhooksPage(
        answer=_answer(language, found),
        endpoints=tuple(_view(language, each) for each in found),
        may_write=seat.caller.may(WRITE),
    )
    return show(request, "webhooks/page.html", page)


def _answer(language: Language, found: list[Endpoint]) -> Markup:
    if not found:
        return language.say("No system of yours is told of events yet.")
    off = [each for each in found if each.disabled_why in ("gone", "failing")]
    failing = [each for each in found if not each.disabled_why and each.failures]
    waiting = say_count(language, sum(each.waiting for each in found))
    if off:
        return language.say_n(
            '<a href="/webhooks/%(first)s">%(n)s endpoint</a> was switched off because it does not answer.',
            '<a href="/webhooks/%(first)s">%(n)s endpoints</a> were switched off because they do not answer.',
            len(off),
            first=off[0].id,
        )
    if failing:
        return language.say_n(
            '<a href="/webhooks/%(first)s">%(n)s endpoint</a> fails; deliveries to be tried again: %(waiting)s.',
            '<a href="/webhooks/%(first)s">%(n)s endpoints</a> fail; deliveries to be tried again: %(waiting)s.',
            len(failing),
            first=failing[0].id,
            waiting=waiting,
        )
    return language.say_n(
        "%(n)s endpoint is told of events; deliveries waiting: %(waiting)s.",
        "%(n)s endpoints are told of events; deliveries waiting: %(waiting)s.",
        len(found),
        waiting=waiting,
    )


def _view(language: Language, each: Endpoint) -> EndpointView:
    return EndpointView(
        id=each.id,
        url=each.url,
        description=each.description,
        shop=each.shop,
        wanted=say_wanted(language, each, at_most=WANTED_SHOWN),
        state=view_state(language, each),
        waiting=say_count(language, each.waiting),
        given_up=say_count(language, each.given_up),
    )


@router.get("/webhooks/new")
def show_new(request: Request, seat: Annotated[Seat, requires(WRITE)]) -> Response:
    return show(request, "form.html", _draw_new(request, seat, None))


@router.post("/webhooks/new")
def add(request: Request, seat: Annotated[Seat, requires(WRITE)], form: Form) -> Response:
    context, language = context_of(request), language_of(request)

    def create(tx: Tx) -> NewEndpoint:
        shop_id = next((shop.id for shop in shops.list_shops(tx) if str(shop.id) == form.text("shop")), None)
        if shop_id is None:
            raise Invalid(None, "choose one of your shops")
        return webhooks.add_endpoint(
            tx, shop_id, _told(form), actor=seat.caller.actor, private_hosts=context.private_hosts
        )

    try:
        new = context.work.run(create, shops=seat.shops)
    except (Invalid, Conflict) as refusal:
        return show(request, "form.html", _draw_new(request, seat, form.refused(refusal)), status=refusal.status)
    return show_secret(request, new, language.say("It hears what happens from now on. Its secret, shown this once:"))


@router.get("/webhooks/{webhook_id:int}/change")
def show_change(request: Request, seat: Annotated[Seat, requires(WRITE)], webhook_id: RowId) -> Response:
    return show(request, "form.html", _draw_change(request, seat, webhook_id, None))


@router.post("/webhooks/{webhook_id:int}/change")
def change(request: Request, seat: Annotated[Seat, requires(WRITE)], webhook_id: RowId, form: Form) -> Response:
    context, told = context_of(request), _told(form)
    actor, private = seat.caller.actor, context.private_hosts
    try:
        context.work.run(
            lambda tx: webhooks.change_endpoint(tx, webhook_id, told, actor=actor, private_hosts=private),
            shops=seat.shops,
        )
    except Invalid as refusal:
        page = _draw_change(request, seat, webhook_id, form.refused(refusal))
        return show(request, "form.html", page, status=refusal.status)
    return go(f"{BACK}/{webhook_id}", said=language_of(request).say("Saved."))


def _told(form: Filled) -> EndpointIn:
    return EndpointIn(form.text("url"), form.many("wanted"), form.text("description"))


def _draw_new(request: Request, seat: Seat, form: Filled | None) -> FormPage:
    language = language_of(request)
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        options = tuple((str(shop.id), shop.name) for shop in shops.list_shops(tx))
    shop = FormField("shop", language.say("Shop"), "choice", options=options)
    fields = filled_in((shop, *_fields(language, None)), form)
    return _page(language, fields, form, action="/webhooks/new", back=BACK)


def _draw_change(request: Request, seat: Seat, webhook_id: int, form: Filled | None) -> FormPage:
    language = language_of(request)
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        found = webhooks.get_endpoint(tx, webhook_id)
    at = f"{BACK}/{webhook_id}"
    return _page(language, filled_in(_fields(language, found), form), form, action=f"{at}/change", back=at)


def _page(
    language: Language, fields: tuple[FormField, ...], form: Filled | None, *, action: str, back: str
) -> FormPage:
    return FormPage(
        title=language.say("Webhook"),
        answer=language.say("Where events go, and which; each is signed, and tried again for three days."),
        action=action,
        verb=language.say("Save"),
        back=back,
        fields=fields,
        problem=loose_problem(fields, form),
    )


def _fields(language: Language, found: Endpoint | None) -> tuple[FormField, ...]:
    say = language.say
    every = (EVERY, str(say("every event")))
    kinds = ((kind, kind) for kind in (*groups(), *sorted(public_types())))
    return (
        FormField(
            "url", say("Address"), value=found.url if found else "https://", max=URL_MAX,
            hint=say("Public and with https://; the operator can allow a private one."),
        ),
        FormField(
            "description", say("Description"), value=found.description if found else "", required=False,
            max=DESCRIPTION_MAX,
        ),
        FormField(
            "wanted", say("Events"), "ticks", options=(every, *kinds), ticked=found.wanted if found else (EVERY,),
            hint=say("A group stands for all its events, also for those that come later."),
        ),
    )  # fmt: skip
