"""Numbers assigned beforehand, over the API."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from msgspec import Meta
from starlette.responses import Response

from waystream.kernel.tx import Tx
from waystream.parts.fulfilment import ranges
from waystream.parts.fulfilment.reserved import NUMBERS_AT_ONCE
from waystream.parts.hub import actions as hub
from waystream.web.interface import Call, may, told
from waystream.web.wire import MAX_ID, Asked, Id, Told, see

READ, WRITE = "setup:read", "setup:write"

router = APIRouter(tags=["numbers"])

AccountId = Annotated[int, Path(ge=1, le=MAX_ID)]
BatchId = Annotated[int, Path(ge=1, le=MAX_ID)]


class NumberBatch(Told, frozen=True):
    """What was handed in at once; `free`: what nobody has drawn."""

    id: Id
    account_id: Id
    carrier: str
    first: str
    last: str
    size: int
    free: int
    added_at: datetime


class NumberBatches(Told, frozen=True):
    batches: tuple[NumberBatch, ...]


class NumbersIn(Asked, frozen=True):
    numbers: Annotated[
        tuple[Annotated[str, Meta(min_length=4, max_length=90)], ...],
        Meta(min_length=1, max_length=NUMBERS_AT_ONCE, description="Numbers, or ranges: `YT0001-YT0999`"),
    ]


class Added(Told, frozen=True):
    """`known` were handed in before, or are bound; `asked` parcels that had waited ask again."""

    batch_id: Id
    added: int
    known: int
    asked: int


class Drawing(Asked, frozen=True):
    on: bool


class Turned(Told, frozen=True):
    on: bool


class Dropped(Told, frozen=True):
    dropped: int


@router.get("/numbers/batches", summary="List numbers assigned beforehand, as they were handed in")
@told(gives=NumberBatches)
def list_batches(call: Annotated[Call, may(READ)]) -> Response:
    """The newest hundred."""
    return call.show(
        lambda tx: NumberBatches(batches=tuple(see(NumberBatch, row) for row in ranges.list_batches(tx))), setup=True
    )


@router.post("/accounts/{account}/numbers", summary="Hand in numbers assigned beforehand")
@told(takes=NumbersIn, gives=Added, errors=(404, 413, 422), example={"numbers": ["YT8800000001-YT8800000500"]})
def add_numbers(call: Annotated[Call, may(WRITE)], account: AccountId) -> Response:
    """All or none. A number is known once: handed in again it changes nothing."""
    asked = call.read(NumbersIn)

    def add(tx: Tx) -> Added:
        return see(Added, ranges.add_numbers(tx, account, "\n".join(asked.numbers), actor=call.actor))

    return call.do(add, setup=True)


@router.post("/accounts/{account}/draw", summary="Draw from numbers assigned beforehand, or ask again")
@told(takes=Drawing, gives=Turned, errors=(404, 422))
def draw_numbers(call: Annotated[Call, may(WRITE)], account: AccountId) -> Response:
    """`on`: takes of this account draw from its numbers; otherwise they ask the network."""
    asked = call.read(Drawing)

    def turn(tx: Tx) -> Turned:
        hub.draw_numbers(tx, account, on=asked.on, actor=call.actor)
        return Turned(on=asked.on)

    return call.do(turn, setup=True)


@router.post("/numbers/batches/{batch}/drop", summary="Forget the unused numbers of a batch")
@told(gives=Dropped, errors=(404,))
def drop_batch(call: Annotated[Call, may(WRITE)], batch: BatchId) -> Response:
    return call.do(lambda tx: Dropped(dropped=ranges.drop_batch(tx, batch, actor=call.actor)), setup=True)
