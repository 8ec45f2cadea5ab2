"""When a parcel has arrived for good, then nobody watches its waybill any more, unless it moves on after all."""

from collections.abc import Sequence

from waystream.core.events import Event, registry
from waystream.core.events.tracking import TrackEvent
from waystream.core.state import State
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.hub import actions as hub

WHEN = tuple(kind for kind in registry().values() if issubclass(kind, TrackEvent))
SENTENCE_ZH = "包裹旅程终结后，不再跟踪它的运单；之后若又动了，再接着跟踪。"
START = "beginning"

_END = (State.RETURNED, State.LOST)


def concerns(event: Event) -> bool:
    """Whether the parcel came to an end or left one."""
    return isinstance(event, TrackEvent) and (event.after in _END or event.before in _END)


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    told = [each.event for each in events if isinstance(each.event, TrackEvent)]
    over = {parcel_id for parcel_id, state in {event.parcel_id: event.after for event in told}.items() if state in _END}
    again = {event.parcel_id for event in told if event.before in _END} - over

    hub.end_watch(tx, sorted(over))
    hub.go_on_watching(tx, sorted(again))
