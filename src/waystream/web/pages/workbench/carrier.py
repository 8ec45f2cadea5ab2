"""What is asked of carrier, warehouse or shop for a ticket, and what they answer.

Where the network has a call it is made (the newest scans, by 8001); where it has none the wish is a task for a person,
with the text ready. What carriers scan afterwards settles an interception by a rule.
"""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Conflict, Invalid, Missing
from waystream.kernel.tx import Tx
from waystream.parts.care import wishes
from waystream.parts.care.wishes import Wanted
from waystream.parts.fulfilment import replacing
from waystream.parts.tracking import outages
from waystream.web.acting import act_on_ticket, parse_ids
from waystream.web.address import own_path
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.pages.workbench import store
from waystream.web.pages.workbench.texts import Facts, claim_text, readdress_text
from waystream.web.render import go, language_of

WRITE = "tickets:write"
START = "/workbench"
FEN_MAX = 10**10

router = APIRouter()

Id = Annotated[str, Form(max_length=19)]
Back = Annotated[str, Form(max_length=2000)]
Text = Annotated[str, Form(max_length=500)]


@router.post("/workbench/urge")
def urge(
    request: Request, seat: Annotated[Seat, requires(WRITE)], id: Id, text: Text = "", back: Back = START
) -> Response:
    """Ask the network for the newest scans, and write down that the carrier is urged."""
    language, networks, actor = language_of(request), context_of(request).networks, seat.caller.actor

    def ask(tx: Tx, ticket_id: int) -> str:
        wishes.ask(tx, ticket_id, Wanted.URGE, actor=actor, text=text)
        parcel_id = store.get_subject(tx.conn, ticket_id).parcel_id
        assert parcel_id is not None, "only what is about a parcel can be urged"
        try:
            outages.ask_now(tx, parcel_id, networks, actor=actor)
        except (Conflict, Missing) as refused:
            return language.say("The carrier is urged. %(why)s", why=language.echo(refused.sentence))
        return language.say("The carrier is urged, and asked for the newest scans.")

    said = act_on_ticket(request, seat, id, ask)
    return go(own_path(back), said=said)


@router.post("/workbench/intercept")
def intercept(
    request: Request, seat: Annotated[Seat, requires(WRITE)], id: Id, text: Text = "", back: Back = START
) -> Response:
    actor = seat.caller.actor
    act_on_ticket(
        request, seat, id, lambda tx, ticket_id: wishes.ask(tx, ticket_id, Wanted.INTERCEPT, actor=actor, text=text)
    )
    return go(own_path(back), said=language_of(request).say("The interception is asked for; its text stands below."))


@router.post("/workbench/readdress")
def readdress(
    request: Request, seat: Annotated[Seat, requires(WRITE)], id: Id, address: Text, back: Back = START
) -> Response:
    actor = seat.caller.actor
    if len(address.strip()) < 4:
        raise Invalid("address", "say where it is to go")

    def ask(tx: Tx, ticket_id: int) -> int:
        text = readdress_text(_facts(tx, ticket_id), address.strip())
        return wishes.ask(tx, ticket_id, Wanted.READDRESS, actor=actor, text=text)

    act_on_ticket(request, seat, id, ask)
    return go(own_path(back), said=language_of(request).say("The new address is asked for; its text stands below."))


@router.post("/workbench/refund")
def refund(
    request: Request,
    seat: Annotated[Seat, requires(WRITE)],
    id: Id,
    amount: Annotated[str, Form(max_length=12)],
    text: Text,
    back: Back = START,
) -> Response:
    fen, actor = parse_fen(amount), seat.caller.actor
    act_on_ticket(
        request,
        seat,
        id,
        lambda tx, ticket_id: wishes.ask(tx, ticket_id, Wanted.REFUND, actor=actor, text=text, amount_fen=fen),
    )
    return go(own_path(back), said=language_of(request).say("The shop is asked for the refund."))


@router.post("/workbench/reship")
def reship(request: Request, seat: Annotated[Seat, requires(WRITE)], id: Id, back: Back = START) -> Response:
    """The same lines in a new parcel; the wish is confirmed with it, in one transaction."""
    actor = seat.caller.actor

    def again(tx: Tx, ticket_id: int) -> None:
        wish_id = wishes.ask(tx, ticket_id, Wanted.RESHIP, actor=actor)
        parcel_id = store.get_subject(tx.conn, ticket_id).parcel_id
        assert parcel_id is not None, "only what is about a parcel is sent again"
        replacing.ship_again(tx, parcel_id, actor=actor)
        wishes.answer(tx, ticket_id, wish_id, confirmed=True, actor=actor)

    act_on_ticket(request, seat, id, again)
    return go(own_path(back), said=language_of(request).say("A new parcel asks for its number."))


@router.post("/workbench/claim")
def claim(
    request: Request,
    seat: Annotated[Seat, requires(WRITE)],
    id: Id,
    amount: Annotated[str, Form(max_length=12)],
    text: Text,
    back: Back = START,
) -> Response:
    fen, actor = parse_fen(amount), seat.caller.actor

    def ask(tx: Tx, ticket_id: int) -> int:
        letter = claim_text(_facts(tx, ticket_id), cause=text.strip(), amount_yuan=f"{fen // 100}.{fen % 100:02d}")
        return wishes.ask(tx, ticket_id, Wanted.CLAIM, actor=actor, text=letter, amount_fen=fen)

    act_on_ticket(request, seat, id, ask)
    return go(own_path(back), said=language_of(request).say("The claim is written down; its evidence is a file below."))


@router.post("/workbench/confirm")
def confirm(request: Request, seat: Annotated[Seat, requires(WRITE)], id: Id, wish: Id, back: Back = START) -> Response:
    return _answer(request, seat, id, wish, back, confirmed=True)


@router.post("/workbench/refuse")
def refuse(request: Request, seat: Annotated[Seat, requires(WRITE)], id: Id, wish: Id, back: Back = START) -> Response:
    return _answer(request, seat, id, wish, back, confirmed=False)


def _answer(request: Request, seat: Seat, ticket: str, wish: str, back: str, *, confirmed: bool) -> Response:
    [wish_id], actor = parse_ids([wish]), seat.caller.actor
    act_on_ticket(
        request,
        seat,
        ticket,
        lambda tx, ticket_id: wishes.answer(tx, ticket_id, wish_id, confirmed=confirmed, actor=actor),
    )
    return go(own_path(back), said=language_of(request).say("The answer is written down."))


def _facts(tx: Tx, ticket_id: int) -> Facts:
    parcel_id = store.get_subject(tx.conn, ticket_id).parcel_id
    facts = store.find_facts(tx.conn, parcel_id) if parcel_id else None
    if facts is None:
        raise Conflict("This ticket is about no parcel.")
    return facts


def parse_fen(amount: str) -> int:
    """`387`, `387.5`, `387.00` yuan as fen. Raises `Invalid`."""
    yuan, _, rest = amount.strip().partition(".")
    digits = yuan + rest.ljust(2, "0")
    if not (yuan and len(rest) <= 2 and digits.isascii() and digits.isdigit()) or int(digits) > FEN_MAX:
        raise Invalid("amount", "an amount in yuan, with at most two digits after the point")
    return int(digits)
