"""No ticket of a parcel is open though its trouble is over: a delivered parcel has only those that survive a delivery.

Parcels whose events the rule `parcel_that_moves_on_closes_its_tickets` has still to read are left out.
"""

from waystream.kernel.tx import Tx
from waystream.parts.care import proving

SENTENCE_ZH = "没有事情已过去还开着的工单：已签收的包裹只留下签收也解决不了的工单。"
RULE = "parcel_that_moves_on_closes_its_tickets"
AT_ONCE = 5_000


def broken(tx: Tx) -> list[str]:
    wrong: list[str] = []
    after: int | None = 0
    while after is not None:
        found, after = proving.list_outlived(tx, rule=RULE, after_id=after, limit=AT_ONCE)
        wrong += found
    return wrong
