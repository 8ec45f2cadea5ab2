"""Shipping one order in several parcels, or in several pieces under a mother number: the dialog and the doing of it.

Without scripts: every line has a field for each parcel; what stays empty is left for another time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Conflict, Invalid
from waystream.kernel.tx import Tx
from waystream.parts.fulfilment import actions as fulfilment
from waystream.parts.fulfilment.model import MAX_PIECES, Part, ShipOrders, Shipped
from waystream.parts.fulfilment.store import lock_orders
from waystream.parts.orders import lists
from waystream.web.acting import act_on_order
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.forms import Filled, Form
from waystream.web.pages.order import store
from waystream.web.reach import reach_order
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import Language
from waystream.web.shell.vocabulary import carrier_name

WRITE = "ship:write"
PARCELS = 4
LINES_AT_MOST = 45  # times PARCELS fields are what a form may hold

router = APIRouter()


@dataclass(frozen=True, slots=True)
class LineView:
    """A line with something left: its fields are (name, label, value), one for each parcel."""

    goods: str
    left: str
    most: int
    fields: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class SplitPage:
    """`stand` is what was left when the dialog was opened: sent twice, the second finds something else left."""

    id: int
    number: str
    stand: str
    parcels: tuple[str, ...]
    lines: tuple[LineView, ...]
    carrier: str
    carriers: tuple[tuple[str, str], ...]
    pieces: str
    most_pieces: int
    problem: str


@router.get("/orders/{order_id:int}/split")
def ask(request: Request, seat: Annotated[Seat, requires(WRITE)], order_id: int) -> Response:
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw(tx, reach_order(tx, seat, str(order_id)), language_of(request))
    return show(request, "order/split.html", page)


@router.post("/orders/{order_id:int}/split")
def split(request: Request, seat: Annotated[Seat, requires(WRITE)], order_id: int, form: Form) -> Response:
    language = language_of(request)

    def ship(tx: Tx, own_id: int) -> Shipped:
        lock_orders(tx.conn, [own_id])
        wanted = read_wish(form, own_id, store.list_left(tx.conn, own_id))
        [shipped] = fulfilment.ship(tx, wanted, actor=seat.caller.actor)
        if shipped.outcome == "refused":
            raise Conflict(shipped.reason)
        return shipped

    try:
        shipped = act_on_order(request, seat, str(order_id), ship)
    except (Invalid, Conflict) as error:
        return _ask_again(request, seat, order_id, form.refused(error))
    n = len(shipped.parcel_ids)
    said = language.say_n("The order travels in %(n)s parcel.", "The order travels in %(n)s parcels.", n)
    return go(f"/orders/{order_id}", said=said)


def _ask_again(request: Request, seat: Seat, order_id: int, form: Filled) -> Response:
    """The dialog with what was typed and what was wrong with it."""
    with context_of(request).work.begin(shops=seat.shops, read_only=True) as tx:
        page = draw(tx, reach_order(tx, seat, str(order_id)), language_of(request), form)
    return show(request, "order/split.html", page, status=422)


def draw(tx: Tx, order_id: int, language: Language, form: Filled | None = None) -> SplitPage:
    """Raises `Conflict` where nothing is left to ship, or more lines than a form holds."""
    order, left = lists.get_order(tx, order_id), store.list_left(tx.conn, order_id)
    if not left:
        raise Conflict("Everything of this order is in a parcel already.")
    if len(left) > LINES_AT_MOST:
        raise Conflict("This order has too many lines for the form: split it through the interface.")
    typed = form or Filled()
    carriers = [(code, carrier_name(language, code)) for code in store.list_carriers(tx.conn, order.warehouse_id)]
    return SplitPage(
        id=order.id,
        number=order.number,
        stand=_stand(left),
        parcels=tuple(str(language.say("Parcel %(nth)s", nth=nth)) for nth in range(1, PARCELS + 1)),
        lines=tuple(_line(language, line, typed) for line in left),
        carrier=typed.text("carrier", order.carrier),
        carriers=tuple(carriers),
        pieces=typed.text("pieces", "1"),
        most_pieces=MAX_PIECES,
        problem=" ".join(language.echo(sentence) for _, sentence in typed.problems),
    )


def _line(language: Language, line: store.LeftLine, typed: Filled) -> LineView:
    names = [_field(line.line_no, nth) for nth in range(1, PARCELS + 1)]
    goods = line.name or line.sku
    first = "" if typed.values else str(line.left)
    return LineView(
        goods=goods,
        left=language.number(line.left),
        most=line.left,
        fields=tuple(
            (name, str(language.say("%(goods)s in parcel %(nth)s", goods=goods, nth=nth)),
             typed.text(name, first if nth == 1 else ""))
            for nth, name in enumerate(names, 1)
        ),
    )  # fmt: skip


def read_wish(form: Filled, order_id: int, left: Sequence[store.LeftLine]) -> ShipOrders:
    """What the dialog asks for. Raises `Invalid` where it makes no sense, `Conflict` where the order has moved on."""
    if form.text("stand") != _stand(left):
        raise Conflict("What is left of this order has changed meanwhile: look again.")
    carrier, pieces = form.text("carrier")[:20], form.number("pieces", 1)
    parcels = tuple(filter(None, (_parts(form, nth, left) for nth in range(1, PARCELS + 1))))
    if not parcels:
        raise Invalid("parcels", "Put at least one piece into a parcel.")
    if pieces == 1:
        return ShipOrders((order_id,), carrier, parcels=parcels)
    whole = tuple(Part(line.line_no, line.left) for line in left)
    if parcels != (whole,):
        raise Invalid("pieces", "Several pieces go with one parcel that holds everything.")
    return ShipOrders((order_id,), carrier, pieces=pieces)


def _parts(form: Filled, nth: int, left: Sequence[store.LeftLine]) -> tuple[Part, ...]:
    quantities: Mapping[int, int] = {line.line_no: form.number(_field(line.line_no, nth)) for line in left}
    return tuple(Part(line_no, quantity) for line_no, quantity in quantities.items() if quantity)


def _field(line_no: int, nth: int) -> str:
    return f"line-{line_no}-{nth}"


def _stand(left: Sequence[store.LeftLine]) -> str:
    return ",".join(f"{line.line_no}x{line.left}" for line in left)
