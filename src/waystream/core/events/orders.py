"""What happens to orders."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from waystream.core.events import OrderEvent
from waystream.core.order import Word


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReceived(OrderEvent):
    """An order came in for the first time."""

    public: ClassVar[str] = "order.received"
    warehouse_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChanged(OrderEvent):
    """The shop told us something new; `what` names the axes: address, refund, lines, promise."""

    public: ClassVar[str] = "order.changed"
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderHeld(OrderEvent):
    """Nothing of it leaves until it is released."""

    public: ClassVar[str] = "order.held"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReleased(OrderEvent):
    """It may leave again."""

    public: ClassVar[str] = "order.released"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled(OrderEvent):
    """It will not be sent."""

    public: ClassVar[str] = "order.cancelled"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverErased(OrderEvent):
    """Everybody this order went to is unreadable for good; what else shows them is to be emptied, elsewhere too."""

    public: ClassVar[str] = "order.receiver_erased"
    person_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMoved(OrderEvent):
    """The order's word changed."""

    public: ClassVar[str] = "order.moved"
    before: Word
    after: Word


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCompleted(OrderEvent):
    """Delivered and final. `by`: policy, buyer, days, person."""

    public: ClassVar[str] = "order.completed"
    by: str
    at: datetime
