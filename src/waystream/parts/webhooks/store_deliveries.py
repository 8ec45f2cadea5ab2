"""SQL of the deliveries: fanned out, claimed per endpoint, settled, listed, asked for again, forgotten.

When a delivery is due and for how long it is leased is the machine's clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from waystream.core import events
from waystream.core.events import Event
from waystream.kernel.columns import bigints, instants, texts
from waystream.parts.webhooks.model import Delivery, NewDelivery, Settled

Conn = Connection[Any]

CHANNEL = "waystream_webhook"
EXPIRED_AT_ONCE = 1_000
FORGOTTEN_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours until its lease ends, with all that sending needs. `event` None: a test.

    `old_secret` is empty unless it still signs.
    """

    id: int
    endpoint_id: int
    shop_id: int
    message_id: str
    attempt: int
    tries: int
    url: str
    at: datetime
    secret: bytes = field(repr=False)
    old_secret: bytes = field(repr=False)
    event_id: int | None
    event: Event | None


def insert(conn: Conn, wanted: Sequence[NewDelivery]) -> int:
    """How many are new; whoever sends is woken."""
    if not wanted:
        return 0
    row = conn.execute(
        """WITH added AS (
               INSERT INTO webhook_delivery (endpoint_id, shop_id, event_id, type, at)
               SELECT endpoint_id, shop_id, event_id, type, at
               FROM unnest(%(endpoints)b::bigint[], %(shops)b::bigint[], %(events)b::bigint[], %(types)b::text[],
                           %(at)b::timestamptz[]) WITH ORDINALITY
                    AS given (endpoint_id, shop_id, event_id, type, at, nth)
               ORDER BY nth
               ON CONFLICT (endpoint_id, event_id) DO NOTHING
               RETURNING id
           )
           SELECT count(*), pg_notify(%(channel)s, 'new') FROM added""",
        {
            "endpoints": bigints([each.endpoint_id for each in wanted]),
            "shops": bigints([each.shop_id for each in wanted]),
            "events": bigints([each.event_id for each in wanted]),
            "types": texts([each.type for each in wanted]),
            "at": instants([each.at for each in wanted]),
            "channel": CHANNEL,
        },
    ).fetchone()
    assert row is not None
    return int(row[0])


def claim(conn: Conn, *, idle: int, kept_free: int, each: int, lease_s: float, at: datetime) -> list[Claimed]:
    """Lease up to `idle` due deliveries: first one of every endpoint, then further ones while more than `kept_free`
    of us stay idle, up to `each` of an endpoint; one that fails has one at a time."""
    rows = conn.execute(
        """WITH ready AS MATERIALIZED (
               SELECT e.id, CASE WHEN failures > 0 THEN 1 ELSE %(each)s END AS width,
                      (SELECT count(*) FROM webhook_delivery WHERE endpoint_id = e.id AND state = 'sending') AS busy
               FROM webhook_endpoint e
               WHERE disabled_at IS NULL AND (rests_until IS NULL OR rests_until <= clock_timestamp())
                 AND EXISTS (SELECT FROM webhook_delivery
                             WHERE endpoint_id = e.id AND state = 'waiting' AND due_at <= clock_timestamp())
               FOR NO KEY UPDATE SKIP LOCKED
           ), due AS MATERIALIZED (
               SELECT found.id, found.due_at, ready.busy, ready.id AS endpoint_id
               FROM ready CROSS JOIN LATERAL (
                   SELECT id, due_at FROM webhook_delivery
                   WHERE endpoint_id = ready.id AND state = 'waiting' AND due_at <= (SELECT clock_timestamp())
                   ORDER BY due_at LIMIT greatest(ready.width - ready.busy, 0) FOR UPDATE SKIP LOCKED
               ) AS found
           ), ranked AS (
               SELECT id, due_at, busy + row_number() OVER (PARTITION BY endpoint_id ORDER BY due_at) AS rank FROM due
           ), chosen AS (
               SELECT id, rank, row_number() OVER (ORDER BY rank, due_at) AS nth FROM ranked
           ), taken AS (
               UPDATE webhook_delivery d
               SET state = 'sending', attempts = attempts + 1,
                   leased_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
               FROM chosen
               WHERE d.id = chosen.id AND nth <= %(idle)s AND (rank = 1 OR nth <= %(idle)s - %(kept_free)s)
               RETURNING d.id, endpoint_id, d.shop_id, message_id, attempts, attempts - attempts_before AS tries,
                         event_id, at, nth
           )
           SELECT taken.id, endpoint_id, taken.shop_id, message_id, attempts, tries, url, taken.at, secret_sealed,
                  CASE WHEN old_secret_until > %(at)s THEN old_secret_sealed ELSE '' END,
                  event_id, event.name, event.body::text
           FROM taken JOIN webhook_endpoint ON webhook_endpoint.id = endpoint_id
           LEFT JOIN event ON event.id = event_id
           ORDER BY nth""",
        {"idle": idle, "kept_free": kept_free, "each": each, "lease_s": lease_s, "at": at},
    ).fetchall()
    return [_claimed(*row) for row in rows]


