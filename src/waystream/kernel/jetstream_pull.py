"""Taking messages off a stream: a durable consumer that any number of processes share, each keeping one request open.

Guaranteed: a message is handed out again unless it is settled with `done`: at once after `again`, and by itself when
whoever took it is not heard of for `ACK_WAIT_S`. So every message is settled at least once; whoever takes it makes
sure that twice is harmless. At most `room` messages are taken and not settled.
"""

import asyncio
import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js import api

from waystream.core.errors import Unavailable
from waystream.kernel.database import error_text
from waystream.kernel.jetstream import JetStream

log = logging.getLogger(__name__)

ACK_WAIT_S = 8.0
ACKS_PENDING_MAX = 20_000  # of all processes together
REQUEST_S = 5.0
HEARTBEAT_S = 1.0
REST_S = 0.5
AGAIN_S = 2.0
HEARTBEAT = "100"


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that is ours for now."""

    body: bytes
    headers: Mapping[str, str]
    _settle: Callable[[float | None], None] = field(repr=False)

    def done(self) -> None:
        """It had its effect, durably: the stream may forget it."""
        self._settle(None)

    def again(self, *, after_s: float) -> None:
        """It could not be done now: hand it out again."""
        self._settle(after_s)


class Pull:
    """Hands messages to `hand`, in batches, in a thread of its own; `hand` settles each when it is ready."""

    def __init__(
        self,
        jetstream: JetStream,
        stream: str,
        *,
        consumer: str,
        hand: Callable[[Sequence[Taken]], None],
        room: int,
        room_bytes: int,
    ) -> None:
        self._jetstream = jetstream
        self._stream = jetstream.name_of(stream)
        self._consumer = consumer
        self._hand = hand
        self._room = room
        self._room_bytes = room_bytes
        self._hands = ThreadPoolExecutor(1, thread_name_prefix="pull")
        self._open = 0
        self._settled: deque[tuple[Msg, float | None]] = deque()
        self._ended = threading.Event()
        self._to_settle, self._room_grew = asyncio.Event(), asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._jetstream.run(self._begin(), within_s=REQUEST_S)

    def close(self) -> None:
        """Take nothing more; what was taken can still be settled."""
        try:
            self._jetstream.run(self._stop_pulling(), within_s=REQUEST_S)
        except Unavailable as error:
            log.warning("the stream does not hear that we stop: %s", error.sentence)

    def stop(self) -> None:
        """Say what was settled, then end. What is not settled is handed out again, to others as well."""
        self._ended.set()
        try:
            self._jetstream.run(self._stop_settling(), within_s=REQUEST_S)
        except Unavailable as error:
            log.warning("some messages will be taken again: %s", error.sentence)
        self._hands.shutdown()

    async def _begin(self) -> None:
        await self._jetstream.context.add_consumer(
            self._stream,
            api.ConsumerConfig(
                durable_name=self._consumer,
                ack_policy=api.AckPolicy.EXPLICIT,
                ack_wait=ACK_WAIT_S,
                max_ack_pending=ACKS_PENDING_MAX,
                max_deliver=-1,
            ),
        )
        self._tasks = [asyncio.create_task(self._keep_pulling()), asyncio.create_task(self._keep_settling())]

    async def _stop_pulling(self) -> None:
        self._tasks[0].cancel()
        await asyncio.gather(self._tasks[0], return_exceptions=True)

    async def _stop_settling(self) -> None:
        self._to_settle.set()
        await self._tasks[1]
        await self._jetstream.client.flush()

    # ------------------------------------------------------------------ taking

    async def _keep_pulling(self) -> None:
        client = self._jetstream.client
        inbox = client.new_inbox()
        subscription = await client.subscribe(inbox)
        try:
            while True:
                await self._pull_once(subscription, inbox)
        finally:
            await subscription.unsubscribe()

    async def _pull_once(self, subscription: Subscription, inbox: str) -> None:
        try:
            await self._pull(subscription, inbox)
        except (NatsError, TimeoutError) as error:
            log.info("pulling from %s is tried again: %s", self._stream, type(error).__name__)
            await asyncio.sleep(REST_S)

    async def _pull(self, subscription: Subscription, inbox: str) -> None:
        """One request, until it is answered, has run out, or nothing is heard of the server."""
        while self._open > self._room // 2:
            await _next(self._room_grew)
        batch = self._room - self._open
        ask = {"batch": batch, "max_bytes": self._room_bytes, "expires": nanoseconds(REQUEST_S),
               "idle_heartbeat": nanoseconds(HEARTBEAT_S)}  # fmt: skip
        next_subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._consumer}"
        await self._jetstream.client.publish(next_subject, json.dumps(ask).encode(), reply=inbox)
        while batch > 0:
            messages, ended = await _arrived(subscription)
            batch -= len(messages)
            await self._give(messages)
            if ended:
                return

    async def _give(self, messages: Sequence[Msg]) -> None:
        if not messages:
            return
        self._open += len(messages)
        taken = [Taken(msg.data, msg.headers or {}, self._settler(msg)) for msg in messages]
        handing = self._hands.submit(self._hand, taken)
        await asyncio.wait([asyncio.wrap_future(handing)])
        error = handing.exception()
        if error is not None:
            log.error("%d messages could not be taken: %s", len(taken), error_text(error))
            for each in taken:
                each.again(after_s=AGAIN_S)

    # ------------------------------------------------------------------ settling

    def _settler(self, msg: Msg) -> Callable[[float | None], None]:
        """Only the first word counts."""
        unsettled = [msg]

        def settle(after_s: float | None) -> None:
            if unsettled:
                self._settled.append((unsettled.pop(), after_s))
                self._jetstream.loop.call_soon_threadsafe(self._to_settle.set)

        return settle

    async def _keep_settling(self) -> None:
        """Say what was settled, as it comes; acks are not waited for: a lost one only means that it comes again."""
        while not (self._ended.is_set() and not self._settled):
            await _next(self._to_settle)
            while self._settled:
                msg, after_s = self._settled.popleft()
                self._open -= 1
                self._room_grew.set()
                try:
                    await (msg.ack() if after_s is None else msg.nak(delay=after_s))
                except NatsError as error:
                    log.info("a settled message comes again: %s", type(error).__name__)


async def _next(change: asyncio.Event) -> None:
    await change.wait()
    change.clear()


async def _arrived(subscription: Subscription) -> tuple[list[Msg], bool]:
    """What is here, at least one message or word of the server; whether the request has ended."""
    messages: list[Msg] = []
    msg = await subscription.next_msg(timeout=2.5 * HEARTBEAT_S)
    while True:
        status = (msg.headers or {}).get(api.Header.STATUS)
        if status is None:
            messages.append(msg)
        elif status != HEARTBEAT:
            return messages, True
        if not subscription.pending_msgs:
            return messages, False
        msg = await subscription.next_msg(timeout=HEARTBEAT_S)


def nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
