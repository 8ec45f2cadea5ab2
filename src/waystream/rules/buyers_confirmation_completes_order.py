"""When a buyer has confirmed the last parcel of an order, then the order is complete."""

from collections.abc import Sequence

from waystream.core.errors import Conflict
from waystream.core.events.buyer import BuyerConfirmed
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.orders import actions as orders

WHEN = (BuyerConfirmed,)
SENTENCE_ZH = "买家确认收到订单的最后一个包裹时，订单完成。"
START = "beginning"
REPEATABLE = True


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    whole = sorted(
        {told.event.order_id for told in events if isinstance(told.event, BuyerConfirmed) and told.event.whole}
    )
    for order_id in whole:
        _confirm(tx, order_id)


def _confirm(tx: Tx, order_id: int) -> None:
    """What became possible to send again meanwhile keeps the order open: nothing to park an event for."""
    try:
        orders.confirm(tx, order_id, by="buyer", actor="buyer")
    except Conflict:
        return
