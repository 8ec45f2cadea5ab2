"""When the aggregator stops watching a waybill, then it is asked to watch it again."""

from collections.abc import Sequence

from waystream.core.events.fulfilment import SubscriptionDied
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.hub import actions as hub

WHEN = (SubscriptionDied,)
SENTENCE_ZH = "聚合平台不再跟踪某个运单时，重新请它跟踪。"
START = "beginning"


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    hub.renew_watch(
        tx, [(told.event.binding_id, told.event.reason) for told in events if isinstance(told.event, SubscriptionDied)]
    )
