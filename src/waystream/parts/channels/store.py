"""SQL of the channels. Row-level security shows a page the channels of its caller's shops only."""

from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import kwargs_row

from waystream.core.gateways import Reach
from waystream.parts.channels.model import Channel, ChannelIn

Conn = Connection[Any]

#: How well a channel works is written down at most so often, in seconds of business time.
WORKED_EVERY_S = 60

_CHANNEL = """
SELECT channel.id, shop_id, shop.name AS shop, reach, gateway, channel.name, rank, per_minute, priorities, causes,
       channel.created_at, disabled_at, test_sealed IS NOT NULL AS testing, tested_at, worked_at, failed_at,
       failed_code, failed_said, reported_at
FROM channel JOIN shop ON shop.id = shop_id
WHERE removed_at IS NULL
"""


def list_channels(conn: Conn, shop_id: int | None = None) -> list[Channel]:
    """Those of the shops the transaction sees, or of one of them, by shop and preference."""
    with conn.cursor(row_factory=kwargs_row(_channel)) as cur:
        query = _CHANNEL + "AND (%(shop)s::bigint IS NULL OR shop_id = %(shop)s) ORDER BY shop.code, rank, channel.id"
        return cur.execute(query, {"shop": shop_id}).fetchall()


def find_channel(conn: Conn, channel_id: int) -> Channel | None:
    with conn.cursor(row_factory=kwargs_row(_channel)) as cur:
        return cur.execute(_CHANNEL + "AND channel.id = %s", [channel_id]).fetchone()


def _channel(reach: str, priorities: list[str], causes: list[str], **row: Any) -> Channel:
    return Channel(reach=Reach(reach), priorities=tuple(priorities), causes=tuple(causes), **row)


def read_settings(conn: Conn, channel_id: int) -> bytes:
    """As sealed."""
    row = conn.execute("SELECT settings_sealed FROM channel WHERE id = %s", [channel_id]).fetchone()
    assert row is not None, "a channel vanished"
    return bytes(row[0])


def count_of_shop(conn: Conn, shop_id: int) -> int:
    """Also locks the shop, so that two who count do not both find room, nor both find a name free."""
    conn.execute("SELECT FROM shop WHERE id = %s FOR NO KEY UPDATE", [shop_id])
    row = conn.execute("SELECT count(*) FROM channel WHERE shop_id = %s AND removed_at IS NULL", [shop_id]).fetchone()
    assert row is not None
    return int(row[0])


def is_name_taken(conn: Conn, shop_id: int, name: str, *, but: int = 0) -> bool:
    query = "SELECT FROM channel WHERE shop_id = %s AND lower(name) = lower(%s) AND removed_at IS NULL AND id <> %s"
    return conn.execute(query, [shop_id, name, but]).fetchone() is not None


def next_id(conn: Conn) -> int:
    """Before the row, since its sealed settings are bound to it."""
    row = conn.execute("SELECT nextval(pg_get_serial_sequence('channel', 'id'))").fetchone()
    assert row is not None
    return int(row[0])


def insert(
    conn: Conn,
    channel_id: int,
    shop_id: int,
    told: ChannelIn,
    *,
    reach: Reach,
    gateway: str,
    sealed: bytes,
    at: datetime,
) -> None:
    conn.execute(
        """INSERT INTO channel (id, shop_id, reach, gateway, name, rank, per_minute, settings_sealed, priorities,
                                causes, created_at)
           OVERRIDING SYSTEM VALUE VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        [channel_id, shop_id, reach, gateway, told.name, told.rank, told.per_minute, sealed, list(told.priorities),
         list(told.causes), at],
    )  # fmt: skip


def update(conn: Conn, channel_id: int, told: ChannelIn, *, sealed: bytes) -> None:
    """What it failed at before says nothing of its new settings."""
    conn.execute(
        """UPDATE channel
           SET name = %(name)s, rank = %(rank)s, per_minute = %(per_minute)s, settings_sealed = %(sealed)s,
               priorities = %(priorities)s, causes = %(causes)s,
               worked_at = NULL, failed_at = NULL, failed_code = '', failed_said = ''
           WHERE id = %(id)s""",
        {
            "id": channel_id, "name": told.name, "rank": told.rank, "per_minute": told.per_minute, "sealed": sealed,
            "priorities": list(told.priorities), "causes": list(told.causes),
        },
    )  # fmt: skip


def switch(conn: Conn, channel_id: int, *, disabled_at: datetime | None) -> bool:
    """False when it was so already."""
    return (
        conn.execute(
            """UPDATE channel SET disabled_at = %(at)s
               WHERE id = %(id)s AND (disabled_at IS NULL) = (%(at)s::timestamptz IS NOT NULL)""",
            {"id": channel_id, "at": disabled_at},
        ).rowcount
        == 1
    )


def remove(conn: Conn, channel_id: int, *, at: datetime) -> None:
    """Its row stays for the log that names it; what was typed in is gone."""
    conn.execute(
        """UPDATE channel SET removed_at = %(at)s, disabled_at = coalesce(disabled_at, %(at)s), settings_sealed = '',
                  test_sealed = NULL
           WHERE id = %(id)s""",
        {"id": channel_id, "at": at},
    )


def keep_test(conn: Conn, channel_id: int, sealed: bytes) -> None:
    conn.execute("UPDATE channel SET test_sealed = %s WHERE id = %s", [sealed, channel_id])


def read_test(conn: Conn, channel_id: int) -> bytes | None:
    """Where the test goes, as sealed; None when none is on its way."""
    row = conn.execute("SELECT test_sealed FROM channel WHERE id = %s", [channel_id]).fetchone()
    return bytes(row[0]) if row and row[0] is not None else None


def end_test(conn: Conn, channel_id: int, *, at: datetime) -> None:
    conn.execute("UPDATE channel SET test_sealed = NULL, tested_at = %s WHERE id = %s", [at, channel_id])


def note_worked(conn: Conn, channel_id: int, *, at: datetime) -> None:
    conn.execute(
        """UPDATE channel SET worked_at = %(at)s
           WHERE id = %(id)s AND removed_at IS NULL
             AND (worked_at IS NULL OR worked_at <= failed_at
                  OR worked_at < %(at)s - make_interval(secs => %(every_s)s))""",
        {"id": channel_id, "at": at, "every_s": WORKED_EVERY_S},
    )


def note_failed(conn: Conn, channel_id: int, *, code: str, said: str, at: datetime) -> None:
    conn.execute(
        "UPDATE channel SET failed_at = %s, failed_code = %s, failed_said = %s WHERE id = %s AND removed_at IS NULL",
        [at, code, said, channel_id],
    )


def note_reported(conn: Conn, channel_id: int, *, at: datetime) -> None:
    conn.execute("UPDATE channel SET reported_at = %s WHERE id = %s", [at, channel_id])
