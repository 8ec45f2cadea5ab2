"""When a parcel's way has ended, then its gaps between scans are learned: how long silence usually lasts."""

from collections.abc import Sequence

from waystream.core.events.tracking import Delivered, ParcelLost, ParcelReturned, TrackEvent
from waystream.core.state import TERMINAL
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.silence import history

WHEN = (Delivered, ParcelReturned, ParcelLost)
SENTENCE_ZH = "包裹走完全程时，学习它各次扫描之间的间隔：通常会静默多久。"
START = "beginning"
REST_S = 0.5  # what it learns is read once a day


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    ended = [told.event for told in events if isinstance(told.event, TrackEvent)]
    history.learn(tx, {event.parcel_id for event in ended if event.before not in TERMINAL})
