"""One kept-alive HTTP connection that posts bodies made beforehand, at little CPU: what is measured shares the cores.

A lane carries one push at a time: no pipelining, as carriers do not pipeline.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"


class Answered(Protocol):
    """Told of each answer's status."""

    def __call__(self, lane: "Lane", status: int, /) -> None: ...


class Lane(asyncio.Protocol):
    """Post with `send`; the answer comes by `answered`, a connection that breaks by `broken`."""

    def __init__(self, answered: Answered, broken: Callable[[Exception], None]) -> None:
        self._answered = answered
        self._broken = broken
        self._heard = b""
        self._transport: asyncio.WriteTransport | None = None
        self._closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def send(self, request: bytes) -> None:
        assert self._transport is not None
        self._transport.write(request)

    def close(self) -> None:
        self._closing = True
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._heard += data
        status = _read_status(self._heard)
        if status:
            self._heard = b""
            self._answered(self, status)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._closing:
            self._broken(exc or ConnectionError("the server closed the connection"))


def _read_status(heard: bytes) -> int:
    """The status of a whole answer; 0 while some of it is missing."""
    end = heard.find(HEAD_END)
    if end < 0:
        return 0
    head = heard[:end].lower()
    at = head.find(LENGTH)
    assert at >= 0, "an answer without a length"
    length = int(head[at + len(LENGTH) :].partition(b"\r")[0])
    return int(heard[9:12]) if len(heard) >= end + len(HEAD_END) + length else 0


def as_request(body: bytes, path: str) -> bytes:
    head = (f"POST {path} HTTP/1.1\r\nhost: waystream\r\ncontent-type: application/x-www-form-urlencoded\r\n"
            f"content-length: {len(body)}\r\n\r\n")  # fmt: skip
    return head.encode() + body
