"""When an order leaves the warehouse, arrives or is cancelled, then the tickets about the whole order close.

As with parcels, a ticket that is opened is looked at once more: its order may have moved on meanwhile.
"""

from collections.abc import Sequence

from waystream.core.events import Event, OrderEvent
from waystream.core.events.care import TicketEvent, TicketOpened, TicketReopened
from waystream.core.events.orders import OrderCancelled, OrderCompleted, OrderMoved
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.care import actions as care

WHEN = (OrderMoved, OrderCancelled, OrderCompleted, TicketOpened, TicketReopened)
SENTENCE_ZH = "订单出库、签收或取消时，针对整张订单的工单自动关闭。"
START = "beginning"
REPEATABLE = True


def concerns(event: Event) -> bool:
    """Not a ticket about a parcel or an incident."""
    return not isinstance(event, TicketEvent) or (event.order_id is not None and event.parcel_id is None)


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    care.settle_by_order(
        tx,
        {
            told.event.order_id: f"event:{told.id}"
            for told in events
            if isinstance(told.event, OrderEvent | TicketEvent) and told.event.order_id
        },
    )
