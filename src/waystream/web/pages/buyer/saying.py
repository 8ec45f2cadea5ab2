"""What a buyer says with a button: received, not received, damaged, another address. The answer says what happens now.

Each is repeatable: told again it is the same thing, and the answer is the same.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from waystream.core.errors import Forbidden, Missing
from waystream.kernel.tx import Tx
from waystream.parts.buyer import actions, reading
from waystream.parts.buyer.model import WORDS_MAX, Said, Saying
from waystream.parts.notices import optouts
from waystream.parts.notices.optouts import Wish
from waystream.parts.orders import readdressing
from waystream.parts.orders.form import clean
from waystream.web.context import context_of
from waystream.web.pages.buyer.answering import answer
from waystream.web.pages.buyer.door import OneClick, Visit, Visiting
from waystream.web.pages.buyer.gate import is_open
from waystream.web.shell.language import N_

router = APIRouter()

Words = Annotated[str, Form(max_length=WORDS_MAX)]
Short = Annotated[str, Form(max_length=200)]


@router.post("/t/{token}/received")
def confirm(request: Request, visit: Visiting, p: str = "", lang: str = "") -> Response:
    return _say(request, visit, Said.RECEIVED, "", p=p, lang=lang)


@router.post("/t/{token}/missing")
def miss(request: Request, visit: Visiting, words: Words = "", p: str = "", lang: str = "") -> Response:
    return _say(request, visit, Said.MISSING, words, p=p, lang=lang)


@router.post("/t/{token}/damaged")
def report_damage(request: Request, visit: Visiting, words: Words = "", p: str = "", lang: str = "") -> Response:
    return _say(request, visit, Said.DAMAGED, words, p=p, lang=lang)


@router.post("/t/{token}/address")
def ask_address(
    request: Request, visit: Visiting, province: Short = "", city: Short = "", district: Short = "",
    address: Short = "", p: str = "", lang: str = "",
) -> Response:  # fmt: skip
    """Nothing left yet: the order goes elsewhere at once. Otherwise it is a wish that somebody tries."""
    place = readdressing.parse_place(province=province, city=city, district=district, address=address)
    words = f"{place.province}{place.city}{place.district}{place.address}"

    def ask(tx: Tx) -> str:
        journey = reading.get_journey(tx, visit.link.order_id)
        if not is_open(request, visit, journey):
            raise Forbidden(N_("Give the last four digits of the phone first"))
        left = journey.shipped
        changed = not left and readdressing.readdress(tx, journey.order_id, place, actor="buyer")
        if not left and not changed:
            return "address_same"
        actions.say(tx, Saying(journey.order_id, Said.ADDRESS, words=words, changed=changed))
        return "address_changed" if changed else "address_wished"

    return answer(request, visit, context_of(request).work.run(ask, shops=visit.shops), p=p, lang=lang)


@router.post("/t/{token}/messages")
def wish(request: Request, visit: Visiting, want: Annotated[Wish, Form()], p: str = "", lang: str = "") -> Response:
    """No more messages about this order, none at all, or again."""
    context_of(request).work.run(lambda tx: optouts.wish(tx, visit.link.order_id, want), shops=visit.shops)
    return answer(request, visit, f"messages_{want}", p=p, lang=lang)


@router.post("/t/{token}/unsubscribe")
def unsubscribe(
    request: Request, visit: OneClick, one_click: Annotated[Literal["One-Click"], Form(alias="List-Unsubscribe")]
) -> Response:
    """What a mail program sends for its user (RFC 8058): no cookies, no form of ours, the signed link alone."""
    context_of(request).work.run(lambda tx: optouts.wish(tx, visit.link.order_id, Wish.NONE), shops=visit.shops)
    return Response(status_code=204)


@router.get("/t/{token}/unsubscribe")
def lead_to_messages(visit: Visiting) -> Response:
    """A program that opens the link instead: its user decides on the page. Looking changes nothing."""
    return RedirectResponse(visit.path, 303)


def _say(request: Request, visit: Visit, kind: Said, words: str, *, p: str, lang: str) -> Response:
    def say(tx: Tx) -> None:
        parcels = reading.get_journey(tx, visit.link.order_id).parcels
        nth = int(p) if p.isascii() and p.isdigit() and len(p) < 4 else 0
        if not 0 < nth <= len(parcels):
            raise Missing("There is no such parcel.")
        actions.say(tx, Saying(visit.link.order_id, kind, parcels[nth - 1].id, clean(words)[:WORDS_MAX]))

    context_of(request).work.run(say, shops=visit.shops)
    return answer(request, visit, kind, p=p, lang=lang)
