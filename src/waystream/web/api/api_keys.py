"""API keys over the API. A key's secret is told once, when it is made; nobody gives a key more than they may do."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from msgspec import Meta
from starlette.responses import Response

from waystream.core.errors import Missing
from waystream.kernel.tx import Tx
from waystream.parts.people import actions, model
from waystream.parts.people.actions import Limits
from waystream.parts.people.model import Permission
from waystream.web.api.people import Ids
from waystream.web.interface import Call, may, told
from waystream.web.wire import MAX_ID, Asked, Id, Told, see

WRITE = "people:write"

router = APIRouter(tags=["api keys"])


class KeyIn(Asked, frozen=True):
    """`scopes` are permissions; `person:unmask` is for people only."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    scopes: Annotated[tuple[Permission, ...], Meta(min_length=1, max_length=20)]
    every_shop: bool = False
    shops: Ids = ()


class ApiKey(Told, frozen=True):
    """`prefix` is how the key begins: enough to know it by."""

    id: Id
    name: str
    prefix: str
    scopes: tuple[str, ...]
    every_shop: bool
    shops: tuple[Id, ...]
    created_by: Id | None
    created_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class ApiKeys(Told, frozen=True):
    api_keys: tuple[ApiKey, ...]


class NewApiKey(Told, frozen=True):
    """`secret` is told once: `Authorization: Bearer SECRET`."""

    api_key: ApiKey
    secret: str

    def __repr__(self) -> str:
        return f"NewApiKey({self.api_key.id})"


@router.get("/api-keys", summary="List API keys")
@told(gives=ApiKeys)
def list_keys(call: Annotated[Call, may(WRITE)]) -> Response:
    """Those that reach no more shops than the caller; revoked ones last."""

    def read(tx: Tx) -> ApiKeys:
        return ApiKeys(api_keys=tuple(see(ApiKey, row) for row in _list(tx, call)))

    return call.show(read, setup=True)


@router.post("/api-keys", summary="Make an API key", status_code=201)
@told(
    takes=KeyIn,
    gives=NewApiKey,
    errors=(404, 422),
    status=201,
    example={"name": "shop system", "scopes": ["orders:read", "orders:write", "ship:write"], "shops": ["1"]},
)
def create_key(call: Annotated[Call, may(WRITE)]) -> Response:
    asked = call.read(KeyIn)
    limits = Limits(asked.every_shop, tuple(map(int, asked.shops)))

    def create(tx: Tx) -> NewApiKey:
        _require_shops(tx, limits.shops)
        new = actions.create_key(tx, name=asked.name, scopes=asked.scopes, limits=limits, by=call.seat.caller)
        return NewApiKey(api_key=see(ApiKey, new.key), secret=new.secret)

    return call.do(create, status=201, setup=True)


@router.delete("/api-keys/{key}", summary="Revoke an API key")
@told(gives=ApiKeys, errors=(404, 422))
def revoke_key(call: Annotated[Call, may(WRITE)], key: Annotated[int, Path(ge=1, le=MAX_ID)]) -> Response:
    """From the next request on nobody calls with it. Answers all keys as they are now."""

    def revoke(tx: Tx) -> ApiKeys:
        if key not in {row.id for row in _list(tx, call)}:
            raise Missing("There is no such key, or it was revoked before.")
        actions.revoke_key(tx, key, by=call.seat.caller)
        return ApiKeys(api_keys=tuple(see(ApiKey, row) for row in _list(tx, call)))

    return call.do(revoke, setup=True)


def _list(tx: Tx, call: Call) -> list[model.ApiKey]:
    return [row for row in actions.list_keys(tx) if call.seat.caller.sees(row.caller())]


def _require_shops(tx: Tx, shop_ids: tuple[int, ...]) -> None:
    known = {row[0] for row in tx.conn.execute("SELECT id FROM shop WHERE id = ANY (%s)", [list(shop_ids)])}
    for at, shop_id in enumerate(shop_ids):
        if shop_id not in known:
            raise Missing("There is no such shop.", path=f"shops[{at}]")
