"""The message to the buyer, or to every buyer of an incident: a preview with today's facts, and sending.

It leaves through `parts.notices`, which fills the facts in anew, keeps to quiet hours and limits, and logs it.
"""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.care import Ending
from waystream.core.errors import Conflict, Invalid
from waystream.kernel.tx import Tx
from waystream.parts.care import handling
from waystream.parts.notices import actions as notices
from waystream.parts.notices import rounds
from waystream.parts.notices.drafting import Preview
from waystream.parts.notices.rounds import Incident
from waystream.web.acting import act_on_ticket
from waystream.web.address import own_path
from waystream.web.auth import Seat, requires
from waystream.web.pages.workbench import bench, store
from waystream.web.pages.workbench.asks import filters_of
from waystream.web.pages.workbench.compose import PreviewView, draw_preview, try_preview
from waystream.web.pages.workbench.deeds import closed
from waystream.web.pages.workbench.telling import try_tell
from waystream.web.render import go, language_of, show

SAY, WRITE, LEAD = "notices:say", "tickets:write", "tickets:lead"
START = "/workbench"
NO_INCIDENT = "This ticket is about no incident."

router = APIRouter()

Id = Annotated[str, Form(max_length=19)]
Back = Annotated[str, Form(max_length=2000)]
Words = Annotated[str, Form(max_length=2000)]


@router.post("/workbench/preview")
def preview(
    request: Request, seat: Annotated[Seat, requires(SAY)], id: Id, text: Words = "", back: Back = START
) -> Response:
    """How the message would read now; without scripts the whole page with it."""
    shown = act_on_ticket(request, seat, id, lambda tx, ticket_id: try_preview(tx, _order_of(tx, ticket_id), text))
    language = language_of(request)
    if request.headers.get("hx-request"):
        return show(request, "workbench/preview.html", draw_preview(language, shown))
    return bench.show_bench(request, seat, filters_of(own_path(back)), draft=text)


@router.post("/workbench/say")
def say(
    request: Request,
    seat: Annotated[Seat, requires(SAY)],
    id: Id,
    text: Words,
    then: Annotated[str, Form(max_length=10)] = "",
    back: Back = START,
) -> Response:
    """Plan the message; with `then` the ticket is closed in the same transaction."""
    actor, closing = seat.caller.actor, _closes(seat, then)

    def send(tx: Tx, ticket_id: int) -> None:
        notices.say(tx, _order_of(tx, ticket_id), notices.Saying(text=text), actor=actor)
        if closing:
            handling.close(tx, [ticket_id], Ending.SOLVED, actor=actor, lead=seat.caller.may(LEAD))

    act_on_ticket(request, seat, id, send)
    if closing:
        return closed(request, seat, id, back)
    return go(own_path(back), said=language_of(request).say("The message is on its way."))


@router.post("/workbench/tell/preview")
def preview_tell(
    request: Request, seat: Annotated[Seat, requires(SAY)], id: Id, zh: Words = "", en: Words = ""
) -> Response:
    """How the message would read now, in the language of the page where it is written in that."""
    language = language_of(request)
    text = (en or zh) if language.code == "en" else (zh or en)

    def read(tx: Tx, ticket_id: int) -> Preview | Invalid | None:
        incident = _incident_of(tx, ticket_id)
        return try_tell(tx, incident.shop_id, incident.slowdown_id, text)

    shown = act_on_ticket(request, seat, id, read)
    return show(request, "workbench/preview.html", draw_preview(language, shown) if shown else PreviewView())


@router.post("/workbench/tell")
def tell(
    request: Request,
    seat: Annotated[Seat, requires(SAY)],
    id: Id,
    zh: Words = "",
    en: Words = "",
    then: Annotated[str, Form(max_length=10)] = "",
    back: Back = START,
) -> Response:
    """Begin the round; with `then` the incident is closed in the same transaction. Pressed again it changes nothing."""
    actor, closing = seat.caller.actor, _closes(seat, then)

    def send(tx: Tx, ticket_id: int) -> None:
        rounds.begin(tx, _incident_of(tx, ticket_id), {"zh": zh, "en": en}, actor=actor)
        if closing:
            handling.close(tx, [ticket_id], Ending.SOLVED, actor=actor, lead=seat.caller.may(LEAD))

    act_on_ticket(request, seat, id, send)
    if closing:
        return closed(request, seat, id, back)
    return go(own_path(back), said=language_of(request).say("Everybody in it is being told."))


def _closes(seat: Seat, then: str) -> bool:
    """Raises `Forbidden` where the ticket is to be closed by somebody who may only write to buyers."""
    if then == "close":
        seat.require(WRITE)
    return then == "close"


def _order_of(tx: Tx, ticket_id: int) -> int:
    order_id = store.get_subject(tx.conn, ticket_id).order_id
    if order_id is None:
        raise Conflict("This ticket is about no order.")
    return order_id


def _incident_of(tx: Tx, ticket_id: int) -> Incident:
    """Raises `Conflict` for a ticket that is none."""
    found = store.get_subject(tx.conn, ticket_id)
    if found.slowdown_id is None:
        raise Conflict(NO_INCIDENT)
    return Incident(found.shop_id, found.slowdown_id, ticket_id)