def _claimed(*row: Any) -> Claimed:
    name, body = row[-2:]
    known = (*row[:-2], events.decode(name, body) if name else None)
    return Claimed(*known)


def expire(conn: Conn) -> int:
    """Make deliveries due again whose lease has ended; how many. Whoever still sends one cannot settle it."""
    return conn.execute(
        """UPDATE webhook_delivery SET state = 'waiting', leased_until = NULL, due_at = clock_timestamp()
           WHERE id IN (SELECT id FROM webhook_delivery
                        WHERE state = 'sending' AND leased_until < (SELECT clock_timestamp())
                        LIMIT %s FOR UPDATE SKIP LOCKED)""",
        [EXPIRED_AT_ONCE],
    ).rowcount


def settle(conn: Conn, settled: Sequence[Settled], *, at: datetime) -> int:
    """Write down how attempts ended; those whose lease was lost meanwhile are left as they are. How many held."""
    return conn.execute(
        """UPDATE webhook_delivery d
           SET state = new.state, leased_until = NULL, tried_at = %(at)s, status = new.status, said = new.said,
               due_at = CASE WHEN new.state = 'waiting' THEN clock_timestamp() + make_interval(secs => new.delay_s)
                             ELSE due_at END
           FROM unnest(%(ids)s::bigint[], %(attempts)s::int[], %(states)s::text[], %(delays)s::float8[],
                       %(statuses)s::int[], %(said)s::text[]) AS new (id, attempt, state, delay_s, status, said)
           WHERE d.id = new.id AND d.state = 'sending' AND d.attempts = new.attempt""",
        {
            "at": at,
            "ids": [each.outcome.delivery_id for each in settled],
            "attempts": [each.outcome.attempt for each in settled],
            "states": [each.state for each in settled],
            "delays": [float(each.delay_s) for each in settled],
            "statuses": [each.outcome.status for each in settled],
            "said": [each.outcome.said for each in settled],
        },
    ).rowcount


_DELIVERY = """
SELECT id, endpoint_id, event_id, message_id, type, at, state, attempts, tried_at,
       greatest(extract(epoch FROM due_at - clock_timestamp()), 0)::float8 AS due_in_s, status, said
FROM webhook_delivery
"""


#: Written out, so that an index of one state can serve it.
_OF_STATE = {"": ""} | {state: f"AND state = '{state}'" for state in ("waiting", "sending", "delivered", "given_up")}


def list_of_endpoint(
    conn: Conn, endpoint_id: int, *, state: str, before: tuple[datetime, int] | None, limit: int
) -> list[Delivery]:
    """The newest events first; `state` empty is every one. Raises `KeyError` for a state that is none."""
    with conn.cursor(row_factory=class_row(Delivery)) as cur:
        return cur.execute(
            _DELIVERY
            + f"""WHERE endpoint_id = %(endpoint)s {_OF_STATE[state]}
                   AND (%(at)s::timestamptz IS NULL OR (at, id) < (%(at)s, %(id)s))
                 ORDER BY at DESC, id DESC LIMIT %(limit)s""",
            {
                "endpoint": endpoint_id,
                "at": before[0] if before else None,
                "id": before[1] if before else 0,
                "limit": limit,
            },
        ).fetchall()


def find(conn: Conn, endpoint_id: int, delivery_id: int) -> Delivery | None:
    with conn.cursor(row_factory=class_row(Delivery)) as cur:
        return cur.execute(_DELIVERY + "WHERE id = %s AND endpoint_id = %s", [delivery_id, endpoint_id]).fetchone()


