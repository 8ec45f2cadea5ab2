"""When a hub or a network slows down, then each shop in it has one incident, which ends with the slow-down."""

from collections.abc import Sequence

from waystream.core.care import Cause, Trouble
from waystream.core.events.silence import SlowdownBegan, SlowdownEnded
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.care import actions as care

WHEN = (SlowdownBegan, SlowdownEnded)
SENTENCE_ZH = "转运中心或整个网络拥堵时，每个店铺只开一张异常工单，拥堵结束时自动关闭。"
START = "beginning"


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    """In the order in which they happened: what began and ended within a batch has ended."""
    for told in events:
        event, because = told.event, f"event:{told.id}"
        if isinstance(event, SlowdownBegan):
            incident = Trouble(shop_id=event.shop_id, cause=Cause.INCIDENT, at=told.at, because=because,
                               slowdown_id=event.slowdown_id)  # fmt: skip
            care.raise_troubles(tx, [incident])
        elif isinstance(event, SlowdownEnded):
            care.settle_slowdowns(tx, [event.slowdown_id], at=told.at, because=because)
