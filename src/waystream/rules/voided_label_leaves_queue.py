"""When a label is voided, then it is taken out of the print queues."""

from collections.abc import Sequence

from waystream.core.events.fulfilment import LabelVoided
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.floor import actions as floor

WHEN = (LabelVoided,)
SENTENCE_ZH = "面单作废后，从打印队列里拿掉。"
START = "beginning"
REPEATABLE = True


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    floor.void_prints(tx, [told.event.label_id for told in events if isinstance(told.event, LabelVoided)])
