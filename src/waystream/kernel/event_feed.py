"""Events out: what is public of the log, as CloudEvents 1.0 on JetStream, for any system that listens there.

Guaranteed: every public event is published at least once, under its own id, so that a repetition is stored once within
the stream's window; those of one order or parcel in the order of the log; none with personal data. A cursor of the log
remembers how far it got, as for a rule: of several processes one publishes.
"""

import asyncio
import logging
import threading
from collections.abc import Iterable, Sequence

import psycopg

from waystream.core.cloud_event import CONTENT_TYPE, cloud_event
from waystream.core.errors import Unavailable
from waystream.core.public_event import PublicEvent, public_types, publish
from waystream.kernel import log, rule_cursor
from waystream.kernel.database import error_text
from waystream.kernel.jetstream import GIGABYTE, JetStream, Message, Stream
from waystream.kernel.log import LOG_CHANNEL, Recorded
from waystream.kernel.tx import Tx, Work
from waystream.kernel.wake import Wake

logger = logging.getLogger(__name__)

STREAM, CURSOR = "events", "cloud_events"
DAY_S = 86_400.0
BATCH = 500
POLL_S = 5.0
REST_S = 1.0
PUBLISH_S = 5.0


def forget_feed(tx: Tx) -> None:
    """The feed is switched off: it is not behind, and would begin at the end of the log again."""
    rule_cursor.forget(tx.conn, CURSOR)


def event_stream(*, keep_days: int, max_gb: int) -> Stream:
    return Stream(STREAM, queue=False, max_bytes=max_gb * GIGABYTE, keep_s=keep_days * DAY_S)


class EventFeed:
    """Follows the log and publishes. A stream that is away is tried again; the cursor waits."""

    def __init__(self, work: Work, jetstream: JetStream, stream: Stream, *, batch: int = BATCH) -> None:
        self._work = work
        self._jetstream = jetstream
        self._stream = stream
        self._batch = batch
        self._source = f"/{jetstream.place.prefix}"
        self._names = frozenset(event.__name__ for event in public_types().values())
        self._wake = Wake(work.database, LOG_CHANNEL, poll_s=POLL_S)
        self._thread = threading.Thread(target=self._follow, name="event feed", daemon=True)

    def start(self) -> None:
        self._jetstream.ensure(self._stream)
        self._work.run(lambda tx: rule_cursor.register(tx.conn, CURSOR, from_beginning=False, at=tx.now))
        self._wake.start()
        self._thread.start()

    def stop(self) -> None:
        self._wake.stop(self._thread)

    def drain(self) -> int:
        """Publish all that is in the log now; how many events."""
        total = published = self._work.run(self._publish_next)
        while published == self._batch:
            total += (published := self._work.run(self._publish_next))
        return total

    def _follow(self) -> None:
        while self._wake.wait():
            try:
                self.drain()
            except (psycopg.Error, Unavailable) as error:
                logger.warning("events are published later: %s", error_text(error))
                self._wake.pause(REST_S)
                self._wake.set()

    def _publish_next(self, tx: Tx) -> int:
        """The next events, our cursor locked while they are under way; it moves once all of them are stored."""
        found, head = rule_cursor.lock(tx.conn, CURSOR), log.head(tx.conn)
        if found is None or found[0] >= head:
            return 0
        position, _ = found
        events = log.read(tx.conn, after=position, upto=head, limit=self._batch, names=self._names)

        self._jetstream.run(self._publish_all(events), within_s=4 * PUBLISH_S)

        reached = events[-1].position if len(events) == self._batch else head
        rule_cursor.move(tx.conn, CURSOR, position=reached, at=tx.now)
        return len(events)

    async def _publish_all(self, events: Iterable[Recorded]) -> None:
        """Subjects side by side, each one's events one after the other."""
        chains: dict[str, list[Message]] = {}
        for recorded in events:
            told = publish(recorded.event, event_id=recorded.id, at=recorded.at)
            if told is not None:
                chains.setdefault(told.subject, []).append(self._message(told))
        await asyncio.gather(*(self._publish_chain(chain) for chain in chains.values()))

    async def _publish_chain(self, chain: Sequence[Message]) -> None:
        for message in chain:
            await self._jetstream.publish_here(message, within_s=PUBLISH_S)

    def _message(self, told: PublicEvent) -> Message:
        body = cloud_event(told, source=self._source)
        return Message(STREAM, told.type, told.id, body, {"Content-Type": CONTENT_TYPE})
