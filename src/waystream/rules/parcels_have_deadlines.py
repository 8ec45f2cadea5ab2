"""When a parcel leaves, is collected, waits to be fetched or is delivered, then what is awaited of it next has a time.

Scans on its way change no deadline, so they cost no question to the database.
"""

from collections.abc import Sequence

from waystream.core.events import Event
from waystream.core.events.fulfilment import ParcelDispatched, ParcelVoided
from waystream.core.events.tracking import ParcelCollected, TrackEvent
from waystream.core.state import NOT_YET, TERMINAL, State
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.deadlines import actions as deadlines

WHEN = (ParcelDispatched, ParcelVoided, TrackEvent)
SENTENCE_ZH = "包裹出库、揽收、待取件或签收时，接下来等待的事有了期限；途中的扫描不影响期限。"
START = "beginning"
REPEATABLE = True

#: Coming into one of these or leaving it sets or lifts a deadline.
CLOCKED = NOT_YET | TERMINAL | {State.UNKNOWN, State.READY_FOR_PICKUP, State.EXCEPTION}


def concerns(event: Event) -> bool:
    """Whether a deadline may follow from this: scans on the way change none."""
    if not isinstance(event, TrackEvent) or isinstance(event, ParcelCollected):
        return True
    return not CLOCKED.isdisjoint((event.before, event.after))


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    left = {told.event.parcel_id for told in events if isinstance(told.event, ParcelDispatched | ParcelVoided)}
    moved = {told.event.parcel_id for told in events if isinstance(told.event, TrackEvent)}
    deadlines.follow_contents(tx, parcel_ids=left)
    deadlines.follow(tx, parcel_ids=moved - left)
