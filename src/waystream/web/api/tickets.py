"""Tickets over the API: the queue, one whole, and what an agent does with them. Each deed takes one ticket or many."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Path, Query
from msgspec import Meta
from starlette.responses import Response

from waystream.core.care import Cause, Ending, Priority
from waystream.core.errors import Forbidden, Invalid
from waystream.kernel.tx import Tx
from waystream.parts.care import handling, reading
from waystream.parts.care.sealing import TEXT_MAX
from waystream.parts.care.store_lists import NOBODY, Listed, Wanted
from waystream.parts.people.model import ROLES, Permission
from waystream.web.api._ticket_views import TicketBrief, TicketWhole, brief, whole
from waystream.web.cursor import write_cursor
from waystream.web.interface import PAGE_MAX, Call, go_on, may, told
from waystream.web.reach import find_shop, limit_warehouses, reach_order, reach_parcel
from waystream.web.shell.language import N_
from waystream.web.wire import MAX_ID, Asked, Id, Lined, Told, see

READ, WRITE, LEAD, MASKED = "tickets:read", "tickets:write", "tickets:lead", "person:masked"
AT_ONCE = 500
ME = "me"

#: Whom a ticket can be handed to: whose role works with tickets.
AGENTS = frozenset(role for role, scopes in ROLES.items() if Permission.TICKETS_WRITE in scopes)

router = APIRouter(tags=["tickets"])

TicketId = Annotated[int, Path(ge=1, le=MAX_ID)]
Text = Annotated[str, Meta(max_length=TEXT_MAX)]
ByHand = Literal["solved", "reshipped", "refunded", "claimed", "nothing_to_do"]


class TicketPage(Told, frozen=True):
    """`after` leads to the next page; null on the last."""

    tickets: tuple[TicketBrief, ...]
    after: str | None


class TicketCounts(Told, frozen=True):
    """Of the tickets that are not closed."""

    live: int
    high: int
    overdue: int
    unassigned: int
    mine: int


class NextTicket(Told, frozen=True):
    """null where none is left."""

    ticket: TicketBrief | None


class DoneTickets(Told, frozen=True):
    """As they are now."""

    tickets: tuple[TicketBrief, ...]


class Colleague(Told, frozen=True):
    actor: str
    name: str


class Colleagues(Told, frozen=True):
    colleagues: tuple[Colleague, ...]


class Named(Lined, frozen=True):
    """`versions` names the versions you saw, by id: where one is older now, nothing is done (409).

    `lead`: though somebody else has it; this needs `tickets:lead`.
    """

    tickets: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=AT_ONCE)]
    versions: dict[str, int] = msgspec.field(default_factory=dict)
    lead: bool = False


class NoteIn(Lined, frozen=True):
    tickets: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=AT_ONCE)]
    text: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]


class HandOverIn(Named, frozen=True, kw_only=True):
    """`to`: `staff:ID`, one of the colleagues of the shop."""

    to: Annotated[str, Meta(min_length=1, max_length=30)]
    text: Text = ""


class CloseIn(Named, frozen=True, kw_only=True):
    ending: ByHand
    text: Text = ""


class ReopenIn(Named, frozen=True, kw_only=True):
    text: Text = ""


class MergeIn(Named, frozen=True, kw_only=True):
    into: Id


class PriorityIn(Named, frozen=True, kw_only=True):
    priority: Priority


class OpenIn(Lined, frozen=True):
    """About a parcel, or about a whole order (its id or `SHOP:NUMBER`)."""

    cause: Cause
    parcel: Id | None = None
    order: Annotated[str, Meta(max_length=140)] = ""
    text: Text = ""


class NextIn(Asked, frozen=True):
    """From which of the open tickets; empty: every one."""

    priorities: tuple[Priority, ...] = ()
    causes: tuple[Cause, ...] = ()


@router.get("/tickets", summary="List tickets, what is due first")
@told(gives=TicketPage, errors=(422,))
def list_tickets(
    call: Annotated[Call, may(READ)],
    state: Annotated[Literal["live", "open", "taken", "closed", "every"], Query(description="live: not closed")] = (
        "live"
    ),
    priority: Annotated[list[Priority] | None, Query(description="may be given several times")] = None,
    cause: Annotated[list[Cause] | None, Query(description="may be given several times")] = None,
    assignee: Annotated[str, Query(max_length=30, description="`me`, `nobody`, `staff:ID`, `key:ID`")] = "",
    shop: Annotated[str, Query(max_length=64, description="a shop's code")] = "",
    warehouse: Annotated[str, Query(max_length=64, description="a warehouse's code")] = "",
    order: Annotated[str, Query(max_length=140, description="an order's id, or `SHOP:NUMBER`")] = "",
    parcel: Annotated[int | None, Query(ge=1, le=MAX_ID)] = None,
    overdue: Annotated[bool, Query(description="only those that should have been done by now")] = False,
    after: Annotated[str, Query(max_length=60, description="`after` of the page before")] = "",
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX, description="rows of a page")] = 50,
) -> Response:
    """Paged by key: hand `after` in again. Closed ones and `every`: the newest first."""
    at = go_on(after)

    def read(tx: Tx) -> TicketPage:
        wanted = Wanted(
            state=state, priorities=frozenset(priority or ()), causes=frozenset(cause or ()),
            assignee=call.actor if assignee == ME else assignee, shop_id=find_shop(tx, shop),
            order_id=reach_order(tx, call.seat, order) if order else None, parcel_id=parcel,
            due_before=tx.now if overdue else None, warehouses=limit_warehouses(tx, call.seat, warehouse),
        )  # fmt: skip
        rows = reading.list_tickets(tx, wanted, after=at, limit=limit)
        more = len(rows) == limit
        return TicketPage(
            tickets=tuple(_brief(call, row) for row in rows),
            after=write_cursor(*reading.place_of(rows[-1], wanted)) if more else None,
        )

    return call.show(read)


@router.get("/tickets/counts", summary="Count tickets that are not closed")
@told(gives=TicketCounts, errors=(422,))
def count_tickets(
    call: Annotated[Call, may(READ)], shop: Annotated[str, Query(max_length=64, description="a shop's code")] = ""
) -> Response:
    def read(tx: Tx) -> TicketCounts:
        wanted = Wanted(shop_id=find_shop(tx, shop), warehouses=call.seat.caller.warehouses)
        return see(TicketCounts, reading.count_tickets(tx, wanted, actor=call.actor))

    return call.show(read)


@router.get("/tickets/{ticket}", summary="Read one ticket with its log and the earlier ones of its buyer")
@told(gives=TicketWhole, errors=(404,))
def get_ticket(call: Annotated[Call, may(READ)], ticket: TicketId) -> Response:
    return call.show(lambda tx: _whole(tx, call, ticket))


@router.get("/tickets/{ticket}/colleagues", summary="List to whom a ticket can be handed over")
@told(gives=Colleagues, errors=(404,))
def list_ticket_colleagues(call: Annotated[Call, may(WRITE)], ticket: TicketId) -> Response:
    def read(tx: Tx) -> Colleagues:
        found = reading.get_ticket(tx, ticket, warehouses=call.seat.caller.warehouses)
        rows = reading.list_colleagues(tx, found.ticket.shop_id, roles=AGENTS)
        return Colleagues(colleagues=tuple(see(Colleague, row) for row in rows))

    return call.show(read)


@router.post("/tickets", summary="Open a ticket by hand")
@told(takes=OpenIn, gives=TicketWhole, errors=(404, 409, 422), status=201)
def open_ticket(call: Annotated[Call, may(WRITE)]) -> Response:
    """One that is open for the same thing and cause is answered. 409: what it is about has moved on already."""
    asked = call.read(OpenIn)

    if (asked.parcel is None) == (asked.order == ""):
        raise Invalid("parcel", N_("say a parcel or an order, not both"))

    def open_one(tx: Tx) -> TicketWhole:
        opened = handling.open_by_hand(
            tx,
            asked.cause,
            parcel_id=reach_parcel(tx, call.seat, int(asked.parcel)) if asked.parcel else None,
            order_id=reach_order(tx, call.seat, asked.order) if asked.order else None,
            actor=call.actor,
            text=asked.text,
        )
        return _whole(tx, call, opened.id)

    return call.do(open_one, status=201)


@router.post("/tickets/take-next", summary="Take the open ticket that is due first")
@told(takes=NextIn, gives=NextTicket, errors=(422,))
def take_next_ticket(call: Annotated[Call, may(WRITE)]) -> Response:
    """Past those that others are taking in the same moment."""
    asked = call.read(NextIn)

    def take(tx: Tx) -> NextTicket:
        wanted = Wanted(
            state="open",
            priorities=frozenset(asked.priorities),
            causes=frozenset(asked.causes),
            assignee=NOBODY,
            warehouses=call.seat.caller.warehouses,
        )
        found = handling.take_next(tx, wanted, actor=call.actor)
        return NextTicket(ticket=_brief(call, reading.get_ticket(tx, found.id)) if found else None)

    return call.do(take)


@router.post("/tickets/take", summary="Take tickets")
@told(takes=Named, gives=DoneTickets, errors=(404, 409, 422))
def take_tickets(call: Annotated[Call, may(WRITE)]) -> Response:
    """All or none. Taken by somebody else it says by whom (409)."""
    return _do(call, call.read(Named), handling.take)


@router.post("/tickets/release", summary="Put tickets back into the queue")
@told(takes=Named, gives=DoneTickets, errors=(404, 409, 422))
def release_tickets(call: Annotated[Call, may(WRITE)]) -> Response:
    return _do(call, call.read(Named), handling.release)


@router.post("/tickets/hand-over", summary="Hand tickets over to a colleague")
@told(takes=HandOverIn, gives=DoneTickets, errors=(404, 409, 422))
def hand_over_tickets(call: Annotated[Call, may(WRITE)]) -> Response:
    asked = call.read(HandOverIn)
    return _do(call, asked, handling.hand_over, to=asked.to, text=asked.text, roles=AGENTS)


@router.post("/tickets/close", summary="Close tickets")
@told(takes=CloseIn, gives=DoneTickets, errors=(404, 409, 422))
def close_tickets(call: Annotated[Call, may(WRITE)]) -> Response:
    """They stay closed until the same trouble comes again."""
    asked = call.read(CloseIn)
    return _do(call, asked, handling.close, ending=Ending(asked.ending), text=asked.text)


@router.post("/tickets/reopen", summary="Open closed tickets again")
@told(takes=ReopenIn, gives=DoneTickets, errors=(404, 409, 422))
def reopen_tickets(call: Annotated[Call, may(WRITE)]) -> Response:
    """409: what it was about is over, or another ticket is open for it."""
    asked = call.read(ReopenIn)
    return _do(call, asked, handling.reopen, text=asked.text)


@router.post("/tickets/merge", summary="Close tickets in favour of another")
@told(takes=MergeIn, gives=DoneTickets, errors=(404, 409, 422))
def merge_tickets(call: Annotated[Call, may(WRITE)]) -> Response:
    asked = call.read(MergeIn)
    return _do(call, asked, handling.merge, into=int(asked.into))


@router.post("/tickets/priority", summary="Say how soon tickets matter")
@told(takes=PriorityIn, gives=DoneTickets, errors=(404, 409, 422))
def prioritise_tickets(call: Annotated[Call, may(WRITE)]) -> Response:
    """Until it gets worse; the time to act follows."""
    asked = call.read(PriorityIn)
    return _do(call, asked, handling.set_priority, priority=asked.priority)


@router.post("/tickets/note", summary="Write a note on tickets")
@told(takes=NoteIn, gives=DoneTickets, errors=(404, 422))
def note_tickets(call: Annotated[Call, may(WRITE)]) -> Response:
    """On closed ones, too. Sealed: it is erased with the buyer."""
    asked = call.read(NoteIn)

    def write(tx: Tx) -> DoneTickets:
        ids = _reach(tx, call, asked.tickets)
        handling.note(tx, ids, asked.text, actor=call.actor)
        return _done(tx, call, ids)

    return call.do(write)


def _do(call: Call, asked: Named, deed: Callable[..., None], **more: Any) -> Response:
    """Do it to the named tickets, all or none, and answer them as they are then."""
    if asked.lead and not call.seat.caller.may(LEAD):
        raise Forbidden(N_("Your role lacks what this needs"))
    seen = _read_versions(asked.versions)

    def done(tx: Tx) -> DoneTickets:
        ids = _reach(tx, call, asked.tickets)
        if "into" in more:
            _reach(tx, call, [more["into"]])
        deed(tx, ids, actor=call.actor, seen=seen, **_led(deed, asked.lead), **more)
        return _done(tx, call, ids)

    return call.do(done)


def _led(deed: Callable[..., None], lead: bool) -> dict[str, bool]:
    """Opening again and weighing never need to reach into what somebody has."""
    return {} if deed in (handling.reopen, handling.set_priority) else {"lead": lead}


def _read_versions(versions: dict[str, int]) -> dict[int, int]:
    if len(versions) > AT_ONCE or not all(name.isascii() and name.isdigit() and len(name) < 20 for name in versions):
        raise Invalid("versions", N_("not ids of ours"))
    return {int(name): version for name, version in versions.items()}


def _reach(tx: Tx, call: Call, ids: Any) -> tuple[int, ...]:
    named = tuple(int(each) for each in ids)
    reading.reach_tickets(tx, named, warehouses=call.seat.caller.warehouses)
    return named


def _done(tx: Tx, call: Call, ids: tuple[int, ...]) -> DoneTickets:
    return DoneTickets(tickets=tuple(_brief(call, row) for row in reading.list_known(tx, ids)))


def _brief(call: Call, listed: Listed) -> TicketBrief:
    return brief(listed, masked=call.seat.caller.may(MASKED))


def _whole(tx: Tx, call: Call, ticket_id: int) -> TicketWhole:
    found = reading.read_whole(tx, ticket_id, warehouses=call.seat.caller.warehouses)
    return whole(found, masked=call.seat.caller.may(MASKED))
