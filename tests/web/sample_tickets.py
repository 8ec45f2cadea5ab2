"""Tickets for the sample world: what its parcels' own states open, and some that people tell of."""

from datetime import timedelta

from tests.web.sample import World
from waystream.core.care import Cause, Trouble
from waystream.kernel.tx import Tx
from waystream.parts.care import actions as care


def make_tickets(tx: Tx, world: World) -> list[int]:
    """The ids, as the queue has them."""
    pushes = tx.conn.execute("SELECT parcel_id, max(inbox_id) FROM telling GROUP BY parcel_id ORDER BY 1").fetchall()
    care.raise_by_track(tx, {parcel_id: f"inbox:{inbox_id}" for parcel_id, inbox_id in pushes})
    care.raise_troubles(tx, _told_by_people(tx, world))
    rows = tx.conn.execute("SELECT id FROM ticket WHERE state <> 'closed' ORDER BY due_at, id").fetchall()
    return [row[0] for row in rows]


def _told_by_people(tx: Tx, world: World) -> list[Trouble]:
    """Of parcels that travel: each of the first shop's and the second's is later than it should be, or asked about."""
    rows = tx.conn.execute(
        """SELECT p.id, p.shop_id, po.order_id FROM parcel p JOIN parcel_order po ON po.parcel_id = p.id
           JOIN track t ON t.parcel_id = p.id WHERE t.state = ANY (%s) ORDER BY p.id""",
        [["in_transit", "collected", "arrived_at_outlet", "out_for_delivery"]],
    ).fetchall()
    [lost] = tx.conn.execute(
        """SELECT p.id, p.shop_id, po.order_id FROM parcel p JOIN parcel_order po ON po.parcel_id = p.id
           JOIN track t ON t.parcel_id = p.id WHERE t.state = 'lost'"""
    ).fetchall()
    causes = (Cause.OVERDUE, Cause.BUYER_WANTS_ADDRESS, Cause.STALLED)
    asked = Trouble(
        shop_id=lost[1], cause=Cause.BUYER_NOT_RECEIVED, at=tx.now, because="buyer", parcel_id=lost[0], order_id=lost[2]
    )
    return [asked, *(
        Trouble(
            shop_id=shop_id, cause=causes[nth % len(causes)], at=tx.now - timedelta(minutes=20 + nth),
            because=f"order:{order_id}", parcel_id=parcel_id, order_id=order_id,
        )
        for nth, (parcel_id, shop_id, order_id) in enumerate(rows)
    )]  # fmt: skip
