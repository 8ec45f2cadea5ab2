"""When a buyer confirms that they have a parcel, then the tickets that doubted it close by themselves."""

from collections.abc import Sequence

from waystream.core.care import Cause, Ending
from waystream.core.events.buyer import BuyerConfirmed
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.care import actions as care

WHEN = (BuyerConfirmed,)
SENTENCE_ZH = "买家确认收到包裹时，怀疑它没送到的工单自动关闭。"
START = "beginning"
REPEATABLE = True

#: What cannot be wrong any more once the buyer has it.
DOUBTS = frozenset(
    {
        Cause.STALLED, Cause.ATTEMPT_FAILED, Cause.LOCKER_OVERDUE, Cause.OVERDUE, Cause.SIGNED_ELSEWHERE,
        Cause.SIGNED_TOO_EARLY, Cause.BUYER_NOT_RECEIVED, Cause.LOST, Cause.MISROUTED,
    }
)  # fmt: skip


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    for told in events:
        event = told.event
        if isinstance(event, BuyerConfirmed) and event.parcel_id is not None:
            care.settle(tx, [event.parcel_id], DOUBTS, at=told.at, reason=Ending.CONFIRMED, because=f"event:{told.id}")
