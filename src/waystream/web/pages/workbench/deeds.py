"""What is done with a ticket by whoever works on it: take, give back, hand over, note, merge, close, reopen; views.

After a close the next ticket opens by itself. Every deed says once what it did on the page it leads to.
"""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.care import BY_PERSON, Ending
from waystream.core.errors import Invalid
from waystream.core.person import Person
from waystream.kernel.tx import Tx
from waystream.parts.care import handling, views
from waystream.parts.orders import actions as orders
from waystream.parts.people.model import ROLES
from waystream.web.acting import act_on_ticket, parse_ids
from waystream.web.address import own_path
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.pages.workbench import bench, store
from waystream.web.pages.workbench.asks import filters_of
from waystream.web.reach import reach_ticket
from waystream.web.render import go, language_of

READ, WRITE, LEAD, UNMASK = "tickets:read", "tickets:write", "tickets:lead", "person:unmask"
#: Whom a ticket can be handed to.
ROLES_AT_WORK = frozenset(role.value for role, scopes in ROLES.items() if WRITE in scopes)
START = "/workbench"

router = APIRouter()

Id = Annotated[str, Form(max_length=19)]
Back = Annotated[str, Form(max_length=2000)]
Text = Annotated[str, Form(max_length=1000)]


@router.post("/workbench/take")
def take(request: Request, seat: Annotated[Seat, requires(WRITE)], id: Id, back: Back = START) -> Response:
    act_on_ticket(request, seat, id, lambda tx, ticket_id: handling.take(tx, [ticket_id], actor=seat.caller.actor))
    return go(own_path(back), said=language_of(request).say("It is yours."))


@router.post("/workbench/release")
def release(request: Request, seat: Annotated[Seat, requires(WRITE)], id: Id, back: Back = START) -> Response:
    actor, lead = seat.caller.actor, seat.caller.may(LEAD)
    act_on_ticket(request, seat, id, lambda tx, ticket_id: handling.release(tx, [ticket_id], actor=actor, lead=lead))
    return go(own_path(back), said=language_of(request).say("It is back in the queue."))


@router.post("/workbench/hand_over")
def hand_over(
    request: Request,
    seat: Annotated[Seat, requires(WRITE)],
    id: Id,
    to: Annotated[str, Form(max_length=30)] = "",
    back: Back = START,
) -> Response:
    actor, lead = seat.caller.actor, seat.caller.may(LEAD)

    def give(tx: Tx, ticket_id: int) -> None:
        handling.hand_over(tx, [ticket_id], to, actor=actor, roles=ROLES_AT_WORK, lead=lead)

    act_on_ticket(request, seat, id, give)
    return _onwards(request, seat, id, back, language_of(request).say("It was handed over."))


@router.post("/workbench/merge")
def merge(
    request: Request,
    seat: Annotated[Seat, requires(WRITE)],
    id: Id,
    into: Annotated[str, Form(max_length=19)] = "",
    back: Back = START,
) -> Response:
    if not into:
        raise Invalid("into", "choose the ticket to merge into")
    [into_id], actor, lead = parse_ids([into]), seat.caller.actor, seat.caller.may(LEAD)

    def both(tx: Tx, ticket_id: int) -> None:
        handling.merge(tx, [ticket_id], reach_ticket(tx, seat, into_id), actor=actor, lead=lead)

    act_on_ticket(request, seat, id, both)
    address = filters_of(own_path(back)).address.but(t=str(into_id))
    return go(address, said=language_of(request).say("The tickets are one now."))


@router.post("/workbench/note")
def note(
    request: Request,
    seat: Annotated[Seat, requires(WRITE)],
    id: Id,
    text: Text,
    then: Annotated[str, Form(max_length=10)] = "",
    back: Back = START,
) -> Response:
    actor, closing = seat.caller.actor, then == "close"

    def write(tx: Tx, ticket_id: int) -> None:
        handling.note(tx, [ticket_id], text, actor=actor)
        if closing:
            handling.close(tx, [ticket_id], Ending.SOLVED, actor=actor, lead=seat.caller.may(LEAD))

    act_on_ticket(request, seat, id, write)
    if closing:
        return closed(request, seat, id, back)
    return go(own_path(back), said=language_of(request).say("The note is kept."))


