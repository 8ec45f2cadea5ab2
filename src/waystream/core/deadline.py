"""The words of the calendar: what is awaited of an order or parcel until when, and what makes a delivery doubtful."""

from enum import StrEnum


class DeadlineKind(StrEnum):
    """What has to have happened until a deadline. The first two are an order's, the others a parcel's."""

    SHIP_BY = "ship_by"  # 最晚发货: the whole order has left the warehouse
    PROMISE = "promise"  # 承诺送达: the whole order is delivered
    COLLECTION = "collection"  # 揽收: the carrier's first scan of what was dispatched
    PICKUP = "pickup"  # 取件: the buyer fetched it from the locker or station
    VERIFICATION = "verification"  # 签收核对: late scans are in, the delivery can be looked at


OF_ORDERS = frozenset({DeadlineKind.SHIP_BY, DeadlineKind.PROMISE})


class Doubt(StrEnum):
    """Why a delivery cannot be as the carrier says."""

    ELSEWHERE = "elsewhere"  # 异地签收: in another city than the receiver's
    TOO_EARLY = "too_early"  # 签收过早: faster than it can have travelled
