"""When a parcel moves on, arrives or will never leave, then the tickets that this settles close by themselves.

A ticket that is opened is looked at once more: whoever opened it held nothing, so its parcel may have moved on between
that look and the commit, and of that movement we heard before there was a ticket.
"""

from collections.abc import Sequence

from waystream.core.events import Event, ParcelEvent, registry
from waystream.core.events.care import TicketEvent, TicketOpened, TicketReopened
from waystream.core.events.fulfilment import ParcelDispatched, ParcelVoided, WaybillCancelled
from waystream.core.events.tracking import TrackEvent
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.care import actions as care

WHEN = (
    ParcelDispatched,
    ParcelVoided,
    WaybillCancelled,
    TicketOpened,
    TicketReopened,
    *(kind for kind in registry().values() if issubclass(kind, TrackEvent)),
)
SENTENCE_ZH = "包裹继续流转、签收或不再发出时，由此解决的工单自动关闭。"
START = "beginning"
REPEATABLE = True


def concerns(event: Event) -> bool:
    """Not a ticket about an order or an incident."""
    return not isinstance(event, TicketEvent) or event.parcel_id is not None


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    care.settle_by_track(
        tx,
        {
            told.event.parcel_id: f"event:{told.id}"
            for told in events
            if isinstance(told.event, ParcelEvent | TicketEvent) and told.event.parcel_id
        },
    )
