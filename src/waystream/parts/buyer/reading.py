"""Everything a buyer may see of an order, in three statements whatever it holds. Masked as it is stored."""

from collections import defaultdict
from dataclasses import fields, replace

from waystream.core.errors import Missing
from waystream.core.person import is_virtual
from waystream.core.state import Direction, Kind, State
from waystream.kernel.tx import Tx
from waystream.parts.buyer import store
from waystream.parts.buyer.model import Journey, ParcelSeen, Said, Scanned


def get_journey(tx: Tx, order_id: int) -> Journey:
    """Raises `Missing`."""
    order = store.find_order(tx.conn, order_id)
    if order is None:
        raise Missing("There is no such order.")
    rows = store.list_parcels(tx.conn, order_id)
    scans: dict[int, list[Scanned]] = defaultdict(list)
    for row in store.list_scans(tx.conn, [row.id for row in rows]) if rows else ():
        scans[row.parcel_id].append(Scanned(row.at, State(row.state), Kind(row.kind), row.text, row.location))
    shared = {each.name: getattr(order, each.name) for each in fields(order) if each.name != "readable"}
    return Journey(
        **shared,
        gated=order.readable and bool(order.phone_mask) and not is_virtual(order.phone_mask),
        parcels=tuple(_parcel(row, tuple(scans[row.id])) for row in rows),
    )


def _parcel(row: store.ParcelRow, scans: tuple[Scanned, ...]) -> ParcelSeen:
    seen = ParcelSeen(
        id=row.id,
        carrier=row.carrier,
        number=row.number,
        stage=row.stage,
        held=row.held,
        state=State(row.state),
        kind=Kind(row.kind),
        direction=Direction(row.direction),
        at=row.at,
        dispatched_at=row.dispatched_at,
        delivered_at=row.delivered_at,
        slowed_at=row.slowed_at,
        goods=tuple(row.goods),
        pieces=row.pieces,
        said=frozenset(Said(word) for word in row.said),
        scans=scans,
    )
    return seen if seen.left else _before(seen)


def _before(seen: ParcelSeen) -> ParcelSeen:
    """A number that was only taken may still be given back: it is told when the parcel has left."""
    return replace(seen, number="")
