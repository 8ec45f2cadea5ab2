"""GET /orders/{id}: one order with everything that is known of it; GET /parcels/{id} leads there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from waystream.core.errors import Missing
from waystream.core.order import Refund, Word
from waystream.core.person import Person
from waystream.core.ports import Network
from waystream.kernel.tx import Tx
from waystream.parts.buyer.actions import link as find_link
from waystream.parts.buyer.links import address
from waystream.parts.orders import lists
from waystream.parts.orders.views import Order
from waystream.parts.tracking import reading
from waystream.parts.tracking.store_lists import list_claims
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.mending import say_mend
from waystream.web.pages.order import erase, split, store
from waystream.web.pages.order.answer import say_aside, say_order
from waystream.web.pages.order.way import Because, Entry, Step, Told, draw_because, draw_steps, draw_timeline
from waystream.web.reach import reach_parcel
from waystream.web.render import language_of, show
from waystream.web.shell.language import Language, Moment
from waystream.web.shell.vocabulary import REFUND_WORDS, Pill, carrier_name, order_word, pill
from waystream.web.views import Deed

READ = "orders:read"
MASKED, UNMASK = "person:masked", "person:unmask"
MAX_ID = 2**63 - 1
RowId = Annotated[int, Path(ge=1, le=MAX_ID)]

router = APIRouter()
router.include_router(split.router)
router.include_router(erase.router)


@dataclass(frozen=True, slots=True)
class ParcelView:
    id: int
    title: str
    state: Pill
    carrier: str
    waybill: str
    spaced: str
    dead: bool
    goods: str
    weight: str
    steps: tuple[Step, ...]
    entries: tuple[Entry, ...]
    because: Because | None
    warnings: tuple[str, ...]
    label: str
    label_told: str
    deeds: tuple[Deed, ...]
    open: bool


@dataclass(frozen=True, slots=True)
class Buyer:
    """Masked, or for one answer in the clear."""

    name: str
    phone: str
    address: str
    remarks: tuple[str, ...]
    unmask: str
    clear: bool
    told: str
    erase: str = ""


@dataclass(frozen=True, slots=True)
class MoneyLine:
    label: str
    amount: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class EventLine:
    id: str
    name: str
    moment: Moment | None
    subject: str
    cause: str


@dataclass(frozen=True, slots=True)
class OrderDetail:
    id: int
    number: str
    word: str
    refund: str
    shop: str
    warehouse: str
    paid: str
    answer: Markup
    aside: Markup | str
    deeds: tuple[Deed, ...]
    parcels: tuple[ParcelView, ...]
    buyer: Buyer | None
    link: str
    money: tuple[MoneyLine, ...]
    events: tuple[EventLine, ...]


@router.get("/orders/{order_id:int}")
def show_order(request: Request, seat: Annotated[Seat, requires(READ)], order_id: RowId) -> Response:
    context = context_of(request)
    with context.work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw(tx, seat, order_id, language_of(request), context.networks, base_url=context.base_url)
    keys = [f"order:{order_id}", *(f"parcel:{parcel.id}" for parcel in page.parcels)]
    return show(request, "order/page.html", page, live=" ".join(keys[:30]))


@router.get("/parcels/{parcel_id:int}")
def show_parcel(request: Request, seat: Annotated[Seat, requires(READ)], parcel_id: RowId) -> Response:
    context = context_of(request)
    with context.work.begin(shops=seat.shops, read_only=True) as tx:
        orders = store.list_order_ids(tx.conn, reach_parcel(tx, seat, parcel_id))
    return RedirectResponse(f"/orders/{orders[0]}#parcel-{parcel_id}", 303)


def draw(
    tx: Tx,
    seat: Seat,
    order_id: int,
    language: Language,
    networks: Mapping[str, Network],
    person: Person | None = None,
    base_url: str = "",
) -> OrderDetail:
    """The page for a caller; `person` is the receiver in the clear, if they just asked for it."""
    order = lists.get_order(tx, order_id)
    if not seat.caller.may_warehouse(order.warehouse_id):
        raise Missing("There is no such order.")
    rows = store.list_parcels(tx.conn, order_id)
    living = [row for row in rows if row.stage != "voided"]
    mends = {row.id: say_mend(language, row.mend, networks) for row in living if row.stage == "refused"}
    parcels = [
        draw_parcel(tx, seat, language, row, order, place=(nth, len(living)), mend=mends.get(row.id, ""))
        for nth, row in enumerate(rows, 1)
    ]
    return OrderDetail(
        id=order.id,
        number=order.number,
        word=order_word(language, order.word),
        refund=language.say(REFUND_WORDS[Refund(order.refund)]) if order.refund != Refund.NONE else "",
        shop=order.shop,
        warehouse=order.warehouse,
        paid=language.say("paid %(when)s", when=language.exact(order.paid_at, tx.now)) if order.paid_at else "",
        answer=say_order(language, order, rows, tx.now),
        aside=say_aside(language, order, tx.now),
        deeds=(*_splitting(tx, seat, language, order), *_deeds(language, seat, order, living)),
        parcels=tuple(parcels),
        buyer=draw_buyer(language, seat, order, person),
        link=_link(tx, seat, order, base_url),
        money=_money(language, order),
        events=tuple(_event(language, row, tx) for row in store.list_events(tx.conn, order_id)),
    )


def draw_parcel(
    tx: Tx, seat: Seat, language: Language, row: store.ParcelRow, order: Order, *, place: tuple[int, int], mend: str
) -> ParcelView:
    state = pill(language, stage=row.stage, state=row.state, kind=row.kind, held=row.held_reason)
    told, weight_g = _told(tx, row), row.weighed_g or row.weight_g
    nth, n = place
    void = row.stage == "voided"
    title = language.say("Void parcel") if void else language.say("Parcel %(nth)s of %(n)s", nth=nth, n=n)
    return ParcelView(
        id=row.id,
        title=title,
        state=state,
        carrier=carrier_name(language, row.carrier),
        waybill=row.waybill,
        spaced=space_number(row.waybill),
        dead=row.stage == "voided",
        goods=row.goods,
        weight=language.say("%(kg)s kg", kg=language.kilograms(weight_g)) if weight_g else "",
        steps=draw_steps(language, row, told, state=state, now=tx.now),
        entries=draw_timeline(language, row, told, now=tx.now),
        because=draw_because(language, told, state=state, now=tx.now),
        warnings=tuple(filter(None, (mend, *_warnings(language, row)))),
        label=f"/parcels/{row.id}/label.png" if _shows_label(seat, row, order) else "",
        label_told=_label_told(language, row),
        deeds=_parcel_deeds(language, seat, row),
        open=row.stage != "voided" and row.state != "delivered",
    )


def _shows_label(seat: Seat, row: store.ParcelRow, order: Order) -> bool:
    return bool(row.label_id) and not order.erased_at and seat.caller.may("parcels:read")


def _told(tx: Tx, row: store.ParcelRow) -> Told:
    if not row.state:
        return Told(None, (), (), ())
    return Told(
        why=reading.why(tx, row.id),
        scans=reading.timeline(tx, row.id),
        claims=list_claims(tx.conn, row.id),
        decisions=reading.list_decisions(tx, row.id),
    )


def space_number(number: str) -> str:
    """`YT 8812 4096 3317 5`: letters, then groups of four."""
    letters = len(number) - len(number.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    groups = [number[at : at + 4] for at in range(letters, len(number), 4)]
    return " ".join(filter(None, (number[:letters], *groups)))


def _warnings(language: Language, row: store.ParcelRow) -> list[str]:
    """What a person has to know before anything else."""
    told: list[str] = []
    say = language.say
    if row.stage in {"conflict", "doubt"} and row.said:
        told.append(language.say("The carrier says: %(said)s", said=row.said))
    if row.held_reason:
        told.append(language.say("On hold: %(reason)s", reason=row.held_reason))
    if row.subscription == "died":
        told.append(say("The aggregator stopped watching this number: %(reason)s", reason=row.died_reason or "–"))
    if row.cancel_state == "refused":
        told.append(language.say("The carrier refused to take the old number back: it has been collected."))
    if row.cancel_state == "unsupported":
        told.append(language.say("The old number cannot be given back by machine: call the carrier."))
    if row.orders > 1:
        told.append(
            language.say_n("%(n)s order travels in this parcel.", "%(n)s orders travel in this parcel.", row.orders)
        )
    return told


def _label_told(language: Language, row: store.ParcelRow) -> str:
    if not row.label_id:
        return ""
    if row.print_state == "printed":
        return language.say("Printed on %(printer)s.", printer=row.printer)
    if row.print_state in {"queued", "printing"}:
        return language.say("Waits for printer %(printer)s.", printer=row.printer)
    if row.print_state == "failed":
        return language.say("Printing failed on %(printer)s.", printer=row.printer)
    return language.say("Not printed yet.")


def _deeds(language: Language, seat: Seat, order: Order, living: list[store.ParcelRow]) -> tuple[Deed, ...]:
    """What can be done with the order now, the likeliest first."""
    may_write, may_ship = seat.caller.may("orders:write"), seat.caller.may("ship:write")
    gone = any(row.stage == "dispatched" for row in living)
    closed = order.cancelled_at is not None or order.word in {Word.CLOSED, Word.COMPLETED}
    to_ship = order.word in {Word.TO_SHIP, Word.PART_SHIPPED}
    wanted = (
        ("cancel", language.say("Cancel…"), may_write and not gone and not closed, "danger"),
        ("hold", language.say("Hold…"), may_write and to_ship and not order.held_at and not closed, ""),
        ("release", language.say("Release…"), may_write and order.held_at is not None, ""),
        ("confirm", language.say("Confirm receipt…"), may_write and order.word is Word.DELIVERED, ""),
        ("ship", language.say("Ship…"), may_ship and to_ship and not order.held_at and not closed, "main-act"),
    )
    back = f"/orders/{order.id}"
    return tuple(
        Deed(label, f"/orders/ask?do={do}&id={order.id}&back={back}", tone) for do, label, fits, tone in wanted if fits
    )


def _splitting(tx: Tx, seat: Seat, language: Language, order: Order) -> tuple[Deed, ...]:
    """Offered while something of the order is in no parcel, and not more than the dialog holds."""
    to_ship = order.word in {Word.TO_SHIP, Word.PART_SHIPPED} and not order.held_at and not order.cancelled_at
    if not (to_ship and seat.caller.may(split.WRITE)):
        return ()
    fits = 0 < len(store.list_left(tx.conn, order.id)) <= split.LINES_AT_MOST
    return (Deed(language.say("Split…"), f"/orders/{order.id}/split"),) if fits else ()


#: Stages in which a parcel has a number that its carrier may have scanned.
_WITH_CARRIER = frozenset({"issued", "printed", "dispatched"})


def _parcel_deeds(language: Language, seat: Seat, row: store.ParcelRow) -> tuple[Deed, ...]:
    may_ship, may_write = seat.caller.may("ship:write"), seat.caller.may("parcels:write")
    inside = row.stage in {"issued", "printed"}
    wanted = (
        ("dispatch", language.say("Dispatch…"), may_ship and inside and not row.held_reason),
        ("reprint", language.say("Reprint…"), may_ship and row.label_id is not None),
        (
            "reissue",
            language.say("New number…"),
            may_ship and (inside or row.stage in {"refused", "conflict", "doubt"}),
        ),
        ("void", language.say("Void…"), may_ship and row.stage not in {"dispatched", "voided"}),
        ("ask_carrier", language.say("Ask the carrier now…"), may_write and row.stage in _WITH_CARRIER),
        ("decide", language.say("Decide by hand…"), may_write and row.stage == "dispatched"),
    )
    return tuple(Deed(label, f"/parcels/ask?do={do}&id={row.id}", "") for do, label, fits in wanted if fits)


def draw_buyer(language: Language, seat: Seat, order: Order, person: Person | None) -> Buyer | None:
    if not seat.caller.may(MASKED):
        return None
    place = " ".join(filter(None, (order.province, order.city, order.district)))
    unmask = seat.caller.may(UNMASK) and order.readable and not order.erased_at and person is None
    told = language.say("Erased: nobody can read it any more.") if order.erased_at else ""
    if not order.readable and not order.erased_at:
        told = language.say("Only the platform can read this receiver.")
    if person is None:
        address = f"unmask:{order.id}" if unmask else ""
        erasing = f"/orders/{order.id}/erase" if seat.caller.may(erase.ERASE) and not order.erased_at else ""
        shown = f"{place} {order.address_mask}"
        return Buyer(order.name_mask, order.phone_mask, shown, (), address, False, told, erasing)
    contact = person.contact
    return Buyer(
        name=contact.name,
        phone=contact.mobile or contact.phone,
        address=f"{contact.province}{contact.city}{contact.district}{contact.address}",
        remarks=tuple(filter(None, (person.buyer_remark, person.seller_remark))),
        unmask="",
        clear=True,
        told=told,
    )


def _link(tx: Tx, seat: Seat, order: Order, base_url: str) -> str:
    """The buyer's page, for whoever may speak with buyers; making it writes nothing."""
    if not (base_url and seat.caller.may("orders:write")):
        return ""
    return address(base_url, find_link(tx, order.id).signed(tx.keys.vault))


def _money(language: Language, order: Order) -> tuple[MoneyLine, ...]:
    lines = [
        MoneyLine(f"{line.name or line.sku} × {line.quantity}" if line.quantity > 1 else line.name or line.sku,
                  language.money(line.price_fen * line.quantity))
        for line in order.lines
        if line.quantity
    ]  # fmt: skip
    discount = sum(line.discount_fen for line in order.lines)
    if discount:
        lines.append(MoneyLine(language.say("Discount"), language.money(-discount), "in"))
    lines.append(MoneyLine(language.say("Total"), language.money(order.total_fen), "total"))
    if order.cod_fen:
        lines.append(MoneyLine(language.say("To collect at the door"), language.money(order.cod_fen), "in"))
    if order.declared_fen:
        lines.append(MoneyLine(language.say("Declared value"), language.money(order.declared_fen), "in"))
    return tuple(lines)


def _event(language: Language, row: store.EventRow, tx: Tx) -> EventLine:
    return EventLine(language.number(row.id), row.name, language.when(row.at, tx.now), row.subject, row.cause)
