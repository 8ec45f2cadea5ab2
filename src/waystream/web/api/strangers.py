"""Strangers and quarantine over the API: pushes that found no parcel, could not be read, or said unknown words."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from msgspec import Meta
from starlette.responses import Response

from waystream.core.errors import Conflict, Invalid, Unreadable
from waystream.kernel.ids import mint_ids
from waystream.kernel.tx import Tx
from waystream.parts.tracking import actions, reading
from waystream.parts.tracking.reading import PAGE_MAX_ROWS
from waystream.web.cursor import read_scan_cursor, write_scan_cursor
from waystream.web.interface import Call, may, told
from waystream.web.reach import reach_unread
from waystream.web.wire import MAX_ID, Asked, Id, Told, see

READ, WRITE = "parcels:read", "parcels:write"

router = APIRouter(tags=["strangers"])

AfterId = Annotated[int | None, Query(ge=1, le=MAX_ID, description="`after` of the page before")]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX_ROWS, description="rows of a page")]


class Stranger(Told, frozen=True):
    """A number nobody has bound, and how often it was told of."""

    carrier: str
    number: str
    pushes: int
    first_at: datetime
    last_at: datetime


class StrangerPage(Told, frozen=True):
    """`after` leads to the next page; null on the last."""

    strangers: tuple[Stranger, ...]
    after: Id | None


class WaybillName(Asked, frozen=True):
    carrier: Annotated[str, Meta(min_length=1, max_length=20)]
    number: Annotated[str, Meta(min_length=1, max_length=64)]


class DismissIn(Asked, frozen=True):
    waybills: Annotated[tuple[WaybillName, ...], Meta(min_length=1, max_length=500)]


class Dismissed(Told, frozen=True):
    """How many numbers were waiting."""

    dismissed: int


class Quarantined(Told, frozen=True):
    """A signed push that could not be taken in, and why."""

    id: Id
    aggregator: str
    reason: str
    received_at: datetime


class QuarantinePage(Told, frozen=True):
    """`after` leads to the next page; null on the last."""

    pushes: tuple[Quarantined, ...]
    after: Id | None


class Retried(Told, frozen=True):
    """The push was taken in with today's reader."""

    id: Id


class UnreadLine(Told, frozen=True):
    """A line of a push that could not be read while the rest could, masked. `number` may be empty, `parcel_id` is null
    where the number is nobody's."""

    id: Id
    aggregator: str
    carrier: str
    number: str
    parcel_id: Id | None
    line: str
    reason: str
    seen_at: datetime


class UnreadPage(Told, frozen=True):
    """`after` leads to the next page; null on the last."""

    lines: tuple[UnreadLine, ...]
    after: Id | None


class Settled(Told, frozen=True):
    """The line is no longer listed."""

    id: Id


class UnknownCode(Told, frozen=True):
    """A code of a carrier network that our table does not know yet, and how often it was seen."""

    source: str
    carrier: str
    code: str
    seen: int
    first_at: datetime
    last_at: datetime


class UnknownCodes(Told, frozen=True):
    codes: tuple[UnknownCode, ...]


class DisputedScan(Told, frozen=True):
    """A scan of a bound number outside the time its binding owns, or `ahead`: of a time that had not come yet."""

    parcel_id: Id
    carrier: str
    number: str
    at: datetime
    text: str
    code: str
    seen_at: datetime
    ahead: bool


class DisputedScans(Told, frozen=True):
    """`after` leads to the next page; null on the last."""

    scans: tuple[DisputedScan, ...]
    after: str | None


class ClockAhead(Told, frozen=True):
    """An account whose pushes bear a PushTime too far ahead; `told_at` is what the newest of them said."""

    aggregator: str
    pushes: int
    first_at: datetime
    last_at: datetime
    told_at: datetime


class ClocksAhead(Told, frozen=True):
    clocks: tuple[ClockAhead, ...]


@router.get("/strangers", summary="List numbers nobody has bound")
@told(gives=StrangerPage, errors=(422,))
def list_strangers(call: Annotated[Call, may(READ)], after: AfterId = None, limit: Limit = 50) -> Response:
    """The last told first."""

    def read(tx: Tx) -> StrangerPage:
        rows = reading.list_strangers(tx, before=after, limit=limit)
        last = Id(rows[-1].inbox_id) if len(rows) == limit else None
        return StrangerPage(strangers=tuple(see(Stranger, row) for row in rows), after=last)

    return call.show(read)


@router.post("/strangers/dismiss", summary="Dismiss numbers that are not ours")
@told(
    takes=DismissIn,
    gives=Dismissed,
    errors=(422,),
    example={"waybills": [{"carrier": "YTO", "number": "YT9900000001"}]},
)
def dismiss_strangers(call: Annotated[Call, may(WRITE)]) -> Response:
    """A later push lists them again."""
    asked = call.read(DismissIn)
    waybills = [(each.carrier.upper(), each.number.upper()) for each in asked.waybills]
    return call.do(lambda tx: Dismissed(dismissed=actions.dismiss(tx, waybills, actor=call.actor)), setup=True)


