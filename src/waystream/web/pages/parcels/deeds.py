"""What can be done with a parcel: the dialog that says what will happen, and the doing of it."""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Invalid, Missing
from waystream.core.facts import Verdict
from waystream.kernel.tx import Tx
from waystream.parts.floor import actions as floor
from waystream.parts.fulfilment import actions as fulfilment
from waystream.parts.tracking import actions as tracking
from waystream.parts.tracking import outages
from waystream.web import asking
from waystream.web.acting import act_on_parcel, parse_ids
from waystream.web.address import own_path
from waystream.web.asking import Wording
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.raw_push import open_raw_push
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language
from waystream.web.views import AskField

router = APIRouter()

Id = Annotated[str, Form()]
Back = Annotated[str, Form(max_length=2000)]
Reason = Annotated[str, Form(max_length=500)]


WORDINGS: dict[str, Wording] = {
    "dispatch": Wording(
        N_("Dispatch this parcel?"),
        N_("Dispatch"),
        (
            ("s-await", N_("The parcel has left the warehouse; its order counts as shipped.")),
            ("s-later", N_("Shop and buyer are told.")),
        ),
    ),
    "reprint": Wording(
        N_("Print the label again?"),
        N_("Print again"),
        (
            ("s-later", N_("The same label with the same number goes to the printer of the warehouse.")),
            ("s-exception", N_("The old paper must not be used: two parcels with one number get lost.")),
        ),
        reason=N_("What happened to the first one?"),
    ),
    "reissue": Wording(
        N_("Take a new number for this parcel?"),
        N_("Take a new number"),
        (
            ("s-cancelled", N_("The old number is given back and its label becomes void.")),
            ("s-later", N_("A new number is asked for; its label prints by itself.")),
        ),
        reason=N_("Why a new number?"),
    ),
    "void": Wording(
        N_("Void this parcel?"),
        N_("Void the parcel"),
        (
            ("s-cancelled", N_("Its number is given back, its label becomes void.")),
            ("s-later", N_("What it held can be shipped again.")),
        ),
        reason=N_("Why is it void?"),
        danger=True,
    ),
    "decide": Wording(
        N_("Decide by hand where this parcel is?"),
        N_("Decide"),
        (
            ("s-unknown", N_("Your word stands above everything the carriers say, until somebody takes it back.")),
            ("s-later", N_("Your name and the reason are written down with it.")),
        ),
        reason=N_("How do you know?"),
    ),
    "ask_carrier": Wording(
        N_("Ask the carrier where this parcel is?"),
        N_("Ask now"),
        (
            ("s-later", N_("The answer is taken in like a push; it is here in a moment.")),
            ("s-hold", N_("One number is asked for every half hour.")),
        ),
    ),
    "raw": Wording(
        N_("Open the raw push?"),
        N_("Open"),
        (
            ("s-exception", N_("The raw bytes may hold names and phones of couriers and buyers.")),
            ("s-later", N_("Your name, the time and the reason are written to the audit.")),
        ),
        reason=N_("What do you need it for?"),
    ),
}

_VERDICTS = ((Verdict.DELIVERED, N_("Delivered")), (Verdict.LOST, N_("Lost")), (Verdict.RETURNED, N_("Returned")))


@dataclass(frozen=True, slots=True)
class RawPage:
    """The bytes as they came, as text; what is no text is shown as escapes."""

    number: str
    received: str
    integration: str
    size: str
    text: str
    back: str


@router.get("/parcels/ask")
def ask(
    request: Request,
    seat: Annotated[Seat, requires("parcels:read")],
    do: str,
    id: str,
    push: str = "",
    back: str = "/parcels",
) -> Response:
    """The dialog before a deed."""
    wording, [parcel_id] = WORDINGS.get(do), parse_ids([id])
    if wording is None:
        raise Missing("There is no such action.")
    language = language_of(request)
    hidden = [("id", str(parcel_id)), *([("push", push)] if push.isdecimal() else [])]
    form = asking.Form(f"/parcels/{do}", own_path(back), tuple(hidden), _fields(language, do))
    return show(request, "ask.html", asking.draw(language, wording, form))


def _fields(language: Language, do: str) -> tuple[AskField, ...]:
    if do == "decide":
        options = tuple((verdict.value, str(language.say(word))) for verdict, word in _VERDICTS)
        return (AskField("verdict", language.say("The parcel is"), options=options),)
    if do == "dispatch":
        return (AskField("weighed_g", language.say("Weight, g (may be empty)"), required=False, max=7),)
    return ()


