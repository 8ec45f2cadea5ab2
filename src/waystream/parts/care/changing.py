"""How a ticket changes: opened, raised, reopened, taken, handed over, closed. Pure.

Each function answers with the ticket as it is afterwards, the line of its log and what is told; `Conflict` where it
cannot be done, in a sentence that says who did something else first.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from waystream.core.care import Ending, Priority, Severity, Trouble
from waystream.core.errors import Conflict
from waystream.core.events.care import (
    TicketClosed,
    TicketEvent,
    TicketOpened,
    TicketRaised,
    TicketReleased,
    TicketReopened,
    TicketTaken,
)
from waystream.parts.care.hours import Hours, due_after
from waystream.parts.care.model import Entry, Standing, Ticket, What, priority_of, severity_of

E = TypeVar("E", bound=TicketEvent)


@dataclass(frozen=True, slots=True)
class Change:
    """`entry` and `event` are None where nobody need know."""

    ticket: Ticket
    entry: Entry | None = None
    event: TicketEvent | None = None


def opened(trouble: Trouble, ticket_id: int, *, hours: Hours, now: datetime) -> Change:
    severity = severity_of(trouble)
    priority = priority_of(trouble.cause, severity)
    ticket = Ticket(
        id=ticket_id,
        shop_id=trouble.shop_id,
        cause=trouble.cause,
        kind=trouble.kind,
        state=Standing.OPEN,
        priority=priority,
        severity=severity,
        times=1,
        parcel_id=trouble.parcel_id,
        order_id=trouble.order_id,
        slowdown_id=trouble.slowdown_id,
        warehouse_id=trouble.warehouse_id,
        about=trouble.about,
        because=trouble.because,
        trouble_at=trouble.at,
        opened_at=now,
        clock_at=now,
        due_at=due_after(hours, now, priority),
    )
    return Change(
        ticket, entry_of(ticket, What.OPENED, word=trouble.kind, because=trouble.because), tell(TicketOpened, ticket)
    )


def worsened(ticket: Ticket, trouble: Trouble, *, hours: Hours, now: datetime) -> list[Change]:
    """An open ticket whose trouble is told again: raised where it is worse, brought up to date where it is newer."""
    severity = severity_of(trouble)
    if severity <= ticket.severity:
        return [Change(_retold(ticket, trouble))] if trouble.at > ticket.trouble_at else []
    priority = priority_of(ticket.cause, severity)
    due_at = min(ticket.due_at, due_after(hours, now, priority))
    after = replace(
        _retold(ticket, trouble), severity=severity, priority=priority, raised_at=now, due_at=due_at, kind=trouble.kind
    )
    entry = entry_of(after, What.RAISED, word=trouble.kind, because=trouble.because)
    return [Change(after, entry, tell(TicketRaised, after))]


def _retold(ticket: Ticket, trouble: Trouble) -> Ticket:
    return replace(ticket, because=trouble.because, trouble_at=max(ticket.trouble_at, trouble.at))


def came_again(ticket: Ticket, trouble: Trouble, *, hours: Hours, now: datetime) -> Change:
    """A closed ticket whose trouble is back: one step worse than it was."""
    worse = Severity(min(max(ticket.severity, severity_of(trouble)) + 1, Severity.GRAVE))
    return reopened(
        replace(_retold(ticket, trouble), kind=trouble.kind, severity=worse, times=ticket.times + 1),
        hours=hours,
        now=now,
        because=trouble.because,
    )


def reopened(
    ticket: Ticket, *, hours: Hours, now: datetime, because: str = "", actor: str = "", text: str = ""
) -> Change:
    """Nobody's, and its time to act runs anew."""
    priority = priority_of(ticket.cause, ticket.severity)
    after = replace(
        ticket,
        state=Standing.OPEN,
        priority=priority,
        assignee="",
        taken_at=None,
        closed_at=None,
        closed_by="",
        ending=None,
        merged_into=None,
        reopened_at=now,
        clock_at=now,
        due_at=due_after(hours, now, priority),
    )
    entry = entry_of(after, What.REOPENED, actor=actor, word=after.kind, because=because, text=text)
    return Change(after, entry, tell(TicketReopened, after))


