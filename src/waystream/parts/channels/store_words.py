"""SQL of what staff is still to be told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from waystream.core.care import Cause, Priority
from waystream.kernel.columns import bigints, instants, texts
from waystream.parts.channels.alarms import Alarm, Word

Conn = Connection[Any]

WAITING_AT_ONCE = 500  # words of one message
FORGOTTEN_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """A channel with words that nobody said yet."""

    id: int
    shop_id: int


def insert(conn: Conn, words: Sequence[Word]) -> int:
    """How many are new: an event is told once by a channel."""
    if not words:
        return 0
    return conn.execute(
        """INSERT INTO staff_word (channel_id, event_id, shop_id, ticket_id, cause, priority, at)
           SELECT * FROM unnest(%(channels)b::bigint[], %(events)b::bigint[], %(shops)b::bigint[],
                                %(tickets)b::bigint[], %(causes)b::text[], %(priorities)b::text[],
                                %(at)b::timestamptz[])
           ON CONFLICT DO NOTHING""",
        {
            "channels": bigints([word.channel_id for word in words]),
            "events": bigints([word.alarm.event_id for word in words]),
            "shops": bigints([word.alarm.shop_id for word in words]),
            "tickets": bigints([word.alarm.ticket_id for word in words]),
            "causes": texts([word.alarm.cause for word in words]),
            "priorities": texts([word.alarm.priority for word in words]),
            "at": instants([word.alarm.at for word in words]),
        },
    ).rowcount


def list_waiting(conn: Conn, channel_id: int) -> list[Alarm]:
    """The urgent first, then as they came."""
    rows = conn.execute(
        """SELECT event_id, shop_id, ticket_id, cause, priority, at FROM staff_word
           WHERE channel_id = %s AND told_at IS NULL ORDER BY priority <> 'high', event_id LIMIT %s""",
        [channel_id, WAITING_AT_ONCE],
    )
    return [Alarm(event, shop, ticket, Cause(cause), Priority(priority), at) for
            event, shop, ticket, cause, priority, at in rows]  # fmt: skip


def list_waiting_channels(conn: Conn) -> list[Waiting]:
    rows = conn.execute(
        """SELECT DISTINCT channel_id, staff_word.shop_id FROM staff_word JOIN channel ON channel.id = channel_id
           WHERE told_at IS NULL AND disabled_at IS NULL ORDER BY channel_id"""
    )
    return [Waiting(channel_id, shop_id) for channel_id, shop_id in rows]


def settle(conn: Conn, channel_id: int, event_ids: Sequence[int], *, at: datetime) -> None:
    """They are told, or nobody will ever be."""
    conn.execute(
        "UPDATE staff_word SET told_at = %s WHERE channel_id = %s AND event_id = ANY (%b)",
        [at, channel_id, bigints(event_ids)],
    )


def settle_all(conn: Conn, channel_id: int, *, at: datetime) -> None:
    """The channel refuses: its tickets stand in the workbench, too."""
    conn.execute("UPDATE staff_word SET told_at = %s WHERE channel_id = %s AND told_at IS NULL", [at, channel_id])


def forget(conn: Conn, *, before: datetime) -> int:
    return conn.execute(
        """DELETE FROM staff_word WHERE (channel_id, event_id) IN (
               SELECT channel_id, event_id FROM staff_word WHERE told_at < %s LIMIT %s)""",
        [before, FORGOTTEN_AT_ONCE],
    ).rowcount
