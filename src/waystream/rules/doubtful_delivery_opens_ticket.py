"""When a delivery cannot be as the carrier says, or was to be prevented, then a ticket is opened."""

from collections.abc import Sequence

from waystream.core.care import Cause, Trouble
from waystream.core.deadline import Doubt
from waystream.core.events.deadlines import DeliveryDoubted, InterceptionFailed
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.care import actions as care

WHEN = (DeliveryDoubted, InterceptionFailed)
SENTENCE_ZH = "签收的时间或地点不合情理，或本该拦下的包裹被签收时，开一张工单。"
START = "beginning"
REPEATABLE = True

CAUSES = {Doubt.ELSEWHERE: Cause.SIGNED_ELSEWHERE, Doubt.TOO_EARLY: Cause.SIGNED_TOO_EARLY}


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    care.raise_troubles(tx, [_trouble(told) for told in events])


def _trouble(told: Recorded) -> Trouble:
    event = told.event
    assert isinstance(event, DeliveryDoubted | InterceptionFailed)
    cause = CAUSES[event.doubt] if isinstance(event, DeliveryDoubted) else Cause.INTERCEPTED_BUT_DELIVERED
    return Trouble(
        shop_id=event.shop_id, cause=cause, at=event.at, because=f"event:{told.id}", parcel_id=event.parcel_id
    )
