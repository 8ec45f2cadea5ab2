"""SQL of the endpoints. Row-level security shows a page the endpoints of its caller's shops only."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import kwargs_row

from waystream.kernel.columns import bigints
from waystream.parts.webhooks.model import COUNTED_AT_MOST, Endpoint, EndpointIn, Mood, Reader

Conn = Connection[Any]

_ENDPOINT = """
SELECT e.id, e.shop_id, shop.name AS shop, e.url, e.description, e.wanted, e.created_at, e.disabled_at,
       e.disabled_why, e.failures, e.old_secret_until AS two_secrets_until, waiting.n AS waiting, given_up.n AS given_up
FROM webhook_endpoint e JOIN shop ON shop.id = e.shop_id
CROSS JOIN LATERAL (SELECT count(*) AS n FROM (
    SELECT FROM webhook_delivery WHERE endpoint_id = e.id AND state = 'waiting' LIMIT %(most)s)) AS waiting
CROSS JOIN LATERAL (SELECT count(*) AS n FROM (
    SELECT FROM webhook_delivery WHERE endpoint_id = e.id AND state = 'given_up' LIMIT %(most)s)) AS given_up
WHERE e.removed_at IS NULL
"""


def list_endpoints(conn: Conn) -> list[Endpoint]:
    """Those of the shops the transaction sees, by shop; there are few of a shop (`ENDPOINTS_MAX`)."""
    with conn.cursor(row_factory=kwargs_row(_endpoint)) as cur:
        return cur.execute(_ENDPOINT + "ORDER BY shop.code, e.id", {"most": COUNTED_AT_MOST}).fetchall()


def find_endpoint(conn: Conn, endpoint_id: int) -> Endpoint | None:
    with conn.cursor(row_factory=kwargs_row(_endpoint)) as cur:
        return cur.execute(_ENDPOINT + "AND e.id = %(id)s", {"id": endpoint_id, "most": COUNTED_AT_MOST}).fetchone()


def _endpoint(wanted: list[str], **row: Any) -> Endpoint:
    return Endpoint(wanted=tuple(wanted), **row)


def count_of_shop(conn: Conn, shop_id: int) -> int:
    """Also locks the shop, so that two who count do not both find room."""
    conn.execute("SELECT FROM shop WHERE id = %s FOR NO KEY UPDATE", [shop_id])
    row = conn.execute(
        "SELECT count(*) FROM webhook_endpoint WHERE shop_id = %s AND removed_at IS NULL", [shop_id]
    ).fetchone()
    assert row is not None
    return int(row[0])


def next_id(conn: Conn) -> int:
    """Before the row, since its sealed secret is bound to it."""
    row = conn.execute("SELECT nextval(pg_get_serial_sequence('webhook_endpoint', 'id'))").fetchone()
    assert row is not None
    return int(row[0])


def insert(conn: Conn, endpoint_id: int, shop_id: int, told: EndpointIn, *, sealed: bytes, at: datetime) -> None:
    conn.execute(
        """INSERT INTO webhook_endpoint (id, shop_id, url, description, wanted, secret_sealed, created_at)
           OVERRIDING SYSTEM VALUE VALUES (%s, %s, %s, %s, %s, %s, %s)""",
        [endpoint_id, shop_id, told.url, told.description, list(told.wanted), sealed, at],
    )


def update(conn: Conn, endpoint_id: int, told: EndpointIn) -> None:
    """Another address begins without the old one's failures."""
    conn.execute(
        """UPDATE webhook_endpoint SET url = %(url)s, description = %(description)s, wanted = %(wanted)s,
                  failures = CASE WHEN url = %(url)s THEN failures ELSE 0 END,
                  failing_since = CASE WHEN url = %(url)s THEN failing_since END,
                  rests_until = CASE WHEN url = %(url)s THEN rests_until END
           WHERE id = %(id)s""",
        {"id": endpoint_id, "url": told.url, "description": told.description, "wanted": list(told.wanted)},
    )


def rotate(conn: Conn, endpoint_id: int, *, sealed: bytes, old_until: datetime) -> None:
    conn.execute(
        """UPDATE webhook_endpoint
           SET old_secret_sealed = secret_sealed, old_secret_until = %s, secret_sealed = %s WHERE id = %s""",
        [old_until, sealed, endpoint_id],
    )


