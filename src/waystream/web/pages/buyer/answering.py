"""The answer to what a buyer did: back to the page, which says once what happens now."""

from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from waystream.web.context import context_of
from waystream.web.pages.buyer.door import Visit
from waystream.web.shell.language import LANGUAGES, N_

SAID_COOKIE = "buyer_said"

#: What happens now, by what was done: shape and sentence.
ANSWERS: Mapping[str, tuple[str, str]] = {
    "received": ("s-done", N_("Thank you: the shop knows that you have it. Nothing more is needed.")),
    "missing": ("s-hold", N_("The shop was told just now and looks for it with the carrier; it comes back to you.")),
    "damaged": ("s-hold", N_("The shop was told just now and comes back to you. Keep the parcel and its wrapping.")),
    "address_changed": ("s-done", N_("It goes to the new address. Nothing had left yet; a new label is made.")),
    "address_same": ("s-done", N_("It goes to this address already. Nothing was changed.")),
    "address_wished": (
        "s-hold",
        N_("It is on its way already: the shop was told and asks the carrier to redirect it."),
    ),
    "messages_order": (
        "s-done",
        N_("You get no more messages about this order. This page still tells you everything."),
    ),
    "messages_none": ("s-done", N_("You get no more messages from this shop. This page still tells you everything.")),
    "messages_all": ("s-done", N_("You get messages again.")),
    "gate_open": ("s-done", N_("Those are the right digits: the whole address is shown in this browser for a day.")),
    "gate_wrong": ("s-exception", N_("Those are not the last four digits of the receiver’s phone.")),
    "gate_locked": ("s-hold", N_("Five tries an hour are the most: try again in an hour, or ask the shop.")),
}


def answer(request: Request, visit: Visit, said: str, *, p: str, lang: str) -> Response:
    """Back to the page, which says once what happens now."""
    query = {"p": p if p.isascii() and p.isdigit() else "", "lang": lang if lang in LANGUAGES else ""}
    kept = urlencode({name: value for name, value in query.items() if value})
    response = RedirectResponse(f"{visit.path}?{kept}" if kept else visit.path, 303)
    response.set_cookie(
        SAID_COOKIE, said, max_age=60, httponly=True, samesite="lax", secure=context_of(request).cookie_secure,
        path=visit.path,
    )  # fmt: skip
    return response
