"""The dialogs of the workbench: what will happen, what is wanted besides, the verb on the button."""

from collections.abc import Callable
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from waystream.core.care import BY_PERSON
from waystream.core.carriers import hotline_of
from waystream.core.errors import Missing
from waystream.kernel.tx import Tx
from waystream.parts.care import reading as care
from waystream.parts.people.model import ROLES
from waystream.web import asking
from waystream.web.acting import parse_ids
from waystream.web.address import own_path
from waystream.web.asking import Wording
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.pages.workbench import store
from waystream.web.pages.workbench.filters import NAMES, Filters, read_filters
from waystream.web.pages.workbench.texts import intercept_text, urge_text
from waystream.web.pages.workbench.ticket import number_of
from waystream.web.pages.workbench.words import ENDINGS, cause_word
from waystream.web.reach import reach_ticket
from waystream.web.render import language_of, show
from waystream.web.shell.language import N_, Language
from waystream.web.views import AskField

READ, WRITE = "tickets:read", "tickets:write"

router = APIRouter()


WORDINGS: dict[str, Wording] = {
    "hand_over": Wording(
        N_("Hand this ticket to a colleague?"),
        N_("Hand over"),
        (("s-later", N_("It is in their hands at once, and marked as theirs in the queue.")),),
    ),
    "merge": Wording(
        N_("Merge this ticket into another?"),
        N_("Merge"),
        (
            ("s-done", N_("This one closes; its log stays readable from the other.")),
            ("s-later", N_("The other is worked on alone.")),
        ),
    ),
    "close_as": Wording(
        N_("How did it end?"),
        N_("Close"),
        (("s-later", N_("It opens again by itself when the same trouble comes back.")),),
    ),
    "urge": Wording(
        N_("Urge the carrier?"),
        N_("Urge"),
        (
            ("s-later", N_("The aggregator is asked for the newest scans at once.")),
            ("s-await", N_("The network takes no complaints by machine: this text is yours to send or read out.")),
        ),
    ),
    "intercept": Wording(
        N_("Have this parcel stopped?"),
        N_("Ask for it"),
        (
            ("s-intercepted", N_("The carrier is asked to stop it and bring it back; that may cost a fee.")),
            ("s-await", N_("The network takes no interceptions by machine: this text is yours to send or read out.")),
            ("s-later", N_("What the carrier scans next confirms it or shows that it was too late.")),
        ),
    ),
    "readdress": Wording(
        N_("Have this parcel brought elsewhere?"),
        N_("Ask for it"),
        (
            ("s-await", N_("The network changes no addresses by machine: a text for the carrier is made.")),
            ("s-later", N_("The address is kept sealed with the buyer’s; the order keeps its own.")),
        ),
    ),
    "reship": Wording(
        N_("Send the goods again?"),
        N_("Send again"),
        (
            ("s-later", N_("A new parcel with the same lines takes a number and prints by itself.")),
            ("s-cancelled", N_("The old parcel no longer counts for the order; its way is followed on.")),
        ),
    ),
    "refund": Wording(
        N_("Ask the shop for a refund?"),
        N_("Ask for the refund"),
        (("s-later", N_("The shop’s own system is told by an event and decides; no money moves here.")),),
    ),
    "claim": Wording(
        N_("Claim the loss from the carrier?"),
        N_("Claim"),
        (
            ("s-later", N_("The claim is written down with its amount; the evidence is a file to send along.")),
            ("s-exception", N_("The evidence holds the raw pushes in the clear: opening it asks a reason.")),
        ),
    ),
    "evidence": Wording(
        N_("Open the evidence?"),
        N_("Open"),
        (
            ("s-exception", N_("The file holds the way, the raw pushes in the clear and the label with its receiver.")),
            ("s-later", N_("Your name, the time and the reason are written to the audit.")),
        ),
        reason=N_("What do you need it for?"),
    ),
    "unmask": Wording(
        N_("See the buyer in the clear?"),
        N_("Unmask"),
        (
            ("s-exception", N_("Name, phone and address are shown once, on this screen.")),
            ("s-later", N_("Your name, the time and the reason are written to the audit.")),
        ),
        reason=N_("What do you need it for?"),
    ),
    "keep": Wording(
        N_("Keep these filters as a view?"),
        N_("Keep"),
        (("s-later", N_("The view is yours alone and stands above the queue.")),),
    ),
}


