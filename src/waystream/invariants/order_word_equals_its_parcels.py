"""An order's stored word and dispatch are what follows from its parcels.

Orders whose parcels' events the rule `parcel_moves_order` has still to read are left out: they are about to move.
"""

from waystream.kernel.tx import Tx
from waystream.parts.orders import actions as orders

SENTENCE_ZH = "订单的状态和出库情况与其包裹一致。"
AT_ONCE = 5_000


def broken(tx: Tx) -> list[str]:
    wrong: list[int] = []
    after: int | None = 0
    while after is not None:
        found, after = orders.list_misworded(tx, after_id=after, limit=AT_ONCE)
        wrong += found
    return [f"order {order_id} has another word than its parcels" for order_id in wrong]
