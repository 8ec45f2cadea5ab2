"""What a person types into the search box, bounded to the caller's shops by the transaction."""

from waystream.kernel.tx import Tx
from waystream.parts.orders import lists
from waystream.web.auth import Seat
from waystream.web.context import WebContext

MASKED = "person:masked"


def take_search(context: WebContext, seat: Seat) -> None:
    """Count a search of somebody who finds by phone and name. Raises `TooMany`: nobody walks through all numbers."""
    if seat.caller.may(MASKED):
        context.searches.take(seat.caller.actor)


def find_orders(tx: Tx, seat: Seat, text: str) -> tuple[int, ...]:
    """Orders by number, waybill, and for those who see masks by phone and name."""
    return lists.search(tx, text, personal=seat.caller.may(MASKED))
