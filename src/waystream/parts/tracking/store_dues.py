"""The SQL of due times: patience as it was published, and the due times of parcels under way."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection

from waystream.core.patience import Calendar, Cell, Pulse
from waystream.parts.tracking.store import Stored, lock_tracks

Conn = Connection[Any]


def find_version(conn: Conn) -> int:
    row = conn.execute("SELECT version FROM patience_book").fetchone()
    return row[0] if row else 0


def load_calendar(conn: Conn) -> Calendar:
    row = conn.execute("SELECT off, made_up FROM patience_book").fetchone()
    return Calendar(frozenset(row[0]), frozenset(row[1])) if row else Calendar()


def list_pulses(conn: Conn) -> dict[str, Pulse]:
    rows = conn.execute("SELECT stage, hours, weekend, holiday FROM patience_pulse")
    return {stage: Pulse(tuple(hours), weekend, holiday) for stage, hours, weekend, holiday in rows}


def list_hours(conn: Conn) -> dict[Cell, float]:
    rows = conn.execute("SELECT carrier, lane, stage, hours FROM patience")
    return {(carrier, lane, stage): hours for carrier, lane, stage, hours in rows}


def lock_due(conn: Conn, *, after: tuple[datetime, int], limit: int) -> list[tuple[Stored, datetime]]:
    """The tracks whose due time comes next after (due time, parcel), each with it; held until the commit."""
    found = conn.execute(
        """SELECT parcel_id, due_at FROM track WHERE due_at IS NOT NULL AND (due_at, parcel_id) > (%s, %s)
           ORDER BY due_at, parcel_id LIMIT %s""",
        [*after, limit],
    ).fetchall()
    dues = dict(found)
    return [(stored, dues[stored.parcel_id]) for stored in lock_tracks(conn, dues).values()]


def set_dues(conn: Conn, rows: Sequence[tuple[int, datetime]]) -> None:
    """(parcel, when its next scan is due); the tracks are locked."""
    if rows:
        conn.execute(
            """UPDATE track SET due_at = new.due_at FROM unnest(%s::bigint[], %s::timestamptz[]) AS new (id, due_at)
               WHERE track.parcel_id = new.id AND track.due_at IS NOT NULL""",
            [[parcel_id for parcel_id, _ in rows], [due_at for _, due_at in rows]],
        )
