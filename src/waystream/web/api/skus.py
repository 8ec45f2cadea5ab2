"""The SKU master over the API."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from msgspec import Meta
from starlette.responses import Response

from waystream.core.errors import Invalid, Missing
from waystream.kernel.tx import Tx
from waystream.parts.catalogue import actions
from waystream.parts.catalogue.model import SkuIn
from waystream.web.api.orders import Limit
from waystream.web.interface import Call, may, told
from waystream.web.reach import find_shop
from waystream.web.wire import Asked, Id, Told, see

READ, WRITE = "setup:read", "shop:write"
AT_ONCE = 5_000

router = APIRouter(tags=["skus"])


class Sku(Told, frozen=True):
    """One thing a shop sells; zero means not known."""

    id: Id
    shop_id: Id
    code: str
    name: str
    category: str
    weight_g: int
    length_mm: int
    width_mm: int
    height_mm: int
    fragile: bool
    unit_cost_fen: int
    changed_at: datetime


class SkuPage(Told, frozen=True):
    """`after` leads to the next page; null on the last."""

    skus: tuple[Sku, ...]
    after: str | None


class SkusIn(Asked, frozen=True):
    shop: Annotated[str, Meta(min_length=1, max_length=64, description="A shop's code")]
    skus: Annotated[tuple[SkuIn, ...], Meta(min_length=1, max_length=AT_ONCE)]


class Saved(Told, frozen=True):
    """How many were new or different."""

    changed: int


@router.get("/skus", summary="List SKUs by code")
@told(gives=SkuPage, errors=(422,))
def list_skus(
    call: Annotated[Call, may(READ)],
    shop: Annotated[str, Query(max_length=64, description="a shop's code")] = "",
    after: Annotated[str, Query(max_length=90, description="`after` of the page before")] = "",
    limit: Limit = 50,
) -> Response:
    at = _read_after(after)

    def read(tx: Tx) -> SkuPage:
        rows = actions.list_skus(tx, shop_id=find_shop(tx, shop), after=at, limit=limit)
        last = rows[-1] if len(rows) == limit else None
        after = f"{last.id}-{last.code}" if last else None
        return SkuPage(skus=tuple(see(Sku, row) for row in rows), after=after)

    return call.show(read)


def _read_after(after: str) -> tuple[str, int]:
    row_id, _, code = after.partition("-")
    if not after:
        return "", 0
    if not (row_id.isascii() and row_id.isdigit() and len(row_id) < 19 and code):
        raise Invalid("after", "not the `after` of a page of ours")
    return code, int(row_id)


@router.get("/skus/{shop}/{code}", summary="Read one SKU")
@told(gives=Sku, errors=(404,))
def get_sku(call: Annotated[Call, may(READ)], shop: str, code: str) -> Response:
    """By its shop's code and its own."""

    def read(tx: Tx) -> Sku:
        try:
            shop_id = find_shop(tx, shop)
        except Invalid:
            shop_id = None
        found = actions.find_sku(tx, shop_id, code) if shop_id else None
        if found is None:
            raise Missing("There is no such SKU.")
        return see(Sku, found)

    return call.show(read)


@router.post("/skus", summary="Save SKUs of a shop")
@told(
    takes=SkusIn,
    gives=Saved,
    errors=(413, 422),
    example={"shop": "tea", "skus": [{"code": "LJ-250", "name": "龙井 250 g", "weight_g": 320}]},
)
def save_skus(call: Annotated[Call, may(WRITE)]) -> Response:
    """New ones are made, known ones written over by their code; all or none."""
    asked = call.read(SkusIn)

    def save(tx: Tx) -> Saved:
        shop_id = find_shop(tx, asked.shop)
        assert shop_id is not None
        return Saved(changed=actions.upsert_skus(tx, shop_id, asked.skus))

    return call.do(save)
