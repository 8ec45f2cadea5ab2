"""When a parcel is silent for longer than it should be, then its buyer is told that it takes longer.

One that a slow-down holds is told of that instead.
"""

from collections.abc import Sequence

from waystream.core.events.silence import ParcelStalled
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.notices import actions as notices
from waystream.parts.notices.model import Happening
from waystream.parts.silence import actions as silence

WHEN = (ParcelStalled,)
SENTENCE_ZH = "包裹停滞过久时，告诉买家会晚到；处在线路拥堵中的，由拥堵通知来说。"
START = "end"

DELAYED, SILENT = "delayed", "silent"


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    stalled = [(told, told.event) for told in events if isinstance(told.event, ParcelStalled)]
    slowed = silence.list_slowed(tx, {event.parcel_id for _, event in stalled})
    notices.plan(
        tx,
        [
            Happening(event.shop_id, event.parcel_id, DELAYED, told.at, detail=SILENT, because=f"event:{told.id}")
            for told, event in stalled
            if event.parcel_id not in slowed
        ],
    )
