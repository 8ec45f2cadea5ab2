"""The ship action over the API: orders become parcels with numbers asked for, and parcels leave the warehouse."""

from typing import Annotated, Literal

from fastapi import APIRouter
from msgspec import Meta
from starlette.responses import Response

from waystream.kernel.tx import Tx
from waystream.parts.fulfilment import actions
from waystream.parts.fulfilment.actions import Dispatched
from waystream.parts.fulfilment.model import MAX_PARCELS, MAX_PIECES, Part, ShipOrders
from waystream.web.acting import IDS_AT_MOST
from waystream.web.api.orders import OrderName, OrderNames
from waystream.web.interface import Call, may, told
from waystream.web.reach import list_elsewhere, reach_order, reach_orders, reach_parcels
from waystream.web.wire import Asked, Id, Told, see

WRITE = "ship:write"

router = APIRouter(tags=["ship"])

Carrier = Annotated[str, Meta(max_length=20, description="A carrier's code, such as ZTO")]
Number = Annotated[str, Meta(min_length=1, max_length=64, description="A waybill number, typed or scanned")]


class PartIn(Asked, frozen=True):
    """Some pieces of one line; `line_no` as the order shows it."""

    line_no: Annotated[int, Meta(ge=1, le=100_000)]
    quantity: Annotated[int, Meta(ge=1, le=100_000)]


Parts = Annotated[tuple[PartIn, ...], Meta(min_length=1, max_length=200)]


class ShipIn(Asked, frozen=True):
    """`parcels` splits one order by hand: each is a list of parts. `combine` puts orders of one receiver and
    warehouse together. `pieces` over 1 asks for a mother waybill with children. `account` wins over `carrier`."""

    orders: OrderNames
    carrier: Carrier = ""
    account: Id | None = None
    parcels: Annotated[tuple[Parts, ...], Meta(min_length=1, max_length=MAX_PARCELS)] | None = None
    combine: bool = False
    pieces: Annotated[int, Meta(ge=1, le=MAX_PIECES)] = 1

    def wish(self, order_ids: tuple[int, ...]) -> ShipOrders:
        split = None
        if self.parcels is not None:
            split = tuple(tuple(Part(each.line_no, each.quantity) for each in parts) for parts in self.parcels)
        account_id = None if self.account is None else int(self.account)
        return ShipOrders(order_ids, self.carrier.upper(), account_id, split, self.combine, self.pieces)


class ShippedOrder(Told, frozen=True):
    """`asked`: numbers are being asked for; `already`: it travels; `refused`: `why` for programs, `reason` for
    people."""

    order_id: Id
    parcel_ids: tuple[Id, ...]
    outcome: Literal["asked", "already", "refused"]
    why: str
    reason: str


class ShippedOrders(Told, frozen=True):
    orders: tuple[ShippedOrder, ...]


class ShipNumberIn(Asked, frozen=True):
    """A number made elsewhere for everything that is left of an order."""

    order: OrderName
    carrier: Annotated[str, Meta(min_length=1, max_length=20)]
    number: Number


class ShippedNumber(Told, frozen=True):
    parcel_id: Id


class DispatchIn(Asked, frozen=True):
    """Parcels by id, by scanned number, or both. `weighed_g` is for one parcel on the scales."""

    parcels: Annotated[tuple[Id, ...], Meta(max_length=IDS_AT_MOST)] = ()
    numbers: Annotated[tuple[Number, ...], Meta(max_length=IDS_AT_MOST)] = ()
    weighed_g: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None


class DispatchedParcel(Told, frozen=True):
    number: str
    parcel_id: Id | None
    outcome: Literal["dispatched", "already", "refused"]
    why: str
    reason: str


class DispatchedParcels(Told, frozen=True):
    parcels: tuple[DispatchedParcel, ...]


@router.post("/ship", summary="Ship orders")
@told(
    takes=ShipIn,
    gives=ShippedOrders,
    errors=(404, 422),
    example={"orders": ["tea:T20261112-0001"], "carrier": "ZTO"},
)
def ship_orders(call: Annotated[Call, may(WRITE)]) -> Response:
    """Makes parcels and asks for their numbers; labels, printing and tracking follow by themselves. An order that
    travels already is answered with its parcels; one that is refused stops none of the others."""
    asked = call.read(ShipIn)

    def ship(tx: Tx) -> ShippedOrders:
        ids = reach_orders(tx, call.seat, asked.orders)
        shipped = actions.ship(tx, asked.wish(ids), actor=call.actor)
        return ShippedOrders(orders=tuple(see(ShippedOrder, each) for each in shipped))

    return call.do(ship)


@router.post("/ship/number", summary="Ship an order under a number made elsewhere")
@told(takes=ShipNumberIn, gives=ShippedNumber, errors=(404, 409, 422))
def ship_number(call: Annotated[Call, may(WRITE)]) -> Response:
    """Everything that is left of the order becomes one parcel with this number; the same number again, the same
    parcel."""
    asked = call.read(ShipNumberIn)

    def ship(tx: Tx) -> ShippedNumber:
        order_id = reach_order(tx, call.seat, asked.order)
        parcel_id = actions.ship_with_number(
            tx, order_id, carrier=asked.carrier.upper(), number=asked.number, actor=call.actor
        )
        return ShippedNumber(parcel_id=Id(parcel_id))

    return call.do(ship)


@router.post("/dispatch", summary="Dispatch parcels")
@told(takes=DispatchIn, gives=DispatchedParcels, errors=(404, 422), example={"numbers": ["73100012345678"]})
def dispatch_parcels(call: Annotated[Call, may(WRITE)]) -> Response:
    """These parcels leave the warehouse: their orders count as shipped. Each is answered alone; what may not leave
    is refused with its reason, an unknown number too."""
    asked = call.read(DispatchIn)

    def dispatch(tx: Tx) -> DispatchedParcels:
        ids = reach_parcels(tx, call.seat, asked.parcels)
        elsewhere = list_elsewhere(tx, call.seat, asked.numbers)
        answers = actions.dispatch(
            tx, ids, by="weigh" if asked.weighed_g else "scan", actor=call.actor, weighed_g=asked.weighed_g,
            scanned=[number for number in asked.numbers if number.strip().upper() not in elsewhere],
        )  # fmt: skip
        answers += [_unknown(number) for number in asked.numbers if number.strip().upper() in elsewhere]
        return DispatchedParcels(parcels=tuple(see(DispatchedParcel, each) for each in answers))

    return call.do(dispatch)


def _unknown(number: str) -> Dispatched:
    return Dispatched(number, None, "refused", "unknown", "No parcel of ours has this number.")
