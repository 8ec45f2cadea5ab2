"""One ticket with everything a person needs to settle it: what it is about, why it exists, and what was done so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote

from markupsafe import Markup

from waystream.core.order import Refund
from waystream.core.person import Person
from waystream.core.ports import Network
from waystream.kernel.tx import Tx
from waystream.parts.care import reading as care
from waystream.parts.care import wishes
from waystream.parts.notices import drafting
from waystream.parts.orders import lists as orders
from waystream.parts.orders.views import Order
from waystream.web.auth import Seat
from waystream.web.live import Looker
from waystream.web.mending import say_mend
from waystream.web.pages.order import store as order_store
from waystream.web.pages.order.page import Buyer, ParcelView, draw_buyer, draw_parcel
from waystream.web.pages.workbench import store
from waystream.web.pages.workbench.compose import ComposeView, draw_compose, draw_said
from waystream.web.pages.workbench.log import LogEntry, draw_log
from waystream.web.pages.workbench.offers import IN_THE_ROW, KeyDeed, Standing, list_deeds
from waystream.web.pages.workbench.queue import TICKET_KEY, kind_note
from waystream.web.pages.workbench.telling import TellView, draw_tell
from waystream.web.pages.workbench.wished import WishView, draw_wishes
from waystream.web.pages.workbench.words import ENDINGS, Due, cause_word, say_due
from waystream.web.shell.language import Language
from waystream.web.shell.vocabulary import REFUND_WORDS, Pill, carrier_name, order_word
from waystream.web.views import Address, Deed

WRITE, MASKED = "tickets:write", "person:masked"


@dataclass(frozen=True, slots=True)
class Expected:
    """When it should be there, where something honest is known."""

    label: str
    when: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class OrderView:
    id: int
    number: str
    word: str
    refund: str
    shop: str
    warehouse: str
    total: str
    promised: str
    parcels: str


@dataclass(frozen=True, slots=True)
class EarlierView:
    href: str
    title: str
    state: Pill
    when: str


@dataclass(frozen=True, slots=True)
class TicketView:
    id: int
    number: str
    version: int
    state: Pill
    high: bool
    open: bool
    taken: str
    due: Due | None
    answer: Markup
    because: Markup
    links: tuple[Deed, ...]
    lookers: tuple[Looker, ...]
    may_act: bool
    denied: str
    deeds: tuple[KeyDeed, ...]
    more: tuple[KeyDeed, ...]
    wishes: tuple[WishView, ...]
    said: tuple[LogEntry, ...]
    compose: ComposeView | None
    tell: TellView | None
    log: tuple[LogEntry, ...]
    parcels: tuple[ParcelView, ...]
    expected: Expected | None
    buyer: Buyer | None
    unmask: str
    evidence: str
    order: OrderView | None
    earlier: tuple[EarlierView, ...]
    back: str
    at: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Viewing:
    """Who looks, how, and from where: what every part of the drawing needs."""

    seat: Seat
    language: Language
    networks: Mapping[str, Network]
    address: Address
    lookers: Sequence[Looker] = ()
    person: Person | None = None
    begun: str = ""
    draft: str = ""

    @property
    def back(self) -> str:
        return str(self.address)


def draw_ticket(tx: Tx, ticket: store.Subject, view: Viewing) -> TicketView:
    """The ticket for a caller; `view.person` is the receiver in the clear, if they just asked for it."""
    seat, language = view.seat, view.language
    order = orders.get_order(tx, ticket.order_id) if ticket.order_id else None
    rows = _parcels_of(tx, ticket)
    parcel = rows[0] if rows and ticket.parcel_id else None
    log = care.list_log(tx, ticket.id)
    asked = wishes.list_wishes(tx, ticket.id)
    because = _reason(tx, ticket)
    told = drafting.list_said(tx, order.id) if order and seat.caller.may(MASKED) else []
    compose = _compose(tx, view, ticket) if order else None
    actors = {ticket.assignee, *(wish.actor for wish in asked), *(wish.settled_by for wish in asked)}
    names = store.list_names(tx.conn, actors | {line.actor for line in told})
    deeds = _deeds(language, seat, ticket, parcel, view.back, can_say=compose is not None)
    may_act = seat.caller.may(WRITE)
    return TicketView(
        id=ticket.id,
        number=number_of(ticket.id),
        version=ticket.version,
        state=_state(language, ticket),
        high=ticket.priority == "high",
        open=ticket.state != "closed",
        taken=_taken(language, seat, ticket, names, tx.now),
        due=say_due(language, ticket.due_at, tx.now) if ticket.state != "closed" else None,
        answer=language.say(cause_word(ticket.cause).answer),
        because=_incident(tx, language, ticket) or _because(language, ticket, because, tx.now),
        links=_links(language, ticket, because, view.back),
        lookers=tuple(who for who in view.lookers if who.actor != seat.caller.actor),
        may_act=may_act,
        denied="" if may_act else language.say("Your role reads tickets; to act on them, ask an owner."),
        deeds=deeds[:IN_THE_ROW],
        more=deeds[IN_THE_ROW:],
        wishes=draw_wishes(language, seat.caller.actor, asked, names, tx.now),
        said=draw_said(language, seat.caller.actor, told, names, tx.now),
        compose=compose,
        tell=draw_tell(tx, language, ticket) if may_act else None,
        log=draw_log(language, seat.caller.actor, log, tx.now),
        parcels=tuple(_parcel(tx, view, row, order, place=(nth, len(rows))) for nth, row in enumerate(rows, 1))
        if order
        else (),
        expected=_expected(language, order, tx.now),
        buyer=draw_buyer(language, seat, order, view.person) if order else None,
        unmask=f"/workbench/ask?do=unmask&id={ticket.id}&back={quote(view.back, safe='')}",
        evidence=f"/workbench/ask?do=evidence&id={ticket.id}&back={quote(view.back, safe='')}"
        if seat.caller.may("person:unmask")
        else "",
        order=_order(language, order, tx.now) if order else None,
        earlier=tuple(_earlier(language, each, tx.now) for each in store.list_earlier(tx.conn, ticket)),
        back=view.back,
        at=view.back,
        keys=_keys(ticket, rows),
    )


def _compose(tx: Tx, view: Viewing, ticket: store.Subject) -> ComposeView | None:
    """Where somebody can be written to, by somebody who may."""
    if ticket.order_id is None or ticket.state == "closed" or not view.seat.caller.may(WRITE):
        return None
    return draw_compose(
        tx, view.language, order_id=ticket.order_id, cause=ticket.cause, begun=view.begun, draft=view.draft,
        address=view.address,
    )  # fmt: skip


def number_of(ticket_id: int) -> str:
    """`T-204330`: enough to name one of those that are open."""
    return f"T-{ticket_id % store.NUMBERS:06d}"


def _parcels_of(tx: Tx, ticket: store.Subject) -> list[order_store.ParcelRow]:
    """Of the order; the ticket's own parcel first."""
    if ticket.order_id is None:
        return []
    rows = order_store.list_parcels(tx.conn, ticket.order_id)
    return sorted(rows, key=lambda row: row.id != ticket.parcel_id)


