"""When an order comes in, changes or moves, then the time until which it has to leave and to arrive follows."""

from collections.abc import Sequence

from waystream.core.events.orders import OrderCancelled, OrderChanged, OrderCompleted, OrderMoved, OrderReceived
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.deadlines import actions as deadlines

WHEN = (OrderReceived, OrderChanged, OrderCancelled, OrderMoved, OrderCompleted)
SENTENCE_ZH = "订单进来、改动或状态变化时，它的最晚发货和承诺送达时间随之确定。"
START = "beginning"
REPEATABLE = True


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    deadlines.follow(tx, order_ids={told.event.order_id for told in events if isinstance(told.event, WHEN)})
