"""Erasing a receiver: the person's own key is destroyed, masks and search terms go; the order and its figures stay.

Guaranteed: erasing again changes nothing and says nothing. Labels and carriers' replies, which quote the receiver
under a key of the day, are emptied by the rule on `ReceiverErased`; raw pushes stay sealed until their day's key goes.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from waystream.core.errors import Invalid
from waystream.core.events.orders import ReceiverErased
from waystream.core.person import Term
from waystream.kernel.audit import Entry
from waystream.kernel.tx import Tx
from waystream.parts.orders import people, store_persons
from waystream.parts.orders.actions import judged, required_reason

ORDERS_AT_MOST = 500


@dataclass(frozen=True, slots=True)
class Erased:
    """`orders`: those that had a readable receiver until now; `people`: how many receivers that were."""

    orders: tuple[int, ...]
    people: int


def list_same_buyer(tx: Tx, order_id: int, *, warehouses: Collection[int] | None = None) -> list[int]:
    """Other orders of the shop with the same phone, in these warehouses (None: every one); the first 499."""
    return store_persons.list_with_phone_of(
        tx.conn, order_id, purpose=Term.PHONE, warehouses=warehouses, limit=ORDERS_AT_MOST - 1
    )


def erase_buyer(
    tx: Tx, order_id: int, *, same_phone: bool, actor: str, reason: str, warehouses: Collection[int] | None = None
) -> Erased:
    """An order's receiver and, if wished, the same phone's in every other order of the shop within `warehouses`."""
    others = list_same_buyer(tx, order_id, warehouses=warehouses) if same_phone else []
    return erase_receivers(tx, [order_id, *others], actor=actor, reason=reason)


def erase_receivers(tx: Tx, order_ids: Collection[int], *, actor: str, reason: str) -> Erased:
    """Make everybody these orders went to unreadable for good, for a caller that `may("person:erase")`.

    Raises `Invalid` without a reason, `Missing` for an unknown order.
    """
    reason = required_reason(reason)
    if len(order_ids) > ORDERS_AT_MOST:
        raise Invalid("orders", f"at most {ORDERS_AT_MOST} orders at once")
    shops = {standing.id: standing.shop_id for standing in judged(tx, order_ids)}
    receivers = store_persons.list_receivers(tx.conn, shops)

    erased = people.erase(tx, {person_id for _, person_id in receivers})

    gone = _by_order([(order_id, person_id) for order_id, person_id in receivers if person_id in set(erased)])
    tx.emit(*(ReceiverErased(shop_id=shops[an_id], order_id=an_id, person_ids=ids) for an_id, ids in gone.items()))
    tx.note(*(Entry(actor, "erase", f"order:{an_id}", shops[an_id], reason) for an_id in gone))
    return Erased(tuple(gone), len(erased))


def _by_order(receivers: Sequence[tuple[int, int]]) -> dict[int, tuple[int, ...]]:
    return {an_id: tuple(person for order, person in receivers if order == an_id) for an_id, _ in receivers}
