"""When a parcel's next scan is overdue, then its carrier network is asked before anybody is alarmed."""

from collections.abc import Sequence

from waystream.core.events.silence import ScanOverdue
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.tracking import outages

WHEN = (ScanOverdue,)
SENTENCE_ZH = "包裹的下一条扫描逾期未到时，先向聚合平台查询，再惊动人。"
START = "beginning"


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    outages.ask_for(tx, {told.event.parcel_id for told in events if isinstance(told.event, ScanOverdue)})
