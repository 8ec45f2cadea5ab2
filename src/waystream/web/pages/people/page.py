"""GET /people: everybody who signs in and every key; adding, changing, switching off, a new password."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Conflict, Forbidden, Invalid, Missing
from waystream.kernel.tx import Tx
from waystream.parts.catalogue import actions as catalogue
from waystream.parts.people import actions as people
from waystream.parts.people.model import Staff
from waystream.parts.shops import actions as shops
from waystream.web.acting import act_on_setup
from waystream.web.auth import Seat, requires
from waystream.web.forms import Filled, Form, FormField, FormPage, filled_in, loose_problem
from waystream.web.navigation import Entry
from waystream.web.pages.order.page import RowId
from waystream.web.pages.people import keys as key_pages
from waystream.web.pages.people.keys import KeyView, Secret, view_key
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.shell.vocabulary import ROLE_WORDS
from waystream.web.views import Deed

WRITE = "people:write"
NAV = (Entry(20, "settings", "/people", "settings", N_("People"), WRITE),)
BACK = "/people"

router = APIRouter()
router.include_router(key_pages.router)


@dataclass(frozen=True, slots=True)
class StaffView:
    id: int
    login: str
    name: str
    role: str
    shops: str
    warehouses: str
    since: Moment | None
    on: bool
    me: bool


@dataclass(frozen=True, slots=True)
class PeoplePage:
    answer: Markup
    staff: tuple[StaffView, ...]
    keys: tuple[KeyView, ...]


@router.get("/people")
def show_people(request: Request, seat: Annotated[Seat, requires(WRITE)]) -> Response:
    language = language_of(request)
    page = act_on_setup(request, lambda tx: draw(tx, seat, language))
    return show(request, "people/page.html", page)


def draw(tx: Tx, seat: Seat, language: Language) -> PeoplePage:
    staff = [each for each in people.list_staff(tx) if seat.caller.sees(each.caller())]
    keys = [key for key in people.list_keys(tx) if seat.caller.sees(key.caller())]
    shop_names = {shop.id: shop.name for shop in shops.list_shops(tx)}
    house_names = {house.id: house.name for house in catalogue.list_warehouses(tx)}
    return PeoplePage(
        answer=_answer(language, staff),
        staff=tuple(_view(language, seat, each, (shop_names, house_names), tx.now) for each in staff),
        keys=tuple(view_key(language, key, shop_names, tx.now) for key in keys),
    )


def _answer(language: Language, staff: list[Staff]) -> Markup:
    working = sum(each.disabled_at is None for each in staff)
    waiting = sum(each.must_change and each.disabled_at is None for each in staff)
    if waiting:
        return language.say_n(
            "%(n)s person can sign in; %(waiting)s have not chosen their own password yet.",
            "%(n)s people can sign in; %(waiting)s have not chosen their own password yet.",
            working,
            waiting=language.number(waiting),
        )
    return language.say_n("%(n)s person can sign in.", "%(n)s people can sign in.", working)


def _view(
    language: Language, seat: Seat, staff: Staff, names: tuple[dict[int, str], dict[int, str]], now: datetime
) -> StaffView:
    shop_names, house_names = names
    every = language.say("every shop") if staff.every_shop else ""
    return StaffView(
        id=staff.id,
        login=staff.login,
        name=staff.name,
        role=language.say(ROLE_WORDS[staff.role]),
        shops=every or ", ".join(shop_names.get(shop_id, "–") for shop_id in staff.shops) or language.say("none"),
        warehouses=", ".join(house_names.get(each, "–") for each in staff.warehouses)
        or language.say("every warehouse"),
        since=language.when(staff.created_at, now),
        on=staff.disabled_at is None,
        me=staff.id == seat.staff_id,
    )


@router.get("/people/new")
def show_new(request: Request, seat: Annotated[Seat, requires(WRITE)]) -> Response:
    language = language_of(request)
    return show(request, "form.html", act_on_setup(request, lambda tx: draw_form(tx, seat, language, None, None)))


@router.post("/people/new")
def add(request: Request, seat: Annotated[Seat, requires(WRITE)], form: Form) -> Response:
    language = language_of(request)

    def create(tx: Tx) -> people.NewStaff:
        return people.create_staff(
            tx,
            login=form.text("login"),
            name=form.text("name"),
            role=form.text("role"),
            limits=limits_of(form),
            by=seat.caller,
            language=form.text("language", "zh"),
        )

    try:
        made = act_on_setup(request, create)
    except (Invalid, Missing, Conflict, Forbidden) as refusal:
        refused = form.refused(refusal)
        page = act_on_setup(request, lambda tx: draw_form(tx, seat, language, None, refused))
        return show(request, "form.html", page, status=refusal.status)
    return show(request, "people/secret.html", _password(language, made))


@router.get("/people/{staff_id:int}")
def show_one(request: Request, seat: Annotated[Seat, requires(WRITE)], staff_id: RowId) -> Response:
    language = language_of(request)
    page = act_on_setup(request, lambda tx: draw_form(tx, seat, language, _get(tx, seat, staff_id), None))
    return show(request, "form.html", page)


@router.post("/people/{staff_id:int}")
def change(request: Request, seat: Annotated[Seat, requires(WRITE)], staff_id: RowId, form: Form) -> Response:
    language = language_of(request)

    def save(tx: Tx) -> None:
        people.change_staff(
            tx,
            staff_id,
            name=form.text("name"),
            role=form.text("role"),
            limits=limits_of(form),
            by=seat.caller,
            language=form.text("language", "zh"),
        )

    try:
        act_on_setup(request, save)
    except (Invalid, Missing, Conflict, Forbidden) as refusal:
        refused = form.refused(refusal)
        page = act_on_setup(request, lambda tx: draw_form(tx, seat, language, _get(tx, seat, staff_id), refused))
        return show(request, "form.html", page, status=refusal.status)
    return go(BACK, said=language.say("Saved; it holds from their next click."))


@router.post("/people/{staff_id:int}/off")
def disable(request: Request, seat: Annotated[Seat, requires(WRITE)], staff_id: RowId) -> Response:
    act_on_setup(request, lambda tx: people.disable_staff(tx, staff_id, by=seat.caller))
    return go(BACK, said=language_of(request).say("They cannot sign in any more; their sessions have ended."))


@router.post("/people/{staff_id:int}/on")
def enable(request: Request, seat: Annotated[Seat, requires(WRITE)], staff_id: RowId) -> Response:
    act_on_setup(request, lambda tx: people.enable_staff(tx, staff_id, by=seat.caller))
    return go(BACK, said=language_of(request).say("They can sign in again."))


@router.post("/people/{staff_id:int}/password")
def reset_password(request: Request, seat: Annotated[Seat, requires(WRITE)], staff_id: RowId) -> Response:
    made = act_on_setup(request, lambda tx: people.reset_password(tx, staff_id, by=seat.caller))
    return show(request, "people/secret.html", _password(language_of(request), made))


def _get(tx: Tx, seat: Seat, staff_id: int) -> Staff:
    """Somebody with more shops than the caller is not told of."""
    staff = people.get_staff(tx, staff_id)
    if not seat.caller.sees(staff.caller()):
        raise Missing("There is no such person.")
    return staff


def _password(language: Language, made: people.NewStaff) -> Secret:
    return Secret(
        title=language.say("Password"),
        answer=language.say("The password of %(login)s, shown this once.", login=made.staff.login),
        secret=made.password,
        hint=language.say("Hand it over in person; it has to be changed at the first sign-in."),
    )


def limits_of(form: Filled) -> people.Limits:
    every = form.has("every_shop")
    return people.Limits(every, () if every else form.ids("shops"), form.ids("warehouses"))


def draw_form(tx: Tx, seat: Seat, language: Language, staff: Staff | None, form: Filled | None) -> FormPage:
    say = language.say
    fields = (
        *(() if staff else (FormField("login", say("Login"), max=64, hint=say("What they type to sign in.")),)),
        FormField("name", say("Name"), value=staff.name if staff else "", max=64),
        FormField(
            "role", say("Role"), "choice", value=staff.role if staff else "warehouse",
            options=tuple((role.value, str(say(word))) for role, word in ROLE_WORDS.items()),
        ),
        FormField(
            "language", say("Language"), "choice", value=staff.language if staff else "zh",
            options=(("zh", "中文"), ("en", "English")),
        ),
        *limit_fields(tx, seat, language, staff),
    )  # fmt: skip
    return FormPage(
        title=say("Person"),
        answer=say("What somebody may do is their role; whose orders they see are their shops."),
        action=f"/people/{staff.id}" if staff else "/people/new",
        verb=say("Save"),
        back=BACK,
        fields=filled_in(fields, form),
        problem=loose_problem(fields, form),
        deeds=_deeds(language, staff) if staff else (),
    )


def limit_fields(tx: Tx, seat: Seat, language: Language, staff: Staff | None) -> tuple[FormField, ...]:
    """Which shops and warehouses; only those the maker has."""
    say = language.say
    seen = [shop for shop in shops.list_shops(tx) if shop.id in seat.shops]
    houses = tuple(
        (str(house.id), house.name) for house in catalogue.list_warehouses(tx) if seat.caller.may_warehouse(house.id)
    )
    every = FormField("every_shop", say("Every shop"), "tick", ticked=("1",) if staff and staff.every_shop else ())
    return (
        *((every,) if seat.shops.ids is None else ()),
        FormField(
            "shops", say("Shops"), "ticks", ticked=tuple(map(str, staff.shops)) if staff else (),
            options=tuple((str(shop.id), shop.name) for shop in seen), required=False,
        ),
        FormField(
            "warehouses", say("Warehouses"), "ticks", ticked=tuple(map(str, staff.warehouses)) if staff else (),
            options=houses, hint=say("None ticked means every one."), required=False,
        ),
    )  # fmt: skip


def _deeds(language: Language, staff: Staff) -> tuple[Deed, ...]:
    on = staff.disabled_at is None
    return (
        Deed(language.say("New password"), f"/people/{staff.id}/password"),
        Deed(
            language.say("Switch off") if on else language.say("Let in again"),
            f"/people/{staff.id}/{'off' if on else 'on'}",
        ),
    )
