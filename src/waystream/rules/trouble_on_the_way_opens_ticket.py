"""When a carrier says that something is wrong with a parcel, then a ticket is opened, or raised where it is worse."""

from collections.abc import Sequence

from waystream.core.events import Event, registry
from waystream.core.events.tracking import TrackEvent
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.care import actions as care
from waystream.parts.care.standing import causes_of

WHEN = tuple(kind for kind in registry().values() if issubclass(kind, TrackEvent))
SENTENCE_ZH = "承运商说包裹出了问题时，开一张工单；问题变严重时，工单随之升级。"
START = "beginning"
REPEATABLE = True


def concerns(event: Event) -> bool:
    """Whether the parcel is now where something is wrong."""
    return isinstance(event, TrackEvent) and bool(causes_of(event.after, event.kind, event.direction))


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    care.raise_by_track(
        tx, {told.event.parcel_id: f"event:{told.id}" for told in events if isinstance(told.event, TrackEvent)}
    )
