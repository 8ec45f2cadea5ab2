"""The goods of a parcel that is lost or damaged are sent again (补发) in a new parcel with a number of its own.

Guaranteed: goods are sent again once; the old parcel counts for its orders no more, so that no line is shipped twice,
while its way is followed on and what it held stays known. Cash that it was to collect is collected by the new one.
"""

from collections.abc import Mapping, Sequence

from waystream.core.errors import Conflict, Missing
from waystream.core.events.fulfilment import ParcelReplaced
from waystream.kernel.audit import Entry
from waystream.kernel.tx import Tx
from waystream.parts.fulfilment import model, numbers, store, store_replaced
from waystream.parts.fulfilment.codes import Codes, random_code
from waystream.parts.fulfilment.family import Family
from waystream.parts.fulfilment.model import Order, ShipOrders


def ship_again(tx: Tx, parcel_id: int, *, actor: str, codes: Codes = random_code) -> int:
    """The new parcel. Raises `Missing`, `Conflict` for one that has not left, has pieces, or was replaced already."""
    family = _load(tx, parcel_id)
    held = store_replaced.lock_lines(tx.conn, parcel_id)
    _refuse(family, held)
    orders = store.load_orders(tx.conn, family.order_ids, but=[parcel_id])

    account = model.pick_account(orders[0], ShipOrders((orders[0].id,)), store.list_accounts(tx.conn))
    if account is None:
        raise Conflict("No carrier account serves the warehouse: add or switch one on first.")
    wanted = model.new_parcel(contents_again(orders, held), account)

    store_replaced.move_lines(tx.conn, parcel_id)
    [made] = numbers.make_parcels(tx, [wanted], codes)
    store_replaced.set_replaced(tx.conn, parcel_id, by=made.ids[0])

    shop_id = family.mother.shop_id
    tx.emit(
        ParcelReplaced(shop_id=shop_id, parcel_id=parcel_id, replacement_id=made.ids[0], order_ids=family.order_ids)
    )
    tx.note(Entry(actor, "parcel.ship_again", family.subject, shop_id))
    return made.ids[0]


def _load(tx: Tx, parcel_id: int) -> Family:
    families = store.lock_families(tx.conn, store.mothers_of(tx.conn, [parcel_id]))
    if not families:
        raise Missing(f"There is no parcel {parcel_id}.", path="parcel_ids")
    return families[0]


def _refuse(family: Family, held: Mapping[int, int]) -> None:
    if family.stop is not None:
        raise Conflict(family.stop.sentence)
    if family.mother.stage != "dispatched":
        raise Conflict("The parcel has not left: it can still be sent as it is.")
    if family.children:
        raise Conflict("This shipment has several pieces: ship what is missing as an order of its own.")
    if not held:
        raise Conflict("These goods were sent again already.")


def contents_again(orders: Sequence[Order], held: Mapping[int, int]) -> list[tuple[Order, tuple[tuple[int, int], ...]]]:
    """What each order has in the parcel, (line id, quantity); orders with nothing in it are left out. Pure."""
    contents = [(order, tuple((line.id, held[line.id]) for line in order.lines if line.id in held)) for order in orders]
    return [(order, lines) for order, lines in contents if lines]
