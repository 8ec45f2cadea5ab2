"""When a parcel moves on, arrives or will never leave, then the tickets that this settles close by themselves."""

from collections.abc import Sequence

from waystream.core.events import ParcelEvent, registry
from waystream.core.events.fulfilment import ParcelDispatched, ParcelVoided, WaybillCancelled
from waystream.core.events.tracking import TrackEvent
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.care import actions as care

WHEN = (
    ParcelDispatched,
    ParcelVoided,
    WaybillCancelled,
    *(kind for kind in registry().values() if issubclass(kind, TrackEvent)),
)
SENTENCE_ZH = "包裹继续流转、签收或不再发出时，由此解决的工单自动关闭。"
START = "beginning"
REPEATABLE = True


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    care.settle_by_track(
        tx, {told.event.parcel_id: f"event:{told.id}" for told in events if isinstance(told.event, ParcelEvent)}
    )
