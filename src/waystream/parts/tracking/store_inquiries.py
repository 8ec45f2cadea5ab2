"""The SQL of heartbeats, outages and inquiries."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from waystream.core.state import TERMINAL, State

Conn = Connection[Any]

#: Probably delivered while nobody listened: asked first.
NEARLY_THERE = (State.OUT_FOR_DELIVERY, State.READY_FOR_PICKUP)


@dataclass(frozen=True, slots=True)
class Gap:
    """Between two heartbeats: since when in business time, and how long on the machine's clock."""

    since: datetime
    machine_s: float


def beat(conn: Conn, *, at: datetime) -> Gap | None:
    """Pushes can be taken in now; the gap since that was last so. None the first time."""
    row = conn.execute(
        """INSERT INTO heartbeat (at) VALUES (%s)
           ON CONFLICT (one) DO UPDATE
           SET at = GREATEST(heartbeat.at, EXCLUDED.at), machine_at = clock_timestamp()
           RETURNING old.at, extract(epoch FROM new.machine_at - old.machine_at)::float8""",
        [at],
    ).fetchone()
    assert row is not None
    return None if row[0] is None else Gap(*row)


@dataclass(frozen=True, slots=True)
class OutageRow:
    """A time in which pushes were lost, and how far the asking is."""

    id: int
    began_at: datetime
    ended_at: datetime
    state: str
    integrations: list[str]
    finished_at: datetime | None


_OUTAGE = "id, began_at, ended_at, state, integrations, finished_at"


def insert_outage(conn: Conn, *, began_at: datetime, ended_at: datetime, integrations: Sequence[str]) -> int:
    row = conn.execute(
        "INSERT INTO outage (began_at, ended_at, integrations) VALUES (%s, %s, %s) RETURNING id",
        [began_at, ended_at, list(integrations)],
    ).fetchone()
    assert row is not None
    return int(row[0])


def find_outage(conn: Conn, outage_id: int) -> OutageRow | None:
    with conn.cursor(row_factory=class_row(OutageRow)) as cursor:
        return cursor.execute(f"SELECT {_OUTAGE} FROM outage WHERE id = %s", [outage_id]).fetchone()


def lock_outage(conn: Conn, outage_id: int) -> OutageRow | None:
    with conn.cursor(row_factory=class_row(OutageRow)) as cursor:
        return cursor.execute(f"SELECT {_OUTAGE} FROM outage WHERE id = %s FOR NO KEY UPDATE", [outage_id]).fetchone()


def list_outages(conn: Conn, *, limit: int) -> list[OutageRow]:
    """The newest first."""
    with conn.cursor(row_factory=class_row(OutageRow)) as cursor:
        return cursor.execute(f"SELECT {_OUTAGE} FROM outage ORDER BY id DESC LIMIT %s", [limit]).fetchall()


def list_asking(conn: Conn) -> list[int]:
    """The outages whose parcels are being asked for, the oldest first."""
    rows = conn.execute("SELECT id FROM outage WHERE state = 'asking' ORDER BY id")
    return [outage_id for (outage_id,) in rows]


def set_outage(conn: Conn, outage_id: int, state: str, *, finished_at: datetime | None = None) -> None:
    conn.execute("UPDATE outage SET state = %s, finished_at = %s WHERE id = %s", [state, finished_at, outage_id])


def insert_inquiries(conn: Conn, outage: OutageRow, *, at: datetime) -> int:
    """One for every parcel under way with a live number, in the order in which they are to be asked; how many."""
    return conn.execute(
        """INSERT INTO inquiry (outage_id, parcel_id, shop_id, binding_id, place, created_at)
           SELECT %(outage)s, track.parcel_id, track.shop_id, track.binding_id,
                  row_number() OVER (ORDER BY track.state = ANY (%(first)s) DESC, track.due_at NULLS LAST,
                                              track.parcel_id), %(at)s
           FROM track JOIN binding ON binding.id = track.binding_id
                JOIN aggregator ON aggregator.id = binding.aggregator_id
           WHERE track.state <> ALL (%(ended)s) AND binding.state = 'live' AND binding.bound_at < %(until)s
             AND aggregator.integration = ANY (%(integrations)s)
           ON CONFLICT (outage_id, parcel_id) DO NOTHING""",
        {
            "outage": outage.id,
            "first": list(NEARLY_THERE),
            "ended": list(TERMINAL),
            "until": outage.ended_at,
            "integrations": outage.integrations,
            "at": at,
        },
    ).rowcount


