"""When a parcel is out for delivery, waits for pickup, failed, was delivered or turns back, then its buyer is told."""

from collections.abc import Sequence

from waystream.core.events.tracking import (
    AttemptFailed,
    Delivered,
    OutForDelivery,
    ParcelReturning,
    ReadyForPickup,
    TrackEvent,
)
from waystream.core.state import State
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.notices import actions as notices
from waystream.parts.notices.model import Happening

WHEN = (OutForDelivery, ReadyForPickup, AttemptFailed, Delivered, ParcelReturning)
SENTENCE_ZH = "包裹派送、待取件、派送失败、签收或退回时，告诉买家。"
START = "end"
REPEATABLE = True

KINDS: dict[type[TrackEvent], str] = {
    OutForDelivery: "out_for_delivery",
    ReadyForPickup: "ready_for_pickup",
    AttemptFailed: "attempt_failed",
    Delivered: "delivered",
    ParcelReturning: "returning",
}


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    """A delivery of which only the kind became known was told before."""
    notices.plan(
        tx,
        [
            Happening(
                event.shop_id, event.parcel_id, KINDS[type(event)], event.at,
                detail=event.kind.value, because=f"event:{told.id}",
            )
            for told in events
            if isinstance(event := told.event, WHEN)
            and not (isinstance(event, Delivered) and event.before is State.DELIVERED)
        ],
    )  # fmt: skip
