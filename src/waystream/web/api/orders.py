"""Orders over the API: hand in, list, read, cancel, hold, release and confirm, and who stands behind one."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from msgspec import Meta
from starlette.responses import Response

from waystream.core.errors import Invalid, InvalidMany
from waystream.core.order import Word
from waystream.kernel.tx import Tx
from waystream.parts.buyer import reading
from waystream.parts.orders import actions, erasing, lists
from waystream.parts.orders.form import OrderIn, parse_orders
from waystream.parts.orders.model import Axis, Outcome
from waystream.parts.orders.views import Filters
from waystream.web import history, journey_wire
from waystream.web.acting import IDS_AT_MOST
from waystream.web.api._order_views import Entry, OrderBrief, OrderTimeline, OrderWhole
from waystream.web.cursor import write_cursor
from waystream.web.interface import PAGE_MAX, Call, go_on, may, told
from waystream.web.reach import find_shop, limit_warehouses, reach_order, reach_orders
from waystream.web.wire import Asked, Id, Reason, Told, decode, see

READ, WRITE = "orders:read", "orders:write"
MASKED = "person:masked"

router = APIRouter(tags=["orders"])

After = Annotated[str, Query(max_length=60, description="`after` of the page before")]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="rows of a page")]
OrderName = Annotated[str, Meta(min_length=1, max_length=140, description="An order's id, or `SHOP:NUMBER`")]
OrderNames = Annotated[tuple[OrderName, ...], Meta(min_length=1, max_length=IDS_AT_MOST)]

ORDER_EXAMPLE = {
    "shop": "tea",
    "number": "T20261112-0001",
    "warehouse": "yh",
    "payment": "prepaid",
    "paid_at": "2026-11-12T08:30:00+08:00",
    "receiver": {
        "name": "示例",
        "mobile": "13800000000",
        "province": "浙江省",
        "city": "杭州市",
        "district": "西湖区",
        "address": "示例路 1 号",
    },
    "lines": [{"sku": "LJ-250", "name": "龙井 250 g", "quantity": 2, "price_fen": 12800}],
}


class Accepted(Told, frozen=True):
    """What became of one order. `refused` could not be changed any more, because of `why`."""

    order_id: Id
    number: str
    outcome: Outcome
    changed: tuple[Axis, ...]
    refused: tuple[Axis, ...]
    why: str


class AcceptedOrders(Told, frozen=True):
    orders: tuple[Accepted, ...]


class OrderPage(Told, frozen=True):
    """`after` leads to the next page; null on the last."""

    orders: tuple[OrderBrief, ...]
    after: str | None


class OrderCounts(Told, frozen=True):
    """How many orders of each word; 10,001 means more than 10,000."""

    words: dict[Word, int]


class NameOrders(Asked, frozen=True):
    orders: OrderNames


class NameOrdersWithReason(Asked, frozen=True):
    orders: OrderNames
    reason: Reason


class DoneOrders(Told, frozen=True):
    """`orders` are those it changed; the others were so already."""

    orders: tuple[Id, ...]


class GiveReason(Asked, frozen=True):
    reason: Reason


class EraseReceiver(Asked, frozen=True):
    """`same_phone`: in every other order of the shop with the same phone, too (at most 499, in your warehouses)."""

    reason: Reason
    same_phone: bool = False


class ErasedReceivers(Told, frozen=True):
    """`orders` had a readable receiver until now; none when all of it was erased before."""

    orders: tuple[Id, ...]
    people: int


class Receiver(Told, frozen=True):
    """Somebody in the clear, with what buyer and seller remarked."""

    name: str
    mobile: str
    phone: str
    company: str
    province: str
    city: str
    district: str
    address: str
    postcode: str
    buyer_remark: str = ""
    seller_remark: str = ""
    email: str = ""

    def __repr__(self) -> str:
        return "Receiver(…)"


@router.post("/orders", summary="Hand in orders")
@told(takes=OrderIn | tuple[OrderIn, ...], gives=AcceptedOrders, errors=(413, 422), example=ORDER_EXAMPLE)
def accept_orders(call: Annotated[Call, may(WRITE)]) -> Response:
    """One order or a list, repeatable by shop and number: all are taken or none. Errors name the field:
    `orders[3].lines[0].quantity`."""
    orders = _read_orders(decode(call.body))

    def accept(tx: Tx) -> AcceptedOrders:
        accepted = actions.accept(tx, orders)
        reach_orders(tx, call.seat, [str(each.order_id) for each in accepted])
        return AcceptedOrders(orders=tuple(see(Accepted, each) for each in accepted))

    return call.do(accept)


def _read_orders(raw: Any) -> tuple[OrderIn, ...]:
    try:
        return parse_orders(raw if isinstance(raw, list) else [raw])
    except InvalidMany as many:
        raise InvalidMany([Invalid(f"orders{each.path}", each.sentence) for each in many.problems]) from None
    except Invalid as one:
        raise Invalid(f"orders{one.path}", one.sentence) from None


@router.get("/orders", summary="List orders, the last moved first")
@told(gives=OrderPage, errors=(422,))
def list_orders(
    call: Annotated[Call, may(READ)],
    word: Annotated[list[Word] | None, Query(description="where the order is; may be given several times")] = None,
    shop: Annotated[str, Query(max_length=64, description="a shop's code")] = "",
    warehouse: Annotated[str, Query(max_length=64, description="a warehouse's code")] = "",
    carrier: Annotated[str, Query(max_length=20, description="the carrier the shop wished for")] = "",
    held: Annotated[bool, Query(description="only those on hold")] = False,
    refund: Annotated[bool, Query(description="only those with a refund, asked or given")] = False,
    late: Annotated[bool, Query(description="only those that should have been shipped by now")] = False,
    since: Annotated[datetime | None, Query(description="received at or after")] = None,
    until: Annotated[datetime | None, Query(description="received before")] = None,
    q: Annotated[str, Query(max_length=64, description="number, waybill, phone, its last four, or name")] = "",
    after: After = "",
    limit: Limit = 50,
) -> Response:
    """Paged by key: hand `after` in again. Who may not see masks is shown none, and finds by number only."""
    if q and call.seat.caller.may(MASKED):
        call.context.searches.take(call.actor)
    at = go_on(after)

    def read(tx: Tx) -> OrderPage:
        filters = Filters(
            words=tuple(word or ()), shop_id=find_shop(tx, shop), carrier=carrier.upper(), held=held, refund=refund,
            warehouse_ids=limit_warehouses(tx, call.seat, warehouse), late_at=tx.now if late else None,
            since=aware("since", since), until=aware("until", until),
            ids=lists.search(tx, q, personal=call.seat.caller.may(MASKED)) if q else None,
        )  # fmt: skip
        page = lists.list_orders(tx, filters, after=at, limit=limit)
        rows = tuple(_masked(call, see(OrderBrief, row)) for row in page.rows)
        return OrderPage(orders=rows, after=write_cursor(*page.after) if page.after else None)

    return call.show(read)


def aware(path: str, at: datetime | None) -> datetime | None:
    if at is not None and at.tzinfo is None:
        raise Invalid(path, "say the time zone: 2026-11-12T00:00:00+08:00")
    return at


def _masked(call: Call, row: OrderBrief) -> OrderBrief:
    if call.seat.caller.may(MASKED):
        return row
    return msgspec.structs.replace(row, name_mask="", phone_mask="")


@router.get("/orders/counts", summary="Count orders by word")
@told(gives=OrderCounts, errors=(422,))
def count_orders(
    call: Annotated[Call, may(READ)],
    shop: Annotated[str, Query(max_length=64, description="a shop's code")] = "",
    warehouse: Annotated[str, Query(max_length=64, description="a warehouse's code")] = "",
) -> Response:
    def read(tx: Tx) -> OrderCounts:
        warehouses = limit_warehouses(tx, call.seat, warehouse)
        return OrderCounts(words=lists.count_words(tx, Filters(shop_id=find_shop(tx, shop), warehouse_ids=warehouses)))

    return call.show(read)


@router.get("/orders/{order}", summary="Read one order")
@told(gives=OrderWhole, errors=(404,))
def get_order(call: Annotated[Call, may(READ)], order: str) -> Response:
    """By its id or `SHOP:NUMBER`, with its lines and parcels; the receiver is masked."""

    def read(tx: Tx) -> OrderWhole:
        whole = see(OrderWhole, lists.get_order(tx, reach_order(tx, call.seat, order)))
        if call.seat.caller.may(MASKED):
            return whole
        return msgspec.structs.replace(whole, name_mask="", phone_mask="", address_mask="")

    return call.show(read)


@router.get("/orders/{order}/timeline", summary="Read what happened to an order and its parcels")
@told(gives=OrderTimeline, errors=(404,))
def list_order_timeline(call: Annotated[Call, may(READ)], order: str) -> Response:
    """All a shop needs to show tracking in its own pages: `order` holds parcels, stages, scans in plain words and what
    comes next, in Chinese and English. `entries`, for staff: our events, carriers' scans and claims, people's
    decisions, newest first, at most 500."""

    def read(tx: Tx) -> OrderTimeline:
        order_id = reach_order(tx, call.seat, order)
        told = journey_wire.draw(reading.get_journey(tx, order_id), zone=call.context.zone, now=tx.now)
        entries = history.list_of_order(tx, order_id)
        return OrderTimeline(order=told, entries=tuple(see(Entry, entry) for entry in entries))

    return call.show(read)


@router.post("/orders/cancel", summary="Cancel orders")
@told(takes=NameOrdersWithReason, gives=DoneOrders, errors=(404, 409, 422))
def cancel_orders(call: Annotated[Call, may(WRITE)]) -> Response:
    """All or none. Numbers are given back and labels void; one that has left the warehouse is refused."""
    asked = call.read(NameOrdersWithReason)
    return call.do(
        lambda tx: _done(
            actions.cancel(tx, reach_orders(tx, call.seat, asked.orders), reason=asked.reason, actor=call.actor)
        )
    )


@router.post("/orders/hold", summary="Hold orders")
@told(takes=NameOrdersWithReason, gives=DoneOrders, errors=(404, 409, 422))
def hold_orders(call: Annotated[Call, may(WRITE)]) -> Response:
    """All or none: nothing of them leaves the warehouse until they are released."""
    asked = call.read(NameOrdersWithReason)
    return call.do(
        lambda tx: _done(
            actions.hold(tx, reach_orders(tx, call.seat, asked.orders), reason=asked.reason, actor=call.actor)
        )
    )


@router.post("/orders/release", summary="Release orders on hold")
@told(takes=NameOrdersWithReason, gives=DoneOrders, errors=(404, 422))
def release_orders(call: Annotated[Call, may(WRITE)]) -> Response:
    """Parcels that were held ask for a new number by themselves."""
    asked = call.read(NameOrdersWithReason)
    return call.do(
        lambda tx: _done(
            actions.release(tx, reach_orders(tx, call.seat, asked.orders), reason=asked.reason, actor=call.actor)
        )
    )


@router.post("/orders/confirm", summary="Confirm that buyers have their orders")
@told(takes=NameOrders, gives=DoneOrders, errors=(404, 409, 422))
def confirm_orders(call: Annotated[Call, may(WRITE)]) -> Response:
    """All or none: complete at once, without waiting for the shop's days."""
    asked = call.read(NameOrders)

    def confirm(tx: Tx) -> DoneOrders:
        ids = reach_orders(tx, call.seat, asked.orders)
        for order_id in sorted(ids):
            actions.confirm(tx, order_id, by="person", actor=call.actor)
        return _done(ids)

    return call.do(confirm)


