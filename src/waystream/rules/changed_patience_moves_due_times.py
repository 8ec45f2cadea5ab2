"""When another patience is published, then the due times of all parcels under way follow it."""

from collections.abc import Sequence

from waystream.core.events.silence import PatienceChanged
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.tracking import dues

WHEN = (PatienceChanged,)
SENTENCE_ZH = "新的静默容忍时间发布后，所有在途包裹的应到扫描时间随之调整。"
START = "beginning"


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    changed = [told.event.version_id for told in events if isinstance(told.event, PatienceChanged)]
    dues.ask_to_move(tx, max(changed))
