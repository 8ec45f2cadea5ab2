"""When an order leaves the warehouse, arrives or is cancelled, then the tickets about the whole order close."""

from collections.abc import Sequence

from waystream.core.events.orders import OrderCancelled, OrderCompleted, OrderMoved
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.care import actions as care

WHEN = (OrderMoved, OrderCancelled, OrderCompleted)
SENTENCE_ZH = "订单出库、签收或取消时，针对整张订单的工单自动关闭。"
START = "beginning"
REPEATABLE = True


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    care.settle_by_order(
        tx, {told.event.order_id: f"event:{told.id}" for told in events if isinstance(told.event, WHEN)}
    )
