"""What can be done with orders, one or many: the dialog that says what will happen, and the doing of it."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Query
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Missing
from waystream.kernel.tx import Tx
from waystream.parts.buyer import actions as buyer
from waystream.parts.fulfilment import actions as fulfilment
from waystream.parts.fulfilment.model import ShipOrders, Shipped
from waystream.parts.orders import actions as orders
from waystream.web import asking
from waystream.web.acting import act_on_order, act_on_orders, parse_ids
from waystream.web.address import own_path
from waystream.web.asking import Wording
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.pages.order.page import draw
from waystream.web.pages.orders.store import list_numbers
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language

router = APIRouter()

Ids = Annotated[list[str], Form()]
Back = Annotated[str, Form(max_length=2000)]
Reason = Annotated[str, Form(max_length=500)]


WORDINGS: dict[str, Wording] = {
    "ship": Wording(
        N_("Ship this order?"),
        N_("Take numbers and print"),
        (
            ("s-later", N_("Each order gets a waybill number from the carrier and is subscribed to its tracking.")),
            ("s-later", N_("Its label goes to the printer of its warehouse by itself.")),
            ("s-await", N_("It counts as shipped only when the parcel leaves the warehouse.")),
        ),
        many=N_("Ship %(n)s orders?"),
    ),
    "combine": Wording(
        N_("Ship this order?"),
        N_("Combine and take numbers"),
        (
            ("s-later", N_("Orders of one shop, warehouse and receiver travel in one parcel with one number.")),
            ("s-later", N_("An order that fits with no other gets a parcel of its own.")),
            ("s-await", N_("It counts as shipped only when the parcel leaves the warehouse.")),
        ),
        many=N_("Ship %(n)s orders together?"),
    ),
    "hold": Wording(
        N_("Hold this order?"),
        N_("Hold"),
        (
            ("s-cancelled", N_("Numbers that were taken and not collected are given back, labels become void.")),
            ("s-hold", N_("Nothing of it leaves the warehouse until somebody releases it.")),
        ),
        reason=N_("Why is it held?"),
        many=N_("Hold %(n)s orders?"),
    ),
    "release": Wording(
        N_("Release this order?"),
        N_("Release"),
        (("s-later", N_("Parcels that were held ask for a new number by themselves.")),),
        reason=N_("Why is it released?"),
        many=N_("Release %(n)s orders?"),
    ),
    "cancel": Wording(
        N_("Cancel this order?"),
        N_("Cancel the order"),
        (
            ("s-cancelled", N_("Numbers that were taken are given back; nothing is charged before collecting.")),
            ("s-later", N_("Labels become void; what waits at a printer is taken out of its queue.")),
            ("s-cancelled", N_("The order is closed; this cannot be undone.")),
        ),
        reason=N_("Why is it cancelled?"),
        danger=True,
        many=N_("Cancel %(n)s orders?"),
    ),
    "confirm": Wording(
        N_("Confirm that the buyer has it?"),
        N_("Confirm receipt"),
        (("s-done", N_("The order becomes complete at once, without waiting for the shop’s days.")),),
        many=N_("Confirm %(n)s orders?"),
    ),
    "revoke_link": Wording(
        N_("Revoke the buyer’s link?"),
        N_("Revoke the link"),
        (
            ("s-cancelled", N_("Every link told so far opens nothing any more, in messages that were sent, too.")),
            ("s-later", N_("A new link is there at once; it stands on the order’s page.")),
        ),
        many=N_("Revoke %(n)s buyers’ links?"),
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
}


@router.get("/orders/ask")
def ask(
    request: Request,
    seat: Annotated[Seat, requires("orders:read")],
    do: str,
    id: Annotated[list[str], Query()],
    back: str = "/orders",
) -> Response:
    """The dialog before a deed; opened over the page, or a page of its own without scripts."""
    wording, ids = WORDINGS.get(do), parse_ids(id)
    if wording is None:
        raise Missing("There is no such action.")
    form = asking.Form(f"/orders/{do}", own_path(back), hidden=tuple(("id", str(row_id)) for row_id in ids))
    return show(request, "ask.html", asking.draw(language_of(request), wording, form, n=len(ids)))


@router.post("/orders/ship")
def ship(request: Request, seat: Annotated[Seat, requires("ship:write")], id: Ids, back: Back = "/orders") -> Response:
    actor = seat.caller.actor
    shipped = act_on_orders(request, seat, id, lambda tx, ids: fulfilment.ship(tx, ShipOrders(ids), actor=actor))
    return go(own_path(back), said=say_shipped(language_of(request), shipped))


@router.post("/orders/combine")
def combine(
    request: Request, seat: Annotated[Seat, requires("ship:write")], id: Ids, back: Back = "/orders"
) -> Response:
    def ship_together(tx: Tx, ids: tuple[int, ...]) -> tuple[list[Shipped], dict[int, str]]:
        shipped = fulfilment.ship(tx, ShipOrders(ids, combine=True), actor=seat.caller.actor)
        return shipped, list_numbers(tx.conn, [each.order_id for each in shipped if each.outcome == "refused"])

    shipped, numbers = act_on_orders(request, seat, id, ship_together)
    return go(own_path(back), said=say_combined(language_of(request), shipped, numbers))


@router.post("/orders/hold")
def hold(
    request: Request, seat: Annotated[Seat, requires("orders:write")], id: Ids, reason: Reason, back: Back = "/orders"
) -> Response:
    actor = seat.caller.actor
    done = act_on_orders(request, seat, id, lambda tx, ids: orders.hold(tx, ids, reason=reason, actor=actor))
    said = language_of(request).say_n("%(n)s order is on hold.", "%(n)s orders are on hold.", len(done))
    return go(own_path(back), said=said)


@router.post("/orders/release")
def release(
    request: Request, seat: Annotated[Seat, requires("orders:write")], id: Ids, reason: Reason, back: Back = "/orders"
) -> Response:
    actor = seat.caller.actor
    done = act_on_orders(request, seat, id, lambda tx, ids: orders.release(tx, ids, reason=reason, actor=actor))
    said = language_of(request).say_n("%(n)s order goes on.", "%(n)s orders go on.", len(done))
    return go(own_path(back), said=said)


@router.post("/orders/cancel")
def cancel(
    request: Request, seat: Annotated[Seat, requires("orders:write")], id: Ids, reason: Reason, back: Back = "/orders"
) -> Response:
    actor = seat.caller.actor
    done = act_on_orders(request, seat, id, lambda tx, ids: orders.cancel(tx, ids, reason=reason, actor=actor))
    said = language_of(request).say_n("%(n)s order was cancelled.", "%(n)s orders were cancelled.", len(done))
    return go(own_path(back), said=said)


@router.post("/orders/confirm")
def confirm(
    request: Request, seat: Annotated[Seat, requires("orders:write")], id: Ids, back: Back = "/orders"
) -> Response:
    def confirm_each(tx: Tx, ids: tuple[int, ...]) -> int:
        for order_id in sorted(ids):
            orders.confirm(tx, order_id, by="person", actor=seat.caller.actor)
        return len(ids)

    n = act_on_orders(request, seat, id, confirm_each)
    said = language_of(request).say_n("%(n)s order is complete.", "%(n)s orders are complete.", n)
    return go(own_path(back), said=said)


@router.post("/orders/revoke_link")
def revoke_link(
    request: Request, seat: Annotated[Seat, requires("orders:write")], id: Ids, back: Back = "/orders"
) -> Response:
    def revoke_each(tx: Tx, ids: tuple[int, ...]) -> int:
        for order_id in sorted(ids):
            buyer.revoke(tx, order_id, actor=seat.caller.actor)
        return len(ids)

    n = act_on_orders(request, seat, id, revoke_each)
    said = language_of(request).say_n("%(n)s link was replaced.", "%(n)s links were replaced.", n)
    return go(own_path(back), said=said)


@router.post("/orders/unmask")
def unmask(request: Request, seat: Annotated[Seat, requires("person:unmask")], id: Ids, reason: Reason) -> Response:
    """The order's page with its buyer in the clear, this once."""
    language, networks = language_of(request), context_of(request).networks

    def read(tx: Tx, order_id: int) -> object:
        person = orders.unmask(tx, order_id, actor=seat.caller.actor, reason=reason)
        return draw(tx, seat, order_id, language, networks, person)

    return show(request, "order/page.html", act_on_order(request, seat, id[0], read))


