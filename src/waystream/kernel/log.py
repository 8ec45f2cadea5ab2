"""The event log: what happened, written with its facts, and given its place in one order after the commit.

Guaranteed: an event is in the log exactly once, at one position; positions only grow, and a reader that sees one sees
every smaller one, so a reader keeps a single bigint. Events of one subject keep the order in which they happened.
Rules follow the log in `dispatcher`.
"""

import logging
import re
import threading
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import psycopg
from msgspec import Struct
from psycopg import Connection

from waystream.core import events
from waystream.core.errors import Unavailable, WaystreamError
from waystream.core.events import Event
from waystream.kernel.columns import bigints, texts
from waystream.kernel.database import Database, error_text, tell
from waystream.kernel.wake import Wake

logger = logging.getLogger(__name__)

EVENT_CHANNEL, LOG_CHANNEL = "waystream_event", "waystream_log"
PLACED_AT_ONCE = 10_000
DEEPEST_CAUSE = 16
CAUSED_BY_EVENTS = re.compile(r"(?:event:\d+|log:\d+-\d+|job:\d+)/(\d+)")
NO_END = 2**63 - 1
COLUMNS = "event.id, log.position, event.at, event.name, event.body::text, event.cause"
#: OFFSET keeps the planner from joining the two whole tables to find the few newest rows, as it did after a bulk load.
PLACED = "log CROSS JOIN LATERAL (SELECT * FROM event WHERE event.id = log.event_id OFFSET 0) AS event"
POLL_S = 1.0
REST_S = 1.0


class EndlessCause(WaystreamError):
    """Events cause events cause events: rules feed each other, by themselves or through jobs."""


class Recorded(Struct, frozen=True):
    """An event with its place in the log; `at` is the business time it was recorded, `cause` what made it happen."""

    id: int
    position: int
    at: datetime
    event: Event
    cause: str = ""

    @property
    def name(self) -> str:
        return type(self.event).__name__

    @property
    def as_cause(self) -> str:
        """What to hand to `emit` for an event that follows from this one."""
        return f"event:{self.id}/{cause_depth(self.cause) + 1}"


def cause_depth(cause: str) -> int:
    """How many events led to this cause: `event:ID/DEPTH`, `log:FIRST-LAST/DEPTH`, `job:ID/DEPTH`; any other is a
    beginning."""
    chain = CAUSED_BY_EVENTS.fullmatch(cause)
    return int(chain[1]) if chain else 0


def emit(conn: Connection[Any], happened: Sequence[Event], *, at: datetime, cause: str = "") -> None:
    """Record events that have one cause."""
    emit_each(conn, [(event, cause) for event in happened], at=at)


def emit_each(conn: Connection[Any], happened: Sequence[tuple[Event, str]], *, at: datetime) -> None:
    """Record events, each with its own cause, in one statement; ids follow the given order.

    Whoever writes two events of one subject at the same time holds the subject's row, so their ids keep their order.
    """
    if not happened:
        return
    if max(cause_depth(cause) for _, cause in happened) > DEEPEST_CAUSE:
        raise EndlessCause(f"a chain of more than {DEEPEST_CAUSE} events: rules feed each other")
    conn.execute(
        """WITH recorded AS (
               INSERT INTO event (at, shop_id, name, subject, body, cause)
               SELECT %(at)s, shop_id, name, subject, body, cause
               FROM unnest(%(shops)b::bigint[], %(names)b::text[], %(subjects)b::text[], %(bodies)b::jsonb[],
                           %(causes)b::text[]) WITH ORDINALITY AS given (shop_id, name, subject, body, cause, nth)
               ORDER BY nth
               RETURNING id
           )
           INSERT INTO event_new (event_id) SELECT id FROM recorded""",
        {
            "at": at,
            "shops": bigints([event.shop_id for event, _ in happened]),
            "names": texts([type(event).__name__ for event, _ in happened]),
            "subjects": texts([event.subject for event, _ in happened]),
            "bodies": texts([events.encode(event) for event, _ in happened]),
            "causes": texts([cause for _, cause in happened]),
        },
    )
    tell(conn, EVENT_CHANNEL)


