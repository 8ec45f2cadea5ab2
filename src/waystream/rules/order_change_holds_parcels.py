"""When an order is held, released, cancelled or changed, then its parcels that have not left follow:

held with the number given back and the label void, or asked for anew for what the order is now.
"""

from collections.abc import Sequence

from waystream.core.events.orders import OrderCancelled, OrderChanged, OrderHeld, OrderReleased
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.fulfilment import actions as fulfilment

WHEN = (OrderHeld, OrderReleased, OrderCancelled, OrderChanged)
START = "beginning"


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    fulfilment.follow_orders(tx, {told.event.order_id for told in events if isinstance(told.event, WHEN)})
