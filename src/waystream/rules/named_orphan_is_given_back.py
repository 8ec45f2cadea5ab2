"""When a push names an attempt of ours that nobody waits for any more, then its number exists and is given back.

Whoever has to look at an attempt without an answer is told the number.
"""

from collections.abc import Sequence

from waystream.core.events.fulfilment import StrangerNamedTake
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.fulfilment import takes

WHEN = (StrangerNamedTake,)
SENTENCE_ZH = "推送提到一次已没人等的取号时，说明那个单号存在，把它退还。"
START = "beginning"


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    named = [told.event for told in events if isinstance(told.event, StrangerNamedTake)]
    for event in sorted(named, key=lambda event: event.parcel_id):
        takes.claim(tx, event.take_id, event.number)
