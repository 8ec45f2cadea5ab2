"""One call of the HTTP interface: who calls, what they send, and the answer, in a transaction that sees their shops.

Every route of `api` takes a `Call` from `may(PERMISSION)` and says with `told(...)` what it takes and gives; from
those two the test of callers and /api/openapi.json are made. Idempotency keys are honoured here for every route that
changes something.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import psycopg
from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Conflict, Invalid
from waystream.kernel.tx import Tx, Work
from waystream.web import cursor, idempotency, wire
from waystream.web.auth import SAFE, Requirement, Seat, take_seat
from waystream.web.context import WebContext, context_of
from waystream.web.idempotency import Kept, Repeatable

T = TypeVar("T")
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

PAGE_MAX = 500


@dataclass(frozen=True, slots=True)
class Call:
    """`body` is empty for a route that only reads."""

    request: Request
    seat: Seat
    body: bytes = field(repr=False)

    @property
    def actor(self) -> str:
        return self.seat.caller.actor

    @property
    def context(self) -> WebContext:
        return context_of(self.request)

    def read(self, shape: type[T]) -> T:
        """The body as a value. Raises `Invalid` naming the path."""
        return wire.read(wire.decode(self.body, lined=getattr(shape, "LINED", ())), shape)

    def show(self, work: Callable[[Tx], object], *, setup: bool = False) -> Response:
        """Read something. `setup`: what belongs to no shop, so that the route's permission is the only bound."""
        with self._work(setup).begin(shops=None if setup else self.seat.shops, read_only=True) as tx:
            value = work(tx)
        return Response(wire.encode(value), media_type=wire.JSON)

    def do(
        self, work: Callable[[Tx], object], *, status: int = 200, setup: bool = False, kept: bool = True
    ) -> Response:
        """Change something; told again under the same key, the first answer again (unless it must not be `kept`)."""

        def done(tx: Tx) -> Kept:
            return Kept(status, wire.encode(work(tx)))

        repeatable = self._repeatable() if kept else None
        try:
            reply = self._work(setup).run(
                lambda tx: done(tx) if repeatable is None else idempotency.once(tx, repeatable, done),
                shops=None if setup else self.seat.shops,
            )
        except psycopg.errors.UniqueViolation:
            # The database knows of rows this caller may not see, and of what was done in the same moment.
            raise Conflict("This is held by something else already") from None
        headers = {idempotency.REPLAYED: "true"} if reply.replayed else None
        return Response(reply.body, reply.status, headers, media_type=wire.JSON)

    def _work(self, setup: bool) -> Work:
        return self.context.machine if setup else self.context.work

    def _repeatable(self) -> Repeatable | None:
        header = self.request.headers.get(idempotency.HEADER)
        if header is None:
            return None
        url = self.request.url
        asks = idempotency.hash_request(self.request.method, f"{url.path}?{url.query}", self.body)
        return Repeatable(self.actor, idempotency.read_key(header), asks)


@dataclass(frozen=True, slots=True)
class May:
    """The permission of a route of the interface, as its dependency."""

    permission: str

    async def __call__(self, request: Request) -> Call:
        seat = await take_seat(request)
        address = request.client.host if request.client else ""
        context_of(request).requests.take(seat.caller.actor if seat else f"at:{address}")
        seat = await Requirement(self.permission)(request)
        if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
            raise Invalid("address", "no address has a NUL in it")  # and no text of the database
        return Call(request, seat, b"" if request.method in SAFE else await request.body())


def may(permission: str) -> Any:
    """`call: Annotated[Call, may("orders:read")]`"""
    return Depends(May(permission))


@dataclass(frozen=True, slots=True)
class Doc:
    """What a route takes and gives, for its description; `media`: an answer that is no JSON."""

    takes: Any = None
    gives: Any = None
    errors: tuple[int, ...] = ()
    status: int = 200
    example: Any = None
    media: str = wire.JSON


def told(
    *,
    takes: Any = None,
    gives: Any = None,
    errors: tuple[int, ...] = (),
    status: int = 200,
    example: Any = None,
    media: str = wire.JSON,
) -> Callable[[Endpoint], Endpoint]:
    """Say what a route takes and gives, and which statuses beyond those every route has (401, 403, 429)."""

    def write_down(endpoint: Endpoint) -> Endpoint:
        DOCS[endpoint] = Doc(takes, gives, errors, status, example, media)
        return endpoint

    return write_down


DOCS: dict[Callable[..., Any], Doc] = {}


def go_on(after: str) -> tuple[datetime, int] | None:
    """Where a list goes on, as `after` of the page before said. Raises `Invalid`."""
    found = cursor.read_cursor(after) if after else None
    if after and found is None:
        raise Invalid("after", "not the `after` of a page of ours")
    return found
