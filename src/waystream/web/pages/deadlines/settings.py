"""GET /deadlines/settings: each shop's hours and what it watches; changing them."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Invalid, Missing
from waystream.kernel.tx import Tx
from waystream.parts.deadlines import settings as deadlines
from waystream.parts.deadlines.model import HOURS_MAX, Settings, parse_settings
from waystream.parts.shops import actions as shops
from waystream.parts.shops.model import Shop
from waystream.web.acting import act_on_setup
from waystream.web.auth import Seat, requires
from waystream.web.forms import Filled, Form, FormField, FormPage, filled_in, loose_problem
from waystream.web.pages.deadlines.words import KINDS
from waystream.web.pages.order.page import RowId
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language

READ, WRITE = "parcels:read", "shop:write"
BACK = "/deadlines/settings"
HOURS = {
    "ship_by_h": N_("An order leaves within, hours after payment"),
    "collection_h": N_("A parcel is collected within, hours after it left"),
    "pickup_h": N_("A parcel is fetched within, hours in a locker or station"),
}

router = APIRouter()


@dataclass(frozen=True, slots=True)
class ShopHours:
    id: int
    name: str
    ship_by: str
    collection: str
    pickup: str
    off: str


@dataclass(frozen=True, slots=True)
class SettingsPage:
    answer: Markup
    shops: tuple[ShopHours, ...]
    may_write: bool


@router.get("/deadlines/settings")
def show_settings(request: Request, seat: Annotated[Seat, requires(READ)]) -> Response:
    language = language_of(request)
    return show(request, "deadlines/settings.html", act_on_setup(request, lambda tx: draw(tx, seat, language)))


def draw(tx: Tx, seat: Seat, language: Language) -> SettingsPage:
    seen = [shop for shop in shops.list_shops(tx) if shop.id in seat.shops]
    said = deadlines.list_settings(tx, [shop.id for shop in seen])
    return SettingsPage(
        answer=language.say_n(
            "%(n)s shop says here until when its orders have to leave, be collected and be fetched.",
            "%(n)s shops say here until when their orders have to leave, be collected and be fetched.",
            len(seen),
        ),
        shops=tuple(_view(language, shop, said[shop.id]) for shop in seen),
        may_write=seat.caller.may(WRITE),
    )


def _view(language: Language, shop: Shop, said: Settings) -> ShopHours:
    off = " · ".join(str(language.say(label)) for kind, label in KINDS.items() if kind in said.off)
    return ShopHours(
        shop.id,
        shop.name,
        language.number(said.ship_by_h),
        language.number(said.collection_h),
        language.number(said.pickup_h),
        off or language.say("nothing"),
    )


@router.get("/deadlines/settings/{shop_id:int}")
def show_one(request: Request, seat: Annotated[Seat, requires(WRITE)], shop_id: RowId) -> Response:
    shop, said = _get(request, seat, shop_id)
    return show(request, "form.html", draw_form(language_of(request), shop, said, None))


@router.post("/deadlines/settings/{shop_id:int}")
def change(request: Request, seat: Annotated[Seat, requires(WRITE)], shop_id: RowId, form: Form) -> Response:
    language, (shop, said) = language_of(request), _get(request, seat, shop_id)
    try:
        settings = _parse(form)
        act_on_setup(request, lambda tx: deadlines.set_settings(tx, shop_id, settings, actor=seat.caller.actor))
    except Invalid as refusal:
        page = draw_form(language, shop, said, form.refused(refusal))
        return show(request, "form.html", page, status=refusal.status)
    return go(BACK, said=language.say("Saved; open deadlines follow in a moment."))


def _parse(form: Filled) -> Settings:
    hours = {name: form.number(name) for name in HOURS}
    return parse_settings(**hours, watched=form.many("watched"))


def _get(request: Request, seat: Seat, shop_id: int) -> tuple[Shop, Settings]:
    if shop_id not in seat.shops:
        raise Missing("There is no such shop.")
    return act_on_setup(request, lambda tx: (shops.get_shop(tx, shop_id), deadlines.get_settings(tx, shop_id)))


def draw_form(language: Language, shop: Shop, said: Settings, form: Filled | None) -> FormPage:
    say = language.say
    hints = {"ship_by_h": say("Where the shop sends a time of its own with the order, that one counts.")}
    fields = (
        *(
            FormField(name, say(label), "number", value=str(getattr(said, name)), hint=hints.get(name, ""), max=3)
            for name, label in HOURS.items()
        ),
        FormField(
            "watched", say("What is watched"), "ticks", required=False,
            ticked=tuple(kind.value for kind in KINDS if kind not in said.off),
            options=tuple((kind.value, str(say(label))) for kind, label in KINDS.items()),
        ),
    )  # fmt: skip
    return FormPage(
        title=shop.name,
        answer=say("Until when things have to happen, between 1 and %(most)s hours.", most=HOURS_MAX),
        action=f"{BACK}/{shop.id}",
        verb=say("Save"),
        back=BACK,
        fields=filled_in(fields, form),
        problem=loose_problem(fields, form),
    )