def forget_old_secrets(conn: Conn, *, at: datetime) -> int:
    return conn.execute(
        """UPDATE webhook_endpoint SET old_secret_sealed = NULL, old_secret_until = NULL
           WHERE old_secret_until <= %s""",
        [at],
    ).rowcount


def switch_on(conn: Conn, endpoint_id: int) -> bool:
    """False when it was on. It begins without its old failures."""
    return (
        conn.execute(
            """UPDATE webhook_endpoint SET disabled_at = NULL, disabled_why = '', failures = 0, failing_since = NULL,
                      rests_until = NULL
               WHERE id = %s AND disabled_at IS NOT NULL""",
            [endpoint_id],
        ).rowcount
        == 1
    )


def switch_off(conn: Conn, endpoint_id: int, *, at: datetime) -> bool:
    """By a person; False when it was off."""
    return (
        conn.execute(
            """UPDATE webhook_endpoint SET disabled_at = %s, disabled_why = 'person'
               WHERE id = %s AND disabled_at IS NULL""",
            [at, endpoint_id],
        ).rowcount
        == 1
    )


def remove(conn: Conn, endpoint_id: int, *, at: datetime) -> None:
    """It is there no more for anybody, and its secrets are gone; its log follows by `forget_removed`."""
    conn.execute(
        """UPDATE webhook_endpoint
           SET removed_at = %(at)s, disabled_at = coalesce(disabled_at, %(at)s),
               disabled_why = CASE disabled_why WHEN '' THEN 'person' ELSE disabled_why END,
               secret_sealed = '', old_secret_sealed = NULL, old_secret_until = NULL
           WHERE id = %(id)s""",
        {"id": endpoint_id, "at": at},
    )


def forget_removed(conn: Conn) -> int:
    """Delete the removed endpoints whose log has gone."""
    return conn.execute(
        """DELETE FROM webhook_endpoint e WHERE removed_at IS NOT NULL
             AND NOT EXISTS (SELECT FROM webhook_delivery WHERE endpoint_id = e.id)"""
    ).rowcount


def list_readers(conn: Conn, shop_ids: Collection[int]) -> list[Reader]:
    """The endpoints of these shops that are called."""
    rows = conn.execute(
        """SELECT id, shop_id, wanted, created_at FROM webhook_endpoint
           WHERE shop_id = ANY (%b) AND disabled_at IS NULL ORDER BY id""",
        [bigints(sorted(shop_ids))],
    )
    return [Reader(row_id, shop_id, frozenset(wanted), since) for row_id, shop_id, wanted, since in rows]


def lock_moods(conn: Conn, endpoint_ids: Collection[int]) -> dict[int, Mood]:
    """How these endpoints fare, held until the commit; those that are off or gone are left out."""
    rows = conn.execute(
        """SELECT id, shop_id, failures,
                  coalesce(extract(epoch FROM clock_timestamp() - failing_since), 0)::float8
           FROM webhook_endpoint WHERE id = ANY (%b) AND disabled_at IS NULL ORDER BY id FOR NO KEY UPDATE""",
        [bigints(sorted(endpoint_ids))],
    )
    return {row_id: Mood(row_id, shop_id, failures, failing_s) for row_id, shop_id, failures, failing_s in rows}


def save_moods(conn: Conn, moods: Sequence[Mood], *, at: datetime) -> None:
    conn.execute(
        """UPDATE webhook_endpoint AS e
           SET failures = new.failures,
               failing_since = CASE WHEN new.failures > 0 THEN coalesce(failing_since, clock_timestamp()) END,
               rests_until = CASE WHEN new.rest_s > 0 THEN clock_timestamp() + make_interval(secs => new.rest_s) END,
               disabled_at = CASE WHEN new.why <> '' THEN %(at)s END, disabled_why = new.why
           FROM unnest(%(ids)s::bigint[], %(failures)s::int[], %(rests)s::float8[], %(whys)s::text[])
                AS new (id, failures, rest_s, why)
           WHERE e.id = new.id
             AND (e.failures, e.disabled_why, e.rests_until IS NULL)
                 IS DISTINCT FROM (new.failures, new.why, new.rest_s = 0)""",
        {
            "at": at,
            "ids": [mood.endpoint_id for mood in moods],
            "failures": [mood.failures for mood in moods],
            "rests": [float(mood.rest_s) for mood in moods],
            "whys": [mood.disabled_why for mood in moods],
        },
    )
