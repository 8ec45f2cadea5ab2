"""When every buyer in an incident was written to, then its ticket says how many know, and why the others do not."""

from collections.abc import Sequence

from waystream.core.events.incidents import IncidentTold
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.care import handling

WHEN = (IncidentTold,)
SENTENCE_ZH = "大面积延误中的买家都通知完时，工单写明通知了多少人，其余为何没有。"
START = "beginning"


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    for told in events:
        if isinstance(event := told.event, IncidentTold):
            word = " ".join((f"told:{event.told}", f"untold:{event.untold}", f"doubted:{event.doubted}", *event.whys))
            handling.say(tx, [event.ticket_id], word)
