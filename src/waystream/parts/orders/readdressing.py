"""The buyer moves an order that has not left: the same person at another place.

Guaranteed: before anything left only. The shop's own telling stays what it was, so that hearing the old address again
takes nothing back, while an address that is new from the shop replaces the buyer's.
"""

from dataclasses import dataclass, field, replace

from waystream.core.errors import Conflict, Invalid
from waystream.core.events.orders import OrderChanged
from waystream.core.order import Dispatch
from waystream.core.person import Person
from waystream.kernel.audit import Entry
from waystream.kernel.tx import Tx
from waystream.parts.orders import people, store
from waystream.parts.orders.actions import judged
from waystream.parts.orders.form import clean
from waystream.parts.orders.model import Axis

PLACE_MAX, ADDRESS_MAX = 32, 200


@dataclass(frozen=True, slots=True)
class Place:
    """Where it shall go; name and phone stay."""

    province: str
    city: str
    district: str
    address: str = field(repr=False)


def parse_place(*, province: str, city: str, district: str, address: str) -> Place:
    """Raises `Invalid` for what is empty or too long."""
    place = Place(clean(province), clean(city), clean(district), clean(address))
    for path, text, limit in (
        ("province", place.province, PLACE_MAX), ("city", place.city, PLACE_MAX),
        ("address", place.address, ADDRESS_MAX),
    ):  # fmt: skip
        if not 1 <= len(text) <= limit:
            raise Invalid(path, f"between 1 and {limit} characters")
    if len(place.district) > PLACE_MAX:
        raise Invalid("district", f"at most {PLACE_MAX} characters")
    return place


def readdress(tx: Tx, order_id: int, place: Place, *, actor: str) -> bool:
    """False where it goes there already. Raises `Conflict` when something has left or it was cancelled, or when its
    receiver cannot be read here; `Missing` for an unknown order."""
    [standing] = judged(tx, [order_id])
    if standing.facts.cancelled or standing.dispatch is not Dispatch.NONE:
        raise Conflict("The address cannot be changed here any more.")
    found = store.find_person(tx.conn, order_id)
    assert found is not None, "a judged order has a receiver"
    shop_id, person_id = found
    before = people.open_person(tx, person_id)
    contact = replace(
        before.contact, province=place.province, city=place.city, district=place.district, address=place.address
    )
    if contact == before.contact:
        return False

    moved = people.move(tx, person_id, Person(contact, before.buyer_remark, before.seller_remark))
    store.set_person(tx.conn, order_id, moved, at=tx.now)
    tx.note(Entry(actor, "readdress", f"order:{order_id}", shop_id))
    tx.emit(OrderChanged(shop_id=shop_id, order_id=order_id, what=(Axis.ADDRESS.value,)))
    return True
