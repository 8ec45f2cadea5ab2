"""What happens to orders."""

from dataclasses import dataclass
from datetime import datetime

from waystream.core.events import OrderEvent
from waystream.core.order import Word


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReceived(OrderEvent):
    warehouse_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChanged(OrderEvent):
    """The shop told us something new; `what` names the axes: address, refund, lines, promise."""

    what: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderHeld(OrderEvent):
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReleased(OrderEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled(OrderEvent):
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMoved(OrderEvent):
    """The order's word changed."""

    before: Word
    after: Word


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCompleted(OrderEvent):
    """Delivered and final. `by`: policy, buyer, days, person."""

    by: str
    at: datetime
