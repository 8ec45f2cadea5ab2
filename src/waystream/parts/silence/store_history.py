"""The SQL of history: gaps, pulses and places as they are learned, and the patience published from them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from waystream.core.patience import NOT_WATCHED, Calendar, Cell, Pulse
from waystream.parts.silence.allowing import Allowed, Book
from waystream.parts.silence.lessons import Lesson, Scanned, Waiting
from waystream.parts.silence.survival import CLASSES, Gaps

Conn = Connection[Any]

SCANS_MAX = 200  # of one parcel


def list_scans(conn: Conn, parcel_ids: Collection[int]) -> list[Scanned]:
    """Their standing scans, by parcel; the first `SCANS_MAX` of each."""
    with conn.cursor(row_factory=class_row(Scanned)) as cursor:
        return cursor.execute(
            """SELECT track.parcel_id, track.carrier, track.lane, scan.at, scan.state, scan.text, scan.location
               FROM track CROSS JOIN LATERAL (
                   SELECT at, state, text, location FROM scan
                   WHERE scan.parcel_id = track.parcel_id AND withdrawn_at IS NULL ORDER BY at LIMIT %s) AS scan
               WHERE track.parcel_id = ANY (%s) ORDER BY track.parcel_id""",
            [SCANS_MAX, sorted(parcel_ids)],
        ).fetchall()


def add_lesson(conn: Conn, lesson: Lesson) -> None:
    """Count what was learned; rows in the order of their keys."""
    _add_gaps(conn, lesson)
    _add_pulses(conn, lesson)
    rows = sorted(lesson.places.items())
    conn.execute(
        """INSERT INTO place_share (carrier, place, begun) SELECT * FROM unnest(%s::text[], %s::text[], %s::real[])
           ON CONFLICT (carrier, place) DO UPDATE SET begun = place_share.begun + EXCLUDED.begun""",
        [[carrier for (carrier, _), _ in rows], [place for (_, place), _ in rows], [begun for _, begun in rows]],
    )
    conn.execute("UPDATE patience_book SET unread = unread + %s", [lesson.gaps.total()])


def _add_gaps(conn: Conn, lesson: Lesson) -> None:
    cells = sorted(lesson.days)
    rows = [[lesson.gaps[cell, n] for n in range(CLASSES)] for cell in cells]
    conn.execute(
        """INSERT INTO gap_cell (carrier, lane, stage, gaps, days)
           SELECT carrier, lane, stage, gaps::real[], days
           FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::float8[])
                AS given (carrier, lane, stage, gaps, days)
           ON CONFLICT (carrier, lane, stage) DO UPDATE SET days = gap_cell.days + EXCLUDED.days,
               gaps = ARRAY (SELECT a + b FROM unnest(gap_cell.gaps, EXCLUDED.gaps) WITH ORDINALITY AS t (a, b, n)
                             ORDER BY n)""",
        [
            [carrier for carrier, _, _ in cells],
            [lane for _, lane, _ in cells],
            [stage for _, _, stage in cells],
            ["{" + ",".join(map(str, row)) + "}" for row in rows],
            [lesson.days[cell] for cell in cells],
        ],
    )


def _add_pulses(conn: Conn, lesson: Lesson) -> None:
    days = sorted({(stage, day) for stage, day, _ in lesson.pulses})
    rows = [[lesson.pulses[stage, day, hour] for hour in range(24)] for stage, day in days]
    conn.execute(
        """INSERT INTO scan_pulse (stage, day, scans)
           SELECT stage, day, scans::int[] FROM unnest(%s::text[], %s::date[], %s::text[]) AS given (stage, day, scans)
           ON CONFLICT (stage, day) DO UPDATE SET
               scans = ARRAY (SELECT a + b FROM unnest(scan_pulse.scans, EXCLUDED.scans) WITH ORDINALITY AS t (a, b, n)
                              ORDER BY n)""",
        [
            [stage for stage, _ in days],
            [day for _, day in days],
            ["{" + ",".join(map(str, row)) + "}" for row in rows],
        ],
    )


@dataclass(frozen=True, slots=True)
class BookRow:
    """What a person set, and what was published last. `unread`: gaps learned since."""

    version: int
    budget: float
    times: float
    expected: float | None
    gaps: float
    unread: float
    faded_on: date | None
    published_at: datetime | None


_BOOK = "SELECT version, budget, times, expected, gaps, unread, faded_on, published_at FROM patience_book"


def get_book(conn: Conn) -> BookRow:
    with conn.cursor(row_factory=class_row(BookRow)) as cursor:
        row = cursor.execute(_BOOK).fetchone()
    assert row is not None, "the book of patience has one row"
    return row


def lock_book(conn: Conn) -> BookRow:
    with conn.cursor(row_factory=class_row(BookRow)) as cursor:
        row = cursor.execute(f"{_BOOK} FOR NO KEY UPDATE").fetchone()
    assert row is not None, "the book of patience has one row"
    return row


def set_budget(conn: Conn, budget: float) -> None:
    conn.execute("UPDATE patience_book SET budget = %s", [budget])


def list_cells(conn: Conn) -> dict[Cell, Gaps]:
    rows = conn.execute("SELECT carrier, lane, stage, gaps, days FROM gap_cell", binary=True)
    return {(carrier, lane, stage): Gaps(tuple(gaps), days=days) for carrier, lane, stage, gaps, days in rows}


def list_waiting(conn: Conn, *, since: datetime) -> list[Waiting]:
    """Parcels under way that were scanned since then, by the hour since when they are silent."""
    with conn.cursor(row_factory=class_row(Waiting)) as cursor:
        return cursor.execute(
            """SELECT carrier, lane, state AS stage, date_trunc('hour', scanned_at) AS since, count(*) AS parcels
               FROM track WHERE due_at IS NOT NULL AND scanned_at >= %s AND state <> ALL (%s)
               GROUP BY 1, 2, 3, 4""",
            [since, sorted(NOT_WATCHED)],
        ).fetchall()


def list_pulses(conn: Conn) -> dict[str, dict[date, list[int]]]:
    """By stage: scans by day and hour, the oldest day first."""
    found: dict[str, dict[date, list[int]]] = {}
    for stage, day, scans in conn.execute("SELECT stage, day, scans FROM scan_pulse ORDER BY stage, day"):
        found.setdefault(stage, {})[day] = scans
    return found


def fade(conn: Conn, *, share: float, today: date, pulses_since: date) -> None:
    """What was learned before counts for so much now; what hardly counts is forgotten."""
    if share < 1:
        conn.execute(
            """UPDATE gap_cell SET days = days * %(share)s::float8,
                      gaps = ARRAY (SELECT (g * %(share)s)::real
                                    FROM unnest(gaps) WITH ORDINALITY AS t (g, n) ORDER BY n)""",
            {"share": share},
        )
        conn.execute("UPDATE place_share SET begun = begun * %s", [share])
        conn.execute("DELETE FROM gap_cell WHERE (SELECT sum(g) FROM unnest(gaps) AS g) < 0.5")
        conn.execute("DELETE FROM place_share WHERE begun < 0.5")
    conn.execute("DELETE FROM scan_pulse WHERE day < %s", [pulses_since])
    conn.execute("UPDATE patience_book SET faded_on = %s", [today])


def publish(conn: Conn, book: Book, *, pulses: Mapping[str, Pulse], calendar: Calendar, at: datetime) -> int:
    """Replace what is allowed; the new version."""
    conn.execute("DELETE FROM patience")
    _insert_allowed(conn, book.rows)
    conn.execute("DELETE FROM patience_curve")
    conn.execute(
        "INSERT INTO patience_curve (times, expected) SELECT * FROM unnest(%s::float8[], %s::float8[])",
        [[times for times, _ in book.curve], [expected for _, expected in book.curve]],
    )
    conn.execute("DELETE FROM patience_pulse")
    for stage, pulse in sorted(pulses.items()):
        conn.execute(
            "INSERT INTO patience_pulse (stage, hours, weekend, holiday) VALUES (%s, %s, %s, %s)",
            [stage, list(pulse.hours), pulse.weekend, pulse.holiday],
        )
    row = conn.execute(
        """UPDATE patience_book SET version = version + 1, times = %s, expected = %s, gaps = %s, unread = 0, off = %s,
                  made_up = %s, published_at = %s RETURNING version""",
        [book.times, book.expected, book.gaps, sorted(calendar.off), sorted(calendar.made_up), at],
    ).fetchone()
    assert row is not None
    return int(row[0])


def _insert_allowed(conn: Conn, rows: Sequence[Allowed]) -> None:
    conn.execute(
        """INSERT INTO patience (carrier, lane, stage, hours, usual_h, gaps, waiting)
           SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::float8[], %s::float8[], %s::float8[],
                                %s::float8[])""",
        [
            [row.carrier for row in rows],
            [row.lane for row in rows],
            [row.stage for row in rows],
            [row.hours for row in rows],
            [row.usual_h for row in rows],
            [row.gaps for row in rows],
            [row.waiting for row in rows],
        ],
    )


def list_curve(conn: Conn) -> list[tuple[float, float]]:
    return conn.execute("SELECT times, expected FROM patience_curve ORDER BY times").fetchall()
