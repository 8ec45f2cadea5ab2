"""When a receiver is erased, then labels and replies that quote them are emptied, and what has not left is void."""

from collections.abc import Sequence

from waystream.core.events.orders import ReceiverErased
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.fulfilment import actions as fulfilment

WHEN = (ReceiverErased,)
SENTENCE_ZH = "收件人被删除后，清空提到他的面单和应答；还没出库的包裹作废。"
START = "beginning"
REPEATABLE = True


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    fulfilment.forget_receivers(
        tx,
        {person_id for told in events if isinstance(told.event, ReceiverErased) for person_id in told.event.person_ids},
    )
