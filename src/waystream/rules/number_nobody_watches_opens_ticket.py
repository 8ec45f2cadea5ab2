"""When nothing renews the aggregator's watching of a number any more, then a ticket is opened.

A subscription that died is renewed by another rule first; only where that is given up, a person has to look.
"""

from collections.abc import Sequence

from waystream.core.care import Cause, Trouble
from waystream.core.events.fulfilment import SubscriptionDied
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.care import actions as care
from waystream.parts.hub.actions import GAVE_UP

WHEN = (SubscriptionDied,)
SENTENCE_ZH = "聚合平台不再跟踪的单号怎么也续不上时，开一张工单。"
START = "beginning"
REPEATABLE = True


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    care.raise_troubles(
        tx,
        [
            Trouble(
                shop_id=told.event.shop_id,
                cause=Cause.SUBSCRIPTION_DEAD,
                at=told.at,
                because=f"event:{told.id}",
                parcel_id=told.event.parcel_id,
            )
            for told in events
            if isinstance(told.event, SubscriptionDied) and told.event.reason == GAVE_UP
        ],
    )