@router.get("/workbench/ask")
def ask(
    request: Request,
    seat: Annotated[Seat, requires(READ)],
    do: str,
    id: Annotated[str, Query(max_length=19)] = "",
    back: Annotated[str, Query(max_length=2000)] = "/workbench",
) -> Response:
    """The dialog before a deed; opened over the page, or a page of its own without scripts."""
    wording, language = WORDINGS.get(do), language_of(request)
    if wording is None and do != "decide":
        raise Missing("There is no such action.")
    back = own_path(back)
    fields: tuple[AskField, ...] = ()
    hidden: tuple[tuple[str, str], ...] = (("id", id),)
    if do == "keep":
        fields = (AskField("name", language.say("Name of the view"), max=40),)
        hidden = ()
    else:
        [ticket_id] = parse_ids([id])
        with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
            reach_ticket(tx, seat, ticket_id)
            subject = store.get_subject(tx.conn, ticket_id)
            if do == "decide":
                return _decide(subject, back)
            make = FIELDS.get(do)
            fields = make(tx, seat, language, subject) if make else ()
    assert wording is not None
    page = asking.draw(language, wording, asking.Form(f"/workbench/{do}", back, hidden, fields))
    return show(request, "ask.html", page)


def _decide(subject: store.Subject, back: str) -> Response:
    """A parcel is decided by its own dialog."""
    if subject.parcel_id is None:
        raise Missing("There is no such parcel.")
    return RedirectResponse(f"/parcels/ask?do=decide&id={subject.parcel_id}&back={back}", 303)


def _to(tx: Tx, seat: Seat, language: Language, subject: store.Subject) -> tuple[AskField, ...]:
    roles = frozenset(role.value for role, scopes in ROLES.items() if WRITE in scopes)
    colleagues = care.list_colleagues(tx, subject.shop_id, roles=roles)
    options = tuple((each.actor, each.name) for each in colleagues if each.actor != seat.caller.actor)
    return (AskField("to", language.say("To whom"), options=options or (("", language.say("nobody else")),)),)


def _into(tx: Tx, seat: Seat, language: Language, subject: store.Subject) -> tuple[AskField, ...]:
    """Open ones of the same order."""
    options = tuple(
        (str(each.id), f"{number_of(each.id)} {language.say(cause_word(each.cause).title)}")
        for each in store.list_earlier(tx.conn, subject)
        if each.state != "closed"
    )
    none = (("", language.say("no other is open for this order")),)
    return (AskField("into", language.say("Into which"), options=options or none),)


def _ending(tx: Tx, seat: Seat, language: Language, subject: store.Subject) -> tuple[AskField, ...]:
    options = tuple((ending.value, str(language.say(ENDINGS[ending]))) for ending in BY_PERSON)
    return (AskField("ending", language.say("It ended so"), options=options),)


def _urge(tx: Tx, seat: Seat, language: Language, subject: store.Subject) -> tuple[AskField, ...]:
    facts = store.find_facts(tx.conn, subject.parcel_id) if subject.parcel_id else None
    return (_text(language, urge_text(facts, language.zone), facts.carrier),) if facts else ()


def _text(language: Language, text: str, carrier: str) -> AskField:
    hotline = hotline_of(carrier)
    label = language.say("Text for the carrier, %(phone)s", phone=hotline) if hotline else ""
    return AskField("text", label or language.say("Text for the carrier"), text, required=False, max=500)


def _intercept(tx: Tx, seat: Seat, language: Language, subject: store.Subject) -> tuple[AskField, ...]:
    facts = store.find_facts(tx.conn, subject.parcel_id) if subject.parcel_id else None
    return (_text(language, intercept_text(facts), facts.carrier),) if facts else ()


def _address(tx: Tx, seat: Seat, language: Language, subject: store.Subject) -> tuple[AskField, ...]:
    return (AskField("address", language.say("The new address, with name and phone where they change"), max=300),)


def _amount(tx: Tx, seat: Seat, language: Language, subject: store.Subject) -> tuple[AskField, ...]:
    fen = store.find_total(tx.conn, subject.order_id) if subject.order_id else 0
    amount = AskField("amount", language.say("Amount, CNY"), f"{fen // 100}.{fen % 100:02d}", max=12)
    return (amount, AskField("text", language.say("Why (the shop reads it)"), max=500))


FIELDS: dict[str, Callable[[Tx, Seat, Language, store.Subject], tuple[AskField, ...]]] = {
    "hand_over": _to,
    "merge": _into,
    "close_as": _ending,
    "urge": _urge,
    "intercept": _intercept,
    "readdress": _address,
    "refund": _amount,
    "claim": _amount,
}


def filters_of(back: str) -> Filters:
    """The filters of an address of the workbench."""
    given = dict(parse_qsl(back.partition("?")[2]))
    return read_filters(**{name: given[name] for name in (*NAMES, "t", "after") if name in given})
