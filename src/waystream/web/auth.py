"""Who is asking, and may they: sessions by cookie for pages, API keys for programs, a permission on every route.

Guaranteed: a route declares what it needs with `requires(...)` or says `open_to_all()`, and a test walks them all; a
form is taken only from our own pages (a token bound to the session, and the browser's word on where it came from).
Roles, permissions, sessions and keys themselves are `parts.people`.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any

from fastapi import Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Forbidden
from waystream.kernel.database import Shops
from waystream.parts.people import actions as people
from waystream.parts.people.model import SESSION_S, Caller
from waystream.web.context import WebContext, context_of
from waystream.web.problems import NewPasswordFirst, SignInFirst
from waystream.web.shell.language import N_

SIGNED_IN = "signed-in"
PUBLIC = "public"
SESSION_COOKIE = "waystream_session"
DOOR_COOKIE = "waystream_door"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
BEFORE_CHANGE = ("/me", "/sign-out")
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True, slots=True)
class Seat:
    """A caller in this request. `csrf` is what their forms carry; a program with a key needs none."""

    caller: Caller
    csrf: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    staff_id: int = 0

    @property
    def shops(self) -> Shops:
        return self.caller.shops

    @property
    def by_key(self) -> bool:
        return not self.token

    def require(self, permission: str) -> None:
        """Raises `Forbidden` without it."""
        if not self.caller.may(permission):
            raise Forbidden(N_("Your role lacks what this needs"))


@dataclass(frozen=True, slots=True)
class Requirement:
    """The permission of a route, as its dependency; tests read `permission` from there."""

    permission: str

    async def __call__(self, request: Request) -> Seat:
        seat = await take_seat(request)
        if seat is None:
            raise SignInFirst(N_("Sign in first"))
        if seat.caller.must_change and not request.url.path.startswith(BEFORE_CHANGE):
            raise NewPasswordFirst(N_("Choose a password of your own first"))
        if self.permission != SIGNED_IN:
            seat.require(self.permission)
        if not seat.by_key:
            await require_own_form(request, seat.csrf)
        return seat


@dataclass(frozen=True, slots=True)
class OpenDoor:
    """A route without a caller. Its forms still have to be ours."""

    own_forms: bool
    permission: str = PUBLIC

    async def __call__(self, request: Request) -> None:
        seat = await take_seat(request)
        if self.own_forms:
            await require_own_form(request, seat.csrf if seat else csrf_of(request.cookies.get(DOOR_COOKIE, "")))


def requires(permission: str) -> Any:
    """`seat: Annotated[Seat, requires("orders:read")]`"""
    return Depends(Requirement(permission))


def open_to_all(*, own_forms: bool = False) -> Any:
    return Depends(OpenDoor(own_forms))


def seat_of(request: Request) -> Seat | None:
    """The caller, if a requirement of this request has found one."""
    found: Seat | None = getattr(request.state, "seat", None)
    return found


async def take_seat(request: Request) -> Seat | None:
    """Find the caller by key or cookie, once for a request."""
    if not hasattr(request.state, "seat"):
        # Before anything is read: what is told after this, a page that follows has to hear of.
        request.state.since = context_of(request).live.position
        request.state.seat = await run_in_threadpool(_find_seat, request, context_of(request))
    return seat_of(request)


def _find_seat(request: Request, context: WebContext) -> Seat | None:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        # A key opens the interface for programs, never a page.
        return _find_key(context, secret.strip()) if request.url.path.startswith("/api/") else None
    token = request.cookies.get(SESSION_COOKIE, "")
    if not token:
        return None
    signed_in = context.machine.run(lambda tx: people.find_signed_in(tx, token))
    return Seat(signed_in.caller, csrf_of(token), token, signed_in.staff_id) if signed_in else None


def _find_key(context: WebContext, secret: str) -> Seat | None:
    caller = context.machine.run(lambda tx: people.find_key_caller(tx, secret))
    return Seat(caller) if caller else None


def csrf_of(token: str) -> str:
    """The token of this session's forms: whoever knows it knew the session, which no other site does."""
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest() if token else ""


async def require_own_form(request: Request, expected: str) -> None:
    """Raises `Forbidden` unless the request only reads, or carries the token and came from our own page."""
    if request.method in SAFE:
        return
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise Forbidden(N_("This form did not come from Waystream: open the page again"))
    given = request.headers.get("x-csrf") or await _read_token(request)
    if not expected or not secrets.compare_digest(given.encode(), expected.encode()):
        raise Forbidden(N_("This form did not come from Waystream: open the page again"))


async def _read_token(request: Request) -> str:
    if not request.headers.get("content-type", "").startswith(FORMS):
        return ""
    form = await request.form()
    given = form.get("csrf", "")
    return given if isinstance(given, str) else ""


def open_session(response: Response, token: str, *, secure: bool) -> None:
    response.set_cookie(
        SESSION_COOKIE, token, max_age=SESSION_S, httponly=True, samesite="lax", secure=secure, path="/"
    )
    response.delete_cookie(DOOR_COOKIE)


def close_session(response: Response) -> None:
    response.delete_cookie(SESSION_COOKIE, path="/")


def door_token(request: Request) -> str:
    """The random cookie of somebody who has no session yet: made here, set by `keep_door`."""
    return request.cookies.get(DOOR_COOKIE) or secrets.token_urlsafe(24)


def keep_door(response: Response, door: str, *, secure: bool) -> None:
    response.set_cookie(DOOR_COOKIE, door, max_age=3600, httponly=True, samesite="lax", secure=secure, path="/")