@router.get("/quarantine", summary="List pushes that could not be read")
@told(gives=QuarantinePage, errors=(422,))
def list_quarantine(call: Annotated[Call, may(READ)], after: AfterId = None, limit: Limit = 50) -> Response:
    """The newest first."""

    def read(tx: Tx) -> QuarantinePage:
        rows = reading.list_quarantine(tx, before=after, limit=limit)
        last = Id(rows[-1].id) if len(rows) == limit else None
        return QuarantinePage(pushes=tuple(see(Quarantined, row) for row in rows), after=last)

    return call.show(read)


@router.post("/quarantine/{push}/retry", summary="Take in a quarantined push with today's reader")
@told(gives=Retried, errors=(404, 409, 422))
def retry_push(call: Annotated[Call, may(WRITE)], push: Annotated[int, Path(ge=1, le=MAX_ID)]) -> Response:
    """409 as long as it cannot be read; then it stays as it is."""

    def retry(tx: Tx) -> Retried:
        (inbox_id,) = mint_ids(1, at_ms=int(tx.now.timestamp() * 1000))
        try:
            actions.retry_quarantine(tx, push, networks=call.context.networks, inbox_id=inbox_id)
        except Unreadable as error:
            raise Conflict(error.sentence) from None
        return Retried(id=Id(push))

    return call.do(retry, setup=True)


@router.get("/unread-lines", summary="List lines of pushes that could not be read")
@told(gives=UnreadPage, errors=(422,))
def list_unread(call: Annotated[Call, may(READ)], after: AfterId = None, limit: Limit = 50) -> Response:
    """The newest first; everything else in those pushes was taken in."""

    def read(tx: Tx) -> UnreadPage:
        rows = reading.list_unread(tx, before=after, warehouse_ids=call.seat.caller.warehouses, limit=limit)
        last = Id(rows[-1].id) if len(rows) == limit else None
        return UnreadPage(lines=tuple(see(UnreadLine, row) for row in rows), after=last)

    return call.show(read)


@router.post("/unread-lines/{line}/retry", summary="Read an unreadable line with today's reader")
@told(gives=Settled, errors=(404, 409, 422))
def retry_unread(call: Annotated[Call, may(WRITE)], line: Annotated[int, Path(ge=1, le=MAX_ID)]) -> Response:
    """409 as long as it cannot be read; then it stays as it is."""

    def retry(tx: Tx) -> Settled:
        try:
            actions.retry_unread(tx, reach_unread(tx, call.seat, line), networks=call.context.networks)
        except Unreadable as error:
            raise Conflict(error.sentence) from None
        return Settled(id=Id(line))

    return call.do(retry, setup=True)


@router.post("/unread-lines/{line}/aside", summary="Set an unreadable line aside")
@told(gives=Settled, errors=(404, 422))
def set_unread_aside(call: Annotated[Call, may(WRITE)], line: Annotated[int, Path(ge=1, le=MAX_ID)]) -> Response:
    """A person looked at it; the push itself stays."""

    def aside(tx: Tx) -> Settled:
        actions.set_unread_aside(tx, reach_unread(tx, call.seat, line), actor=call.actor)
        return Settled(id=Id(line))

    return call.do(aside)


@router.get("/unknown-codes", summary="List codes our tables do not know")
@told(gives=UnknownCodes)
def list_unknown_codes(call: Annotated[Call, may(READ)]) -> Response:
    """The last seen first. Mend the table, then replay: history heals."""
    return call.show(
        lambda tx: UnknownCodes(codes=tuple(see(UnknownCode, row) for row in reading.list_unknown_codes(tx)))
    )


@router.get("/clocks-ahead", summary="List accounts whose pushes come from the future")
@told(gives=ClocksAhead)
def list_clocks_ahead(call: Annotated[Call, may(READ)]) -> Response:
    """Such a push counts as of its arrival; the last first."""
    return call.show(
        lambda tx: ClocksAhead(clocks=tuple(see(ClockAhead, row) for row in reading.list_clocks_ahead(tx)))
    )


@router.get("/disputed-scans", summary="List scans outside their binding's time")
@told(gives=DisputedScans, errors=(422,))
def list_disputed(
    call: Annotated[Call, may(READ)],
    parcel: Annotated[int | None, Query(ge=1, le=MAX_ID, description="of one parcel")] = None,
    after: Annotated[str, Query(max_length=80, description="`after` of the page before")] = "",
    limit: Limit = 200,
) -> Response:
    """Listed, never dropped; only of the caller's shops and warehouses. The last seen first."""
    before = read_scan_cursor(after)
    if after and before is None:
        raise Invalid("after", "not the `after` of a page of ours")

    def read(tx: Tx) -> DisputedScans:
        here = call.seat.caller.warehouses
        rows = reading.list_disputed(tx, parcel, warehouse_ids=here, before=before, limit=limit + 1)
        last = rows[limit - 1] if len(rows) > limit else None
        return DisputedScans(
            scans=tuple(see(DisputedScan, row) for row in rows[:limit]),
            after=write_scan_cursor(last.seen_at, last.parcel_id, last.key) if last else None,
        )

    return call.show(read)
