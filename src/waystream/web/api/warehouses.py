"""Warehouses over the API. A warehouse's sender goes in whole and comes out masked."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from waystream.core.errors import Missing
from waystream.kernel.tx import Tx
from waystream.parts.catalogue import actions, model
from waystream.parts.catalogue.model import WarehouseIn, parse_warehouse
from waystream.parts.floor import actions as floor
from waystream.web.interface import Call, may, told
from waystream.web.wire import MAX_ID, Asked, Id, Told, decode, see

READ, WRITE = "setup:read", "setup:write"

router = APIRouter(tags=["warehouses"])

WarehouseId = Annotated[int, Path(ge=1, le=MAX_ID)]

EXAMPLE = {
    "code": "yh",
    "name": "余杭仓",
    "province": "浙江省",
    "city": "杭州市",
    "district": "余杭区",
    "sender": {"name": "示例", "mobile": "13800000000", "address": "示例路 1 号"},
    "dispatch_by": "scan",
}


class Warehouse(Told, frozen=True):
    """`dispatch_by`: the step at which an order counts as shipped; `cutoffs` by carrier code."""

    id: Id
    code: str
    name: str
    province: str
    city: str
    district: str
    contact_mask: str
    dispatch_by: str
    working_days: str
    cutoff: str
    cutoffs: dict[str, str]
    printer_id: Id | None
    created_at: datetime


class Warehouses(Told, frozen=True):
    warehouses: tuple[Warehouse, ...]


class PrinterOf(Asked, frozen=True):
    """Null: labels of this warehouse are fetched as files."""

    printer: Id | None


@router.get("/warehouses", summary="List warehouses")
@told(gives=Warehouses)
def list_warehouses(call: Annotated[Call, may(READ)]) -> Response:
    """Those the caller works in, by code."""

    def read(tx: Tx) -> Warehouses:
        mine = [row for row in actions.list_warehouses(tx) if call.seat.caller.may_warehouse(row.id)]
        return Warehouses(warehouses=tuple(see(Warehouse, row) for row in mine))

    return call.show(read)


@router.get("/warehouses/{warehouse}", summary="Read one warehouse")
@told(gives=Warehouse, errors=(404, 422))
def get_warehouse(call: Annotated[Call, may(READ)], warehouse: WarehouseId) -> Response:
    return call.show(lambda tx: see(Warehouse, _get(tx, call, warehouse)))


@router.post("/warehouses", summary="Save a warehouse")
@told(takes=WarehouseIn, gives=Warehouse, errors=(404, 422), example=EXAMPLE)
def save_warehouse(call: Annotated[Call, may(WRITE)]) -> Response:
    """Makes it, or writes over the one of this code."""
    asked = parse_warehouse(decode(call.body))

    def save(tx: Tx) -> Warehouse:
        known = actions.find_warehouse(tx, asked.code)
        if known is not None:
            _get(tx, call, known.id)
        return see(Warehouse, actions.upsert_warehouse(tx, asked, actor=call.actor))

    return call.do(save, setup=True)


@router.put("/warehouses/{warehouse}/printer", summary="Choose where a warehouse's labels print")
@told(takes=PrinterOf, gives=Warehouse, errors=(404, 422))
def link_printer(call: Annotated[Call, may(WRITE)], warehouse: WarehouseId) -> Response:
    asked = call.read(PrinterOf)

    def link(tx: Tx) -> Warehouse:
        _get(tx, call, warehouse)
        printer = floor.get_printer(tx, int(asked.printer)) if asked.printer is not None else None
        actions.link_printer(tx, warehouse, printer.id if printer else None, actor=call.actor)
        return see(Warehouse, actions.get_warehouse(tx, warehouse))

    return call.do(link, setup=True)


def _get(tx: Tx, call: Call, warehouse_id: int) -> model.Warehouse:
    """Somebody limited to other warehouses is not told that this one exists."""
    if not call.seat.caller.may_warehouse(warehouse_id):
        raise Missing("There is no such warehouse.")
    return actions.get_warehouse(tx, warehouse_id)
