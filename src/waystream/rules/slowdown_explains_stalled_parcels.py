"""When a slow-down begins, then the tickets that its parcels had for being stalled close: it explains them."""

from collections.abc import Sequence

from waystream.core.care import Cause, Ending
from waystream.core.events.silence import SlowdownBegan
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.care import actions as care
from waystream.parts.silence import slowdowns

WHEN = (SlowdownBegan,)
SENTENCE_ZH = "大面积延误开始时，其中包裹先前因停滞开的工单关闭：延误已说明原因。"
START = "beginning"


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    for told in events:
        if isinstance(told.event, SlowdownBegan):
            parcel_ids = slowdowns.list_parcels(tx, told.event.slowdown_id)
            care.settle(tx, parcel_ids, {Cause.STALLED}, at=told.at, reason=Ending.CLEARED, because=f"event:{told.id}")