def say_shipped(language: Language, shipped: Sequence[Shipped]) -> Markup:
    """What became of a ship action; the first refusal is told whole."""
    refused = [each for each in shipped if each.outcome == "refused"]
    asked = len(shipped) - len(refused)
    if not refused:
        return language.say_n("%(n)s order asks for its number.", "%(n)s orders ask for their numbers.", asked)
    return language.say(
        "%(asked)s under way, %(refused)s refused: %(why)s",
        asked=language.number(asked),
        refused=language.number(len(refused)),
        why=language.echo(refused[0].reason),
    )


def say_combined(language: Language, shipped: Sequence[Shipped], numbers: Mapping[int, str]) -> Markup:
    """How many parcels came of how many orders; every refused order is named by its number, with the reason."""
    going = [each for each in shipped if each.outcome != "refused"]
    parcels = {parcel_id for each in going for parcel_id in each.parcel_ids}
    facts = {"orders": language.number(len(going)), "parcels": language.number(len(parcels))}
    refused: dict[str, list[str]] = {}
    for each in shipped:
        if each.outcome == "refused":
            refused.setdefault(language.echo(each.reason), []).append(numbers[each.order_id])
    if not refused:
        return language.say("Orders under way: %(orders)s, in parcels: %(parcels)s.", **facts)
    why = "; ".join(f"{', '.join(named)}: {reason}" for reason, named in refused.items())
    return language.say("Orders under way: %(orders)s, in parcels: %(parcels)s. Refused: %(why)s", **facts, why=why)
