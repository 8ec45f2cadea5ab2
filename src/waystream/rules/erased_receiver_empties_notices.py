"""When a receiver is erased, then nothing shows any more whom messages went to and what they said."""

from collections.abc import Sequence

from waystream.core.events.orders import ReceiverErased
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.notices import actions as notices

WHEN = (ReceiverErased,)
SENTENCE_ZH = "收件人被删除后，消息记录里不再有发给了谁、说了什么。"
START = "beginning"
REPEATABLE = True


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    notices.forget_receivers(tx, {told.event.order_id for told in events if isinstance(told.event, ReceiverErased)})
