"""When an order is held, released, cancelled or changed, then its parcels that have not left follow.

They are held with the number given back and the label void, or asked for anew for what the order is now.
"""

from collections.abc import Sequence

from waystream.core.events.orders import OrderCancelled, OrderChanged, OrderHeld, OrderReleased
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.fulfilment import actions as fulfilment

WHEN = (OrderHeld, OrderReleased, OrderCancelled, OrderChanged)
SENTENCE_ZH = "订单暂停、放行、取消或改动时，还没出库的包裹随之变化：单号退还、面单作废，或按订单现状重新取号。"
START = "beginning"
REPEATABLE = True


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    fulfilment.follow_orders(tx, {told.event.order_id for told in events if isinstance(told.event, WHEN)})
