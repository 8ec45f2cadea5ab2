"""Running an action for a caller: in a transaction that sees their shops, or every shop for what belongs to none."""

from collections.abc import Callable
from typing import TypeVar

from starlette.requests import Request

from waystream.core.errors import Invalid
from waystream.kernel.tx import Tx
from waystream.web.auth import Seat
from waystream.web.context import context_of

T = TypeVar("T")

IDS_AT_MOST = 500
MAX_ID = 2**63 - 1


def act(request: Request, seat: Seat, work: Callable[[Tx], T]) -> T:
    """Row-level security holds the action to the caller's shops; deadlocks are retried."""
    return context_of(request).work.run(work, shops=seat.shops)


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