def sequence(conn: Connection[Any], *, limit: int = PLACED_AT_ONCE) -> int:
    """Place up to `limit` committed events at the end of the log, oldest id first; how many it placed.

    The row lock makes us the only one until the commit; the second statement's snapshot is taken under it, so it
    sees what the sequencer before us did. An event that commits late is simply placed later: nothing is skipped.
    The commit waits for the disk before anyone sees it: what a reader remembers of a position, here in memory or far
    away, no crash of the server may take back and give to another event.
    """
    conn.execute("SELECT FROM sequencer FOR UPDATE")
    placed = conn.execute(
        """WITH taken AS (
               DELETE FROM event_new
               WHERE event_id IN (SELECT event_id FROM event_new ORDER BY event_id LIMIT %(limit)s)
               RETURNING event_id
           ), placed AS (
               INSERT INTO log (position, event_id)
               SELECT (SELECT position FROM sequencer) + row_number() OVER (ORDER BY event_id), event_id FROM taken
               RETURNING position
           ), moved AS (
               UPDATE sequencer SET position = (SELECT max(position) FROM placed)
               WHERE EXISTS (SELECT FROM placed)
           )
           SELECT count(*) FROM placed""",
        {"limit": limit},
    ).fetchone()
    assert placed is not None
    if placed[0]:
        tell(conn, LOG_CHANNEL)
    return int(placed[0])


def head(conn: Connection[Any]) -> int:
    """The last position given; kept when the log is pruned."""
    found = conn.execute("SELECT position FROM sequencer").fetchone()
    assert found is not None, "the sequencer's row is part of the schema"
    return int(found[0])


def count_unplaced(conn: Connection[Any]) -> int:
    """Committed events that wait for the sequencer."""
    found = conn.execute("SELECT count(*) FROM event_new").fetchone()
    assert found is not None
    return int(found[0])


def unplaced_since(conn: Connection[Any]) -> datetime | None:
    """When the oldest event that waits for the sequencer was recorded, in business time."""
    found = conn.execute(
        "SELECT at FROM event WHERE id = (SELECT event_id FROM event_new ORDER BY event_id LIMIT 1)"
    ).fetchone()
    return found[0] if found else None


def read(
    conn: Connection[Any], *, after: int, limit: int, names: Collection[str] | None = None, upto: int = NO_END
) -> list[Recorded]:
    """Up to `limit` events of these names (default: all) with `after` < position <= `upto`, in order."""
    rows = conn.execute(
        f"""SELECT {COLUMNS} FROM {PLACED}
            WHERE log.position > %(after)s AND log.position <= %(upto)s
              AND (%(names)s::text[] IS NULL OR event.name = ANY (%(names)s))
            ORDER BY log.position LIMIT %(limit)s""",
        {"after": after, "upto": upto, "names": None if names is None else list(names), "limit": limit},
    )
    return [_recorded(*row) for row in rows.fetchall()]


def read_at(conn: Connection[Any], positions: Sequence[int]) -> list[Recorded]:
    """The events at these positions, in order."""
    rows = conn.execute(
        f"SELECT {COLUMNS} FROM {PLACED} WHERE log.position = ANY (%s) ORDER BY log.position", [list(positions)]
    )
    return [_recorded(*row) for row in rows]


def tail(conn: Connection[Any]) -> int:
    """The first position that is still kept, or the one to come."""
    found = conn.execute("SELECT position FROM log ORDER BY position LIMIT 1").fetchone()
    return int(found[0]) if found else head(conn) + 1


def position_at(conn: Connection[Any], at: datetime) -> int:
    """The first position whose event was recorded at this business time or later, the one to come if there is none.

    Looked for by halves, since time grows along the log but for transactions that overlapped.
    """
    low, high = tail(conn), head(conn) + 1
    while low < high:
        middle = (low + high) // 2
        found = conn.execute(
            f"SELECT log.position, event.at FROM {PLACED} WHERE log.position >= %s ORDER BY log.position LIMIT 1",
            [middle],
        ).fetchone()
        if found is None or found[1] >= at:
            high = middle
        else:
            low = int(found[0]) + 1
    return low


def _recorded(id: int, position: int, at: datetime, name: str, body: str, cause: str) -> Recorded:
    return Recorded(id=id, position=position, at=at, event=events.decode(name, body), cause=cause)


class Sequencer:
    """The thread that places events as they are committed. Several may run, in any process: one works, others wait."""

    def __init__(self, database: Database, *, poll_s: float = POLL_S, limit: int = PLACED_AT_ONCE) -> None:
        self._database = database
        self._limit = limit
        self._wake = Wake(database, EVENT_CHANNEL, poll_s=poll_s)
        self._thread = threading.Thread(target=self._place, name="sequencer", daemon=True)

    def start(self) -> None:
        self._wake.start()
        self._thread.start()

    def stop(self) -> None:
        self._wake.stop(self._thread)

    def drain(self) -> int:
        """Place all that is committed now; how many."""
        total = placed = self._database.run(self._sequence)
        while placed == self._limit:
            total += (placed := self._database.run(self._sequence))
        return total

    def _sequence(self, conn: Connection[Any]) -> int:
        return sequence(conn, limit=self._limit)

    def _place(self) -> None:
        while self._wake.wait():
            try:
                self.drain()
            except (psycopg.Error, Unavailable) as error:
                logger.warning("the sequencer rests: %s", error_text(error))
                self._wake.pause(REST_S)
                self._wake.set()
