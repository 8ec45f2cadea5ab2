"""What a buyer says of messages himself: none about this order, none at all, or again.

Guaranteed: it is kept in the same list as what a shop marks, by a keyed hash of phone and e-mail address; who holds a
link of an order changes nothing but the wish of that order's own receiver.
"""

from enum import StrEnum

from waystream.core.errors import Unreadable
from waystream.kernel.tx import Tx
from waystream.parts.notices import actions, receivers, store, store_words
from waystream.parts.notices.model import mark_of

BUYER = "buyer"


class Wish(StrEnum):
    """What the buyer wants to hear; `order`: nothing about this order, `none`: nothing at all."""

    ALL = "all"
    ORDER = "order"
    NONE = "none"


def find_wish(tx: Tx, order_id: int) -> Wish | None:
    """None where nothing is known to reach the buyer by."""
    order = store.get_order(tx.conn, order_id)
    try:
        opened = receivers.open_receiver(tx, order.shop_id, order.person_id)
    except Unreadable:  # bytes that do not open keep nobody from the rest of the page
        return None
    if not opened.hashes:
        return None
    marks = {each.kind for each in store_words.list_optouts_of(tx.conn, order.shop_id, hashes=opened.hashes)}
    if "" in marks:
        return Wish.NONE
    return Wish.ORDER if mark_of(order_id) in marks else Wish.ALL


def wish(tx: Tx, order_id: int, wanted: Wish) -> None:
    """From now on, for what waits, too. Raises `Conflict` where nothing is known to reach the buyer by."""
    if wanted is Wish.ALL:
        actions.opt_in_again(tx, order_id, actor=BUYER)
    else:
        actions.opt_out(tx, order_id, kind=mark_of(order_id) if wanted is Wish.ORDER else "", actor=BUYER)
