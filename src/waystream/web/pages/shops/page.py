"""GET /shops: every shop with its policy; adding one, changing its policy."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Conflict, Invalid, Missing
from waystream.core.state import Kind
from waystream.kernel.tx import Tx
from waystream.parts.shops import actions as shops
from waystream.parts.shops.model import SIGNED, Policy, Shop, parse_origins, parse_policy
from waystream.web.acting import act_on_setup
from waystream.web.auth import Seat, requires
from waystream.web.forms import Filled, Form, FormField, FormPage, filled_in, loose_problem
from waystream.web.navigation import Entry
from waystream.web.pages.order.page import RowId
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language
from waystream.web.shell.vocabulary import KIND_WORDS

READ, OPEN, WRITE = "setup:read", "setup:write", "shop:write"
NAV = (Entry(30, "settings", "/shops", "settings", N_("Shops"), READ),)
BACK = "/shops"

router = APIRouter()


@dataclass(frozen=True, slots=True)
class ShopView:
    id: int
    code: str
    name: str
    platform: str
    at_once: str
    days: str


@dataclass(frozen=True, slots=True)
class ShopsPage:
    answer: Markup
    shops: tuple[ShopView, ...]
    may_open: bool
    may_write: bool


@router.get("/shops")
def show_shops(request: Request, seat: Annotated[Seat, requires(READ)]) -> Response:
    language = language_of(request)
    page = act_on_setup(request, lambda tx: draw(tx, seat, language))
    return show(request, "shops/page.html", page)


def draw(tx: Tx, seat: Seat, language: Language) -> ShopsPage:
    seen = [shop for shop in shops.list_shops(tx) if shop.id in seat.shops]
    careful = sum(shop.policy.trusted != SIGNED for shop in seen)
    return ShopsPage(
        answer=_answer(language, len(seen), careful),
        shops=tuple(_view(language, shop) for shop in seen),
        may_open=seat.caller.may(OPEN),
        may_write=seat.caller.may(WRITE),
    )


def _answer(language: Language, n: int, careful: int) -> Markup:
    if not n:
        return language.say("There is no shop yet; orders need one.")
    if careful:
        return language.say_n(
            "%(n)s shop sells here; %(careful)s wait for the buyer after some deliveries.",
            "%(n)s shops sell here; %(careful)s wait for the buyer after some deliveries.",
            n,
            careful=language.number(careful),
        )
    return language.say_n(
        "%(n)s shop sells here; every delivery completes its order at once.",
        "%(n)s shops sell here; every delivery completes its order at once.",
        n,
    )


def _view(language: Language, shop: Shop) -> ShopView:
    trusted = [language.say(KIND_WORDS[kind]) for kind in _KINDS if kind in shop.policy.trusted]
    return ShopView(
        id=shop.id,
        code=shop.code,
        name=shop.name,
        platform=shop.platform,
        at_once=" · ".join(trusted) or language.say("none"),
        days=language.number(shop.policy.confirm_days),
    )


_KINDS = (Kind.IN_PERSON, Kind.BY_PROXY, Kind.LOCKER, Kind.UNSPECIFIED)


@router.get("/shops/new")
def show_new(request: Request, seat: Annotated[Seat, requires(OPEN)]) -> Response:
    return show(request, "form.html", draw_form(language_of(request), None, None))


@router.post("/shops/new")
def add(request: Request, seat: Annotated[Seat, requires(OPEN)], form: Form) -> Response:
    language = language_of(request)
    try:
        policy = _policy(form)
        act_on_setup(
            request,
            lambda tx: shops.create_shop(
                tx,
                code=form.text("code"),
                name=form.text("name"),
                platform=form.text("platform"),
                policy=policy,
                actor=seat.caller.actor,
            ),
        )
    except (Invalid, Conflict) as refusal:
        return show(request, "form.html", draw_form(language, None, form.refused(refusal)), status=refusal.status)
    return go(BACK, said=language.say("The shop is there; its orders can come in."))


@router.get("/shops/{shop_id:int}")
def show_one(request: Request, seat: Annotated[Seat, requires(WRITE)], shop_id: RowId) -> Response:
    shop = _get(request, seat, shop_id)
    return show(request, "form.html", draw_form(language_of(request), shop, None))


@router.post("/shops/{shop_id:int}")
def change(request: Request, seat: Annotated[Seat, requires(WRITE)], shop_id: RowId, form: Form) -> Response:
    language, shop = language_of(request), _get(request, seat, shop_id)
    try:
        policy, origins = _policy(form), parse_origins(form.text("embed_origins").replace(",", " ").split())

        def save(tx: Tx) -> None:
            shops.set_policy(tx, shop_id, policy, actor=seat.caller.actor)
            if origins != shop.embed_origins:
                shops.set_embedding(tx, shop_id, origins, actor=seat.caller.actor)

        act_on_setup(request, save)
    except Invalid as refusal:
        return show(request, "form.html", draw_form(language, shop, form.refused(refusal)), status=refusal.status)
    return go(BACK, said=language.say("Saved; orders that are complete stay so."))


def _get(request: Request, seat: Seat, shop_id: int) -> Shop:
    if shop_id not in seat.shops:
        raise Missing("There is no such shop.")
    return act_on_setup(request, lambda tx: shops.get_shop(tx, shop_id))


def _policy(form: Filled) -> Policy:
    return parse_policy(form.many("trusted_kinds"), form.number("confirm_days", 7))


def draw_form(language: Language, shop: Shop | None, form: Filled | None) -> FormPage:
    say, policy = language.say, shop.policy if shop else Policy()
    named = (
        FormField("code", say("Code"), hint=say("Orders name the shop by it."), max=64),
        FormField("name", say("Name"), max=100),
        FormField("platform", say("Platform"), required=False, max=100),
    )
    fields = (
        *(() if shop else named),
        FormField(
            "trusted_kinds", say("Delivered in these ways, an order is complete at once"), "ticks",
            ticked=tuple(policy.trusted), options=tuple((kind.value, str(say(KIND_WORDS[kind]))) for kind in _KINDS),
        ),
        FormField(
            "confirm_days", say("Otherwise it waits for the buyer, days"), "number", value=str(policy.confirm_days),
            hint=say("Then it becomes complete by itself."),
        ),
        *((_embedding(language, shop),) if shop else ()),
    )  # fmt: skip
    return FormPage(
        title=shop.name if shop else say("Shop"),
        answer=say("Which deliveries this shop trusts; the others wait for the buyer."),
        action=f"/shops/{shop.id}" if shop else "/shops/new",
        verb=say("Save"),
        back=BACK,
        fields=filled_in(fields, form),
        problem=loose_problem(fields, form),
    )


def _embedding(language: Language, shop: Shop) -> FormField:
    return FormField(
        "embed_origins", language.say("Pages of yours that may show the buyer’s page"), required=False, max=2_000,
        value=" ".join(shop.embed_origins),
        hint=language.say("Origins like https://shop.example, with blanks between; empty: none."),
    )  # fmt: skip
