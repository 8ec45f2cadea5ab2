"""Around every request: headers that keep a browser careful, a bound on bodies, a log line without personal data.

Plain ASGI, so that streams pass through untouched. Answers to errors are `errors`.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from waystream.core.errors import TooLarge
from waystream.web.errors import answer_error

access = logging.getLogger("waystream.access")

CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = (
    (b"content-security-policy", CONTENT_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")
QUIET = ("/healthz", "/readyz", "/metrics", "/assets/")


def frame_policy(origins: Sequence[str]) -> str:
    """The content policy of a page that these origins, and no others, may show in a frame."""
    ancestors = " ".join(origins) or "'none'"
    return CONTENT_POLICY.replace("frame-ancestors 'none'", f"frame-ancestors {ancestors}")


class Careful:
    """Adds the security headers; pages are never kept by a cache unless they say so themselves."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._headers = (*HEADERS, STRICT_TRANSPORT) if https else HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _joined(message["headers"], self._headers)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _joined(headers: list[tuple[bytes, bytes]], more: tuple[tuple[bytes, bytes], ...]) -> list[tuple[bytes, bytes]]:
    present = {name.lower() for name, _ in headers}
    kept = b"cache-control" in present
    # A page with a policy of its own says there who may frame it; the old header knows no such list.
    own_policy = b"content-security-policy" in present
    added = [pair for pair in more if pair[0] not in present and not (own_policy and pair[0] == b"x-frame-options")]
    return [*headers, *added, *([] if kept else [(b"cache-control", b"no-store")])]


class BodyLimit:
    """Answers 413 to a body over the limit: by its announced length, or as soon as it grows over it."""

    def __init__(self, app: ASGIApp, *, limit_bytes: int, files: Mapping[str, int]) -> None:
        """`files`: paths that take files, with limits of their own."""
        self._app = app
        self._limit_bytes = limit_bytes
        self._files = files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit_bytes = self._files.get(scope["path"], self._limit_bytes)
        if announced_bytes(scope) > limit_bytes:
            answer = answer_error(Request(scope), _too_large(limit_bytes))
            answer.headers["Connection"] = "close"
            await answer(scope, receive, send)
            return
        await self._app(scope, _counting(receive, limit_bytes), send)


def _counting(receive: Receive, limit_bytes: int) -> Receive:
    seen_bytes = 0

    async def receive_counting() -> Message:
        nonlocal seen_bytes
        message = await receive()
        seen_bytes += len(message.get("body", b""))
        if seen_bytes > limit_bytes:
            # FastAPI lets only its own kind of error through while it reads a body.
            raise HTTPException(413, _too_large(limit_bytes).sentence)
        return message

    return receive_counting


def _too_large(limit_bytes: int) -> TooLarge:
    return TooLarge(f"The body is over the limit of {limit_bytes} bytes")


def announced_bytes(scope: Scope) -> int:
    """How long a request says its body is; 0 where it does not say."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


class AccessLog:
    """One line a request: method, the route's template (never the address itself), status, milliseconds."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(QUIET):
            await self._app(scope, receive, send)
            return
        began_s = time.monotonic()
        status = 500

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            route = getattr(scope.get("route"), "path", "-")
            access.info("%s %s %d %.0f ms", scope["method"], route, status, (time.monotonic() - began_s) * 1000)


class EndsQuietly:
    """A request that the end of the server cuts off is answered with failure: it is no error of ours to be logged."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def note_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, note_start)
        except asyncio.CancelledError:
            if scope["type"] != "http":
                raise
            if not started:
                gone = PlainTextResponse("stopping\n", 503, {"Connection": "close", "Retry-After": "5"})
                await gone(scope, receive, send)
