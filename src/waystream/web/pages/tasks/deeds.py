"""What is done about a task: the dialog that says what will happen, and the doing of it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Missing
from waystream.kernel.tx import Tx
from waystream.parts.backups import actions as backups
from waystream.parts.fulfilment import actions as fulfilment
from waystream.parts.fulfilment import cancels, lists, takes
from waystream.parts.hub import actions as hub
from waystream.parts.tracking import actions as tracking
from waystream.web import asking
from waystream.web.acting import act_on_parcel, act_on_part, act_on_setup, parse_ids
from waystream.web.address import own_path
from waystream.web.asking import Wording
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.reach import reach_parcels
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_

router = APIRouter()

SHIP, WATCH, SETUP = "ship:write", "parcels:write", "setup:write"

Id = Annotated[str, Form(max_length=20)]
Back = Annotated[str, Form(max_length=2000)]
Reason = Annotated[str, Form(min_length=1, max_length=500)]
Word = Annotated[str, Query(max_length=64)]


#: Several answers to one question: the deed they go to, and the hidden word that says which it is.
ANSWERS = {
    "bind": ("take", "verdict"),
    "give_back": ("take", "verdict"),
    "dismiss": ("take", "verdict"),
    "confirmed": ("cancel", "outcome"),
    "refused": ("cancel", "outcome"),
}

WORDINGS: dict[str, Wording] = {
    "bind": Wording(
        N_("Is this number this parcel’s?"),
        N_("It is ours"),
        (
            ("s-later", N_("The number is bound to the parcel and its label prints by itself.")),
            ("s-exception", N_("If another parcel travels under it, both get lost.")),
        ),
        reason=N_("How do you know?"),
    ),
    "give_back": Wording(
        N_("Give this number back?"),
        N_("Give it back"),
        (
            ("s-cancelled", N_("The carrier is asked to cancel it.")),
            ("s-later", N_("If the parcel still wants a number, another is asked for.")),
        ),
        reason=N_("Why is it given back?"),
    ),
    "dismiss": Wording(
        N_("Is there no number of ours?"),
        N_("There is none"),
        (
            ("s-later", N_("The attempt is closed; if the parcel still wants a number, another is asked for.")),
            ("s-exception", N_("If the carrier gave one after all, it lies unused and may be billed.")),
        ),
        reason=N_("How do you know?"),
        danger=True,
    ),
    "confirmed": Wording(
        N_("Is this number dead?"),
        N_("It is dead"),
        (
            ("s-cancelled", N_("The parcel is free of it; if it still wants a number, another is asked for.")),
            ("s-exception", N_("If the carrier collects it all the same, its scans are listed here.")),
        ),
        reason=N_("Who at the carrier said so?"),
    ),
    "refused": Wording(
        N_("Does this number live on?"),
        N_("It lives on"),
        (
            ("s-hold", N_("The parcel keeps it: it goes on as it was, or waits with it until somebody releases it.")),
            ("s-later", N_("Nothing more is asked of the carrier.")),
        ),
        reason=N_("Who at the carrier said so?"),
    ),
    "ship": Wording(
        N_("Ask for these numbers again?"),
        N_("Ship again"),
        (
            ("s-later", N_("Each of these parcels asks once more for its number; labels print by themselves.")),
            ("s-exception", N_("What is not mended is refused again.")),
        ),
    ),
    "watch": Wording(
        N_("Ask to watch this number again?"),
        N_("Subscribe again"),
        (
            ("s-later", N_("The aggregator is asked as soon as its rules allow.")),
            ("s-hold", N_("It is one of the few askings it takes for a number in a month.")),
        ),
    ),
    "restore": Wording(
        N_("Have you looked through what the restore may have forgotten?"),
        N_("Looked through"),
        (
            ("s-done", N_("Orders that had left are not shipped again, labels on paper are not printed again.")),
            ("s-later", N_("Numbers taken in the meantime arrive as strangers when the carrier scans them.")),
        ),
        reason=N_("What was done about it?"),
    ),
    "dispute": Wording(
        N_("Have you looked into these scans?"),
        N_("Settled"),
        (
            ("s-done", N_("They stay with the parcel, and are no task any more.")),
            ("s-later", N_("A later scan of this number is listed again.")),
        ),
        reason=N_("What was it?"),
    ),
}


@router.get("/tasks/ask")
def ask(
    request: Request,
    seat: Annotated[Seat, requires("parcels:read")],
    do: str,
    id: Annotated[str, Query(max_length=20)] = "",
    number: Word = "",
    mend: Word = "",
    account: Annotated[str, Query(max_length=20)] = "",
    back: str = "/tasks",
) -> Response:
    """The dialog before a deed; opened over the page, or a page of its own without scripts."""
    wording = WORDINGS.get(do)
    if wording is None:
        raise Missing("There is no such action.")
    given = (("id", id), ("number", number), ("mend", mend), ("account", account))
    deed, word = ANSWERS.get(do, (do, ""))
    hidden = (*(((word, do),) if word else ()), *((name, value) for name, value in given if value))
    form = asking.Form(f"/tasks/{deed}", own_path(back), hidden)
    return show(request, "ask.html", asking.draw(language_of(request), wording, form))


@router.post("/tasks/take")
def settle_take(
    request: Request,
    seat: Annotated[Seat, requires(SHIP)],
    id: Id,
    verdict: Annotated[Literal["bind", "give_back", "dismiss"], Form()],
    reason: Reason,
    back: Back = "/tasks",
) -> Response:
    """A person's word on an attempt nobody is sure of."""
    [take_id], actor = parse_ids([id]), seat.caller.actor
    act_on_part(
        request,
        seat,
        lambda tx: lists.get_parcel_of_take(tx, take_id),
        lambda tx: takes.decide(tx, take_id, verdict, reason=reason, actor=actor),
    )
    said = {
        "bind": N_("The number is the parcel’s; its label is in the printer’s queue."),
        "give_back": N_("The number is being given back."),
        "dismiss": N_("The attempt is closed."),
    }
    return go(own_path(back), said=language_of(request).say(said[verdict]))


