"""When a parcel's journey ends, then its number is free for another after a while, unless a delivery is retracted."""

from collections.abc import Sequence

from waystream.core.events.tracking import Delivered, DeliveryRetracted, ParcelLost, ParcelReturned
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.fulfilment import actions as fulfilment

WHEN = (Delivered, DeliveryRetracted, ParcelReturned, ParcelLost)
SENTENCE_ZH = "包裹旅程结束后过一段时间，单号可以再给别的包裹用；签收被撤回则不放。"
START = "beginning"


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    last = {told.event.parcel_id: told.event for told in events if isinstance(told.event, WHEN)}
    retracted = {an_id for an_id, event in last.items() if isinstance(event, DeliveryRetracted)}
    fulfilment.end_journeys(tx, last.keys() - retracted)
    fulfilment.reopen_journeys(tx, retracted)
