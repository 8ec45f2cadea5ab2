"""Running an action for a caller: in a transaction that sees their shops, or every shop for what belongs to none.

Guaranteed: what a deed is handed are orders and parcels within the caller's shops and warehouses, found in the deed's
own transaction; there is no other way from a form to an action on them.
"""

from collections.abc import Callable
from typing import TypeVar

from starlette.requests import Request

from waystream.core.errors import Invalid
from waystream.kernel.tx import Tx
from waystream.web.auth import Seat
from waystream.web.context import context_of
from waystream.web.reach import reach_orders, reach_parcels, reach_ticket

T = TypeVar("T")

IDS_AT_MOST = 500
MAX_ID = 2**63 - 1


def act_on_orders(request: Request, seat: Seat, texts: list[str], deed: Callable[[Tx, tuple[int, ...]], T]) -> T:
    """Do it to the orders of these ids. Raises `Missing` where one is not the caller's; deadlocks are retried."""
    names = [str(order_id) for order_id in parse_ids(texts)]
    return context_of(request).work.run(lambda tx: deed(tx, reach_orders(tx, seat, names)), shops=seat.shops)


def act_on_order(request: Request, seat: Seat, text: str, deed: Callable[[Tx, int], T]) -> T:
    return act_on_orders(request, seat, [text], lambda tx, ids: deed(tx, ids[0]))


def act_on_parcel(request: Request, seat: Seat, text: str, deed: Callable[[Tx, int], T]) -> T:
    """Do it to the parcel of this id. Raises `Missing` where it is not the caller's; deadlocks are retried."""
    ids = parse_ids([text])
    return context_of(request).work.run(lambda tx: deed(tx, reach_parcels(tx, seat, ids)[0]), shops=seat.shops)


def act_on_part(request: Request, seat: Seat, owner: Callable[[Tx], int], deed: Callable[[Tx], T]) -> T:
    """Do it to what belongs to a parcel (an attempt, a number): `owner` says to which. Raises `Missing` where that is
    not the caller's."""

    def run(tx: Tx) -> T:
        reach_parcels(tx, seat, [owner(tx)])
        return deed(tx)

    return context_of(request).work.run(run, shops=seat.shops)


def act_on_ticket(request: Request, seat: Seat, text: str, deed: Callable[[Tx, int], T]) -> T:
    """Do it to the ticket of this id. Raises `Missing` where it is not the caller's; deadlocks are retried."""
    [ticket_id] = parse_ids([text])
    return context_of(request).work.run(lambda tx: deed(tx, reach_ticket(tx, seat, ticket_id)), shops=seat.shops)


def act_on_setup(request: Request, work: Callable[[Tx], T]) -> T:
    """Printers, accounts, warehouses and people belong to no shop: the route's permission is the only bound."""
    return context_of(request).machine.run(work)


def parse_ids(texts: list[str]) -> tuple[int, ...]:
    """Row ids from an address or a form. Raises `Invalid`."""
    if not 1 <= len(texts) <= IDS_AT_MOST:
        raise Invalid("id", f"choose between 1 and {IDS_AT_MOST}")
    ids = tuple(dict.fromkeys(int(text) for text in texts if text.isdecimal() and len(text) < 20))
    if len(ids) != len(set(texts)) or any(not 0 < row_id <= MAX_ID for row_id in ids):
        raise Invalid("id", "not a number of ours")
    return ids
