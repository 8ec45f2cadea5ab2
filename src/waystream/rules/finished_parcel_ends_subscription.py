"""When a parcel has arrived for good, then nobody needs to watch its waybill any more."""

from collections.abc import Sequence

from waystream.core.events.tracking import ParcelLost, ParcelReturned
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.hub import actions as hub

WHEN = (ParcelReturned, ParcelLost)
START = "beginning"


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    hub.end_watch(tx, [told.event.parcel_id for told in events if isinstance(told.event, WHEN)])
