"""What a shop asks of the calendar: its hours, and which kinds of deadlines it watches.

A change is applied to what stands by a job: deadlines move, go or come, and what is late by the new hours is told.
"""

from collections.abc import Collection

from waystream.core.errors import Missing
from waystream.kernel.audit import Entry
from waystream.kernel.jobs import Job
from waystream.kernel.tx import Tx
from waystream.parts.deadlines import actions, store, store_lists
from waystream.parts.deadlines.model import USUAL, Settings

FOLLOW = "follow_deadlines"
FOLLOWED_AT_ONCE = 500


def get_settings(tx: Tx, shop_id: int) -> Settings:
    """The usual ones for a shop that never said anything."""
    return store.list_settings(tx.conn, [shop_id]).get(shop_id, USUAL)


def list_settings(tx: Tx, shop_ids: Collection[int]) -> dict[int, Settings]:
    """Of each of these shops."""
    said = store.list_settings(tx.conn, shop_ids)
    return {shop_id: said.get(shop_id, USUAL) for shop_id in shop_ids}


def set_settings(tx: Tx, shop_id: int, settings: Settings, *, actor: str) -> None:
    """From now on, and for what stands already, by a job. Raises `Missing` for an unknown shop."""
    if not store.hold_shop(tx.conn, shop_id):
        raise Missing("There is no such shop.")
    if get_settings(tx, shop_id) == settings:
        return

    store.save_settings(tx.conn, shop_id, settings)

    # A key of its own: a job that is under way may have passed what has to follow these settings.
    key = f"{shop_id}:{tx.now.isoformat()}"
    tx.enqueue(Job(FOLLOW, shop_id, key, f"shop:{shop_id}"))
    tx.note(
        Entry(
            actor,
            "set_deadlines",
            f"shop:{shop_id}",
            shop_id,
            detail={
                "ship_by_h": settings.ship_by_h,
                "collection_h": settings.collection_h,
                "pickup_h": settings.pickup_h,
                "off": ",".join(sorted(settings.off)),
            },
        )
    )


def follow_orders(tx: Tx, shop_id: int, *, after_id: int) -> int | None:
    """The next live orders of a shop take its settings over; where to go on, None at the end."""
    ids = store_lists.list_live_orders(tx.conn, shop_id, after_id=after_id, limit=FOLLOWED_AT_ONCE)
    actions.follow(tx, order_ids=ids)
    return ids[-1] if len(ids) == FOLLOWED_AT_ONCE else None


def follow_parcels(tx: Tx, shop_id: int, *, after_id: int) -> int | None:
    """As `follow_orders`, for parcels that are under way or still have a deadline."""
    ids = store_lists.list_live_parcels(tx.conn, shop_id, after_id=after_id, limit=FOLLOWED_AT_ONCE)
    actions.follow(tx, parcel_ids=ids)
    return ids[-1] if len(ids) == FOLLOWED_AT_ONCE else None
