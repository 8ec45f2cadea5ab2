"""When a waybill is issued, then its label is queued on the warehouse's printer."""

from collections.abc import Sequence

from waystream.core.events.fulfilment import WaybillIssued
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.floor import actions as floor

WHEN = (WaybillIssued,)
SENTENCE_ZH = "运单取号后，面单进入仓库打印机的队列。"
START = "beginning"
REPEATABLE = True


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    floor.print_parcels(tx, [told.event.parcel_id for told in events if isinstance(told.event, WaybillIssued)])
