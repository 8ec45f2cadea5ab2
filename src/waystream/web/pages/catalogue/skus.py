"""The form of a SKU: known by its shop and code, which stay; the rest is what carriers and finance have to know."""

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Path as PathValue
from starlette.requests import Request
from starlette.responses import Response

from waystream.core import sheet
from waystream.core.errors import Conflict, Invalid, Missing
from waystream.kernel.tx import Tx
from waystream.parts.catalogue import actions as catalogue
from waystream.parts.catalogue.model import Sku, parse_sku
from waystream.parts.shops import actions as shops
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.forms import Filled, Form, FormField, FormPage, filled_in, loose_problem
from waystream.web.pages.order.page import RowId
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import Language

WRITE = "shop:write"
BACK = "/catalogue"
NUMBERS = ("weight_g", "length_mm", "width_mm", "height_mm")

router = APIRouter()

Code = Annotated[str, PathValue(max_length=64)]


@router.get("/catalogue/new")
def show_new(request: Request, seat: Annotated[Seat, requires(WRITE)]) -> Response:
    language = language_of(request)
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw(tx, seat, language, None, None)
    return show(request, "form.html", page)


@router.post("/catalogue/new")
def add(request: Request, seat: Annotated[Seat, requires(WRITE)], form: Form) -> Response:
    def save(tx: Tx) -> None:
        shop_id = form.number("shop_id")
        if shop_id not in seat.shops:
            raise Invalid("shop_id", "there is no such shop")
        if catalogue.find_sku(tx, shop_id, form.text("code")) is not None:
            raise Conflict("There is a SKU of this code already.", path="code")
        catalogue.upsert_skus(tx, shop_id, [parse_sku(_raw(form, form.text("code")))])

    language, work = language_of(request), context_of(request).work
    try:
        work.run(save, shops=seat.shops)
    except (Invalid, Conflict) as refusal:
        refused = form.refused(refusal)
        page = work.run(lambda tx: draw(tx, seat, language, None, refused), shops=seat.shops)
        return show(request, "form.html", page, status=refusal.status)
    return go(BACK, said=language.say("Saved."))


@router.get("/catalogue/{shop_id:int}/{code:path}")
def show_one(request: Request, seat: Annotated[Seat, requires(WRITE)], shop_id: RowId, code: Code) -> Response:
    language = language_of(request)
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw(tx, seat, language, _get(tx, shop_id, code), None)
    return show(request, "form.html", page)


@router.post("/catalogue/{shop_id:int}/{code:path}")
def change(
    request: Request, seat: Annotated[Seat, requires(WRITE)], shop_id: RowId, code: Code, form: Form
) -> Response:
    def save(tx: Tx) -> None:
        _get(tx, shop_id, code)
        catalogue.upsert_skus(tx, shop_id, [parse_sku(_raw(form, code))])

    language, work = language_of(request), context_of(request).work
    try:
        work.run(save, shops=seat.shops)
    except Invalid as refusal:
        refused = form.refused(refusal)
        page = work.run(lambda tx: draw(tx, seat, language, _get(tx, shop_id, code), refused), shops=seat.shops)
        return show(request, "form.html", page, status=refusal.status)
    return go(BACK, said=language.say("Saved; parcels that have their number stay as they are."))


def _get(tx: Tx, shop_id: int, code: str) -> Sku:
    """Row-level security holds the shops of the caller. Raises `Missing`."""
    found = catalogue.find_sku(tx, shop_id, code.replace("\0", ""))
    if found is None:
        raise Missing("There is no such SKU.")
    return found


def _raw(form: Filled, code: str) -> dict[str, Any]:
    """As `parse_sku` takes it; raises `Invalid` for what is no number."""
    numbers = {name: form.number(name) for name in NUMBERS}
    return {
        "code": code,
        "name": form.text("name"),
        "category": form.text("category"),
        "fragile": form.has("fragile"),
        "unit_cost_fen": _cost(form),
        **numbers,
    }


def _cost(form: Filled) -> int:
    try:
        return sheet.yuan(form.text("unit_cost") or "0")
    except ValueError as wrong:
        raise Invalid("unit_cost", str(wrong)) from None


def draw(tx: Tx, seat: Seat, language: Language, sku: Sku | None, form: Filled | None) -> FormPage:
    say = language.say
    fields = (*(() if sku else _identity(tx, seat, language)), *_nature(language, sku))
    return FormPage(
        title=sku.code if sku else say("Goods"),
        answer=_told(language, sku),
        action=f"/catalogue/{sku.shop_id}/{sku.code}" if sku else "/catalogue/new",
        verb=say("Save"),
        back=BACK,
        fields=filled_in(fields, form),
        problem=loose_problem(fields, form),
    )


def _told(language: Language, sku: Sku | None) -> str:
    if sku is None:
        return language.say("What a shop sells, and what a carrier has to know of it.")
    return language.say("%(code)s: what a carrier has to know of it.", code=sku.code)


def _identity(tx: Tx, seat: Seat, language: Language) -> tuple[FormField, ...]:
    seen = tuple((str(shop.id), shop.name) for shop in shops.list_shops(tx) if shop.id in seat.shops)
    hint = language.say("Orders name it; it stays.")
    return (
        FormField("shop_id", language.say("Shop"), "choice", options=seen),
        FormField("code", language.say("Code"), hint=hint, max=64),
    )


def _nature(language: Language, sku: Sku | None) -> tuple[FormField, ...]:
    say = language.say
    size = (("length_mm", say("Length, mm")), ("width_mm", say("Width, mm")), ("height_mm", say("Height, mm")))
    return (
        FormField("name", say("Name"), value=sku.name if sku else "", hint=say("It stands on labels.")),
        FormField("category", say("Category"), value=sku.category if sku else "", required=False, max=100),
        FormField(
            "weight_g", say("Weight, g"), "number", value=_known(sku.weight_g if sku else 0), required=False,
            hint=say("One piece with its wrapping; empty is not known."),
        ),
        *(
            FormField(name, label, "number", value=_known(getattr(sku, name) if sku else 0), required=False)
            for name, label in size
        ),
        FormField(
            "unit_cost", say("Cost, CNY"), value=f"{sku.unit_cost_fen / 100:.2f}" if sku and sku.unit_cost_fen else "",
            required=False, max=16,
        ),
        FormField("fragile", say("Fragile"), "tick", ticked=("1",) if sku and sku.fragile else ()),
    )  # fmt: skip


def _known(amount: int) -> str:
    return str(amount) if amount else ""
