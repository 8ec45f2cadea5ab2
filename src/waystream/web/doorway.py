"""The way in for pushes: HTTP before the web's routes and layers, which cost more than all else that happens to a push.

Guaranteed: a push is answered by its desk; its body is bounded before it is kept; what goes wrong is answered as the
rest of the web answers it. Every other request goes on to the web.
"""

import re
from typing import NoReturn

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from waystream.core.errors import TooLarge, WaystreamError
from waystream.core.ports import Reply
from waystream.web.errors import LastResort, answer_error
from waystream.web.middleware import EndsQuietly, announced_bytes
from waystream.web.push import PushDesk

ADDRESS = re.compile(r"/push/([^/]+)/([^/]+)")
HEADERS = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))


class Doorway:
    """`POST /push/INTEGRATION/ACCOUNT`, open to all: the signature is the key. What was not taken in is logged by the
    desk, what was is in the inbox: there is no line for each of them."""

    def __init__(self, web: ASGIApp, desk: PushDesk) -> None:
        self._web = web
        self._desk = desk
        self._pushes = EndsQuietly(LastResort(self._answer))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith("/push/"):
            await self._pushes(scope, receive, send)
        else:
            await self._web(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = ADDRESS.fullmatch(scope["path"])
        if address is None:
            await self._web(scope, receive, send)
            return
        try:
            account, network = self._desk.find(address[1], address[2])
            body = await _read_body(scope, receive, limit_bytes=self._desk.body_limit_bytes)
            reply = await self._desk.answer(account, network, body)
        except WaystreamError as error:
            await answer_error(Request(scope), error)(scope, receive, send)
        except ClientDisconnect:
            return  # nobody is there to hear
        else:
            await _send(send, reply)


async def _read_body(scope: Scope, receive: Receive, *, limit_bytes: int) -> bytes:
    """The whole body. Raises `TooLarge` as soon as it is announced or seen to be."""
    if announced_bytes(scope) > limit_bytes:
        _refuse(limit_bytes)
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > limit_bytes:
            _refuse(limit_bytes)
        more = message.get("more_body", False)
    return body


def _refuse(limit_bytes: int) -> NoReturn:
    raise TooLarge(f"A push may have {limit_bytes} bytes")


async def _send(send: Send, reply: Reply) -> None:
    told = [(name.encode(), value.encode()) for name, value in reply.headers]
    length = (b"content-length", str(len(reply.body)).encode())
    await send({"type": "http.response.start", "status": reply.status, "headers": [*told, length, *HEADERS]})
    await send({"type": "http.response.body", "body": reply.body})
