"""SQL of `carrier_heard`."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from psycopg import Connection

Conn = Connection[Any]


def add(conn: Conn, heard: Mapping[tuple[int, str], int], *, at: datetime) -> None:
    """One row for each carrier, aggregator and day, in the order of the key; a gap begins at the newest there is."""
    named = sorted((carrier, aggregator_id, pushes) for (aggregator_id, carrier), pushes in heard.items())
    conn.execute(
        """INSERT INTO carrier_heard (aggregator_id, carrier, day, pushes, last_at, longest_gap_s)
           SELECT aggregator_id, carrier, %(day)s, pushes, %(at)s,
                  greatest(0, coalesce(extract(epoch FROM %(at)s - (
                      SELECT last_at FROM carrier_heard AS known
                      WHERE known.carrier = given.carrier AND known.aggregator_id = given.aggregator_id
                      ORDER BY day DESC LIMIT 1)), 0))
           FROM unnest(%(carriers)s::text[], %(aggregators)s::bigint[], %(pushes)s::bigint[])
                AS given (carrier, aggregator_id, pushes)
           ORDER BY carrier, aggregator_id
           ON CONFLICT (carrier, aggregator_id, day) DO UPDATE
           SET pushes = carrier_heard.pushes + excluded.pushes,
               last_at = greatest(carrier_heard.last_at, excluded.last_at),
               longest_gap_s = greatest(carrier_heard.longest_gap_s, excluded.longest_gap_s)""",
        {
            "day": at.date(),
            "at": at,
            "carriers": [carrier for carrier, _, _ in named],
            "aggregators": [aggregator_id for _, aggregator_id, _ in named],
            "pushes": [pushes for _, _, pushes in named],
        },
    )


def list_heard(conn: Conn, *, since: date, today: date) -> list[tuple[str, str, datetime, float | None, int, int]]:
    """Aggregator, carrier, when it was last heard, its usual silence, over how many days, its parcels on the way."""
    return conn.execute(
        """SELECT aggregator.code, carrier, max(last_at),
                  percentile_cont(0.5) WITHIN GROUP (ORDER BY longest_gap_s) FILTER (WHERE day < %(today)s),
                  count(*) FILTER (WHERE day < %(today)s),
                  coalesce((SELECT sum(n) FROM standing WHERE what = 'state' AND standing.carrier = heard.carrier
                              AND word NOT IN ('delivered', 'returned', 'lost', 'cancelled')), 0)::bigint
           FROM carrier_heard AS heard JOIN aggregator ON aggregator.id = aggregator_id
           WHERE day >= %(since)s
           GROUP BY aggregator.code, carrier ORDER BY carrier, aggregator.code""",
        {"since": since, "today": today},
    ).fetchall()


def prune(conn: Conn, *, before: date) -> int:
    return conn.execute("DELETE FROM carrier_heard WHERE day < %s", [before]).rowcount
