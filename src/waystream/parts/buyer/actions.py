"""What is done with buyers' links and what buyers say through them.

Guaranteed: making a link writes nothing, for it follows from the order; revoking one ends every link told so far.
"""

from waystream.core.errors import Conflict, Missing
from waystream.kernel.audit import Entry
from waystream.kernel.tx import Tx
from waystream.parts.buyer import store
from waystream.parts.buyer.links import NO_LINK, VERSIONS_AT_MOST, Link, expiry


def link(tx: Tx, order_id: int) -> Link:
    """The order's link as of now: the same until it is revoked or grows old. Raises `Missing` for an unknown order."""
    found = store.find_linked(tx.conn, order_id)
    if found is None:
        raise Missing("There is no such order.")
    return Link(found.shop_id, order_id, expiry(found.received_at, now=tx.now), found.version)


def check(tx: Tx, told: Link) -> None:
    """Raises `Missing` unless the order is there, is the shop's, and the link was not revoked since."""
    found = store.find_linked(tx.conn, told.order_id)
    if found is None or (found.shop_id, found.version) != (told.shop_id, told.version):
        raise Missing(NO_LINK)


def revoke(tx: Tx, order_id: int, *, actor: str) -> Link:
    """Every link told so far opens nothing from now on; the new one. Raises `Missing`, `Conflict` at the last."""
    before = link(tx, order_id)
    if before.version >= VERSIONS_AT_MOST:
        raise Conflict("The links of this order were revoked too often.")

    store.revoke(tx.conn, order_id, shop_id=before.shop_id, at=tx.now)
    tx.note(Entry(actor, "revoke_link", f"order:{order_id}", before.shop_id))
    return link(tx, order_id)
