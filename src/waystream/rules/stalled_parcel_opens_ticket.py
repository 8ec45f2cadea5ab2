"""When a parcel is silent for longer than it should be, then a ticket is opened for it.

One that a slow-down holds has none of its own: the slow-down is one incident.
"""

from collections.abc import Sequence

from waystream.core.care import Cause, Trouble
from waystream.core.events.silence import ParcelStalled
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.care import actions as care
from waystream.parts.silence import actions as silence

WHEN = (ParcelStalled,)
SENTENCE_ZH = "包裹停滞过久时，为它开一张工单；处在线路拥堵中的不单独开。"
START = "beginning"


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    stalled = [(told, told.event) for told in events if isinstance(told.event, ParcelStalled)]
    slowed = silence.list_slowed(tx, {event.parcel_id for _, event in stalled})
    care.raise_troubles(
        tx,
        [
            Trouble(shop_id=event.shop_id, cause=Cause.STALLED, at=event.silent_since, because=f"event:{told.id}",
                    parcel_id=event.parcel_id, kind="stalled")
            for told, event in stalled
            if event.parcel_id not in slowed
        ],
    )  # fmt: skip
