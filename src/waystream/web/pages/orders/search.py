"""What a person types into the search box: an order number, a waybill, a phone, its last four digits, a name."""

from waystream.kernel.tx import Tx
from waystream.web.auth import Seat
from waystream.web.pages.orders import store

FOUND_AT_MOST = 200


def find_orders(tx: Tx, seat: Seat, text: str) -> tuple[int, ...]:
    """The orders meant, by whichever reading finds any; the caller's shops bound them all."""
    found = dict.fromkeys(store.find_by_number(tx.conn, text, limit=FOUND_AT_MOST))
    found |= dict.fromkeys(store.find_by_waybill(tx.conn, text.replace(" ", "").upper(), limit=FOUND_AT_MOST))
    return tuple(found)
