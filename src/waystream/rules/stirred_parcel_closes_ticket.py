"""When a stalled parcel is scanned again, then the ticket of its silence closes by itself."""

from collections.abc import Sequence

from waystream.core.events.silence import ParcelStirred
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.care import actions as care

WHEN = (ParcelStirred,)
SENTENCE_ZH = "停滞的包裹又有了扫描时，停滞的工单自动关闭。"
START = "beginning"
REPEATABLE = True


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    care.settle_by_track(
        tx, {told.event.parcel_id: f"event:{told.id}" for told in events if isinstance(told.event, ParcelStirred)}
    )
