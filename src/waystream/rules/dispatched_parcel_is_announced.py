"""When a parcel leaves the warehouse, then its buyer is told that it was shipped."""

from collections.abc import Sequence

from waystream.core.events.fulfilment import ParcelDispatched
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.notices import actions as notices
from waystream.parts.notices.model import Happening

WHEN = (ParcelDispatched,)
SENTENCE_ZH = "包裹出库后，告诉买家已发货。"
START = "end"
REPEATABLE = True


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    notices.plan(
        tx,
        [
            Happening(event.shop_id, event.parcel_id, "shipped", event.at, because=f"event:{told.id}")
            for told in events
            if isinstance(event := told.event, ParcelDispatched)
        ],
    )