def _done(order_ids: Any) -> DoneOrders:
    return DoneOrders(orders=tuple(Id(order_id) for order_id in order_ids))


@router.post("/orders/{order}/unmask", summary="See a receiver in the clear")
@told(takes=GiveReason, gives=Receiver, errors=(404, 409, 422))
def unmask_order(call: Annotated[Call, may("person:unmask")], order: str) -> Response:
    """Name, time and reason are written to the audit. API keys cannot; the answer is kept under no key."""
    asked = call.read(GiveReason)

    def unmask(tx: Tx) -> Receiver:
        order_id = reach_order(tx, call.seat, order)
        person = actions.unmask(tx, order_id, actor=call.actor, reason=asked.reason)
        receiver = see(Receiver, person.contact)
        return msgspec.structs.replace(
            receiver, buyer_remark=person.buyer_remark, seller_remark=person.seller_remark, email=person.email
        )

    return call.do(unmask, kept=False)


@router.post("/orders/{order}/erase", summary="Erase a receiver for good")
@told(takes=EraseReceiver, gives=ErasedReceivers, errors=(404, 422))
def erase_receiver(call: Annotated[Call, may("person:erase")], order: str) -> Response:
    """Destroys the person's key: nobody reads name, phone, address or remarks again. What has not left becomes void,
    labels are emptied. Raw pushes stay sealed until they are dropped. Repeated: nothing more happens."""
    asked = call.read(EraseReceiver)

    def erase(tx: Tx) -> ErasedReceivers:
        order_id, warehouses = reach_order(tx, call.seat, order), call.seat.caller.warehouses
        erased = erasing.erase_buyer(
            tx, order_id, same_phone=asked.same_phone, actor=call.actor, reason=asked.reason, warehouses=warehouses
        )
        return ErasedReceivers(orders=tuple(Id(an_id) for an_id in erased.orders), people=erased.people)

    return call.do(erase)
