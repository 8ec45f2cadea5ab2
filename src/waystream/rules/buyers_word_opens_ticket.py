"""When a buyer misses a parcel, finds it damaged, or wants what has left to go elsewhere, then a ticket is opened."""

from collections.abc import Sequence

from waystream.core.care import Cause, Trouble
from waystream.core.events.buyer import BuyerAskedNewAddress, BuyerEvent, BuyerMissedParcel, BuyerReportedDamage
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.care import actions as care

WHEN = (BuyerMissedParcel, BuyerReportedDamage, BuyerAskedNewAddress)
SENTENCE_ZH = "买家说没收到、东西坏了，或要给已发出的包裹改地址时，开一张工单。"
START = "beginning"
REPEATABLE = True

CAUSES = {
    BuyerMissedParcel: Cause.BUYER_NOT_RECEIVED,
    BuyerReportedDamage: Cause.BUYER_DAMAGED,
    BuyerAskedNewAddress: Cause.BUYER_WANTS_ADDRESS,
}


def do(tx: Tx, events: Sequence[Recorded]) -> None:
    care.raise_troubles(tx, [_trouble(told) for told in events if _wants_somebody(told)])


def _wants_somebody(told: Recorded) -> bool:
    """An address that the order has already needs nobody."""
    return not (isinstance(told.event, BuyerAskedNewAddress) and told.event.changed)


def _trouble(told: Recorded) -> Trouble:
    event = told.event
    assert isinstance(event, BuyerEvent)
    return Trouble(
        shop_id=event.shop_id,
        cause=CAUSES[type(event)],
        at=told.at,
        because=f"event:{told.id}",
        parcel_id=event.parcel_id,
        order_id=event.order_id,
    )
