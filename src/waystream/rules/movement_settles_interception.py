"""When a parcel that was to be stopped turns round, then its interception is confirmed; delivered, it has failed."""

from collections.abc import Sequence

from waystream.core.care import Cause, Trouble
from waystream.core.events import Event
from waystream.core.events.tracking import Delivered, ParcelMoved, ParcelReturned, ParcelReturning
from waystream.core.state import Direction, State
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.care import actions as care
from waystream.parts.care import wishes

WHEN = (ParcelMoved, ParcelReturning, ParcelReturned, Delivered)
SENTENCE_ZH = "要拦截的包裹折返了，拦截算成功；仍被签收，拦截失败并开工单。"
START = "beginning"
REPEATABLE = True

_STOPPED = frozenset({State.INTERCEPTED, State.RETURNING, State.RETURNED})


def concerns(event: Event) -> bool:
    """Whether the parcel is stopped now, or delivered in spite of it."""
    return isinstance(event, WHEN) and (event.after in _STOPPED or event.after is State.DELIVERED)


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    told = {each.event.parcel_id: each for each in events if isinstance(each.event, WHEN)}
    stopped = {
        parcel_id: each.event.after in _STOPPED or each.event.direction is Direction.BACK
        for parcel_id, each in told.items()
        if isinstance(each.event, WHEN)
    }
    late = wishes.settle_interceptions(tx, stopped)
    care.raise_troubles(
        tx,
        [
            Trouble(
                shop_id=wish.shop_id, cause=Cause.INTERCEPTED_BUT_DELIVERED, at=told[parcel_id].at,
                because=f"event:{told[parcel_id].id}", parcel_id=parcel_id, order_id=wish.order_id,
            )
            for wish in late if (parcel_id := wish.parcel_id)
        ],
    )  # fmt: skip
