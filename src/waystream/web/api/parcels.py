"""Parcels over the API: list and read, why each is where it is, its label as a file."""

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from waystream.core.state import State
from waystream.kernel.tx import Tx
from waystream.parts.floor import actions as floor
from waystream.parts.floor import paper
from waystream.parts.floor.model import Label
from waystream.parts.fulfilment import lists
from waystream.parts.fulfilment.lists import Cursor
from waystream.parts.fulfilment.store_lists import Filters
from waystream.parts.tracking import reading
from waystream.web import history
from waystream.web.api import _parcel_deeds
from waystream.web.api._order_views import Entry, Timeline
from waystream.web.api._parcel_views import Parcel, ParcelHistory, Print, Why
from waystream.web.api.orders import MASKED, After, Limit
from waystream.web.cursor import write_cursor
from waystream.web.interface import Call, go_on, may, told
from waystream.web.reach import find_shop, limit_warehouses, reach_order, reach_parcel
from waystream.web.wire import MAX_ID, Told, see

READ = "parcels:read"

router = APIRouter(tags=["parcels"])
router.include_router(_parcel_deeds.router)

ParcelId = Annotated[int, Path(ge=1, le=MAX_ID)]
Stage = Literal["asked", "doubt", "refused", "conflict", "issued", "printed", "dispatched", "voided"]
MEDIA = {"pdf": "application/pdf", "png": "image/png", "zpl": "application/zpl"}


class ParcelPage(Told, frozen=True):
    """`after` leads to the next page; null on the last."""

    parcels: tuple[Parcel, ...]
    after: str | None


class ParcelCounts(Told, frozen=True):
    """How many parcels are at each stage."""

    stages: dict[str, int]


class Prints(Told, frozen=True):
    prints: tuple[Print, ...]


@router.get("/parcels", summary="List parcels, the last moved first")
@told(gives=ParcelPage, errors=(404, 422))
def list_parcels(
    call: Annotated[Call, may(READ)],
    stage: Annotated[list[Stage] | None, Query(description="how far we are; may be given several times")] = None,
    state: Annotated[list[State] | None, Query(description="where it is; may be given several times")] = None,
    carrier: Annotated[list[str] | None, Query(max_length=20, description="carriers' codes")] = None,
    number: Annotated[str, Query(max_length=40, description="the beginning of a waybill number, old ones too")] = "",
    order: Annotated[str, Query(max_length=140, description="an order's id, or `SHOP:NUMBER`")] = "",
    shop: Annotated[str, Query(max_length=64, description="a shop's code")] = "",
    warehouse: Annotated[str, Query(max_length=64, description="a warehouse's code")] = "",
    held: Annotated[bool | None, Query(description="on hold, or not")] = None,
    after: After = "",
    limit: Limit = 50,
) -> Response:
    at = go_on(after)

    def read(tx: Tx) -> ParcelPage:
        warehouses, shop_id = limit_warehouses(tx, call.seat, warehouse), find_shop(tx, shop)
        filters = Filters(
            order_id=reach_order(tx, call.seat, order) if order else None, number=number, stages=tuple(stage or ()),
            states=tuple(each.value for each in state or ()), carriers=tuple(each.upper() for each in carrier or ()),
            shop_ids=(shop_id,) if shop_id else (), warehouse_ids=tuple(warehouses or ()), held=held,
        )  # fmt: skip
        if warehouses is not None and not warehouses:
            return ParcelPage(parcels=(), after=None)
        page = lists.list_parcels(tx, filters, after=Cursor(*at) if at else None, limit=limit)
        go = write_cursor(page.after.moved_at, page.after.id) if page.after else None
        return ParcelPage(parcels=tuple(_masked(call, see(Parcel, each)) for each in page.parcels), after=go)

    return call.show(read)


def _masked(call: Call, parcel: Parcel) -> Parcel:
    return parcel if call.seat.caller.may(MASKED) else msgspec.structs.replace(parcel, name_mask="")


@router.get("/parcels/counts", summary="Count parcels by stage")
@told(gives=ParcelCounts)
def count_parcels(call: Annotated[Call, may(READ)]) -> Response:
    def read(tx: Tx) -> ParcelCounts:
        own = call.seat.caller.warehouses
        return ParcelCounts(stages=lists.count_stages(tx, warehouse_ids=None if own is None else sorted(own)))

    return call.show(read)


@router.get("/parcels/{parcel}", summary="Read one parcel")
@told(gives=ParcelHistory, errors=(404, 422))
def get_parcel(call: Annotated[Call, may(READ)], parcel: ParcelId) -> Response:
    """With its contents, attempts to get a number, numbers, labels and numbers given back."""

    def read(tx: Tx) -> ParcelHistory:
        found = see(ParcelHistory, lists.get_parcel(tx, reach_parcel(tx, call.seat, parcel)))
        return msgspec.structs.replace(found, parcel=_masked(call, found.parcel))

    return call.show(read)


@router.get("/parcels/{parcel}/timeline", summary="Read what happened to a parcel")
@told(gives=Timeline, errors=(404, 422))
def list_parcel_timeline(call: Annotated[Call, may(READ)], parcel: ParcelId) -> Response:
    """Newest first: our events, scans (withdrawn ones too), claims and decisions; at most 500."""

    def read(tx: Tx) -> Timeline:
        entries = history.list_of_parcel(tx, reach_parcel(tx, call.seat, parcel))
        return Timeline(entries=tuple(see(Entry, entry) for entry in entries))

    return call.show(read)


@router.get("/parcels/{parcel}/why", summary="Read why a parcel is where it is")
@told(gives=Why, errors=(404, 422))
def explain_parcel(call: Annotated[Call, may(READ)], parcel: ParcelId) -> Response:
    """The one fact that decides: a scan, a claim or a decision; and the push that told it."""
    return call.show(lambda tx: see(Why, reading.why(tx, reach_parcel(tx, call.seat, parcel))))


@router.get("/parcels/{parcel}/prints", summary="List the papers of a parcel's labels")
@told(gives=Prints, errors=(404, 422))
def list_prints(call: Annotated[Call, may(READ)], parcel: ParcelId) -> Response:
    def read(tx: Tx) -> Prints:
        rows = floor.list_prints(tx, reach_parcel(tx, call.seat, parcel))
        return Prints(prints=tuple(see(Print, row) for row in rows))

    return call.show(read)


@router.get("/parcels/{parcel}/label.{format}", summary="Fetch a parcel's label as a file")
@told(gives=bytes, errors=(404, 422), media="application/pdf")
def draw_label(
    call: Annotated[Call, may(READ)],
    parcel: ParcelId,
    format: Literal["pdf", "png", "zpl"],
    dpi: Annotated[int, Query(ge=100, le=600, description="dots per inch of PNG and ZPL")] = 203,
) -> Response:
    """The live label as it prints: the carrier's own where it is readable, else ours. PDF, PNG or ZPL."""
    with call.context.work.begin(shops=call.seat.shops, read_only=True) as tx:
        label: Label = floor.get_label(tx, reach_parcel(tx, call.seat, parcel))
    # Drawing takes its time: no transaction is open meanwhile.
    document, _ = paper.render_label(label, call.context.networks, format=format, dpi=dpi)
    return Response(document, media_type=MEDIA[format])
