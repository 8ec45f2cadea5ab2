"""GET /catalogue: the SKUs of the caller's shops, found by code or name, a page at a time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.kernel.tx import Tx
from waystream.parts.catalogue import actions as catalogue
from waystream.parts.catalogue.model import Sku
from waystream.parts.shops import actions as shops
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.navigation import Entry
from waystream.web.pages.catalogue import skus
from waystream.web.render import language_of, show
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.views import PAGE_ROWS, Address, Menu, Option

READ, WRITE, IMPORT = "setup:read", "shop:write", "orders:write"
NAV = (Entry(25, "settings", "/catalogue", "settings", N_("Goods"), READ),)

router = APIRouter()
router.include_router(skus.router)


@dataclass(frozen=True, slots=True)
class SkuView:
    code: str
    href: str
    name: str
    category: str
    shop: str
    weight: str
    size: str
    fragile: bool
    cost: str
    changed: Moment | None


@dataclass(frozen=True, slots=True)
class CataloguePage:
    answer: Markup
    rows: tuple[SkuView, ...]
    shops: Menu | None
    shop: str
    text: str
    clear: str
    told: str
    first: str
    next: str
    may_write: bool
    may_import: bool
    empty: bool


@dataclass(frozen=True, slots=True)
class Filters:
    shop: str = ""
    text: str = ""
    after: str = ""

    @property
    def address(self) -> Address:
        return Address("/catalogue", {"shop": self.shop, "q": self.text})


@router.get("/catalogue")
def list_skus(
    request: Request,
    seat: Annotated[Seat, requires(READ)],
    shop: Annotated[str, Query(max_length=64)] = "",
    q: Annotated[str, Query(max_length=100)] = "",
    after: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw(tx, seat, Filters(shop, q.strip().replace("\0", ""), after.replace("\0", "")), language_of(request))
    return show(request, "catalogue/page.html", page)


def draw(tx: Tx, seat: Seat, filters: Filters, language: Language) -> CataloguePage:
    seen = {shop.id: shop for shop in shops.list_shops(tx) if shop.id in seat.shops}
    chosen = next((shop for shop in seen.values() if shop.code == filters.shop), None)
    rows = catalogue.list_skus(
        tx, shop_id=chosen.id if chosen else None, text=filters.text, after=_place(filters.after), limit=PAGE_ROWS + 1
    )
    count, light = catalogue.count_skus(tx)
    shown, address = rows[:PAGE_ROWS], filters.address
    names = {shop.id: shop.name for shop in seen.values()}
    return CataloguePage(
        answer=_answer(language, count, light),
        rows=tuple(_view(language, sku, names.get(sku.shop_id, ""), tx.now) for sku in shown),
        shops=_menu(language, filters, [(shop.code, shop.name) for shop in seen.values()]),
        shop=chosen.code if chosen else "",
        text=filters.text,
        clear=address.but(q=""),
        told=language.say_n("%(n)s SKU, by code", "%(n)s SKUs, by code", len(shown)),
        first=address.but() if filters.after else "",
        next=address.but(after=f"{shown[-1].id}-{shown[-1].code}") if len(rows) > PAGE_ROWS else "",
        may_write=seat.caller.may(WRITE),
        may_import=seat.caller.may(WRITE) and seat.caller.may(IMPORT),
        empty=not count,
    )


def _place(after: str) -> tuple[str, int]:
    """Where the page before ended; the beginning for anything that is no place of ours."""
    row_id, _, code = after.partition("-")
    return (code, int(row_id)) if row_id.isascii() and row_id.isdigit() and len(row_id) < 19 else ("", 0)


def _answer(language: Language, count: int, light: int) -> Markup:
    if not count:
        return language.say("No goods are known yet; orders come in all the same.")
    if light:
        return language.say_n(
            "%(n)s SKU is known; %(light)s have no weight.",
            "%(n)s SKUs are known; %(light)s have no weight.",
            count,
            light=language.number(light),
        )
    return language.say_n("%(n)s SKU is known, and its weight.", "%(n)s SKUs are known, each with its weight.", count)


def _menu(language: Language, filters: Filters, options: list[tuple[str, str]]) -> Menu | None:
    """None where there is nothing to choose."""
    if len(options) < 2 and not filters.shop:
        return None
    address = filters.address
    return Menu(
        label=language.say("Shop"),
        options=tuple(Option(name, address.but(shop=code), code == filters.shop) for code, name in options),
        chosen=dict(options).get(filters.shop, filters.shop),
        clear=address.but(shop=""),
    )


def _view(language: Language, sku: Sku, shop: str, now: datetime) -> SkuView:
    sides = (sku.length_mm, sku.width_mm, sku.height_mm)
    return SkuView(
        code=sku.code,
        href=f"/catalogue/{sku.shop_id}/{quote(sku.code, safe='')}",
        name=sku.name,
        category=sku.category,
        shop=shop,
        weight=language.number(sku.weight_g) if sku.weight_g else "",
        size=" × ".join(language.number(side) for side in sides) if all(sides) else "",
        fragile=sku.fragile,
        cost=language.money(sku.unit_cost_fen) if sku.unit_cost_fen else "",
        changed=language.when(sku.changed_at, now),
    )
