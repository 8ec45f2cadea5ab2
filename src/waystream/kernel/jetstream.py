"""NATS JetStream: one connection in a thread of its own; everything here may be called from any thread.

Guaranteed: a message counts as published only once the servers of its stream have it on disk (`PubAck` of a file-backed
stream); a try that is not answered is repeated under the same message id, so it is stored once; what cannot be
published in time is `Unavailable`. Taking messages off a stream is `jetstream_pull`; what they mean is told elsewhere.
"""

import asyncio
import contextlib
import logging
import random
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import nats
import uvloop
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext, api
from nats.js.errors import APIError, NotFoundError

from waystream.core.errors import Conflict, Invalid, Unavailable

log = logging.getLogger(__name__)

T = TypeVar("T")

TRY_S = 0.5  # an unanswered try: killing a leader stalls its stream, asking again finds the new one soonest
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 0.5  # thousands may be waiting for the same new leader
CONNECT_S = 10.0
ANSWER_S = 5.0
RECONNECT_S = 0.2
PING_S = 2
DEDUP_S = 600.0
GIGABYTE = 1024**3


@dataclass(frozen=True, slots=True)
class Place:
    """Where the servers are and what is ours there: stream names and subjects begin with `prefix`."""

    urls: tuple[str, ...]
    credentials: Path | None
    prefix: str
    replicas: int


@dataclass(frozen=True, slots=True)
class Stream:
    """A file-backed stream of ours. A `queue` forgets what was taken off it and refuses what finds no room; otherwise
    everything is kept for `keep_s`, and the oldest makes room."""

    name: str
    queue: bool
    max_bytes: int
    keep_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Message:
    """`id` is what it is known by: the same id is stored once within `DEDUP_S`."""

    stream: str
    topic: str
    id: str
    body: bytes
    headers: Mapping[str, str]


class JetStream:
    """The connection, from `start` to `stop`."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="jetstream", daemon=True)
        self._client: Client | None = None
        self._closing = False

    def start(self) -> None:
        """Connect. Raises `Unavailable` when no server answers."""
        self._thread.start()
        with contextlib.ExitStack() as undo:
            undo.callback(self.stop)
            self.run(self._connect(), within_s=CONNECT_S)
            undo.pop_all()

    def stop(self) -> None:
        """Send what is buffered and close; harmless when not connected."""
        self._closing = True
        if self._client is not None:
            with contextlib.suppress(Unavailable):
                self.run(self._client.close(), within_s=ANSWER_S)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def client(self) -> Client:
        assert self._client is not None, "not started"
        return self._client

    @property
    def context(self) -> JetStreamContext:
        return self.client.jetstream(timeout=ANSWER_S)

    @property
    def body_limit_bytes(self) -> int:
        """What the server takes in one message, headers included."""
        return int(self.client.max_payload)

    def name_of(self, stream: str) -> str:
        return f"{self.place.prefix}-{stream}"

    def subject_of(self, stream: str, topic: str) -> str:
        return f"{self.place.prefix}.{stream}.{topic}"

    def run(self, work: Coroutine[Any, Any, T], *, within_s: float) -> T:
        """Do it in the connection's thread. Raises `Unavailable` when it fails or takes too long."""
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            return future.result(within_s)
        except (NatsError, OSError, TimeoutError) as error:
            future.cancel()
            raise Unavailable(f"JetStream does not answer ({type(error).__name__})", retry_after_s=2) from error

    def ensure(self, stream: Stream) -> None:
        """Make the stream if it is not there; one that is there is left as its administrator wants it."""
        self.run(self._ensure(stream), within_s=CONNECT_S)

    def find_stream(self, name: str) -> api.StreamInfo | None:
        """What the servers say of a stream of ours."""
        return self.run(self._find(self.name_of(name)), within_s=ANSWER_S)

    def publish(self, message: Message, *, within_s: float) -> "Future[None]":
        """Ends when the stream has it, or with `Unavailable` after `within_s`."""
        return asyncio.run_coroutine_threadsafe(self.publish_here(message, within_s=within_s), self.loop)

    async def publish_here(self, message: Message, *, within_s: float) -> None:
        """`publish` for who is in the connection's own thread."""
        subject = self.subject_of(message.stream, message.topic)
        headers = {**message.headers, api.Header.MSG_ID: message.id}
        ends_s, pause_s = self.loop.time() + within_s, FIRST_PAUSE_S
        while (left_s := ends_s - self.loop.time()) > 0:
            if self.client.is_connected:
                try:
                    await self.context.publish(subject, message.body, timeout=min(TRY_S, left_s), headers=headers)
                    return
                except NatsError as error:
                    log.debug("published again: %s", type(error).__name__)
            await asyncio.sleep(min(left_s, random.uniform(0.5, 1.0) * pause_s))
            pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)
        raise Unavailable("The stream does not take it in time", retry_after_s=2)

    async def _connect(self) -> None:
        place = self.place
        self._client = await nats.connect(
            servers=list(place.urls),
            user_credentials=str(place.credentials) if place.credentials else None,
            name="waystream",
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_S,
            connect_timeout=2,
            ping_interval=PING_S,
            max_outstanding_pings=2,
            error_cb=_say,
            disconnected_cb=self._say_lost,
        )

    async def _find(self, name: str) -> api.StreamInfo | None:
        try:
            return await self.context.stream_info(name)
        except NotFoundError:
            return None

    async def _ensure(self, stream: Stream) -> None:
        name, replicas = self.name_of(stream.name), self.place.replicas
        if await self._find(name) is not None:
            return
        try:
            await self.context.add_stream(self._config(stream))
        except APIError as error:
            raise Conflict(
                f"NATS refuses the stream {name} with {replicas} replicas ({error.description}): it takes as many "
                f"servers (nats_replicas), each with room for it (nats_pushes_gb, nats_events_gb)."
            ) from error

    async def _say_lost(self) -> None:
        if not self._closing:
            log.warning("the connection to JetStream is lost; trying the other servers")

    def _config(self, stream: Stream) -> api.StreamConfig:
        return api.StreamConfig(
            name=self.name_of(stream.name),
            subjects=[self.subject_of(stream.name, ">")],
            storage=api.StorageType.FILE,
            num_replicas=self.place.replicas,
            retention=api.RetentionPolicy.WORK_QUEUE if stream.queue else api.RetentionPolicy.LIMITS,
            discard=api.DiscardPolicy.NEW if stream.queue else api.DiscardPolicy.OLD,
            max_bytes=stream.max_bytes,
            max_age=stream.keep_s,
            duplicate_window=DEDUP_S,
        )


def require_room(jetstream: JetStream, *, body_bytes: int, headers_bytes: int = 4096) -> None:
    """Raises `Invalid` unless the server takes a message of so many bytes."""
    if jetstream.body_limit_bytes < body_bytes + headers_bytes:
        raise Invalid(
            "push_body_kb",
            f"NATS takes {jetstream.body_limit_bytes} bytes in a message and a push may have {body_bytes}: "
            f"raise max_payload of the NATS servers to 8MB, or lower push_body_kb.",
        )


async def _say(error: Exception) -> None:
    log.warning("JetStream: %s", type(error).__name__)
