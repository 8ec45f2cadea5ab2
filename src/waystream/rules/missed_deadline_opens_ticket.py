"""When an order or a parcel missed a deadline, then a ticket is opened for it."""

from collections.abc import Sequence

from waystream.core.care import Cause, Trouble
from waystream.core.events.deadlines import CollectionMissed, PickupOverdue, PromiseMissed, ShipByMissed
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.care import actions as care

WHEN = (ShipByMissed, PromiseMissed, CollectionMissed, PickupOverdue)
SENTENCE_ZH = "订单或包裹错过期限时，为它开一张工单。"
START = "beginning"
REPEATABLE = True


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    care.raise_troubles(tx, [_trouble(told) for told in events])


def _trouble(told: Recorded) -> Trouble:
    event, because = told.event, f"event:{told.id}"
    match event:
        case ShipByMissed():
            cause = Cause.NOT_DISPATCHED
            return Trouble(
                shop_id=event.shop_id, cause=cause, at=event.due_at, because=because, order_id=event.order_id
            )
        case PromiseMissed():
            return Trouble(
                shop_id=event.shop_id, cause=Cause.OVERDUE, at=event.due_at, because=because, order_id=event.order_id
            )
        case CollectionMissed() | PickupOverdue():
            late = isinstance(event, CollectionMissed)
            cause = Cause.NOT_COLLECTED if late else Cause.LOCKER_OVERDUE
            return Trouble(
                shop_id=event.shop_id, cause=cause, at=event.due_at, because=because, parcel_id=event.parcel_id
            )
    raise AssertionError(f"{told.name} is no miss")
