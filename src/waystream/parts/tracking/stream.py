"""Pushes by way of a stream: `StreamDoor` takes them in, `StreamApplier` hands them to the same door as without one.

Guaranteed: a push is acknowledged once the stream has it on disk, under its digest as message id, or within
`PUBLISH_S` refused with "again later"; it leaves the stream after the commit of its effects. Exactly once is not the
stream's doing but the inbox's, by the digest. On the stream a push is sealed under the key of its day, bound to whose
it is and when it came, so that nobody who reaches the stream can read one or make one up.
"""

import logging
import threading
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from datetime import date, datetime, timedelta
from functools import partial
from typing import Protocol

import psycopg

from waystream.core.errors import Unavailable, Unreadable, WaystreamError
from waystream.core.ports import Network
from waystream.kernel import vault
from waystream.kernel.database import error_text
from waystream.kernel.ids import mint_ids
from waystream.kernel.jetstream import GIGABYTE, JetStream, Message, Stream, require_room
from waystream.kernel.jetstream_pull import Pull, Taken
from waystream.kernel.tx import Tx, Work
from waystream.parts.tracking import actions
from waystream.parts.tracking.door import WAITING_MAX_BYTES, WAITING_MAX_PUSHES, Door
from waystream.parts.tracking.model import Received

log = logging.getLogger(__name__)

STREAM, CONSUMER = "pushes", "apply"
PUBLISH_S = 3.0  # carriers hang up after five seconds
TEND_S = 1.0
AGAIN_S = 2.0
UNKNOWN_AGAIN_S = 30.0
MOST_DIGITS = 19
TAKEN_MAX_BYTES = 16 * 1024 * 1024
KEY, ACCOUNT, NETWORK, AT, DIGEST = "Ws-Key", "Ws-Account", "Ws-Network", "Ws-At", "Nats-Msg-Id"


