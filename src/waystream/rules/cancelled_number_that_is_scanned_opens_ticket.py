"""When a carrier scans a number that was cancelled, then a ticket is opened: something travels that should not."""

from collections.abc import Sequence

from waystream.core.care import Cause, Trouble
from waystream.core.events.fulfilment import CancelledNumberScanned
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.care import actions as care

WHEN = (CancelledNumberScanned,)
SENTENCE_ZH = "承运商扫描了已取消的单号时，开一张工单：不该走的货在走。"
START = "beginning"
REPEATABLE = True


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    care.raise_troubles(
        tx,
        [
            Trouble(
                shop_id=told.event.shop_id,
                cause=Cause.CANCELLED_NUMBER_SCANNED,
                at=told.at,
                because=f"event:{told.id}",
                parcel_id=told.event.parcel_id,
            )
            for told in events
            if isinstance(told.event, CancelledNumberScanned)
        ],
    )
