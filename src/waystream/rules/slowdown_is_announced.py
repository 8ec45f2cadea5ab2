"""When a hub or a network slows down, then the buyers of the parcels in it are told, once."""

from collections.abc import Sequence

from waystream.core.events.silence import SlowdownBegan
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.notices import actions as notices

WHEN = (SlowdownBegan,)
SENTENCE_ZH = "转运中心或整个网络拥堵时，告诉其中包裹的买家一次。"
START = "end"
REPEATABLE = True


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    for told in events:
        if isinstance(event := told.event, SlowdownBegan):
            notices.plan_slowdown(
                tx, event.slowdown_id, shop_id=event.shop_id, place=event.place, because=f"event:{told.id}"
            )
