"""When what missed its deadline is done after all, or its deadline is another or gone, then its ticket closes."""

from collections.abc import Sequence

from waystream.core.care import Cause, Ending
from waystream.core.deadline import DeadlineKind
from waystream.core.events.deadlines import OrderCaughtUp, ParcelCaughtUp
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.care import actions as care

WHEN = (OrderCaughtUp, ParcelCaughtUp)
SENTENCE_ZH = "错过期限的事后来做到了，或期限改了、取消了，它的工单自动关闭。"
START = "beginning"
REPEATABLE = True

#: Which tickets a deadline stands behind, and how they end when it is met; else their cause was taken back.
BEHIND: dict[DeadlineKind, tuple[tuple[Cause, ...], Ending]] = {
    DeadlineKind.SHIP_BY: ((Cause.NOT_DISPATCHED,), Ending.DISPATCHED),
    DeadlineKind.PROMISE: ((Cause.OVERDUE,), Ending.DELIVERED),
    DeadlineKind.COLLECTION: ((Cause.NOT_COLLECTED,), Ending.COLLECTED),
    DeadlineKind.PICKUP: ((Cause.LOCKER_OVERDUE,), Ending.DELIVERED),
    DeadlineKind.VERIFICATION: (
        (Cause.SIGNED_ELSEWHERE, Cause.SIGNED_TOO_EARLY, Cause.INTERCEPTED_BUT_DELIVERED),
        Ending.RETRACTED,
    ),
}


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    for told in events:
        event, because = told.event, f"event:{told.id}"
        assert isinstance(event, OrderCaughtUp | ParcelCaughtUp)
        causes, ending = BEHIND[event.kind]
        reason = ending if event.met else Ending.RETRACTED
        if isinstance(event, OrderCaughtUp):
            care.settle_orders(tx, [event.order_id], causes, at=told.at, reason=reason, because=because)
        else:
            care.settle(tx, [event.parcel_id], causes, at=told.at, reason=reason, because=because)