def is_settled(ticket: Ticket, trouble: Trouble) -> bool:
    """Whether a person closed it after this trouble came: then it is no news."""
    return ticket.closed_at is not None and bool(ticket.closed_by) and trouble.at <= ticket.closed_at


def may_reopen(ticket: Ticket, *, hours: Hours, now: datetime) -> bool:
    """Closed not long ago, and not into another ticket."""
    assert ticket.closed_at is not None, "an open ticket is not reopened"
    return ticket.ending is not Ending.MERGED and now - ticket.closed_at <= hours.reopens_within


def ended(
    ticket: Ticket, ending: Ending, *, now: datetime, actor: str = "", because: str = "", text: str = ""
) -> Change:
    """Closed; whoever had it stays written down."""
    after = replace(ticket, state=Standing.CLOSED, closed_at=now, closed_by=actor, ending=ending)
    entry = entry_of(after, What.CLOSED, actor=actor, word=ending, because=because, text=text)
    return Change(after, entry, tell(TicketClosed, after, ending=ending, staff=actor))


def merged(ticket: Ticket, into: Ticket, *, now: datetime, actor: str) -> Change:
    """Closed, with the word on where it went."""
    after = replace(
        ticket, state=Standing.CLOSED, closed_at=now, closed_by=actor, ending=Ending.MERGED, merged_into=into.id
    )
    entry = entry_of(after, What.MERGED, actor=actor, word=f"into:{into.id}")
    return Change(after, entry, tell(TicketClosed, after, ending=Ending.MERGED, staff=actor))


def taken(ticket: Ticket, actor: str, *, now: datetime) -> Change:
    after = replace(ticket, state=Standing.TAKEN, assignee=actor, taken_at=now)
    return Change(after, entry_of(after, What.TAKEN, actor=actor), tell(TicketTaken, after, staff=actor))


def handed_over(ticket: Ticket, to: str, *, now: datetime, actor: str, text: str = "") -> Change:
    after = replace(ticket, state=Standing.TAKEN, assignee=to, taken_at=now)
    entry = entry_of(after, What.HANDED_OVER, actor=actor, word=to, text=text)
    return Change(after, entry, tell(TicketTaken, after, staff=to))


def released(ticket: Ticket, *, actor: str) -> Change:
    after = replace(ticket, state=Standing.OPEN, assignee="", taken_at=None)
    return Change(after, entry_of(after, What.RELEASED, actor=actor), tell(TicketReleased, after))


def prioritised(ticket: Ticket, priority: Priority, *, hours: Hours, actor: str) -> Change:
    """Due as if it had always mattered so much."""
    after = replace(ticket, priority=priority, due_at=due_after(hours, ticket.clock_at, priority))
    entry = entry_of(after, What.PRIORITISED, actor=actor, word=priority)
    more = _RANK[priority] > _RANK[ticket.priority]
    return Change(after, entry, tell(TicketRaised, after) if more else None)


_RANK = {Priority.LOW: 0, Priority.NORMAL: 1, Priority.HIGH: 2}


def require_open(ticket: Ticket) -> None:
    if not ticket.is_open:
        raise Conflict("This ticket is closed: open it again first.")


def require_version(ticket: Ticket, version: int | None) -> None:
    """Raises `Conflict` where it is not as the person saw it."""
    if version is not None and version != ticket.version:
        raise Conflict("This ticket has changed meanwhile: look at it again.")


def entry_of(
    ticket: Ticket, what: What, *, actor: str = "", word: str = "", because: str = "", text: str = ""
) -> Entry:
    return Entry(
        ticket_id=ticket.id, shop_id=ticket.shop_id, what=what, actor=actor, word=word, because=because, text=text
    )


def tell(event: type[E], ticket: Ticket, **more: Any) -> E:
    return event(
        shop_id=ticket.shop_id,
        ticket_id=ticket.id,
        cause=ticket.cause,
        priority=ticket.priority,
        parcel_id=ticket.parcel_id,
        order_id=ticket.order_id,
        **more,
    )
