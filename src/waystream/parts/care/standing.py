"""What stands now: which troubles a parcel's track is, and whether a trouble is over. Pure.

Rules read the log each at its own pace, so a trouble may be told after its end. Looking at what stands makes their
order of no account.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from waystream.core.care import Cause, Ending, Severity, Trouble
from waystream.core.state import CARRIED, TERMINAL, Direction, Kind, State
from waystream.parts.care.model import SURVIVORS, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A parcel as it stands. `order_id`: the first of its orders; `at`: since when its state is what it is."""

    parcel_id: int
    shop_id: int
    warehouse_id: int
    order_id: int | None
    voided: bool
    state: State
    kind: Kind
    direction: Direction
    at: datetime | None
    collected_at: datetime | None
    scanned_at: datetime | None

    def scanned_since(self, instant: datetime) -> bool:
        return self.scanned_at is not None and self.scanned_at > instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """An order as it stands. `over`: cancelled, closed or completed."""

    order_id: int
    shop_id: int
    warehouse_id: int
    dispatched: bool
    delivered: bool
    over: bool


#: What the `because` of a trouble begins with that a person told.
PEOPLE = ("staff:", "key:")

_OF_KIND: dict[Kind, Cause] = {
    Kind.STALLED: Cause.STALLED,
    Kind.DELAYED: Cause.OVERDUE,
    Kind.OVERDUE: Cause.OVERDUE,
    Kind.LOCKER_OVERDUE: Cause.LOCKER_OVERDUE,
    Kind.DAMAGED: Cause.DAMAGED,
    Kind.MISROUTED: Cause.MISROUTED,
    Kind.CUSTOMS_HELD: Cause.CUSTOMS,
    Kind.BAD_ADDRESS: Cause.WRONG_ADDRESS,
    Kind.WRONG_PHONE: Cause.WRONG_ADDRESS,
    Kind.REFUSED: Cause.REFUSED,
}
_OF_STATE: dict[State, Cause] = {
    State.ATTEMPT_FAILED: Cause.ATTEMPT_FAILED,
    State.EXCEPTION: Cause.PROBLEM,
    State.LOST: Cause.LOST,
}


def causes_of(state: State, kind: Kind, direction: Direction) -> frozenset[Cause]:
    """What is wrong with a parcel by the carrier's own words; nothing with most."""
    found: set[Cause] = set()
    if state in _OF_STATE:
        found.add(_OF_STATE[state] if state is State.LOST else _OF_KIND.get(kind, _OF_STATE[state]))
    if direction is Direction.BACK or state in (State.RETURNING, State.RETURNED):
        found.add(Cause.RETURNING)
    return frozenset(found)


def troubles_of(where: Where, *, because: str) -> list[Trouble]:
    """A parcel that came back is worse than one on its way back: now there is something to do."""
    if where.at is None or where.voided:
        return []
    return [
        Trouble(
            shop_id=where.shop_id,
            cause=cause,
            at=where.at,
            because=because,
            parcel_id=where.parcel_id,
            order_id=where.order_id,
            kind=where.kind,
            severity=Severity.GRAVE if cause is Cause.RETURNING and where.state is State.RETURNED else None,
        )
        for cause in sorted(causes_of(where.state, where.kind, where.direction))
    ]


def judge(told: Trouble | Ticket, where: Where) -> Ending | None:
    """How a trouble of a parcel ended by itself; None while it stands."""
    since = told.trouble_at if isinstance(told, Ticket) else told.at
    return ending_of(told.cause, since, where, by_hand=told.because.startswith(PEOPLE))


def ending_of(cause: Cause, since: datetime, where: Where, *, by_hand: bool = False) -> Ending | None:
    """How a trouble that began at `since` ended, as the parcel stands; None while it stands.

    What a person told (`by_hand`) no scan ends, only the end of the journey.
    """
    if cause in SURVIVORS:
        return _OF_DOUBT.get(cause, _stands)(where, since)
    if where.voided or where.state is State.CANCELLED:
        return Ending.CALLED_OFF
    if where.state is State.DELIVERED:
        return Ending.DELIVERED
    if cause in causes_of(where.state, where.kind, where.direction):
        return None
    if where.state in TERMINAL:
        return Ending.MOVED_ON
    return None if by_hand else _OVER.get(cause, _left)(where, since)


Judge = Callable[[Where, datetime], Ending | None]


def _stands(where: Where, since: datetime) -> Ending | None:
    return None


def _left(where: Where, since: datetime) -> Ending | None:
    """The carrier said so and says otherwise now; without a newer scan it took its word back."""
    return Ending.MOVED_ON if where.scanned_since(since) else Ending.RETRACTED


def _scanned(where: Where, since: datetime) -> Ending | None:
    """Silence ends with a scan."""
    return Ending.MOVED_ON if where.scanned_since(since) else None


def _collected(where: Where, since: datetime) -> Ending | None:
    return Ending.COLLECTED if where.collected_at is not None or where.state in CARRIED else None


def _fetched(where: Where, since: datetime) -> Ending | None:
    return None if where.state is State.READY_FOR_PICKUP else _scanned(where, since)


def _delivery_stands(where: Where, since: datetime) -> Ending | None:
    return None if where.state is State.DELIVERED else Ending.RETRACTED


_OVER: dict[Cause, Judge] = {
    Cause.STALLED: _scanned,
    Cause.OVERDUE: _scanned,
    Cause.SUBSCRIPTION_DEAD: _scanned,
    Cause.LOCKER_OVERDUE: _fetched,
    Cause.NOT_COLLECTED: _collected,
    Cause.NOT_DISPATCHED: _collected,
    Cause.BUYER_WANTS_ADDRESS: _stands,
}
_OF_DOUBT: dict[Cause, Judge] = {
    Cause.SIGNED_ELSEWHERE: _delivery_stands,
    Cause.SIGNED_TOO_EARLY: _delivery_stands,
    Cause.INTERCEPTED_BUT_DELIVERED: _delivery_stands,
}


def ending_of_order(cause: Cause, sold: Sold) -> Ending | None:
    """As `ending_of`, for what is about a whole order."""
    if cause in SURVIVORS:
        return None
    if sold.delivered:
        return Ending.DELIVERED
    if sold.over:
        return Ending.CALLED_OFF
    return Ending.DISPATCHED if cause is Cause.NOT_DISPATCHED and sold.dispatched else None


def stands(trouble: Trouble | Ticket, *, parcels: Mapping[int, Where], orders: Mapping[int, Sold]) -> bool:
    """Whether it is not over; one of a parcel or an order that is not there does not stand."""
    if trouble.slowdown_id:
        return True
    if trouble.parcel_id:
        where = parcels.get(trouble.parcel_id)
        return where is not None and judge(trouble, where) is None
    sold = orders.get(trouble.order_id or 0)
    return sold is not None and ending_of_order(trouble.cause, sold) is None


def placed(trouble: Trouble, *, parcels: Mapping[int, Where], orders: Mapping[int, Sold]) -> Trouble:
    """With its warehouse and, where it is a parcel's, its order; what it is about is there."""
    if trouble.slowdown_id:
        return trouble
    if trouble.parcel_id:
        where = parcels[trouble.parcel_id]
        return replace(trouble, warehouse_id=where.warehouse_id, order_id=trouble.order_id or where.order_id)
    return replace(trouble, warehouse_id=orders[trouble.order_id or 0].warehouse_id)
