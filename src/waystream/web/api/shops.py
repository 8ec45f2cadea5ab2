"""Shops over the API, and each one's policy of when an order is complete."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from msgspec import Meta
from starlette.responses import Response

from waystream.core.state import Kind
from waystream.kernel.tx import Tx
from waystream.parts.shops import actions
from waystream.parts.shops import model as shops
from waystream.parts.shops.model import CONFIRM_DAYS_MAX, ORIGIN_CHARS_MAX, ORIGINS_MAX, parse_origins, parse_policy
from waystream.web.interface import Call, may, told
from waystream.web.wire import MAX_ID, Asked, Id, Told

READ, OPEN, WRITE = "orders:read", "setup:write", "shop:write"

router = APIRouter(tags=["shops"])

ShopId = Annotated[int, Path(ge=1, le=MAX_ID)]
Days = Annotated[int, Meta(ge=0, le=CONFIRM_DAYS_MAX)]


class PolicyIn(Asked, frozen=True):
    """Deliveries of the trusted kinds complete an order at once; the others wait `confirm_days` for the buyer."""

    trusted_kinds: Annotated[tuple[Kind, ...], Meta(max_length=10)]
    confirm_days: Days


class ShopIn(Asked, frozen=True):
    code: Annotated[str, Meta(min_length=1, max_length=64)]
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    platform: Annotated[str, Meta(max_length=100)] = ""
    policy: PolicyIn | None = None


class EmbeddingIn(Asked, frozen=True):
    """Origins like `https://shop.example`: their pages may show a buyer's page in a frame and read its JSON."""

    origins: Annotated[tuple[Annotated[str, Meta(max_length=ORIGIN_CHARS_MAX)], ...], Meta(max_length=ORIGINS_MAX)]


class Shop(Told, frozen=True):
    id: Id
    code: str
    name: str
    platform: str
    trusted_kinds: tuple[Kind, ...]
    confirm_days: int
    created_at: datetime
    embed_origins: tuple[str, ...]


class Shops(Told, frozen=True):
    shops: tuple[Shop, ...]


@router.get("/shops", summary="List shops")
@told(gives=Shops)
def list_shops(call: Annotated[Call, may(READ)]) -> Response:
    """Those the caller sees, by code."""
    return call.show(lambda tx: Shops(shops=tuple(_see(shop) for shop in actions.list_shops(tx))))


@router.get("/shops/{shop}", summary="Read one shop")
@told(gives=Shop, errors=(404, 422))
def get_shop(call: Annotated[Call, may(READ)], shop: ShopId) -> Response:
    return call.show(lambda tx: _see(actions.get_shop(tx, shop)))


@router.post("/shops", summary="Open a shop", status_code=201)
@told(takes=ShopIn, gives=Shop, errors=(409, 422), status=201, example={"code": "tea", "name": "青禾茶器"})
def create_shop(call: Annotated[Call, may(OPEN)]) -> Response:
    """Only who is limited to no shop has the permission."""
    asked = call.read(ShopIn)
    policy = parse_policy(asked.policy.trusted_kinds, asked.policy.confirm_days) if asked.policy else None

    def create(tx: Tx) -> Shop:
        return _see(
            actions.create_shop(
                tx, code=asked.code, name=asked.name, platform=asked.platform, policy=policy, actor=call.actor
            )
        )

    return call.do(create, status=201)


@router.put("/shops/{shop}/policy", summary="Set when a shop's orders are complete")
@told(takes=PolicyIn, gives=Shop, errors=(404, 422), example={"trusted_kinds": ["in_person"], "confirm_days": 7})
def set_policy(call: Annotated[Call, may(WRITE)], shop: ShopId) -> Response:
    """From now on; orders that are complete stay so."""
    asked = call.read(PolicyIn)
    policy = parse_policy(asked.trusted_kinds, asked.confirm_days)

    def save(tx: Tx) -> Shop:
        actions.set_policy(tx, shop, policy, actor=call.actor)
        return _see(actions.get_shop(tx, shop))

    return call.do(save)


@router.put("/shops/{shop}/embedding", summary="Set whose pages may show a shop's buyers their order")
@told(takes=EmbeddingIn, gives=Shop, errors=(404, 422), example={"origins": ["https://shop.example"]})
def set_embedding(call: Annotated[Call, may(WRITE)], shop: ShopId) -> Response:
    """No origin at all: nobody's."""
    origins = parse_origins(call.read(EmbeddingIn).origins)

    def save(tx: Tx) -> Shop:
        actions.set_embedding(tx, shop, origins, actor=call.actor)
        return _see(actions.get_shop(tx, shop))

    return call.do(save)


def _see(shop: shops.Shop) -> Shop:
    kinds = tuple(sorted(shop.policy.trusted))
    return Shop(
        Id(shop.id),
        shop.code,
        shop.name,
        shop.platform,
        kinds,
        shop.policy.confirm_days,
        shop.created_at,
        shop.embed_origins,
    )
