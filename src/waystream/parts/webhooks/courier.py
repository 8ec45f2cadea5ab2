"""The courier: sends what is due, endpoint by endpoint, on threads of its own.

Guaranteed: a delivery whose courier died is sent again after its lease, under the same message id; a slow endpoint
holds at most `each` threads, and half of the threads are kept for the first delivery of others. One thread talks to
the database: it settles all that ended meanwhile and claims what is due in one transaction.
"""

import logging
import random
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime

import psycopg

from waystream.core.errors import Unavailable, WaystreamError
from waystream.core.events.webhooks import WebhookDisabled
from waystream.core.ports import HttpAsk, Reply
from waystream.core.public_event import PublicEvent, publish
from waystream.kernel.database import error_text
from waystream.kernel.exchange import Exchange
from waystream.kernel.tx import Tx, Work
from waystream.kernel.vault import Vault
from waystream.kernel.wake import Wake
from waystream.parts.webhooks import model, signing, store, store_deliveries
from waystream.parts.webhooks.model import Mood, Outcome
from waystream.parts.webhooks.store_deliveries import Claimed

logger = logging.getLogger(__name__)

THREADS = 32
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Machine seconds, and how many at once. `failing_s`: an endpoint that fails for longer is switched off."""

    threads: int = THREADS
    each: int = 4
    timeout_s: float = 15.0
    lease_s: float = 60.0
    poll_s: float = 1.0
    rest_s: float = 1.0
    drain_s: float = 5.0
    failing_s: float = 5 * DAY_S


class Courier:
    """Several may run, in any process: each claims what no other has."""

    def __init__(self, work: Work, exchange: Exchange, *, pace: Pace | None = None) -> None:
        self._work = work
        self._exchange = exchange
        self._pace = pace or Pace()
        self._wake = Wake(work.database, store_deliveries.CHANNEL, poll_s=self._pace.poll_s)
        self._thread = threading.Thread(target=self._coordinate, name="courier", daemon=True)
        self._pool = ThreadPoolExecutor(self._pace.threads, thread_name_prefix="webhook")
        self._sending: set[Future[Outcome]] = set()
        self._ended: deque[Outcome] = deque()

    def start(self) -> None:
        self._wake.start()
        self._thread.start()

    def stop(self) -> None:
        """Claim nothing more, let what is being sent end for `drain_s`, and settle it."""
        self._wake.stop(self._thread)
        late = wait(self._sending, timeout=self._pace.drain_s).not_done
        self._collect()
        self._settle_last()
        self._pool.shutdown(wait=not late, cancel_futures=True)

    def drain(self) -> int:
        """Send all that is due, in this thread; how many attempts."""
        attempts = 0
        while claimed := self._turn(idle=self._pace.threads):
            self._ended.extend(self._send(each) for each in claimed)
            attempts += len(claimed)
        return attempts

    # ------------------------------------------------------------------ the loop

    def _coordinate(self) -> None:
        while self._wake.wait():
            try:
                self._look()
            except (psycopg.Error, Unavailable) as error:
                logger.warning("the courier rests: %s", error_text(error))
                self._wake.pause(self._pace.rest_s)
                self._wake.set()

    def _look(self) -> None:
        self._collect()
        for each in self._turn(idle=self._pace.threads - len(self._sending)):
            future = self._pool.submit(self._send, each)
            self._sending.add(future)
            future.add_done_callback(self._wake_up)

    def _wake_up(self, ended: Future[Outcome]) -> None:
        self._wake.set()

    def _collect(self) -> None:
        """Take the outcomes of what ended; one that failed through a fault of ours is left to its lease."""
        for future in [each for each in self._sending if each.done()]:
            self._sending.discard(future)
            error = future.exception()
            if error is None:
                self._ended.append(future.result())
            else:
                logger.error("a webhook was not sent: %s", error_text(error))

    def _turn(self, *, idle: int) -> Sequence[Claimed]:
        """Settle what ended and claim what is due; nothing is forgotten when the transaction fails."""
        ended = tuple(self._ended)

        def turn(tx: Tx) -> Sequence[Claimed]:
            settle(tx, ended, pace=self._pace)
            return claim(tx, idle=idle, pace=self._pace)

        claimed = self._work.run(turn)
        for _ in ended:
            self._ended.popleft()
        return claimed

    def _settle_last(self) -> None:
        try:
            self._work.run(lambda tx: settle(tx, tuple(self._ended), pace=self._pace))
        except (psycopg.Error, Unavailable) as error:
            logger.warning("%d webhooks are sent again after their lease: %s", len(self._ended), error_text(error))

    # ------------------------------------------------------------------ one attempt

    def _send(self, claimed: Claimed) -> Outcome:
        at = self._work.clock.machine_now()

        def outcome(said: str, reply: Reply | None = None) -> Outcome:
            return Outcome(
                claimed.id,
                claimed.endpoint_id,
                claimed.attempt,
                claimed.tries,
                status=reply.status if reply else None,
                said=said,
                retry_after_s=_read_retry_after(reply, at) if reply else None,
            )

        try:
            reply = self._exchange.send(ask(claimed, self._work.keys.vault, at=at, timeout_s=self._pace.timeout_s))
        except WaystreamError as error:
            return outcome(error.sentence[: model.SAID_MAX_BYTES])
        return outcome(_say(reply), reply)


def ask(claimed: Claimed, vault: Vault, *, at: datetime, timeout_s: float) -> HttpAsk:
    """The signed request of one attempt."""
    body = told(claimed).body()
    sealed = [claimed.secret, *([claimed.old_secret] if claimed.old_secret else [])]
    keys = [vault.open_secret(bytes(each), aad=signing.secret_aad(claimed.endpoint_id)) for each in sealed]
    signed = signing.sign(keys, message_id=claimed.message_id, at=at, body=body)
    return HttpAsk(
        "POST",
        claimed.url,
        headers=(("content-type", "application/json"), *signed),
        body=body,
        timeout_s=timeout_s,
        reply_bytes=model.SAID_MAX_BYTES,
    )


def told(claimed: Claimed) -> PublicEvent:
    """The event, or a test that says only that it is one."""
    if claimed.event is None or claimed.event_id is None:
        return model.make_test(claimed.message_id, claimed.endpoint_id, claimed.shop_id, at=claimed.at)
    public = publish(claimed.event, event_id=claimed.event_id, at=claimed.at)
    assert public is not None, "only public events are queued"
    return public


def claim(tx: Tx, *, idle: int, pace: Pace) -> Sequence[Claimed]:
    store_deliveries.expire(tx.conn)
    return store_deliveries.claim(
        tx.conn, idle=idle, kept_free=pace.threads // 2, each=pace.each, lease_s=pace.lease_s, at=tx.now
    )


def settle(tx: Tx, ended: Sequence[Outcome], *, pace: Pace) -> None:
    """Write down how attempts ended and how their endpoints fare; one that is given up says so."""
    if not ended:
        return
    moods = store.lock_moods(tx.conn, {outcome.endpoint_id for outcome in ended})

    settled = [model.settle(outcome, jitter=random.random()) for outcome in ended]
    judged = model.judge(moods, ended, failing_at_most_s=pace.failing_s)

    store_deliveries.settle(tx.conn, settled, at=tx.now)
    store.save_moods(tx.conn, judged, at=tx.now)
    tx.emit(*(_disabled(mood) for mood in judged if mood.disabled_why))


def _disabled(mood: Mood) -> WebhookDisabled:
    return WebhookDisabled(shop_id=mood.shop_id, endpoint_id=mood.endpoint_id, why=mood.disabled_why)


def _say(reply: Reply) -> str:
    """The beginning of an answer as one line of text."""
    text = reply.body[: model.SAID_MAX_BYTES].decode("utf-8", "replace")
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()


def _read_retry_after(reply: Reply, now: datetime) -> float | None:
    header = next((value for name, value in reply.headers if name == "retry-after"), "")
    return model.read_retry_after(header, now=now)
