"""The filters of the workbench as they stand in its address: what is not known is as if it were not there."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated

from fastapi import Depends, Query

from waystream.core.care import Cause, Priority
from waystream.kernel.tx import Tx
from waystream.web.auth import Seat
from waystream.web.cursor import read_cursor
from waystream.web.pages.orders.search import find_orders
from waystream.web.pages.workbench.store import Wanted
from waystream.web.shell.language import Language
from waystream.web.views import Address

TODAY = "today"
NAMES = ("due", "mine", "cause", "carrier", "priority", "shop", "q")
TICKET_MARKS = ("T-", "t-", "#")


@dataclass(frozen=True, slots=True)
class Filters:
    """`t` is the ticket that is open, `after` where in the queue one is."""

    due: str = ""
    mine: str = ""
    cause: str = ""
    carrier: str = ""
    priority: str = ""
    shop: str = ""
    q: str = ""
    t: str = ""
    after: str = ""

    @property
    def address(self) -> Address:
        """Without the open ticket: what a view keeps."""
        return Address("/workbench", {name: getattr(self, name) for name in NAMES})

    @property
    def ticket_id(self) -> int | None:
        return int(self.t) if self.t else None

    @property
    def narrowed(self) -> bool:
        return any(getattr(self, name) for name in NAMES)


def read_filters(
    due: str = "",
    mine: str = "",
    cause: str = "",
    carrier: Annotated[str, Query(max_length=20)] = "",
    priority: str = "",
    shop: Annotated[str, Query(max_length=18)] = "",
    q: Annotated[str, Query(max_length=100)] = "",
    t: Annotated[str, Query(max_length=19)] = "",
    after: Annotated[str, Query(max_length=60)] = "",
) -> Filters:
    return Filters(
        due=due if due == TODAY else "",
        mine="1" if mine else "",
        cause=cause if cause in set(Cause) else "",
        carrier=carrier,
        priority=priority if priority in set(Priority) else "",
        shop=_id(shop),
        q=q.strip(),
        t=_id(t),
        after=after,
    )


def _id(text: str) -> str:
    return text if text.isascii() and text.isdigit() and int(text) < 2**63 else ""


Asked = Annotated[Filters, Depends(read_filters)]


def want(tx: Tx, seat: Seat, filters: Filters, language: Language) -> Wanted:
    """What to ask the queue for; a search looks up its orders here, within the caller's shops."""
    number = _ticket_number(filters.q)
    return Wanted(
        due_before=tonight(language, tx.now) if filters.due else None,
        assignee=seat.caller.actor if filters.mine else "",
        cause=filters.cause,
        carrier=filters.carrier,
        priority=filters.priority,
        shop_id=int(filters.shop) if filters.shop else None,
        number=number,
        found=find_orders(tx, seat, filters.q) if filters.q and number is None else None,
        warehouses=tuple(sorted(seat.caller.warehouses)) if seat.caller.warehouses is not None else None,
        after=read_cursor(filters.after),
    )


def tonight(language: Language, now: datetime) -> datetime:
    """The end of today where the people are."""
    here = now.astimezone(language.zone)
    return datetime.combine(here.date() + timedelta(days=1), time(), language.zone)


def _ticket_number(text: str) -> int | None:
    """`T-20433`: a ticket by its own number; anything else is looked for among orders and people."""
    if not text.startswith(TICKET_MARKS):
        return None
    digits = text.lstrip("Tt-#")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 6 else None
