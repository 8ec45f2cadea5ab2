"""The order's three axes and the one word derived from them (GLOSSARY: 订单状态 has the whole table).

The word is never edited: it is `word(facts of the order)`. Stored copies are checked by an invariant.
"""

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from waystream.core.state import Direction, Kind, State


class Word(StrEnum):
    TO_SHIP = "to_ship"  # 待发货
    PART_SHIPPED = "part_shipped"  # 部分发货
    SHIPPED = "shipped"  # 已发货
    IN_TRANSIT = "in_transit"  # 运输中
    OUT_FOR_DELIVERY = "out_for_delivery"  # 派送中
    PART_DELIVERED = "part_delivered"  # 部分签收
    DELIVERED = "delivered"  # 已签收
    COMPLETED = "completed"  # 已完成
    RETURNING = "returning"  # 退回中
    CLOSED = "closed"  # 已关闭


class Payment(StrEnum):
    PREPAID = "prepaid"  # 已付款
    COD = "cod"  # 货到付款


class Refund(StrEnum):
    NONE = "none"
    ASKED = "asked"  # 申请退款
    PART = "part"  # 部分退款
    FULL = "full"  # 全额退款


class Dispatch(StrEnum):
    NONE = "none"
    PART = "part"
    ALL = "all"


class ParcelPart(Struct, frozen=True, gc=False):
    """What one parcel contributes to its order's word."""

    dispatched: bool
    state: State
    kind: Kind = Kind.NONE
    direction: Direction = Direction.OUT


class OrderFacts(Struct, frozen=True, gc=False):
    """`ordered` and `sent` are quantities over all lines; `sent` counts lines of dispatched parcels.

    `parcels` are those that live, also the pieces of a shipment, which hold no lines of their own.
    """

    cancelled: bool
    completed: bool
    ordered: int
    sent: int
    parcels: tuple[ParcelPart, ...]


_LOST = frozenset({State.RETURNED, State.LOST, State.CANCELLED})
_AT_THE_DOOR = frozenset({State.OUT_FOR_DELIVERY, State.READY_FOR_PICKUP, State.ATTEMPT_FAILED})
_NOT_YET = frozenset({State.AWAITING_COLLECTION, State.NO_TRACE, State.UNKNOWN})


def dispatch_of(facts: OrderFacts) -> Dispatch:
    """How much of the order has left the warehouse. A piece of a shipment that is still here keeps it from all."""
    if not any(parcel.dispatched for parcel in facts.parcels):
        return Dispatch.NONE
    whole = facts.sent >= facts.ordered and all(parcel.dispatched for parcel in facts.parcels)
    return Dispatch.ALL if whole else Dispatch.PART


def word(facts: OrderFacts) -> Word:
    """The one word for the order."""
    if facts.cancelled:
        return Word.CLOSED
    if facts.completed:
        return Word.COMPLETED
    dispatched = [parcel for parcel in facts.parcels if parcel.dispatched]
    dispatch = dispatch_of(facts)
    if dispatch is Dispatch.NONE:
        return Word.TO_SHIP
    delivered = sum(parcel.state is State.DELIVERED for parcel in dispatched)
    if dispatch is Dispatch.PART:
        return Word.PART_DELIVERED if delivered else Word.PART_SHIPPED
    return _word_on_the_way(dispatched, delivered)


def _word_on_the_way(parcels: Sequence[ParcelPart], delivered: int) -> Word:
    if delivered:
        return Word.DELIVERED if delivered == len(parcels) else Word.PART_DELIVERED
    if all(parcel.state in _LOST for parcel in parcels):
        return Word.CLOSED
    alive = [parcel for parcel in parcels if parcel.state not in _LOST]
    if any(parcel.direction is Direction.BACK for parcel in alive):
        return Word.RETURNING
    if any(parcel.state in _AT_THE_DOOR for parcel in alive):
        return Word.OUT_FOR_DELIVERY
    return Word.SHIPPED if all(parcel.state in _NOT_YET for parcel in alive) else Word.IN_TRANSIT


def completes_at_once(facts: OrderFacts, kinds: frozenset[Kind]) -> bool:
    """Whether a fully delivered order is complete by the shop's policy: every parcel signed in a trusted way."""
    dispatched = [parcel for parcel in facts.parcels if parcel.dispatched]
    return word(facts) is Word.DELIVERED and all(parcel.kind in kinds for parcel in dispatched)
