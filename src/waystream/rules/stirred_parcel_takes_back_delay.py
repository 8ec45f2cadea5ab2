"""When a stalled parcel is scanned again, then a message about its delay that has not left is taken back."""

from collections.abc import Sequence

from waystream.core.events.silence import ParcelStirred
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.notices import actions as notices

WHEN = (ParcelStirred,)
SENTENCE_ZH = "停滞的包裹又有了扫描时，撤回还没发出的延误消息。"
START = "end"


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    stirred = {told.event.parcel_id for told in events if isinstance(told.event, ParcelStirred)}
    notices.take_back(tx, stirred, {"delayed"})