class PushDoor(Protocol):
    """Where a verified push goes. The future ends when it is durable; `Unavailable` means: send it again later."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def submit(self, received: Received, /) -> "Future[None]": ...


def push_stream(*, max_gb: int) -> Stream:
    """Where pushes wait for whoever applies them. When it is full carriers are told "again later"."""
    return Stream(STREAM, queue=True, max_bytes=max_gb * GIGABYTE)


class StreamDoor:
    """Publishes pushes. What is not yet on the stream is bounded, as at the other door."""

    def __init__(
        self,
        work: Work,
        jetstream: JetStream,
        stream: Stream,
        *,
        body_limit_bytes: int,
        waiting_max_pushes: int = WAITING_MAX_PUSHES,
        waiting_max_bytes: int = WAITING_MAX_BYTES,
    ) -> None:
        self._work = work
        self._jetstream = jetstream
        self._stream = stream
        self._body_limit_bytes = body_limit_bytes
        self._waiting_max_pushes = waiting_max_pushes
        self._waiting_max_bytes = waiting_max_bytes
        self._keys: Mapping[date, tuple[int, bytes]] = {}
        self._waiting = self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._tend, name="stream door", daemon=True)

    def start(self) -> None:
        """Raises `Unavailable` without database or stream, `Invalid` if the stream could not hold every push."""
        require_room(self._jetstream, body_bytes=self._body_limit_bytes)
        self._jetstream.ensure(self._stream)
        self._find_keys()
        self._thread.start()

    def stop(self) -> None:
        """Wait for what is on its way."""
        self._ended.set()
        self._thread.join()
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting, timeout=PUBLISH_S)

    def submit(self, received: Received) -> "Future[None]":
        size = len(received.body)
        with self._changed:
            full = self._waiting >= self._waiting_max_pushes or self._waiting_bytes + size > self._waiting_max_bytes
            if full or self._ended.is_set():
                raise Unavailable("Too many pushes are waiting: send it again later")
            self._waiting += 1
            self._waiting_bytes += size
        try:
            published = self._jetstream.publish(self._seal(received), within_s=PUBLISH_S)
        except WaystreamError:
            self._let_go(size)
            raise
        published.add_done_callback(lambda _: self._let_go(size))
        return published

    def _let_go(self, size: int) -> None:
        with self._changed:
            self._waiting -= 1
            self._waiting_bytes -= size
            self._changed.notify_all()

    def _seal(self, received: Received) -> Message:
        key_id, key = self._key_of(received.received_at.date())
        headers = {
            KEY: str(key_id),
            ACCOUNT: str(received.aggregator_id),
            NETWORK: received.network.name,
            AT: received.received_at.isoformat(),
        }
        digest = received.digest.hex()
        sealed = vault.seal_packed(key, received.body, aad=bound_to(headers, digest))
        return Message(STREAM, headers[ACCOUNT], digest, sealed, headers)

    def _key_of(self, day: date) -> tuple[int, bytes]:
        found = self._keys.get(day)
        if found is None:
            raise Unavailable("There is no key yet for this day: send it again later")
        return found

    def _tend(self) -> None:
        while not self._ended.wait(TEND_S):
            try:
                self._find_keys()
            except (psycopg.Error, WaystreamError) as error:
                log.warning("the keys of the day were not looked up: %s", error_text(error))

    def _find_keys(self) -> None:
        """Today's and tomorrow's, so that pushes are taken while the database is away, over midnight too."""
        today = self._work.clock.now().date()
        days = (today, today + timedelta(days=1))
        if not all(day in self._keys for day in days):
            self._keys = self._work.run(lambda tx: {day: tx.keys.day_key(tx.conn, day) for day in days})


class StreamApplier:
    """Takes pushes off the stream and settles each once the door has applied it or laid it aside."""

    def __init__(
        self,
        work: Work,
        jetstream: JetStream,
        stream: Stream,
        *,
        networks: Mapping[str, Network],
        door: Door,
        room: int,
    ) -> None:
        self._work = work
        self._jetstream = jetstream
        self._stream = stream
        self._networks = networks
        self._door = door
        self._pull = Pull(jetstream, STREAM, consumer=CONSUMER, hand=self.take, room=room, room_bytes=TAKEN_MAX_BYTES)

    def start(self) -> None:
        self._jetstream.ensure(self._stream)
        self._door.start()
        self._pull.start()

    def stop(self) -> None:
        """Take nothing more, apply what was taken, say so."""
        self._pull.close()
        self._door.stop()
        self._pull.stop()

    def take(self, batch: Sequence[Taken]) -> None:
        """Hand each push to the door; what cannot be done now comes again."""
        try:
            keys = self._load_keys({key_id_of(taken) for taken in batch})
        except (psycopg.Error, Unavailable) as error:
            log.warning("%d pushes wait for the database: %s", len(batch), error_text(error))
            for taken in batch:
                taken.again(after_s=AGAIN_S)
            return
        for taken in batch:
            self._take_one(taken, keys)

    def _load_keys(self, ids: Collection[int]) -> dict[int, bytes]:
        return self._work.run(lambda tx: tx.keys.load(tx.conn, ids))

    def _take_one(self, taken: Taken, keys: Mapping[int, bytes]) -> None:
        network = self._networks.get(taken.headers.get(NETWORK, ""))
        body = opened(taken, keys)
        if body is None:
            taken.done()
        elif network is None:
            log.error("a push of the unknown network %s waits on the stream", taken.headers[NETWORK])
            taken.again(after_s=UNKNOWN_AGAIN_S)
        else:
            self._apply(taken, network, body)

    def _apply(self, taken: Taken, network: Network, body: bytes) -> None:
        try:
            applied = self._door.submit(received_of(taken, network, body))
        except Unreadable as error:
            self._quarantine(taken, body, error)
        except Unavailable:
            taken.again(after_s=AGAIN_S)
        else:
            applied.add_done_callback(partial(_settle, taken))

    def _quarantine(self, taken: Taken, body: bytes, why: Unreadable) -> None:
        account, digest = int(taken.headers[ACCOUNT]), bytes.fromhex(taken.headers[DIGEST])

        def keep(tx: Tx) -> None:
            actions.quarantine(tx, aggregator_id=account, digest=digest, body=body, reason=why.sentence)

        try:
            self._work.run(keep)
        except (psycopg.Error, Unavailable) as error:
            log.warning("an unreadable push waits for the database: %s", error_text(error))
            taken.again(after_s=AGAIN_S)
        else:
            taken.done()


def _settle(taken: Taken, applied: "Future[None]") -> None:
    if applied.exception() is None:
        taken.done()
    else:
        taken.again(after_s=AGAIN_S)


def bound_to(headers: Mapping[str, str], digest: str) -> bytes:
    """What the sealed bytes of a message are bound to: change one of it and they do not open."""
    return "\x1f".join([digest, *(headers.get(name, "") for name in (KEY, ACCOUNT, NETWORK, AT))]).encode()


def key_id_of(taken: Taken) -> int:
    """Read before we know who wrote it: 0 for what is no number."""
    told = taken.headers.get(KEY, "")
    return int(told) if told.isascii() and told.isdigit() and len(told) < MOST_DIGITS else 0


def opened(taken: Taken, keys: Mapping[int, bytes]) -> bytes | None:
    """The raw push; None for one whose key was destroyed, or that nobody of us sealed."""
    headers = taken.headers
    key = keys.get(key_id_of(taken))
    if key is None:
        log.error("a push on the stream has no key any more: it is dropped, as its day was erased")
        return None
    try:
        return vault.open_sealed(key, taken.body, aad=bound_to(headers, headers.get(DIGEST, "")))
    except Unreadable:
        log.critical("a message on the stream of pushes was not sealed by us: it is dropped")
        return None


def received_of(taken: Taken, network: Network, body: bytes) -> Received:
    """The push as the door takes it. Raises `Unreadable`."""
    received_at = datetime.fromisoformat(taken.headers[AT])
    (inbox_id,) = mint_ids(1, at_ms=int(received_at.timestamp() * 1000))
    return Received(
        id=inbox_id,
        aggregator_id=int(taken.headers[ACCOUNT]),
        network=network,
        body=body,
        push=network.read_push(body),
        digest=bytes.fromhex(taken.headers[DIGEST]),
        received_at=received_at,
    )