#: What makes a row one that is sent once more; one that is being sent is left alone.
_AGAIN = """state = 'waiting', due_at = clock_timestamp(), attempts_before = webhook_delivery.attempts"""


def send_again(conn: Conn, delivery_id: int) -> bool:
    """False while it is being sent."""
    row = conn.execute(
        f"""WITH again AS (UPDATE webhook_delivery SET {_AGAIN} WHERE id = %s AND state <> 'sending' RETURNING id)
            SELECT pg_notify(%s, 'new') FROM again""",
        [delivery_id, CHANNEL],
    ).fetchone()
    return row is not None


@dataclass(frozen=True, slots=True)
class Span:
    """Which recorded events of a shop: `after` is an event id to go on behind, `types` are told types by event name."""

    endpoint_id: int
    shop_id: int
    since: datetime
    until: datetime
    types: Mapping[str, str]
    delivered_too: bool
    after: int


@dataclass(frozen=True, slots=True)
class Again:
    """How many events are sent once more, the id of the last that was looked at, and whether there are more."""

    queued: int
    last: int
    more: bool


def replay(conn: Conn, span: Span, *, limit: int) -> Again:
    """Queue the events of a span, oldest first: those without a row get one, the others keep theirs and their id."""
    row = conn.execute(
        f"""WITH happened AS MATERIALIZED (
                SELECT event.id, told.type, event.at
                FROM event JOIN unnest(%(names)s::text[], %(types)s::text[]) AS told (name, type) USING (name)
                WHERE at >= %(since)s AND at < %(until)s AND shop_id = %(shop)s AND event.id > %(after)s
                ORDER BY event.id LIMIT %(limit)s
            ), queued AS (
                INSERT INTO webhook_delivery (endpoint_id, shop_id, event_id, type, at)
                SELECT %(endpoint)s, %(shop)s, id, type, at FROM happened ORDER BY id
                ON CONFLICT (endpoint_id, event_id) DO UPDATE SET {_AGAIN}
                WHERE webhook_delivery.state IN ('waiting', 'given_up')
                   OR (%(all)s AND webhook_delivery.state = 'delivered')
                RETURNING id
            )
            SELECT count(*), coalesce((SELECT max(id) FROM happened), %(after)s),
                   (SELECT count(*) FROM happened) = %(limit)s, pg_notify(%(channel)s, 'new')
            FROM queued""",
        {
            "names": list(span.types),
            "types": list(span.types.values()),
            "since": span.since,
            "until": span.until,
            "shop": span.shop_id,
            "after": span.after,
            "endpoint": span.endpoint_id,
            "all": span.delivered_too,
            "limit": limit,
            "channel": CHANNEL,
        },
    ).fetchone()
    assert row is not None
    return Again(int(row[0]), int(row[1]), bool(row[2]))


def forget(conn: Conn, *, before: datetime) -> int:
    """Remove what is older and not on its way any more, at most FORGOTTEN_AT_ONCE; how many."""
    return conn.execute(
        """DELETE FROM webhook_delivery WHERE id IN (
               SELECT d.id FROM webhook_delivery d JOIN webhook_endpoint e ON e.id = d.endpoint_id
               WHERE d.at < %(before)s AND coalesce(d.tried_at, d.at) < %(before)s
                 AND (state IN ('delivered', 'given_up') OR (state = 'waiting' AND e.disabled_at < %(before)s))
               ORDER BY d.at LIMIT %(limit)s)""",
        {"before": before, "limit": FORGOTTEN_AT_ONCE},
    ).rowcount


def forget_removed(conn: Conn) -> int:
    """Remove the log of endpoints that were removed, at most FORGOTTEN_AT_ONCE rows; how many."""
    return conn.execute(
        """DELETE FROM webhook_delivery WHERE id IN (
               SELECT d.id FROM webhook_endpoint e JOIN webhook_delivery d ON d.endpoint_id = e.id
               WHERE e.removed_at IS NOT NULL AND d.state <> 'sending' LIMIT %s)""",
        [FORGOTTEN_AT_ONCE],
    ).rowcount


def wake(conn: Conn) -> None:
    """Tell whoever sends that something may be due."""
    conn.execute("SELECT pg_notify(%s, 'new')", [CHANNEL])