@dataclass(frozen=True, slots=True)
class Next:
    """An inquiry whose turn it is."""

    id: int
    parcel_id: int
    shop_id: int


def queue_next(conn: Conn, outage_id: int, *, queued_max: int) -> list[Next]:
    """Queue those whose turn it is, so that at most so many are queued at once; in their order."""
    with conn.cursor(row_factory=class_row(Next)) as cursor:
        rows = cursor.execute(
            """UPDATE inquiry SET state = 'queued'
               WHERE id IN (SELECT id FROM inquiry WHERE outage_id = %(outage)s AND state = 'waiting'
                            ORDER BY place
                            LIMIT GREATEST(0, %(most)s - (SELECT count(*) FROM inquiry
                                                          WHERE outage_id = %(outage)s AND state = 'queued'))
                            FOR UPDATE SKIP LOCKED)
               RETURNING id, parcel_id, shop_id""",
            {"outage": outage_id, "most": queued_max},
        ).fetchall()
    places = dict(conn.execute("SELECT id, place FROM inquiry WHERE id = ANY (%s)", [[row.id for row in rows]]))
    return sorted(rows, key=lambda row: int(places[row.id]))


def is_over(conn: Conn, outage_id: int) -> bool:
    """Whether nothing is left to be asked."""
    row = conn.execute(
        "SELECT NOT EXISTS (SELECT FROM inquiry WHERE outage_id = %s AND state IN ('waiting', 'queued'))", [outage_id]
    ).fetchone()
    return row is not None and bool(row[0])


def requeue_refused(conn: Conn, outage_id: int) -> int:
    """What was refused waits again."""
    return conn.execute(
        "UPDATE inquiry SET state = 'waiting', said = '' WHERE outage_id = %s AND state = 'refused'", [outage_id]
    ).rowcount


def insert_inquiry(conn: Conn, *, parcel_id: int, shop_id: int, binding_id: int, actor: str, at: datetime) -> int:
    """A person asks for one parcel; it is queued at once."""
    row = conn.execute(
        """INSERT INTO inquiry (parcel_id, shop_id, binding_id, state, actor, created_at)
           VALUES (%s, %s, %s, 'queued', %s, %s) RETURNING id""",
        [parcel_id, shop_id, binding_id, actor, at],
    ).fetchone()
    assert row is not None
    return int(row[0])


def insert_of_parcels(conn: Conn, parcel_ids: Collection[int], *, at: datetime) -> list[Next]:
    """One for each of these with a live number that is not queued already; they are queued at once."""
    with conn.cursor(row_factory=class_row(Next)) as cursor:
        return cursor.execute(
            """INSERT INTO inquiry (parcel_id, shop_id, binding_id, state, created_at)
               SELECT track.parcel_id, track.shop_id, track.binding_id, 'queued', %(at)s
               FROM track JOIN binding ON binding.id = track.binding_id
               WHERE track.parcel_id = ANY (%(ids)s) AND binding.state = 'live'
                 AND NOT EXISTS (SELECT FROM inquiry WHERE inquiry.parcel_id = track.parcel_id AND state = 'queued')
               ORDER BY track.parcel_id
               RETURNING id, parcel_id, shop_id""",
            {"ids": list(parcel_ids), "at": at},
        ).fetchall()


@dataclass(frozen=True, slots=True)
class Live:
    """A parcel's present number."""

    binding_id: int
    shop_id: int
    integration: str


def find_live(conn: Conn, parcel_id: int) -> Live | None:
    with conn.cursor(row_factory=class_row(Live)) as cursor:
        return cursor.execute(
            """SELECT binding.id AS binding_id, binding.shop_id, integration
               FROM track JOIN binding ON binding.id = track.binding_id
                    JOIN aggregator ON aggregator.id = binding.aggregator_id
               WHERE track.parcel_id = %s AND binding.state = 'live' FOR NO KEY UPDATE OF track""",
            [parcel_id],
        ).fetchone()


@dataclass(frozen=True, slots=True)
class Due:
    """An inquiry with all that asking needs; its receiver and the account's key are still sealed."""

    id: int
    outage_id: int | None
    outage_state: str | None
    outage_ended_at: datetime | None
    state: str
    parcel_id: int
    shop_id: int
    binding_id: int
    binding_state: str
    carrier: str
    number: str
    track_state: str
    heard_at: datetime | None
    aggregator_id: int
    code: str
    integration: str
    merchant_id: str
    base_url: str
    key_sealed: bytes = field(repr=False)
    person_id: int = 0
    person_key: int = 0
    person_sealed: bytes = field(default=b"", repr=False)


