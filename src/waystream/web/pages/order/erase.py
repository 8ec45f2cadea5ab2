"""Erasing the receiver of an order: the dialog that says what goes and what cannot, and the doing of it."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from waystream.kernel.tx import Tx
from waystream.parts.orders import erasing
from waystream.parts.orders.erasing import Erased
from waystream.web.acting import act_on_order
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.reach import reach_order
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language
from waystream.web.views import Ask, AskField, Effect

ERASE = "person:erase"
THIS, PHONE = "this", "phone"

EFFECTS = (
    ("s-cancelled", N_("Name, phone, address and remarks become unreadable for good: their key is destroyed.")),
    ("s-cancelled", N_("Nobody finds the order by phone or name any more; its lines, money and way stay.")),
    ("s-cancelled", N_("Labels and replies from the carrier are emptied; a parcel that has not left becomes void.")),
    ("s-await", N_("Raw pushes stay sealed until they are dropped; from now on nobody opens those that tell of it.")),
    (
        "s-await",
        N_("The carrier, printed paper and files, and older backups keep what they have: erase there as well."),
    ),
    ("s-later", N_("Your name, the time and the reason are written to the audit.")),
)

router = APIRouter()


@router.get("/orders/{order_id:int}/erase")
def ask(request: Request, seat: Annotated[Seat, requires(ERASE)], order_id: int) -> Response:
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        own_id = reach_order(tx, seat, str(order_id))
        others = len(erasing.list_same_buyer(tx, own_id, warehouses=seat.caller.warehouses))
    return show(request, "ask.html", draw(language_of(request), own_id, others))


@router.post("/orders/{order_id:int}/erase")
def erase(
    request: Request,
    seat: Annotated[Seat, requires(ERASE)],
    order_id: int,
    reason: Annotated[str, Form(max_length=500)],
    which: Annotated[str, Form(max_length=10)] = THIS,
) -> Response:
    def forget(tx: Tx, own_id: int) -> Erased:
        caller = seat.caller
        return erasing.erase_buyer(
            tx, own_id, same_phone=which == PHONE, actor=caller.actor, reason=reason, warehouses=caller.warehouses
        )

    erased = act_on_order(request, seat, str(order_id), forget)
    said = language_of(request).say_n(
        "The receiver of %(n)s order was erased.", "The receivers of %(n)s orders were erased.", len(erased.orders)
    )
    return go(f"/orders/{order_id}", said=said)


def draw(language: Language, order_id: int, others: int) -> Ask:
    every = language.say_n(
        "This order and %(n)s other with the same phone", "This order and %(n)s others with the same phone", others
    )
    which = ((THIS, language.say("Only this order")), (PHONE, every))
    return Ask(
        title=language.say("Erase the buyer for good?"),
        effects=tuple(Effect(shape, language.say(sentence)) for shape, sentence in EFFECTS),
        verb=language.say("Erase for good"),
        action=f"/orders/{order_id}/erase",
        back=f"/orders/{order_id}",
        fields=(AskField("which", language.say("Which orders"), THIS, which),) if others else (),
        reason=language.say("Why is the buyer erased?"),
        danger=True,
    )
