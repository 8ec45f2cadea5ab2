"""Deadlines over the API: what is due and what was missed, of one kind at a time; each shop's hours."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from msgspec import Meta
from starlette.responses import Response

from waystream.core.deadline import DeadlineKind
from waystream.kernel.tx import Tx
from waystream.parts.deadlines import lists, settings
from waystream.parts.deadlines.lists import Wanted
from waystream.parts.deadlines.model import HOURS_MAX, parse_settings
from waystream.parts.shops import actions as shops
from waystream.web.api.orders import After, Limit, aware
from waystream.web.cursor import write_cursor
from waystream.web.interface import Call, go_on, may, told
from waystream.web.reach import find_shop, limit_warehouses
from waystream.web.wire import MAX_ID, Asked, Id, Told

READ, WRITE = "parcels:read", "shop:write"

router = APIRouter(tags=["deadlines"])

ShopId = Annotated[int, Path(ge=1, le=MAX_ID)]
Hours = Annotated[int, Meta(ge=1, le=HOURS_MAX)]


class Deadline(Told, frozen=True):
    """`since` it counts. `order` is the order it is of, or the first order in the parcel; of an order there is no
    `parcel`. `doubts`: what is wrong with a delivery."""

    kind: DeadlineKind
    state: Literal["open", "missed"]
    since: datetime
    due_at: datetime
    order: Id | None
    number: str
    parcel: Id | None
    carrier: str
    waybill: str
    shop: str
    warehouse: str
    doubts: tuple[str, ...]


class DeadlinePage(Told, frozen=True):
    """`after` leads to the next page; null on the last."""

    deadlines: tuple[Deadline, ...]
    after: str | None


class DeadlineHours(Told, frozen=True):
    """Hours after payment, after dispatch, in a locker; and the kinds that are watched."""

    ship_by_h: int
    collection_h: int
    pickup_h: int
    watched: tuple[DeadlineKind, ...]


class DeadlineHoursIn(Asked, frozen=True):
    ship_by_h: Hours
    collection_h: Hours
    pickup_h: Hours
    watched: Annotated[tuple[DeadlineKind, ...], Meta(max_length=10)]


@router.get("/deadlines", summary="List deadlines of a kind, the first due first")
@told(gives=DeadlinePage, errors=(422,))
def list_deadlines(
    call: Annotated[Call, may(READ)],
    kind: Annotated[DeadlineKind, Query(description="what is awaited")] = DeadlineKind.SHIP_BY,
    state: Annotated[Literal["", "open", "missed"], Query(description="still in time, or missed; empty: both")] = "",
    before: Annotated[datetime | None, Query(description="open ones due before this instant")] = None,
    shop: Annotated[str, Query(max_length=64, description="a shop's code")] = "",
    warehouse: Annotated[str, Query(max_length=64, description="a warehouse's code")] = "",
    after: After = "",
    limit: Limit = 50,
) -> Response:
    at, until = go_on(after), aware("before", before)

    def read(tx: Tx) -> DeadlinePage:
        warehouses = limit_warehouses(tx, call.seat, warehouse)
        wanted = Wanted(
            kind=kind,
            open=state != "missed",
            missed=state != "open",
            until=until,
            shop_id=find_shop(tx, shop),
            warehouses=None if warehouses is None else tuple(sorted(warehouses)),
            after=at,
        )
        rows = lists.list_deadlines(tx, wanted, limit=limit + 1)
        shown = rows[:limit]
        go = write_cursor(shown[-1].due_at, shown[-1].subject_id) if len(rows) > limit else None
        return DeadlinePage(deadlines=tuple(map(_see, shown)), after=go)

    return call.show(read)


def _see(row: lists.Row) -> Deadline:
    return Deadline(
        kind=DeadlineKind(row.kind),
        state="missed" if row.stand == "missed" else "open",
        since=row.since,
        due_at=row.due_at,
        order=Id(row.order_id) if row.order_id else None,
        number=row.number,
        parcel=Id(row.parcel_id) if row.parcel_id else None,
        carrier=row.carrier,
        waybill=row.waybill,
        shop=row.shop,
        warehouse=row.warehouse,
        doubts=tuple(row.doubts),
    )


@router.get("/shops/{shop}/deadlines", summary="Read until when a shop's orders and parcels have to be where")
@told(gives=DeadlineHours, errors=(404, 422))
def get_hours(call: Annotated[Call, may(READ)], shop: ShopId) -> Response:
    return call.show(lambda tx: _hours(tx, shops.get_shop(tx, shop).id))


@router.put("/shops/{shop}/deadlines", summary="Set until when a shop's orders and parcels have to be where")
@told(
    takes=DeadlineHoursIn, gives=DeadlineHours, errors=(404, 422),
    example={"ship_by_h": 48, "collection_h": 24, "pickup_h": 48, "watched": ["ship_by", "collection", "pickup"]},
)  # fmt: skip
def set_hours(call: Annotated[Call, may(WRITE)], shop: ShopId) -> Response:
    """Open deadlines follow in a moment."""
    asked = call.read(DeadlineHoursIn)
    wanted = parse_settings(
        ship_by_h=asked.ship_by_h, collection_h=asked.collection_h, pickup_h=asked.pickup_h, watched=asked.watched
    )

    def save(tx: Tx) -> DeadlineHours:
        settings.set_settings(tx, shop, wanted, actor=call.actor)
        return _hours(tx, shop)

    return call.do(save)


def _hours(tx: Tx, shop_id: int) -> DeadlineHours:
    said = settings.get_settings(tx, shop_id)
    watched = tuple(kind for kind in DeadlineKind if kind not in said.off)
    return DeadlineHours(said.ship_by_h, said.collection_h, said.pickup_h, watched)