def lock_inquiry(conn: Conn, inquiry_id: int) -> Due | None:
    with conn.cursor(row_factory=class_row(Due)) as cursor:
        return cursor.execute(
            """SELECT inquiry.id, inquiry.outage_id, outage.state AS outage_state, outage.ended_at AS outage_ended_at,
                      inquiry.state, inquiry.parcel_id, inquiry.shop_id, inquiry.binding_id,
                      binding.state AS binding_state, binding.carrier, binding.number, track.state AS track_state,
                      (SELECT max(GREATEST(listed_at, claimed_at)) FROM telling
                       WHERE telling.binding_id = inquiry.binding_id) AS heard_at,
                      aggregator.id AS aggregator_id, aggregator.code, integration, merchant_id, base_url, key_sealed,
                      person.id AS person_id, person.key_id AS person_key, person.sealed AS person_sealed
               FROM inquiry JOIN binding ON binding.id = inquiry.binding_id
                    JOIN aggregator ON aggregator.id = binding.aggregator_id
                    JOIN track ON track.parcel_id = inquiry.parcel_id
                    JOIN parcel ON parcel.id = inquiry.parcel_id JOIN person ON person.id = parcel.person_id
                    LEFT JOIN outage ON outage.id = inquiry.outage_id
               WHERE inquiry.id = %s FOR NO KEY UPDATE OF inquiry""",
            [inquiry_id],
        ).fetchone()


def find_asked_at(conn: Conn, binding_id: int) -> datetime | None:
    """When the carrier was last asked for this number."""
    row = conn.execute("SELECT max(asked_at) FROM inquiry WHERE binding_id = %s", [binding_id]).fetchone()
    return row[0] if row else None


def set_asked(conn: Conn, inquiry_id: int, *, at: datetime | None) -> None:
    conn.execute("UPDATE inquiry SET asked_at = %s WHERE id = %s", [at, inquiry_id])


def settle(conn: Conn, inquiry_id: int, state: str, *, said: str = "") -> None:
    conn.execute(
        "UPDATE inquiry SET state = %s, said = %s WHERE id = %s AND state IN ('waiting', 'queued')",
        [state, said, inquiry_id],
    )


def list_counts(conn: Conn, outage_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """How many inquiries of each outage are in which state, from the tally."""
    counts: dict[int, dict[str, int]] = {outage_id: {} for outage_id in outage_ids}
    rows = conn.execute(
        """SELECT kind::bigint, word, sum(n)::bigint FROM standing
           WHERE what = 'inquiry' AND kind = ANY (%s::bigint[]::text[]) GROUP BY 1, 2""",
        [list(outage_ids)],
    )
    for outage_id, state, count in rows:
        counts[outage_id][state] = count
    return counts


@dataclass(frozen=True, slots=True)
class InquiryRow:
    """An asking as a page shows it."""

    id: int
    parcel_id: int
    carrier: str
    number: str
    state: str
    said: str
    actor: str
    asked_at: datetime | None
    created_at: datetime


_SHOWN = """SELECT inquiry.id, inquiry.parcel_id, carrier, number, inquiry.state, said, actor, asked_at, created_at
            FROM inquiry JOIN binding ON binding.id = inquiry.binding_id"""


def list_inquiries(conn: Conn, outage_id: int, *, state: str, after: int, limit: int) -> list[InquiryRow]:
    """Those of an outage in one state, by their id."""
    with conn.cursor(row_factory=class_row(InquiryRow)) as cursor:
        return cursor.execute(
            f"{_SHOWN} WHERE outage_id = %s AND inquiry.state = %s AND inquiry.id > %s ORDER BY inquiry.id LIMIT %s",
            [outage_id, state, after, limit],
        ).fetchall()


def find_newest(conn: Conn, parcel_id: int) -> InquiryRow | None:
    """The newest asking for a parcel."""
    with conn.cursor(row_factory=class_row(InquiryRow)) as cursor:
        return cursor.execute(
            f"{_SHOWN} WHERE inquiry.parcel_id = %s ORDER BY inquiry.id DESC LIMIT 1", [parcel_id]
        ).fetchone()
