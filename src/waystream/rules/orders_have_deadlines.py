"""When an order comes in, changes or moves, then the time until which it has to leave and to arrive follows.

Moves along the way (运输中, 派送中) change no deadline, so they cost no question to the database.
"""

from collections.abc import Sequence

from waystream.core.events import Event, OrderEvent
from waystream.core.events.orders import OrderCancelled, OrderChanged, OrderCompleted, OrderMoved, OrderReceived
from waystream.core.order import Word
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.deadlines import actions as deadlines

WHEN = (OrderReceived, OrderChanged, OrderCancelled, OrderMoved, OrderCompleted)
SENTENCE_ZH = "订单进来、改动或状态变化时，它的最晚发货和承诺送达时间随之确定；在途的变化不影响期限。"
START = "beginning"
REPEATABLE = True

ENDS = frozenset({Word.DELIVERED, Word.COMPLETED, Word.CLOSED})


def concerns(event: Event) -> bool:
    """Whether a deadline may follow from this: of an order's words only its end counts, for what left the warehouse is
    told by its parcels."""
    return not isinstance(event, OrderMoved) or not ENDS.isdisjoint((event.before, event.after))


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    deadlines.follow(tx, order_ids={told.event.order_id for told in events if isinstance(told.event, OrderEvent)})