@router.post("/workbench/close")
def close(request: Request, seat: Annotated[Seat, requires(WRITE)], id: Id, back: Back = START) -> Response:
    return _close(request, seat, id, Ending.SOLVED, back)


@router.post("/workbench/close_as")
def close_as(
    request: Request,
    seat: Annotated[Seat, requires(WRITE)],
    id: Id,
    ending: Annotated[str, Form(max_length=20)] = Ending.SOLVED,
    back: Back = START,
) -> Response:
    if ending not in set(BY_PERSON):
        raise Invalid("ending", "this is not how a ticket ends")
    return _close(request, seat, id, Ending(ending), back)


def _close(request: Request, seat: Seat, ticket_id: str, ending: Ending, back: str) -> Response:
    actor, lead = seat.caller.actor, seat.caller.may(LEAD)
    act_on_ticket(
        request, seat, ticket_id, lambda tx, own_id: handling.close(tx, [own_id], ending, actor=actor, lead=lead)
    )
    return closed(request, seat, ticket_id, back)


@router.post("/workbench/reopen")
def reopen(request: Request, seat: Annotated[Seat, requires(WRITE)], id: Id, back: Back = START) -> Response:
    """Also the undo of a close: it stands in the message for ten seconds, and on the closed ticket for good."""
    actor = seat.caller.actor
    act_on_ticket(request, seat, id, lambda tx, ticket_id: handling.reopen(tx, [ticket_id], actor=actor))
    address = filters_of(own_path(back)).address.but(t=id)
    return go(address, said=language_of(request).say("It is open again."))


def closed(request: Request, seat: Seat, ticket_id: str, back: str) -> Response:
    return _onwards(request, seat, ticket_id, back, language_of(request).say("Closed."), undo=True)


def _onwards(request: Request, seat: Seat, ticket_id: str, back: str, said: str, *, undo: bool = False) -> Response:
    """On to the next ticket of the same queue."""
    filters, language = filters_of(own_path(back)), language_of(request)
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        following = bench.find_next(tx, seat, filters, language, int(ticket_id))
    address = filters.address.but(t=str(following or ""), undo=ticket_id if undo else "")
    return go(address, said=said)


@router.post("/workbench/unmask")
def unmask(
    request: Request, seat: Annotated[Seat, requires(UNMASK)], id: Id,
    reason: Annotated[str, Form(max_length=500)], back: Back = START,
) -> Response:  # fmt: skip
    """The page with its buyer in the clear, this once."""

    def read(tx: Tx, ticket_id: int) -> Person | None:
        order_id = store.get_subject(tx.conn, ticket_id).order_id
        return orders.unmask(tx, order_id, actor=seat.caller.actor, reason=reason) if order_id else None

    person = act_on_ticket(request, seat, id, read)
    return bench.show_bench(request, seat, filters_of(own_path(back)), person=person)


@router.post("/workbench/keep")
def keep(
    request: Request,
    seat: Annotated[Seat, requires(READ)],
    name: Annotated[str, Form(max_length=100)],
    back: Back = START,
) -> Response:
    address, actor = filters_of(own_path(back)).address, seat.caller.actor
    query = str(address).partition("?")[2]
    context_of(request).work.run(
        lambda tx: views.keep_view(tx, actor=actor, name=name, filters=query), shops=seat.shops
    )
    return go(str(address), said=language_of(request).say("The view is kept."))


@router.post("/workbench/forget")
def forget(request: Request, seat: Annotated[Seat, requires(READ)], id: Id, back: Back = START) -> Response:
    [view_id], actor = parse_ids([id]), seat.caller.actor
    context_of(request).work.run(lambda tx: views.forget_view(tx, view_id, actor=actor), shops=seat.shops)
    return go(own_path(back), said=language_of(request).say("The view is gone."))
