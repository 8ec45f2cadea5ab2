"""When a carrier has collected a parcel, then it has left the warehouse, though nobody scanned it at the gate.

One that was kept here is an alarm instead; if its number is used after all (a label is made for it anew), it has left.
"""

from collections.abc import Sequence

from waystream.core.events.fulfilment import WaybillIssued
from waystream.core.events.tracking import ParcelCollected
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.fulfilment import actions as fulfilment

WHEN = (ParcelCollected, WaybillIssued)
SENTENCE_ZH = "承运商揽收了包裹，就算没人在门口扫描，也视为已出库。"
START = "beginning"


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    fulfilment.dispatch_collected(tx, {told.event.parcel_id for told in events if isinstance(told.event, WHEN)})