def _parcel(
    tx: Tx, view: Viewing, row: order_store.ParcelRow, order: Order, *, place: tuple[int, int]
) -> ParcelView:  # fmt: skip
    mend = say_mend(view.language, row.mend, view.networks) if row.stage == "refused" else ""
    drawn = draw_parcel(tx, view.seat, view.language, row, order, place=place, mend=mend)
    return replace(drawn, open=drawn.open and place[0] == 1)


def _deeds(
    language: Language,
    seat: Seat,
    ticket: store.Subject,
    parcel: order_store.ParcelRow | None,
    back: str,
    *,
    can_say: bool,
) -> tuple[KeyDeed, ...]:
    if not seat.caller.may(WRITE):
        return ()
    standing = Standing(
        mine=ticket.assignee == seat.caller.actor,
        stage=parcel.stage if parcel else "",
        state=parcel.state if parcel else "",
        may=seat.caller.may,
        can_say=can_say,
    )
    return list_deeds(language, ticket, standing, back)


def _state(language: Language, ticket: store.Subject) -> Pill:
    word = cause_word(ticket.cause)
    note = kind_note(language, ticket.cause, ticket.kind)
    if ticket.state == "closed":
        return Pill("s-done", language.say(word.title), language.say("closed"))
    times = language.say("for the %(n)s. time", n=ticket.times) if ticket.times > 1 else ""
    return Pill(word.shape, language.say(word.title), note or times)


def _taken(language: Language, seat: Seat, ticket: store.Subject, names: Mapping[str, str], now: datetime) -> str:
    if ticket.state == "closed" and ticket.closed_at:
        how, when = language.say(ENDINGS[ticket.ending]), language.exact(ticket.closed_at, now)
        return language.say("closed %(when)s: %(how)s", when=when, how=how)
    if not ticket.assignee or ticket.taken_at is None:
        return language.say("nobody has taken it")
    when = language.exact(ticket.taken_at, now)
    if ticket.assignee == seat.caller.actor:
        return language.say("mine since %(when)s", when=when)
    return language.say("taken by %(name)s, %(when)s", name=names.get(ticket.assignee, ticket.assignee), when=when)


def _cause(because: str) -> tuple[str, str]:
    """`push:12/3`: of what kind the cause is, and which."""
    kind, _, row_id = because.partition(":")
    return kind, row_id.partition("/")[0]


