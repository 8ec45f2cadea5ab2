"""An incident's message over the API: one text to every buyer in it, once for each order, and how far it is."""

from typing import Annotated, ClassVar

from fastapi import APIRouter, Path
from msgspec import Meta
from starlette.responses import Response

from waystream.core.errors import Conflict
from waystream.kernel.tx import Tx
from waystream.parts.care import reading
from waystream.parts.notices import rounds
from waystream.parts.notices.rounds import Incident
from waystream.parts.notices.words import TEXT_MAX
from waystream.web.interface import Call, may, told
from waystream.web.wire import MAX_ID, Asked, Told

READ, SAY = "notices:read", "notices:say"
NO_INCIDENT = "This ticket is about no incident."

router = APIRouter(tags=["tickets"])

TicketId = Annotated[int, Path(ge=1, le=MAX_ID)]
Text = Annotated[str, Meta(max_length=TEXT_MAX)]


class TellIn(Asked, frozen=True):
    """A text in one language or in both; each buyer reads his own where it was written. `[at {cause}]` and the like are
    filled in when it leaves."""

    LINED: ClassVar[frozenset[str]] = frozenset({"zh", "en"})

    zh: Text = ""
    en: Text = ""


class Untold(Told, frozen=True):
    """`why`: the word of the reason, as in the log of messages."""

    why: str
    orders: int


class Telling(Told, frozen=True):
    """In orders. `open`: it goes on; `waiting`: nobody wrote to them yet; `on_the_way`: planned, or just being sent;
    `doubted`: nobody knows whether it got through."""

    open: bool
    waiting: int
    on_the_way: int
    told: int
    doubted: int
    untold: tuple[Untold, ...]


@router.get("/tickets/{ticket}/tell", summary="How far the message to an incident's buyers is")
@told(gives=Telling, errors=(404, 409))
def read_telling(call: Annotated[Call, may(READ)], ticket: TicketId) -> Response:
    return call.show(lambda tx: _see(tx, _reach(tx, call, ticket)))


@router.post("/tickets/{ticket}/tell", summary="Write to every buyer in an incident")
@told(takes=TellIn, gives=Telling, errors=(404, 409, 422), example={"zh": "【{shop}】订单 {order} 会晚到。"})
def tell_incident(call: Annotated[Call, may(SAY)], ticket: TicketId) -> Response:
    """Once for each order. While it goes on, asked again it changes nothing; later it tells those who came to wait."""
    asked = call.read(TellIn)

    def do(tx: Tx) -> Telling:
        incident = _reach(tx, call, ticket)
        rounds.begin(tx, incident, {"zh": asked.zh, "en": asked.en}, actor=call.actor)
        return _see(tx, incident)

    return call.do(do)


def _reach(tx: Tx, call: Call, ticket_id: int) -> Incident:
    """Raises `Missing` for what is not the caller's, `Conflict` for a ticket that is no incident."""
    found = reading.get_ticket(tx, ticket_id, warehouses=call.seat.caller.warehouses).ticket
    if found.slowdown_id is None:
        raise Conflict(NO_INCIDENT)
    return Incident(found.shop_id, found.slowdown_id, ticket_id)


def _see(tx: Tx, incident: Incident) -> Telling:
    shown = rounds.look(tx, incident.shop_id, incident.slowdown_id)
    untold = tuple(Untold(why, n) for why, n in shown.whys)
    return Telling(shown.open, shown.waiting, shown.on_the_way, shown.told, shown.doubted, untold)
