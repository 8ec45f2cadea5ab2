"""The SQL of silences: what is overdue, found by the partial index of due times, never by what is stored."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from waystream.core.patience import NOT_WATCHED
from waystream.parts.silence.model import Open, Overdue
from waystream.parts.silence.places import place_of

Conn = Connection[Any]


def list_overdue(conn: Conn, *, now: datetime, limit: int) -> list[Overdue]:
    """Parcels under way whose scan is overdue and that are not open yet, the longest overdue first; their tracks are
    locked, and those that somebody else holds are left for the next time."""
    rows = conn.execute(
        """WITH late AS (
                   SELECT parcel_id, shop_id, carrier, state, scanned_at, at, due_at FROM track
                   WHERE due_at < %(now)s AND state <> ALL (%(not_watched)s) AND COALESCE(scanned_at, at) IS NOT NULL
                     AND NOT EXISTS (SELECT FROM silence WHERE silence.parcel_id = track.parcel_id
                                                           AND silence.state IN ('asked', 'stalled'))
                   ORDER BY due_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED)
               SELECT late.parcel_id, late.shop_id, carrier, late.state, COALESCE(late.scanned_at, late.at), due_at,
                      COALESCE(last.text, ''), COALESCE(last.location, '')
               FROM late LEFT JOIN LATERAL (
                   SELECT text, location FROM scan WHERE scan.parcel_id = late.parcel_id AND withdrawn_at IS NULL
                   ORDER BY at DESC, key DESC LIMIT 1) AS last ON true
               ORDER BY late.parcel_id""",
        {"now": now, "not_watched": sorted(NOT_WATCHED), "limit": limit},
    )
    return [
        Overdue(parcel_id, shop_id, carrier, place_of(text, location), *rest)
        for parcel_id, shop_id, carrier, *rest, text, location in rows
    ]


def insert_silences(conn: Conn, rows: Sequence[Overdue], *, at: datetime) -> None:
    conn.execute(
        """INSERT INTO silence (parcel_id, shop_id, carrier, place, stage, silent_since, due_at, found_at)
           SELECT *, %s FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::timestamptz[],
                                    %s::timestamptz[])""",
        [
            at,
            [row.parcel_id for row in rows],
            [row.shop_id for row in rows],
            [row.carrier for row in rows],
            [row.place for row in rows],
            [row.stage for row in rows],
            [row.silent_since for row in rows],
            [row.due_at for row in rows],
        ],
    )


def list_open(conn: Conn, *, waited_since: datetime, limit: int) -> list[Open]:
    """Silences that may be something else now: scanned since, over, answered, or found before `waited_since`. Their
    tracks are locked; what somebody else holds is left for the next time."""
    with conn.cursor(row_factory=class_row(Open)) as cursor:
        return cursor.execute(
            """SELECT silence.id, silence.parcel_id, silence.shop_id, silence.state, silent_since, silence.due_at,
                      found_at, answered.so AS answered, track.scanned_at, track.due_at IS NULL AS over
               FROM silence JOIN track ON track.parcel_id = silence.parcel_id
                    CROSS JOIN LATERAL (
                        SELECT silence.state = 'asked' AND EXISTS (
                            SELECT FROM inquiry WHERE inquiry.parcel_id = silence.parcel_id
                                AND inquiry.asked_at >= found_at AND inquiry.state = 'unchanged') AS so) AS answered
               WHERE silence.state IN ('asked', 'stalled')
                 AND (track.scanned_at > silent_since OR track.due_at IS NULL
                      OR (silence.state = 'asked' AND (found_at <= %(waited_since)s OR answered.so)))
               ORDER BY silence.parcel_id LIMIT %(limit)s FOR NO KEY UPDATE OF track, silence SKIP LOCKED""",
            {"waited_since": waited_since, "limit": limit},
        ).fetchall()


def set_states(conn: Conn, states: Sequence[tuple[int, str]], *, at: datetime) -> None:
    """(silence, what it is now)."""
    conn.execute(
        """UPDATE silence SET state = new.state,
                  stalled_at = CASE WHEN new.state = 'stalled' THEN %(at)s ELSE stalled_at END,
                  ended_at = CASE WHEN new.state <> 'stalled' THEN %(at)s END
           FROM unnest(%(ids)s::bigint[], %(states)s::text[]) AS new (id, state) WHERE silence.id = new.id""",
        {"at": at, "ids": [silence_id for silence_id, _ in states], "states": [state for _, state in states]},
    )


def list_slowed(conn: Conn, parcel_ids: Collection[int]) -> dict[int, int]:
    """Parcel to slow-down, of those that an open slow-down explains."""
    return dict(
        conn.execute(
            """SELECT parcel_id, slowdown_id FROM silence JOIN slowdown ON slowdown.id = slowdown_id
               WHERE parcel_id = ANY (%s) AND state IN ('asked', 'stalled') AND slowdown.ended_at IS NULL""",
            [list(parcel_ids)],
        ).fetchall()
    )
