"""The SQL of what people read of silence; the page role sees its own shops' parcels only.

Who is limited to warehouses sees the parcels of these only: `warehouses`, None without a limit.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from waystream.core.patience import NOT_WATCHED
from waystream.core.state import TERMINAL
from waystream.parts.silence.allowing import Allowed

Conn = Connection[Any]
Warehouses = Collection[int] | None

#: Parcels of the warehouses somebody is limited to; every parcel where there is no limit. Asked parcel by parcel: an
#: EXISTS would read every parcel of the warehouse first.
_WITHIN = """(%(warehouses)s::bigint[] IS NULL OR
    (SELECT warehouse_id FROM parcel WHERE parcel.id = silence.parcel_id) = ANY (%(warehouses)s))"""


def _ids(warehouses: Warehouses) -> list[int] | None:
    return None if warehouses is None else sorted(warehouses)


@dataclass(frozen=True, slots=True)
class Counts:
    """Parcels stalled by themselves, being asked for, and explained by slow-downs; and all under way."""

    stalled: int
    asked: int
    slowed: int
    under_way: int


def count(conn: Conn, warehouses: Warehouses) -> Counts:
    row = conn.execute(
        f"""SELECT count(*) FILTER (WHERE state = 'stalled' AND slowed.id IS NULL),
                  count(*) FILTER (WHERE state = 'asked' AND slowed.id IS NULL),
                  count(slowed.id),
                  (SELECT COALESCE(sum(n), 0)::bigint FROM standing WHERE what = 'state' AND word <> ALL (%(past)s)
                     AND (%(warehouses)s::bigint[] IS NULL OR warehouse_id = ANY (%(warehouses)s)))
           FROM silence LEFT JOIN slowdown AS slowed ON slowed.id = slowdown_id AND slowed.ended_at IS NULL
           WHERE state IN ('asked', 'stalled') AND {_WITHIN}""",
        {"past": sorted(NOT_WATCHED | TERMINAL), "warehouses": _ids(warehouses)},
    ).fetchone()
    assert row is not None
    return Counts(*row)


@dataclass(frozen=True, slots=True)
class SilentRow:
    """A parcel that is silent beyond its time."""

    parcel_id: int
    number: str
    carrier: str
    lane: str
    place: str
    stage: str
    state: str
    silent_since: datetime
    due_at: datetime


def list_silent(
    conn: Conn, warehouses: Warehouses, *, slowdown_id: int | None, after: tuple[datetime, int] | None, limit: int
) -> list[SilentRow]:
    """Of a slow-down, or of those that none explains; the longest silent first, after the last row's place."""
    at, parcel_id = after or (None, None)
    with conn.cursor(row_factory=class_row(SilentRow)) as cursor:
        return cursor.execute(
            f"""SELECT silence.parcel_id, binding.number, silence.carrier, track.lane, silence.place, silence.stage,
                      silence.state, silence.silent_since, silence.due_at
               FROM silence JOIN track ON track.parcel_id = silence.parcel_id
                    JOIN binding ON binding.id = track.binding_id
                    LEFT JOIN slowdown ON slowdown.id = silence.slowdown_id AND slowdown.ended_at IS NULL
               WHERE silence.state IN ('asked', 'stalled') AND {_WITHIN}
                 AND (slowdown.id = %(slowdown)s::bigint OR (%(slowdown)s::bigint IS NULL AND slowdown.id IS NULL))
                 AND (%(at)s::timestamptz IS NULL OR (silent_since, silence.parcel_id) > (%(at)s, %(id)s))
               ORDER BY silent_since, silence.parcel_id LIMIT %(limit)s""",
            {"slowdown": slowdown_id, "limit": limit, "warehouses": _ids(warehouses), "at": at, "id": parcel_id},
        ).fetchall()


@dataclass(frozen=True, slots=True)
class SlowdownRow:
    """A slow-down as far as the caller's shops and warehouses are in it. `expected`: in all shops, when it began."""

    id: int
    carrier: str
    place: str
    began_at: datetime
    ended_at: datetime | None
    parcels: int
    silent: int
    expected: float


def list_slowdowns(conn: Conn, warehouses: Warehouses, *, ended_since: datetime, limit: int) -> list[SlowdownRow]:
    """Those that last first, then the newest that have ended."""
    with conn.cursor(row_factory=class_row(SlowdownRow)) as cursor:
        return cursor.execute(
            f"""SELECT slowdown.id, slowdown.carrier, slowdown.place, began_at, slowdown.ended_at,
                      count(silence.id)::int AS parcels, expected,
                      count(*) FILTER (WHERE silence.state IN ('asked', 'stalled'))::int AS silent
               FROM slowdown JOIN silence ON silence.slowdown_id = slowdown.id
               WHERE (slowdown.ended_at IS NULL OR slowdown.ended_at >= %(since)s) AND {_WITHIN}
               GROUP BY slowdown.id ORDER BY slowdown.ended_at DESC NULLS FIRST, slowdown.id DESC LIMIT %(limit)s""",
            {"since": ended_since, "limit": limit, "warehouses": _ids(warehouses)},
        ).fetchall()


def list_allowed(conn: Conn, *, limit: int) -> list[Allowed]:
    """What is allowed: everyone's first, then carriers and lanes with the most history."""
    with conn.cursor(row_factory=class_row(Allowed)) as cursor:
        return cursor.execute(
            """SELECT carrier, lane, stage, hours, usual_h, gaps, waiting FROM patience
               ORDER BY carrier <> '', lane <> '', gaps DESC, carrier, lane, stage LIMIT %s""",
            [limit],
        ).fetchall()
