"""The SQL of slow-downs: counts over open silences, never over all parcels."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from waystream.core.patience import NOT_WATCHED
from waystream.core.state import TERMINAL
from waystream.parts.silence.model import Left
from waystream.parts.silence.slowness import Course, Flow, Key, Slow

Conn = Connection[Any]


def count_silent(conn: Conn, *, since: datetime) -> dict[Key, int]:
    """Open silences due since then that no slow-down explains, by carrier and place: when they were found says little,
    for after a long pause all of them are found at once."""
    rows = conn.execute(
        """SELECT carrier, place, count(*) FROM silence
           WHERE state IN ('asked', 'stalled') AND slowdown_id IS NULL AND alone_at IS NULL AND due_at >= %s
           GROUP BY 1, 2""",
        [since],
    )
    return {(carrier, place): count for carrier, place, count in rows}


def list_flows(conn: Conn, places: Collection[str]) -> dict[str, Flow]:
    """By carrier: parcels under way, and what history knows of these places."""
    parcels = dict(
        conn.execute(
            """SELECT carrier, sum(n)::bigint FROM standing WHERE what = 'state' AND word <> ALL (%s) GROUP BY 1""",
            [sorted(NOT_WATCHED | TERMINAL)],
        ).fetchall()
    )
    begun = dict(conn.execute("SELECT carrier, sum(begun)::float8 FROM place_share GROUP BY 1").fetchall())
    at: dict[str, dict[str, float]] = {}
    for carrier, place, count in conn.execute(
        "SELECT carrier, place, begun FROM place_share WHERE place = ANY (%s)", [sorted(places)]
    ):
        at.setdefault(carrier, {})[place] = count
    return {carrier: Flow(n, at.get(carrier, {}), begun.get(carrier, 0.0)) for carrier, n in parcels.items()}


def list_courses(conn: Conn, *, fresh_since: datetime) -> list[Course]:
    """The open slow-downs."""
    with conn.cursor(row_factory=class_row(Course)) as cursor:
        return cursor.execute(
            """SELECT slowdown.id, slowdown.carrier, slowdown.place, began_at, count(silence.id)::int AS parcels,
                      count(*) FILTER (WHERE silence.state IN ('asked', 'stalled'))::int AS silent,
                      count(*) FILTER (WHERE silence.due_at >= %s)::int AS fresh
               FROM slowdown LEFT JOIN silence ON slowdown_id = slowdown.id
               WHERE slowdown.ended_at IS NULL GROUP BY slowdown.id ORDER BY slowdown.id""",
            [fresh_since],
        ).fetchall()


def insert_slowdowns(conn: Conn, found: Sequence[Slow], *, at: datetime) -> None:
    for slow in found:
        conn.execute(
            """INSERT INTO slowdown (carrier, place, began_at, silent, expected) VALUES (%s, %s, %s, %s, %s)
               ON CONFLICT DO NOTHING""",
            [slow.carrier, slow.place, at, slow.silent, slow.expected],
        )


def attach(conn: Conn, *, window_s: float) -> int:
    """Open silences that an open slow-down explains become its own: the most particular one's. How many."""
    return conn.execute(
        """UPDATE silence SET slowdown_id = (
               SELECT id FROM slowdown
               WHERE ended_at IS NULL AND carrier IN (silence.carrier, '') AND place IN (silence.place, '')
                 AND silence.due_at >= began_at - make_interval(secs => %(window)s)
               ORDER BY place = '', carrier = '', id LIMIT 1)
           WHERE state IN ('asked', 'stalled') AND slowdown_id IS NULL AND alone_at IS NULL AND EXISTS (
               SELECT FROM slowdown
               WHERE ended_at IS NULL AND carrier IN (silence.carrier, '') AND place IN (silence.place, '')
                 AND silence.due_at >= began_at - make_interval(secs => %(window)s))""",
        {"window": window_s},
    ).rowcount


@dataclass(frozen=True, slots=True)
class InShop:
    """What a slow-down is to one shop."""

    slowdown_id: int
    shop_id: int
    carrier: str
    place: str
    parcels: int