@router.post("/parcels/dispatch")
def dispatch(
    request: Request,
    seat: Annotated[Seat, requires("ship:write")],
    id: Id,
    weighed_g: Annotated[str, Form(max_length=7)] = "",
    back: Back = "/parcels",
) -> Response:
    if weighed_g and not weighed_g.isdecimal():
        raise Invalid("weighed_g", "the weight is a number of grams")
    weight = int(weighed_g) if weighed_g else None
    [answer] = act_on_parcel(
        request,
        seat,
        id,
        lambda tx, parcel_id: fulfilment.dispatch(
            tx, [parcel_id], by="weigh" if weight else "scan", actor=seat.caller.actor, weighed_g=weight
        ),
    )
    language = language_of(request)
    said = language.echo(answer.reason) if answer.reason else language.say("The parcel has left the warehouse.")
    return go(own_path(back), said=said)


@router.post("/parcels/reprint")
def reprint(
    request: Request, seat: Annotated[Seat, requires("ship:write")], id: Id, reason: Reason, back: Back = "/parcels"
) -> Response:
    actor = seat.caller.actor
    act_on_parcel(request, seat, id, lambda tx, parcel_id: floor.reprint(tx, parcel_id, reason=reason, actor=actor))
    return go(own_path(back), said=language_of(request).say("The label is in the printer’s queue."))


@router.post("/parcels/reissue")
def reissue(
    request: Request, seat: Annotated[Seat, requires("ship:write")], id: Id, reason: Reason, back: Back = "/parcels"
) -> Response:
    actor = seat.caller.actor
    act_on_parcel(
        request, seat, id, lambda tx, parcel_id: fulfilment.reissue(tx, parcel_id, reason=reason, actor=actor)
    )
    return go(own_path(back), said=language_of(request).say("A new number was asked for."))


@router.post("/parcels/void")
def void(
    request: Request, seat: Annotated[Seat, requires("ship:write")], id: Id, reason: Reason, back: Back = "/parcels"
) -> Response:
    actor = seat.caller.actor
    act_on_parcel(request, seat, id, lambda tx, parcel_id: fulfilment.void(tx, [parcel_id], reason=reason, actor=actor))
    return go(own_path(back), said=language_of(request).say("The parcel is void; its number is being given back."))


@router.post("/parcels/decide")
def decide(
    request: Request,
    seat: Annotated[Seat, requires("parcels:write")],
    id: Id,
    verdict: Annotated[Literal["delivered", "lost", "returned"], Form()],
    reason: Reason,
    back: Back = "/parcels",
) -> Response:
    actor, said = seat.caller.actor, Verdict(verdict)
    act_on_parcel(
        request,
        seat,
        id,
        lambda tx, parcel_id: tracking.decide(tx, parcel_id, verdict=said, actor=actor, reason=reason),
    )
    return go(own_path(back), said=language_of(request).say("Your decision stands."))


@router.post("/parcels/ask_carrier")
def ask_carrier(
    request: Request, seat: Annotated[Seat, requires("parcels:write")], id: Id, back: Back = "/parcels"
) -> Response:
    """Pull one trace list, by the carrier's rules."""
    actor, networks = seat.caller.actor, context_of(request).networks
    act_on_parcel(request, seat, id, lambda tx, parcel_id: outages.ask_now(tx, parcel_id, networks, actor=actor))
    return go(own_path(back), said=language_of(request).say("The carrier is being asked."))


@router.post("/parcels/raw")
def open_raw(
    request: Request,
    seat: Annotated[Seat, requires("person:unmask")],
    id: Id,
    push: Annotated[str, Form(max_length=19)],
    reason: Reason,
    back: Back = "/parcels",
) -> Response:
    """The raw bytes behind a state, this once."""
    [inbox_id] = parse_ids([push])
    language, networks = language_of(request), context_of(request).networks

    def read(tx: Tx, parcel_id: int) -> RawPage:
        raw = open_raw_push(tx, seat, networks, parcel_id=parcel_id, inbox_id=inbox_id, reason=reason)
        return RawPage(
            number=str(inbox_id),
            received=language.stamp(raw.received_at, tx.now),
            integration=raw.integration,
            size=language.number(len(raw.body)),
            text=raw.body.decode("utf-8", "backslashreplace"),
            back=own_path(back),
        )

    return show(request, "parcels/raw.html", act_on_parcel(request, seat, id, read))
