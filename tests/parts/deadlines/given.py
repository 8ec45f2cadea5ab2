"""Orders, parcels and deadlines of these tests, in few words."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tests.parts.world import World, happened, move_parcel, order, put_parcel
from waystream.kernel.tx import Tx
from waystream.parts.deadlines import actions as deadlines
from waystream.parts.orders import actions as orders

PARCEL = 7
OF_DEADLINES = {
    "ShipByMissed", "PromiseMissed", "CollectionMissed", "PickupOverdue", "OrderCaughtUp", "ParcelCaughtUp",
}  # fmt: skip


def accept(world: World, number: str = "A1", **told: Any) -> int:
    """An order, told or told again, whose deadlines have followed."""
    with world.work.begin() as tx:
        [answer] = orders.accept(tx, [order(number, **told)])
        deadlines.follow(tx, order_ids=[answer.order_id])
    return answer.order_id


def dispatch(world: World, order_id: int, parcel_id: int = PARCEL) -> int:
    """A parcel with all of the order left just now."""
    with world.work.begin() as tx:
        put_parcel(tx, order_id, parcel_id=parcel_id)
        tx.conn.execute(
            "UPDATE parcel SET dispatched_at = %s, dispatched_by = 'scan' WHERE id = %s", [tx.now, parcel_id]
        )
        orders.derive(tx, [order_id])
        deadlines.follow_contents(tx, parcel_ids=[parcel_id])
    return parcel_id


def put_track(tx: Tx, parcel_id: int, state: str, *, kind: str = "", at: datetime | None = None) -> None:
    """The track as a push would leave it; nothing follows from it here."""
    move_parcel(tx, parcel_id, state=state, kind=kind, at=at)
    tx.conn.execute(
        "UPDATE track SET collected_at = %s WHERE parcel_id = %s",
        [None if state in ("awaiting_collection", "no_trace") else at or tx.now, parcel_id],
    )


def move(world: World, state: str, *, parcel_id: int = PARCEL, kind: str = "", at: datetime | None = None) -> None:
    with world.work.begin() as tx:
        put_track(tx, parcel_id, state, kind=kind, at=at)
        orders.derive(tx, [row[0] for row in tx.conn.execute("SELECT order_id FROM parcel_order")])
        deadlines.follow_contents(tx, parcel_ids=[parcel_id])


def fire(world: World) -> int:
    return world.work.run(deadlines.fire_due)


def rows(world: World) -> list[tuple[str, str]]:
    with world.work.begin() as tx:
        return tx.conn.execute("SELECT kind, stand FROM deadline ORDER BY kind").fetchall()


def due(world: World, kind: str) -> datetime | None:
    with world.work.begin() as tx:
        row = tx.conn.execute("SELECT due_at FROM deadline WHERE kind = %s AND stand = 'open'", [kind]).fetchone()
    return row[0] if row else None


def said(world: World) -> Sequence[tuple[str, str]]:
    """What was told of deadlines: the event and what it is about."""
    with world.work.begin() as tx:
        return [(name, subject) for name, subject, _ in happened(tx) if name in OF_DEADLINES]
