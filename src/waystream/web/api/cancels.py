"""Numbers that need a person, over the API: to be given back by a call, attempts nobody is sure of, never used."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from waystream.kernel.tx import Tx
from waystream.parts.fulfilment import cancels, lists
from waystream.parts.fulfilment.store_tasks import Place
from waystream.web.api._parcel_views import Cancel, Take
from waystream.web.api.orders import After
from waystream.web.cursor import write_cursor
from waystream.web.interface import PAGE_MAX, Call, go_on, may, told
from waystream.web.reach import reach_parcel
from waystream.web.wire import MAX_ID, Asked, Id, Reason, Told, see

READ, WRITE = "parcels:read", "ship:write"

router = APIRouter(tags=["numbers"])

Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="rows of a page")]


class Cancels(Told, frozen=True):
    """`after` leads to the next page; null on the last."""

    cancels: tuple[Cancel, ...]
    after: str | None


class UnclearTake(Take, frozen=True, kw_only=True):
    parcel_id: Id


class UnclearTakes(Told, frozen=True):
    """`after` leads to the next page; null on the last."""

    takes: tuple[UnclearTake, ...]
    after: str | None


class UnusedNumber(Told, frozen=True):
    """`state`: live, cancelling, orphan, or how its cancel stands."""

    parcel_id: Id
    carrier: str
    number: str
    state: str
    since: datetime


class UnusedNumbers(Told, frozen=True):
    """`after` leads to the next page; null on the last."""

    numbers: tuple[UnusedNumber, ...]
    after: str | None


class SettleIn(Asked, frozen=True):
    """What the carrier said on the phone: the number is dead (`confirmed`) or not (`refused`)."""

    outcome: Literal["confirmed", "refused"]
    reason: Reason


@router.get("/cancels", summary="List numbers to call the carrier about")
@told(gives=Cancels, errors=(422,))
def list_cancels(call: Annotated[Call, may(READ)], after: After = "", limit: Limit = 200) -> Response:
    """Not cancelled by the network, or collected already; the oldest first."""
    at = go_on(after)
    return call.show(lambda tx: _list_cancels(tx, call, at=at, limit=limit))


@router.post("/cancels/{cancel}/settle", summary="Settle by hand whether a number is given back")
@told(takes=SettleIn, gives=Cancels, errors=(404, 409, 422))
def settle_cancel(call: Annotated[Call, may(WRITE)], cancel: Annotated[int, Path(ge=1, le=MAX_ID)]) -> Response:
    """Answers what is left to call about."""
    asked = call.read(SettleIn)

    def settle(tx: Tx) -> Cancels:
        reach_parcel(tx, call.seat, _find_parcel(tx, cancel))
        cancels.settle_by_hand(tx, cancel, asked.outcome, reason=asked.reason, actor=call.actor)
        return _list_cancels(tx, call, at=None, limit=PAGE_MAX)

    return call.do(settle)


def _list_cancels(tx: Tx, call: Call, *, at: Place | None, limit: int) -> Cancels:
    rows = lists.list_tasks(tx, warehouse_ids=call.seat.caller.warehouses, after=at, limit=limit + 1)
    shown = rows[:limit]
    return Cancels(
        cancels=tuple(see(Cancel, row) for row in shown),
        after=write_cursor(shown[-1].asked_at, shown[-1].id) if len(rows) > limit else None,
    )


def _find_parcel(tx: Tx, cancel_id: int) -> int:
    """0 is nobody's."""
    row = tx.conn.execute("SELECT parcel_id FROM waybill_cancel WHERE id = %s", [cancel_id]).fetchone()
    return int(row[0]) if row else 0


@router.get("/takes/unclear", summary="List attempts nobody is sure of")
@told(gives=UnclearTakes, errors=(422,))
def list_unclear(call: Annotated[Call, may(READ)], after: After = "", limit: Limit = 200) -> Response:
    """In doubt, in conflict, or given up while unanswered; the oldest first."""
    at = go_on(after)

    def read(tx: Tx) -> UnclearTakes:
        rows = lists.list_unclear_takes(tx, warehouse_ids=call.seat.caller.warehouses, after=at, limit=limit + 1)
        shown = rows[:limit]
        return UnclearTakes(
            takes=tuple(see(UnclearTake, row) for row in shown),
            after=write_cursor(shown[-1].created_at, shown[-1].id) if len(rows) > limit else None,
        )

    return call.show(read)


@router.get("/numbers/unused", summary="List numbers taken and never collected")
@told(gives=UnusedNumbers, errors=(422,))
def list_unused(call: Annotated[Call, may(READ)], after: After = "", limit: Limit = 200) -> Response:
    """Older than three days: bound and lying here, orphans, and those that would not be cancelled; the oldest first."""
    at = go_on(after)

    def read(tx: Tx) -> UnusedNumbers:
        rows = lists.list_unused_numbers(tx, warehouse_ids=call.seat.caller.warehouses, after=at, limit=limit + 1)
        shown = rows[:limit]
        return UnusedNumbers(
            numbers=tuple(see(UnusedNumber, row) for row in shown),
            after=write_cursor(shown[-1].since, shown[-1].id) if len(rows) > limit else None,
        )

    return call.show(read)
