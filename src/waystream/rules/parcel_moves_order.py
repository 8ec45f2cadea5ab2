"""When a parcel got its number, left the warehouse, moved or will never leave, then its orders' words follow."""

from collections.abc import Sequence

from waystream.core.events import ParcelEvent, registry
from waystream.core.events.fulfilment import ParcelDispatched, ParcelReplaced, ParcelVoided, WaybillIssued
from waystream.core.events.tracking import TrackEvent
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.orders import actions as orders

WHEN = (
    WaybillIssued,
    ParcelDispatched,
    ParcelVoided,
    ParcelReplaced,
    *(kind for kind in registry().values() if issubclass(kind, TrackEvent)),
)
SENTENCE_ZH = "包裹取号、出库、移动或不再发出时，所属订单的状态随之变化。"
START = "beginning"
REPEATABLE = True
REST_S = 0.01  # people watch an order move


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    orders.derive_of_parcels(
        tx, {told.event.parcel_id: told.as_cause for told in events if isinstance(told.event, ParcelEvent)}
    )