def _reason(tx: Tx, ticket: store.Subject) -> str:
    """The cause of the ticket, followed through the event that raised it to what was told."""
    kind, row_id = _cause(ticket.because)
    found = store.find_cause(tx.conn, int(row_id)) if kind == "event" and row_id.isdecimal() else None
    return found.cause if found and found.cause else ticket.because


def _because(language: Language, ticket: store.Subject, because: str, now: datetime) -> Markup:
    facts = {"since": language.exact(ticket.trouble_at, now), "opened": language.exact(ticket.opened_at, now)}
    kind, _ = _cause(because)
    if kind in {"inbox", "push"}:
        return language.say("The carrier told it at %(since)s; a rule opened the ticket at %(opened)s.", **facts)
    if ticket.closed_at is None and ticket.cause.startswith("buyer_"):
        return language.say("The buyer said so at %(since)s; a rule opened the ticket at %(opened)s.", **facts)
    return language.say("It is so since %(since)s; a rule opened the ticket at %(opened)s.", **facts)


def _incident(tx: Tx, language: Language, ticket: store.Subject) -> Markup | None:
    """Of a slow-down: where it is, how many parcels wait in it, how many buyers know."""
    if ticket.slowdown_id is None:
        return None
    found = store.find_incident(tx.conn, ticket.slowdown_id, shop_id=ticket.shop_id)
    if found is None:
        return None
    carrier, since = carrier_name(language, found.carrier), language.exact(found.began_at, tx.now)
    slow = (
        language.say(
            "%(carrier)s is slow at %(place)s since %(since)s.", carrier=carrier, place=found.place, since=since
        )
        if found.place
        else language.say("%(carrier)s is slow everywhere since %(since)s.", carrier=carrier, since=since)
    )
    return language.say_n(
        "%(slow)s %(n)s parcel of this shop waits, its own tickets are muted; buyers told of it: %(told)s.",
        "%(slow)s %(n)s parcels of this shop wait, their own tickets are muted; buyers told of it: %(told)s.",
        found.parcels,
        slow=slow,
        told=language.number(found.told),
    )


def _links(language: Language, ticket: store.Subject, because: str, back: str) -> tuple[Deed, ...]:
    """Where "why?" leads: the bytes of the push, or the events of the order."""
    kind, row_id = _cause(because)
    links = []
    if kind in {"inbox", "push"} and row_id.isdecimal() and ticket.parcel_id:
        href = f"/parcels/ask?do=raw&id={ticket.parcel_id}&push={row_id}&back={quote(back, safe='')}"
        links.append(Deed(language.say("The raw bytes…"), href, "dialog"))
    if ticket.order_id:
        links.append(Deed(language.say("The events"), f"/orders/{ticket.order_id}#events"))
    return tuple(links)


def _expected(language: Language, order: Order | None, now: datetime) -> Expected | None:
    """The promise is all that is known honestly; a forecast will stand here when there is one."""
    if order is None or order.promised_at is None or order.delivered_at is not None:
        return None
    by = language.exact(order.promised_at, now)
    if order.promised_at < now:
        late = language.lasting((now - order.promised_at).total_seconds())
        return Expected(language.say("Promised to the buyer"), by, language.say("late by %(late)s", late=late))
    return Expected(language.say("Promised to the buyer"), language.say("by %(time)s", time=by))


def _order(language: Language, order: Order, now: datetime) -> OrderView:
    refund = language.say(REFUND_WORDS[Refund(order.refund)]) if order.refund != Refund.NONE else ""
    return OrderView(
        id=order.id,
        number=order.number,
        word=order_word(language, order.word),
        refund=refund,
        shop=order.shop,
        warehouse=order.warehouse,
        total=language.money(order.total_fen),
        promised=language.exact(order.promised_at, now) if order.promised_at else "",
        parcels=language.number(len([each for each in order.parcels if each.stage != "voided"])),
    )


def _earlier(language: Language, row: store.Earlier, now: datetime) -> EarlierView:
    word = cause_word(row.cause)
    closed = row.state == "closed"
    return EarlierView(
        href=f"/workbench?t={row.id}",
        title=language.say(word.title),
        state=Pill("s-done", language.say("closed")) if closed else Pill(word.shape, language.say("open")),
        when=language.exact(row.opened_at, now),
    )


def _keys(ticket: store.Subject, rows: Sequence[order_store.ParcelRow]) -> tuple[str, ...]:
    """What the open page follows."""
    order = (f"order:{ticket.order_id}",) if ticket.order_id else ()
    return (f"{TICKET_KEY}{ticket.id}", *order, *(f"parcel:{row.id}" for row in rows[:20]))
