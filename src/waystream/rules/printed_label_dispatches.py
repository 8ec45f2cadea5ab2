"""When a label is printed, then its parcel is printed; where printing is leaving, it leaves the warehouse."""

from collections.abc import Sequence

from waystream.core.events.fulfilment import LabelPrinted
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.fulfilment import actions as fulfilment

WHEN = (LabelPrinted,)
SENTENCE_ZH = "面单打印后，包裹视为已打印；打印即出库的仓库，包裹随即出库。"
START = "beginning"


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    printed = fulfilment.mark_printed(tx, {told.event.print_id for told in events if isinstance(told.event, WHEN)})
    fulfilment.dispatch_printed(tx, printed)
