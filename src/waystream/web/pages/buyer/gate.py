"""POST /t/TOKEN/gate: the phone's last four digits, and the cookie that remembers they were right.

Guaranteed: the cookie is signed for one order, one receiver and one version of its link, and opens nothing else; it
counts machine time, for it guards people.
"""

import hmac
import time
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Missing
from waystream.kernel.tx import Tx
from waystream.kernel.vault import Vault
from waystream.parts.buyer import actions, reading
from waystream.parts.buyer.links import NO_LINK, Link
from waystream.parts.buyer.model import Gate, Journey
from waystream.web.context import context_of
from waystream.web.pages.buyer.answering import answer
from waystream.web.pages.buyer.door import Visit, Visiting

COOKIE = "buyer_gate"
OPEN_S = 24 * 3_600

router = APIRouter()


@router.post("/t/{token}/gate")
def try_digits(
    request: Request, visit: Visiting, digits: Annotated[str, Form(max_length=20)] = "", p: str = "", lang: str = ""
) -> Response:
    context = context_of(request)

    def take(tx: Tx) -> tuple[Gate, Journey]:
        journey = reading.get_journey(tx, visit.link.order_id)
        if not journey.gated:
            raise Missing(NO_LINK)
        return actions.try_gate(tx, journey, digits.strip()), journey

    gate, journey = context.work.run(take, shops=visit.shops)
    response = answer(request, visit, f"gate_{gate}", p=p, lang=lang)
    if gate is Gate.OPEN:
        until = int(time.time()) + OPEN_S
        value = f"{until}.{_sign(context.work.keys.vault, visit.link, journey.person_id, until)}"
        response.set_cookie(
            COOKIE, value, max_age=OPEN_S, httponly=True, samesite="strict", secure=context.cookie_secure,
            path=visit.path,
        )  # fmt: skip
    return response


def is_open(request: Request, visit: Visit, journey: Journey) -> bool:
    """Whether this browser gave the right digits for this very order and receiver, not long ago."""
    until, _, given = request.cookies.get(COOKIE, "").partition(".")
    if not (until.isascii() and until.isdigit() and len(until) < 12 and journey.gated):
        return False
    expected = _sign(context_of(request).work.keys.vault, visit.link, journey.person_id, int(until))
    return hmac.compare_digest(given.encode(), expected.encode()) and int(until) > time.time()


def _sign(vault: Vault, link: Link, person_id: int, until: int) -> str:
    return vault.blind("buyer gate", link.shop_id, f"{link.order_id}:{link.version}:{person_id}:{until}").hex()