@router.post("/tasks/cancel")
def settle_cancel(
    request: Request,
    seat: Annotated[Seat, requires(SHIP)],
    id: Id,
    outcome: Annotated[Literal["confirmed", "refused"], Form()],
    reason: Reason,
    back: Back = "/tasks",
) -> Response:
    """What the carrier said on the phone about a number that no machine gives back."""
    [cancel_id], actor = parse_ids([id]), seat.caller.actor
    act_on_part(
        request,
        seat,
        lambda tx: lists.get_parcel_of_cancel(tx, cancel_id),
        lambda tx: cancels.settle_by_hand(tx, cancel_id, outcome, reason=reason, actor=actor),
    )
    said = {"confirmed": N_("The number is dead."), "refused": N_("The number lives on.")}
    return go(own_path(back), said=language_of(request).say(said[outcome]))


@router.post("/tasks/ship")
def ship_again(
    request: Request,
    seat: Annotated[Seat, requires(SHIP)],
    mend: Annotated[str, Form(min_length=1, max_length=64)],
    account: Annotated[str, Form(max_length=20)] = "0",
    back: Back = "/tasks",
) -> Response:
    """Every parcel of the caller's that was refused for this reason through this account asks once more."""
    account_id = None if account == "0" else parse_ids([account])[0]

    def ask_again(tx: Tx) -> int:
        found = lists.list_refused(tx, mend=mend, account_id=account_id, warehouse_ids=seat.caller.warehouses)
        return fulfilment.ask_again(tx, reach_parcels(tx, seat, found), actor=seat.caller.actor)

    n = context_of(request).work.run(ask_again, shops=seat.shops)
    said = language_of(request).say_n("%(n)s parcel asks again.", "%(n)s parcels ask again.", n)
    return go(own_path(back), said=said)


@router.post("/tasks/watch")
def watch_again(request: Request, seat: Annotated[Seat, requires(WATCH)], id: Id, back: Back = "/tasks") -> Response:
    [binding_id], actor = parse_ids([id]), seat.caller.actor
    act_on_part(
        request,
        seat,
        lambda tx: hub.get_parcel_of_binding(tx, binding_id),
        lambda tx: hub.watch_again(tx, binding_id, actor=actor),
    )
    return go(own_path(back), said=language_of(request).say("The subscription is asked for again."))


@router.post("/tasks/dispute")
def settle_dispute(
    request: Request,
    seat: Annotated[Seat, requires(WATCH)],
    id: Id,
    number: Annotated[str, Form(max_length=64)],
    reason: Reason,
    back: Back = "/tasks",
) -> Response:
    """The scans of this number that are not the parcel's were looked into."""
    actor = seat.caller.actor
    act_on_parcel(
        request,
        seat,
        id,
        lambda tx, parcel_id: tracking.settle_disputes(tx, parcel_id, number, actor=actor, reason=reason),
    )
    return go(own_path(back), said=language_of(request).say("They are no task any more."))


@router.post("/tasks/restore")
def settle_restore(
    request: Request, seat: Annotated[Seat, requires(SETUP)], id: Id, reason: Reason, back: Back = "/tasks"
) -> Response:
    """People have compared the warehouse with what is here."""
    [restoration_id], actor = parse_ids([id]), seat.caller.actor
    act_on_setup(request, lambda tx: backups.settle_restoration(tx, restoration_id, actor=actor, reason=reason))
    return go(own_path(back), said=language_of(request).say("The restore is looked through."))
