"""Who may look through a buyer's link: whoever holds a token of ours, not too often.

Guaranteed: a token that is wrong, expired, revoked or another shop's is one and the same answer; what we did not sign
costs no query. A form is taken only from our own page. A link sees its own shop and nothing else.
"""

import secrets
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Missing
from waystream.kernel.database import Shops
from waystream.parts.buyer import actions, links
from waystream.parts.buyer.links import Link
from waystream.web.auth import PUBLIC, SAFE, csrf_of, require_own_form
from waystream.web.context import WebContext, context_of

COOKIE = "buyer_door"
COOKIE_S = 60 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody with a link that holds. `csrf` is what their forms carry."""

    link: Link
    token: str = field(repr=False)
    door: str = field(repr=False)

    @property
    def shops(self) -> Shops:
        return Shops.of([self.link.shop_id])

    @property
    def csrf(self) -> str:
        return csrf_of(self.door)

    @property
    def path(self) -> str:
        return f"/t/{self.token}"


@dataclass(frozen=True, slots=True)
class LinkDoor:
    """The dependency of every route behind a link; without `own_form` others may post to it, too."""

    permission: str = PUBLIC
    own_form: bool = True

    async def __call__(self, request: Request, token: str) -> Visit:
        context = context_of(request)
        link = self._read(request, context, token)
        context.buyers.take(token)
        door = request.cookies.get(COOKIE, "")
        if self.own_form and request.method not in SAFE:
            await require_own_form(request, csrf_of(door))
        await run_in_threadpool(_check, context, link)
        return Visit(link, token, door or secrets.token_urlsafe(18))

    def _read(self, request: Request, context: WebContext, token: str) -> Link:
        """A wrong token is counted against its address, so that nobody tries them all."""
        try:
            return links.read(context.work.keys.vault, token, now=context.work.clock.now())
        except Missing:
            context.guesses.take(f"at:{request.client.host if request.client else ''}")
            raise


def _check(context: WebContext, link: Link) -> None:
    with context.work.begin(shops=Shops.of([link.shop_id]), read_only=True) as tx:
        actions.check(tx, link)


Visiting = Annotated[Visit, Depends(LinkDoor())]
OneClick = Annotated[Visit, Depends(LinkDoor(own_form=False))]


def keep_door(response: Response, visit: Visit, *, secure: bool) -> None:
    """The random cookie that a form's token is bound to: it says nothing of who it is."""
    response.set_cookie(COOKIE, visit.door, max_age=COOKIE_S, httponly=True, samesite="lax", secure=secure, path="/t")
