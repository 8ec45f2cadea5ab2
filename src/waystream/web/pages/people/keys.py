"""Keys for programs: made with the scopes and shops their maker has, shown once, revoked at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Conflict, Forbidden, Invalid, Missing
from waystream.kernel.tx import Tx
from waystream.parts.people import actions as people
from waystream.parts.people.model import KEY_SCOPES, ApiKey, NewKey
from waystream.parts.shops import actions as shops
from waystream.web.acting import act_on_setup
from waystream.web.auth import Seat, requires
from waystream.web.forms import Filled, Form, FormField, FormPage, filled_in, loose_problem
from waystream.web.pages.order.page import RowId
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import Language, Moment

WRITE = "people:write"
BACK = "/people"

router = APIRouter()


@dataclass(frozen=True, slots=True)
class KeyView:
    id: int
    name: str
    prefix: str
    scopes: str
    shops: str
    made: Moment | None
    used: Moment | None
    on: bool


@dataclass(frozen=True, slots=True)
class Secret:
    """Something told once."""

    title: str
    answer: str
    secret: str = field(repr=False)
    hint: str


def view_key(language: Language, key: ApiKey, shop_names: Mapping[int, str], now: datetime) -> KeyView:
    every = language.say("every shop") if key.every_shop else ""
    return KeyView(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        scopes=" ".join(key.scopes),
        shops=every or ", ".join(shop_names.get(shop_id, "–") for shop_id in key.shops),
        made=language.when(key.created_at, now),
        used=language.when(key.used_at, now),
        on=key.revoked_at is None,
    )


@router.get("/people/keys/new")
def show_new(request: Request, seat: Annotated[Seat, requires(WRITE)]) -> Response:
    language = language_of(request)
    return show(request, "form.html", act_on_setup(request, lambda tx: draw_form(tx, seat, language, None)))


@router.post("/people/keys/new")
def add(request: Request, seat: Annotated[Seat, requires(WRITE)], form: Form) -> Response:
    language = language_of(request)

    def create(tx: Tx) -> NewKey:
        every = form.has("every_shop")
        limits = people.Limits(every, () if every else form.ids("shops"))
        return people.create_key(tx, name=form.text("name"), scopes=form.many("scopes"), limits=limits, by=seat.caller)

    try:
        made = act_on_setup(request, create)
    except (Invalid, Missing, Conflict, Forbidden) as refusal:
        refused = form.refused(refusal)
        page = act_on_setup(request, lambda tx: draw_form(tx, seat, language, refused))
        return show(request, "form.html", page, status=refusal.status)
    secret = Secret(
        title=language.say("Key"),
        answer=language.say("The key %(name)s, shown this once.", name=made.key.name),
        secret=made.secret,
        hint=language.say("The program sends it as “Authorization: Bearer …”. Lost keys are revoked and made anew."),
    )
    return show(request, "people/secret.html", secret)


@router.post("/people/keys/{key_id:int}/revoke")
def revoke(request: Request, seat: Annotated[Seat, requires(WRITE)], key_id: RowId) -> Response:
    act_on_setup(request, lambda tx: people.revoke_key(tx, key_id, by=seat.caller))
    return go(BACK, said=language_of(request).say("The key opens nothing any more."))


def draw_form(tx: Tx, seat: Seat, language: Language, form: Filled | None) -> FormPage:
    say = language.say
    scopes = tuple((scope, scope) for scope in sorted(KEY_SCOPES) if seat.caller.may(scope))
    seen = tuple((str(shop.id), shop.name) for shop in shops.list_shops(tx) if shop.id in seat.shops)
    every = (FormField("every_shop", say("Every shop"), "tick"),) if seat.shops.ids is None else ()
    fields = (
        FormField("name", say("Name"), max=64, hint=say("Which program it is for.")),
        FormField("scopes", say("May"), "ticks", options=scopes),
        *every,
        FormField("shops", say("Shops"), "ticks", options=seen, required=False),
    )
    return FormPage(
        title=say("Key for a program"),
        answer=say("A key can do no more than you can, and never sees a buyer in the clear."),
        action="/people/keys/new",
        verb=say("Make the key"),
        back=BACK,
        fields=filled_in(fields, form),
        problem=loose_problem(fields, form),
    )