_IN_SHOP = """SELECT slowdown.id AS slowdown_id, shop_id, slowdown.carrier, slowdown.place, count(*)::int AS parcels
              FROM slowdown JOIN silence ON slowdown_id = slowdown.id"""


def list_untold(conn: Conn) -> list[InShop]:
    """Shops with parcels in an open slow-down of which they were not told."""
    with conn.cursor(row_factory=class_row(InShop)) as cursor:
        return cursor.execute(
            f"""{_IN_SHOP}
                WHERE slowdown.ended_at IS NULL
                  AND NOT EXISTS (SELECT FROM slowdown_shop AS told
                                  WHERE told.slowdown_id = slowdown.id AND told.shop_id = silence.shop_id)
                GROUP BY slowdown.id, shop_id ORDER BY slowdown.id, shop_id"""
        ).fetchall()


def insert_told(conn: Conn, rows: Sequence[InShop], *, at: datetime) -> None:
    conn.execute(
        """INSERT INTO slowdown_shop (slowdown_id, shop_id, told_at)
           SELECT *, %s FROM unnest(%s::bigint[], %s::bigint[])""",
        [at, [row.slowdown_id for row in rows], [row.shop_id for row in rows]],
    )


def list_told(conn: Conn, slowdown_ids: Collection[int]) -> list[InShop]:
    """The shops that were told of these slow-downs, also those whose parcels all stand alone by now."""
    with conn.cursor(row_factory=class_row(InShop)) as cursor:
        return cursor.execute(
            """SELECT told.slowdown_id, told.shop_id, slowdown.carrier, slowdown.place,
                      count(silence.id)::int AS parcels
               FROM slowdown_shop AS told JOIN slowdown ON slowdown.id = told.slowdown_id
                    LEFT JOIN silence ON silence.slowdown_id = told.slowdown_id AND silence.shop_id = told.shop_id
               WHERE told.slowdown_id = ANY (%s) GROUP BY told.slowdown_id, told.shop_id, slowdown.id ORDER BY 1, 2""",
            [list(slowdown_ids)],
        ).fetchall()


def end(conn: Conn, slowdown_ids: Collection[int], *, at: datetime) -> list[Left]:
    """They are over; the parcels they leave behind stalled."""
    conn.execute("UPDATE slowdown SET ended_at = %s WHERE id = ANY (%s)", [at, list(slowdown_ids)])
    with conn.cursor(row_factory=class_row(Left)) as cursor:
        return cursor.execute(
            """SELECT parcel_id, shop_id, silent_since, due_at FROM silence
               WHERE slowdown_id = ANY (%s) AND state = 'stalled' ORDER BY parcel_id""",
            [list(slowdown_ids)],
        ).fetchall()


def let_out(conn: Conn, *, longer: float, now: datetime) -> list[Left]:
    """Those stalled in open slow-downs for `longer` x the time in which their scan was due stand alone from now on."""
    with conn.cursor(row_factory=class_row(Left)) as cursor:
        return cursor.execute(
            """WITH alone AS (
                   UPDATE silence SET slowdown_id = NULL, alone_at = %(now)s
                   WHERE slowdown_id IN (SELECT id FROM slowdown WHERE ended_at IS NULL) AND state = 'stalled'
                     AND silent_since + %(longer)s * (due_at - silent_since) <= %(now)s
                   RETURNING parcel_id, shop_id, silent_since, due_at)
               SELECT * FROM alone ORDER BY parcel_id""",
            {"now": now, "longer": longer},
        ).fetchall()


def list_parcels(conn: Conn, slowdown_id: int) -> list[int]:
    """Its parcels that are silent still."""
    rows = conn.execute(
        "SELECT parcel_id FROM silence WHERE slowdown_id = %s AND state IN ('asked', 'stalled') ORDER BY parcel_id",
        [slowdown_id],
    )
    return [parcel_id for (parcel_id,) in rows]
