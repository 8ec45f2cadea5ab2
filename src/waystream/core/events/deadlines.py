"""What did not happen in time, and deliveries that cannot be as they were told. Nobody outside says these: we do.

Each is told once for each deadline that was set; `OrderCaughtUp` and `ParcelCaughtUp` take a missed one back.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from waystream.core.deadline import DeadlineKind, Doubt
from waystream.core.events import OrderEvent, ParcelEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipByMissed(OrderEvent):
    """Some of it was still in the warehouse at `due_at`."""

    public: ClassVar[str] = "order.ship_by_missed"
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseMissed(OrderEvent):
    """It was promised for `due_at`, and not all of it is delivered."""

    public: ClassVar[str] = "order.promise_missed"
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionMissed(ParcelEvent):
    """It left the warehouse at `since`, and by `due_at` no carrier had scanned it."""

    public: ClassVar[str] = "parcel.collection_missed"
    since: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PickupOverdue(ParcelEvent):
    """It has been waiting in a locker or at a station since `since`, for longer than the shop allows."""

    public: ClassVar[str] = "parcel.pickup_overdue"
    since: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryDoubted(ParcelEvent):
    """The carrier says that it was signed for at `at`, where or when it cannot have been."""

    public: ClassVar[str] = "parcel.delivery_doubted"
    doubt: Doubt
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InterceptionFailed(ParcelEvent):
    """It was to be stopped on its way and was delivered at `at`."""

    public: ClassVar[str] = "parcel.interception_failed"
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCaughtUp(OrderEvent):
    """What it had missed was done after all (`met`), or nobody waits for it any more."""

    public: ClassVar[str] = "order.caught_up"
    kind: DeadlineKind
    met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelCaughtUp(ParcelEvent):
    """What it had missed was done after all (`met`), or nobody waits for it any more."""

    public: ClassVar[str] = "parcel.caught_up"
    kind: DeadlineKind
    met: bool
