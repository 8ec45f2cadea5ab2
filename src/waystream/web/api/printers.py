"""Printers and their queues over the API."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from msgspec import Meta
from starlette.responses import Response

from waystream.kernel.tx import Tx
from waystream.parts.floor import actions, model
from waystream.web.api._parcel_views import Print
from waystream.web.interface import PAGE_MAX, Call, may, told
from waystream.web.wire import MAX_ID, Asked, Id, Told, see

READ, WRITE = "setup:read", "setup:write"

router = APIRouter(tags=["printers"])

PrinterId = Annotated[int, Path(ge=1, le=MAX_ID)]


class PrinterIn(Asked, frozen=True):
    """`uri`: `ipp://host:631/ipp/print`, `socket://host:9100` for ZPL, or `folder:///full/path`."""

    name: Annotated[str, Meta(min_length=1, max_length=60)]
    uri: Annotated[str, Meta(min_length=1, max_length=500)]
    dpi: Annotated[int, Meta(ge=100, le=1200)] = 203
    label_size: Literal["100x180", "76x130"] = "100x180"

    def described(self) -> model.PrinterIn:
        return model.PrinterIn(self.name, self.uri, self.dpi, self.label_size)


class Printer(Told, frozen=True):
    """`state`: unknown, ready or offline (then `said` tells why); `waiting` is the length of its queue."""

    id: Id
    name: str
    uri: str
    dpi: int
    label_size: str
    state: str
    said: str
    seen_at: datetime | None
    disabled: bool
    waiting: int


class Printers(Told, frozen=True):
    printers: tuple[Printer, ...]


class Queue(Told, frozen=True):
    """In the order it will come out."""

    prints: tuple[Print, ...]


class SwitchIn(Asked, frozen=True):
    on: bool


class MoveQueueIn(Asked, frozen=True):
    to: Id


class MovedQueue(Told, frozen=True):
    moved: int


@router.get("/printers", summary="List printers")
@told(gives=Printers)
def list_printers(call: Annotated[Call, may(READ)]) -> Response:
    def read(tx: Tx) -> Printers:
        return Printers(printers=tuple(see(Printer, row) for row in actions.list_printers(tx)))

    return call.show(read, setup=True)


@router.post("/printers", summary="Add a printer", status_code=201)
@told(
    takes=PrinterIn,
    gives=Printer,
    errors=(409, 422),
    status=201,
    example={"name": "A3", "uri": "ipp://10.0.0.9:631/ipp/print"},
)
def add_printer(call: Annotated[Call, may(WRITE)]) -> Response:
    asked = call.read(PrinterIn)

    def add(tx: Tx) -> Printer:
        printer_id = actions.add_printer(tx, asked.described(), actor=call.actor)
        return see(Printer, actions.get_printer(tx, printer_id))

    return call.do(add, status=201, setup=True)


@router.get("/printers/{printer}", summary="Read one printer")
@told(gives=Printer, errors=(404, 422))
def get_printer(call: Annotated[Call, may(READ)], printer: PrinterId) -> Response:
    return call.show(lambda tx: see(Printer, actions.get_printer(tx, printer)), setup=True)


@router.put("/printers/{printer}", summary="Change a printer")
@told(takes=PrinterIn, gives=Printer, errors=(404, 409, 422))
def change_printer(call: Annotated[Call, may(WRITE)], printer: PrinterId) -> Response:
    asked = call.read(PrinterIn)

    def change(tx: Tx) -> Printer:
        actions.change_printer(tx, printer, asked.described(), actor=call.actor)
        return see(Printer, actions.get_printer(tx, printer))

    return call.do(change, setup=True)


@router.delete("/printers/{printer}", summary="Remove a printer that printed nothing")
@told(gives=Printers, errors=(404, 409, 422))
def remove_printer(call: Annotated[Call, may(WRITE)], printer: PrinterId) -> Response:
    """One with a history, or that a warehouse uses, is switched off instead. Answers those that are left."""

    def remove(tx: Tx) -> Printers:
        actions.remove_printer(tx, printer, actor=call.actor)
        return Printers(printers=tuple(see(Printer, row) for row in actions.list_printers(tx)))

    return call.do(remove, setup=True)


@router.get("/printers/{printer}/queue", summary="List what waits for a printer")
@told(gives=Queue, errors=(404, 422))
def list_queue(
    call: Annotated[Call, may(READ)],
    printer: PrinterId,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX, description="rows at most")] = 100,
) -> Response:
    """Only parcels of the caller's shops."""

    def read(tx: Tx) -> Queue:
        actions.get_printer(tx, printer)
        return Queue(prints=tuple(see(Print, row) for row in actions.list_queue(tx, printer, limit)))

    return call.show(read)


@router.post("/printers/{printer}/switch", summary="Switch a printer on or off")
@told(takes=SwitchIn, gives=Printer, errors=(404, 422))
def switch_printer(call: Annotated[Call, may(WRITE)], printer: PrinterId) -> Response:
    """Switched off it keeps its queue; switched on again it goes on."""
    asked = call.read(SwitchIn)

    def switch(tx: Tx) -> Printer:
        actions.switch_printer(tx, printer, on=asked.on, actor=call.actor)
        return see(Printer, actions.get_printer(tx, printer))

    return call.do(switch, setup=True)


@router.post("/printers/{printer}/test", summary="Print a test page", status_code=202)
@told(gives=Printer, errors=(404, 422), status=202)
def try_printer(call: Annotated[Call, may(WRITE)], printer: PrinterId) -> Response:
    """How it went is the printer's state and what it said."""

    def test(tx: Tx) -> Printer:
        actions.try_printer(tx, printer, actor=call.actor)
        return see(Printer, actions.get_printer(tx, printer))

    return call.do(test, status=202, setup=True)


@router.post("/printers/{printer}/move-queue", summary="Let another printer print what waits for this one")
@told(takes=MoveQueueIn, gives=MovedQueue, errors=(404, 422))
def move_queue(call: Annotated[Call, may(WRITE)], printer: PrinterId) -> Response:
    asked = call.read(MoveQueueIn)

    def move(tx: Tx) -> MovedQueue:
        return MovedQueue(moved=actions.move_queue(tx, printer, to=int(asked.to), actor=call.actor))

    return call.do(move, setup=True)
