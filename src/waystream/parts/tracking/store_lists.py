"""The SQL around hop 1: strangers, quarantine, decisions, and what pages read. Lists page by key, newest first."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from waystream.core.errors import Missing
from waystream.core.facts import Verdict
from waystream.parts.tracking.model import Waybill
from waystream.parts.tracking.store import Sealed, Stored

Conn = Connection[Any]

BEYOND_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class LiveBinding:
    """A binding in force; `strangers`: pushes of its number wait to be adopted."""

    binding_id: int
    parcel_id: int
    shop_id: int
    strangers: bool


@dataclass(frozen=True, slots=True)
class KeptPush:
    """A sealed push of the inbox or the quarantine."""

    id: int
    aggregator_id: int
    integration: str
    digest: bytes
    received_at: datetime
    key_id: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Waiting:
    """One push of a number that was nobody's."""

    id: int
    waybill: Waybill
    push: KeptPush


def list_live_bindings(conn: Conn, binding_ids: Collection[int]) -> list[LiveBinding]:
    rows = conn.execute(
        """SELECT id, parcel_id, shop_id,
                  EXISTS (SELECT FROM stranger WHERE stranger.number = binding.number
                          AND stranger.carrier = binding.carrier AND stranger.state = 'waiting')
           FROM binding WHERE id = ANY (%s) AND state <> 'cancelled' ORDER BY parcel_id""",
        [list(binding_ids)],
    )
    return [LiveBinding(*row) for row in rows]


def list_unadopted(conn: Conn, *, since: datetime, limit: int) -> list[int]:
    """Live bindings whose number has lately been told of as a stranger's."""
    rows = conn.execute(
        """SELECT DISTINCT binding.id FROM stranger
           JOIN binding ON binding.number = stranger.number AND binding.carrier = stranger.carrier
           WHERE stranger.state = 'waiting' AND stranger.last_at >= %s AND binding.state <> 'cancelled' LIMIT %s""",
        [since, limit],
    )
    return [binding_id for (binding_id,) in rows]


_KEPT = """inbox.id, inbox.aggregator_id, aggregator.integration, inbox.digest, inbox.received_at, inbox.key_id,
           inbox.sealed"""


def list_waiting(conn: Conn, binding_id: int, *, limit: int) -> list[Waiting]:
    """The pushes that told of a binding's number as a stranger's, oldest first."""
    rows = conn.execute(
        f"""SELECT stranger.id, stranger.carrier, stranger.number, {_KEPT}
            FROM binding JOIN stranger ON stranger.number = binding.number AND stranger.carrier = binding.carrier
                 JOIN inbox ON inbox.id = stranger.inbox_id JOIN aggregator ON aggregator.id = inbox.aggregator_id
            WHERE binding.id = %s AND stranger.state = 'waiting' ORDER BY stranger.inbox_id LIMIT %s
            FOR NO KEY UPDATE OF stranger""",
        [binding_id, limit],
    )
    return [Waiting(row[0], (row[1], row[2]), KeptPush(*row[3:])) for row in rows]


def mark_adopted(conn: Conn, stranger_ids: Sequence[int]) -> None:
    conn.execute("UPDATE stranger SET state = 'adopted' WHERE id = ANY (%s)", [list(stranger_ids)])


def dismiss_strangers(conn: Conn, waybills: Sequence[Waybill]) -> int:
    """How many numbers were waiting."""
    row = conn.execute(
        """WITH dismissed AS (
               UPDATE stranger SET state = 'dismissed'
               FROM unnest(%s::text[], %s::text[]) AS given (carrier, number)
               WHERE stranger.carrier = given.carrier AND stranger.number = given.number AND state = 'waiting'
               RETURNING stranger.carrier, stranger.number)
           SELECT count(DISTINCT (carrier, number)) FROM dismissed""",
        [[carrier for carrier, _ in waybills], [number for _, number in waybills]],
    ).fetchone()
    return int(row[0]) if row else 0


def find_kept_push(conn: Conn, inbox_id: int) -> KeptPush | None:
    row = conn.execute(
        f"SELECT {_KEPT} FROM inbox JOIN aggregator ON aggregator.id = aggregator_id WHERE inbox.id = %s", [inbox_id]
    ).fetchone()
    return KeptPush(*row) if row else None


def insert_quarantine(conn: Conn, push: Sealed, *, reason: str) -> None:
    conn.execute(
        """INSERT INTO quarantine (digest, aggregator_id, reason, key_id, sealed, received_at)
           VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (digest) DO NOTHING""",
        [push.digest, push.aggregator_id, reason, push.key_id, push.sealed, push.received_at],
    )


def lock_quarantined(conn: Conn, quarantine_id: int) -> KeptPush | None:
    """The push, if it still waits for a mended reader."""
    row = conn.execute(
        """SELECT quarantine.id, aggregator_id, integration, digest, received_at, key_id, sealed
           FROM quarantine JOIN aggregator ON aggregator.id = aggregator_id
           WHERE quarantine.id = %s AND healed_at IS NULL FOR NO KEY UPDATE OF quarantine""",
        [quarantine_id],
    ).fetchone()
    return KeptPush(*row) if row else None


def heal_quarantined(conn: Conn, quarantine_id: int, *, at: datetime) -> None:
    conn.execute("UPDATE quarantine SET healed_at = %s WHERE id = %s", [at, quarantine_id])


def insert_decision(conn: Conn, held: Stored, *, verdict: Verdict, actor: str, reason: str, at: datetime) -> int:
    row = conn.execute(
        """INSERT INTO decision (parcel_id, shop_id, verdict, actor, reason, at) VALUES (%s, %s, %s, %s, %s, %s)
           RETURNING id""",
        [held.parcel_id, held.shop_id, verdict.value, actor, reason, at],
    ).fetchone()
    assert row is not None
    return int(row[0])


def get_decision_parcel(conn: Conn, decision_id: int) -> int:
    row = conn.execute("SELECT parcel_id FROM decision WHERE id = %s", [decision_id]).fetchone()
    if row is None:
        raise Missing("There is no such decision")
    return int(row[0])


def withdraw_decision(conn: Conn, decision_id: int, *, actor: str, at: datetime) -> bool:
    """False if it was withdrawn before."""
    return (
        conn.execute(
            """UPDATE decision SET withdrawn_at = %s, withdrawn_by = %s WHERE id = %s AND withdrawn_at IS NULL""",
            [at, actor, decision_id],
        ).rowcount
        == 1
    )


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One scan as a page shows it; the text is masked, a withdrawn one is struck through."""

    key: int
    at: datetime
    raw_time: str
    text: str
    code: str
    state: str
    kind: str
    location: str
    source: str
    number: str
    inbox_id: int
    withdrawn_at: datetime | None


def list_timeline(conn: Conn, parcel_id: int, *, limit: int) -> list[TimelineRow]:
    """The parcel's scans under every number it had, newest first."""
    with conn.cursor(row_factory=class_row(TimelineRow)) as cursor:
        return cursor.execute(
            """SELECT key, at, raw_time, text, code, scan.state, kind, location, source, number, inbox_id, withdrawn_at
               FROM (SELECT * FROM scan WHERE parcel_id = %(parcel_id)s
                     UNION ALL SELECT * FROM afterlife WHERE parcel_id = %(parcel_id)s) AS scan
                    JOIN binding ON binding.id = scan.binding_id
               ORDER BY at DESC, key LIMIT %(limit)s""",
            {"parcel_id": parcel_id, "limit": limit},
        ).fetchall()


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """What a source last said of the whole waybill."""

    source: str
    code: str
    state: str
    kind: str
    at: datetime
    inbox_id: int


def list_claims(conn: Conn, parcel_id: int) -> list[ClaimRow]:
    """The claims about the parcel's present number."""
    with conn.cursor(row_factory=class_row(ClaimRow)) as cursor:
        return cursor.execute(
            """SELECT source, claim_code AS code, claim_state AS state, claim_kind AS kind, claimed_at AS at, inbox_id
               FROM telling JOIN track USING (binding_id)
               WHERE track.parcel_id = %s AND claimed_at IS NOT NULL ORDER BY claimed_at DESC""",
            [parcel_id],
        ).fetchall()


@dataclass(frozen=True, slots=True)
class DecisionRow:
    id: int
    verdict: str
    actor: str
    reason: str
    at: datetime
    withdrawn_at: datetime | None
    withdrawn_by: str


def list_decisions(conn: Conn, parcel_id: int) -> list[DecisionRow]:
    with conn.cursor(row_factory=class_row(DecisionRow)) as cursor:
        return cursor.execute(
            """SELECT id, verdict, actor, reason, at, withdrawn_at, withdrawn_by FROM decision
               WHERE parcel_id = %s ORDER BY at DESC, id DESC""",
            [parcel_id],
        ).fetchall()


@dataclass(frozen=True, slots=True)
class TrackRow:
    """Where a parcel is, as its page shows it."""

    parcel_id: int
    shop_id: int
    carrier: str
    number: str
    state: str
    kind: str
    direction: str
    at: datetime | None
    because: str
    collected_at: datetime | None
    delivered_at: datetime | None
    latest: str
    due_at: datetime | None
    changed_at: datetime


def find_track(conn: Conn, parcel_id: int) -> TrackRow | None:
    with conn.cursor(row_factory=class_row(TrackRow)) as cursor:
        return cursor.execute(
            """SELECT track.parcel_id, track.shop_id, track.carrier, number, track.state, kind, direction, at, because,
                      collected_at, delivered_at, latest, due_at, changed_at
               FROM track JOIN binding ON binding.id = binding_id WHERE track.parcel_id = %s""",
            [parcel_id],
        ).fetchone()


@dataclass(frozen=True, slots=True)
class StrangerRow:
    """A number nobody has bound, with how often it was told of."""

    carrier: str
    number: str
    pushes: int
    first_at: datetime
    last_at: datetime
    inbox_id: int


def list_strangers(conn: Conn, *, before: int | None, limit: int) -> list[StrangerRow]:
    """One row per number by its newest push, newest first; `before`: the last row's `inbox_id`."""
    with conn.cursor(row_factory=class_row(StrangerRow)) as cursor:
        return cursor.execute(
            """SELECT newest.carrier, newest.number, told.pushes, told.first_at, told.last_at, newest.inbox_id
               FROM (SELECT carrier, number, inbox_id FROM stranger s
                     WHERE state = 'waiting' AND inbox_id < %(before)s AND NOT EXISTS (
                         SELECT FROM stranger newer
                         WHERE newer.number = s.number AND newer.carrier = s.carrier AND newer.state = 'waiting'
                           AND newer.inbox_id > s.inbox_id)
                     ORDER BY inbox_id DESC, number DESC, carrier DESC LIMIT %(limit)s) newest
               CROSS JOIN LATERAL (
                   SELECT count(*)::int AS pushes, min(first_at) AS first_at, max(last_at) AS last_at FROM stranger
                   WHERE number = newest.number AND carrier = newest.carrier AND state = 'waiting') told
               ORDER BY newest.inbox_id DESC, newest.number DESC, newest.carrier DESC""",
            {"before": BEYOND_ID if before is None else before, "limit": limit},
        ).fetchall()


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """A push that could not be taken in, and why."""

    id: int
    aggregator: str
    reason: str
    received_at: datetime


def list_quarantine(conn: Conn, *, before: int | None, limit: int) -> list[QuarantineRow]:
    with conn.cursor(row_factory=class_row(QuarantineRow)) as cursor:
        return cursor.execute(
            """SELECT quarantine.id, aggregator.code AS aggregator, reason, received_at
               FROM quarantine JOIN aggregator ON aggregator.id = aggregator_id
               WHERE healed_at IS NULL AND (%(before)s::bigint IS NULL OR quarantine.id < %(before)s)
               ORDER BY quarantine.id DESC LIMIT %(limit)s""",
            {"before": before, "limit": limit},
        ).fetchall()


@dataclass(frozen=True, slots=True)
class DisputedScanRow:
    """A scan of a bound number outside the time its binding owns, or `ahead` of our clock when it came."""

    parcel_id: int
    key: int
    carrier: str
    number: str
    at: datetime
    text: str
    code: str
    inbox_id: int
    seen_at: datetime
    ahead: bool


#: A scan whose time has come since and that was told again is the parcel's: nothing is in dispute any more.
_OPEN = """NOT (ahead AND EXISTS (SELECT FROM scan
                                WHERE scan.parcel_id = disputed_scan.parcel_id AND scan.key = disputed_scan.key))"""
_HERE = """(%(warehouses)s::bigint[] IS NULL OR
            (SELECT warehouse_id FROM parcel WHERE parcel.id = disputed_scan.parcel_id) = ANY(%(warehouses)s))"""


#: When it was seen, its parcel and its key.
ScanPlace = tuple[datetime, int, int]


def list_disputed(
    conn: Conn,
    *,
    parcel_id: int | None,
    warehouses: Sequence[int] | None,
    before: ScanPlace | None,
    limit: int,
) -> list[DisputedScanRow]:
    """The newest first, `before` the last row's place."""
    at, before_parcel, key = before or (None, None, None)
    with conn.cursor(row_factory=class_row(DisputedScanRow)) as cursor:
        return cursor.execute(
            f"""SELECT parcel_id, key, carrier, number, at, text, code, inbox_id, seen_at, ahead FROM disputed_scan
               WHERE (%(parcel_id)s::bigint IS NULL OR parcel_id = %(parcel_id)s) AND {_OPEN} AND {_HERE}
                 AND (%(at)s::timestamptz IS NULL OR (seen_at, parcel_id, key) < (%(at)s, %(before)s, %(key)s))
               ORDER BY seen_at DESC, parcel_id DESC, key DESC LIMIT %(limit)s""",
            {
                "parcel_id": parcel_id,
                "warehouses": warehouses,
                "at": at,
                "before": before_parcel,
                "key": key,
                "limit": limit,
            },
        ).fetchall()


@dataclass(frozen=True, slots=True)
class DisputeRow:
    """Scans of one parcel's number that nobody looked at yet; `cancelled`: the number was given back before;
    `ahead`: some of them bear a time that had not come."""

    parcel_id: int
    number: str
    carrier: str
    cancelled: bool
    ahead: bool
    scans: int
    since: datetime
    latest: str


def list_disputes(conn: Conn, *, warehouses: Sequence[int] | None, limit: int) -> list[DisputeRow]:
    """The oldest first."""
    with conn.cursor(row_factory=class_row(DisputeRow)) as cursor:
        return cursor.execute(
            f"""SELECT parcel_id, number, carrier, count(*) AS scans, min(seen_at) AS since, bool_or(ahead) AS ahead,
                      (array_agg(text ORDER BY at DESC, key))[1] AS latest,
                      EXISTS (SELECT FROM binding
                              WHERE binding.parcel_id = disputed_scan.parcel_id AND binding.state = 'cancelled'
                                AND binding.number = disputed_scan.number AND binding.carrier = disputed_scan.carrier)
                          AS cancelled
               FROM disputed_scan
               WHERE settled_by = '' AND {_OPEN} AND {_HERE}
               GROUP BY parcel_id, number, carrier ORDER BY since, parcel_id LIMIT %(limit)s""",
            {"warehouses": None if warehouses is None else list(warehouses), "limit": limit},
        ).fetchall()


def settle_disputes(conn: Conn, parcel_id: int, number: str, *, by: str) -> int | None:
    """The shop whose scans these are; None when nothing was open."""
    rows = conn.execute(
        """UPDATE disputed_scan SET settled_by = %s WHERE parcel_id = %s AND number = %s AND settled_by = ''
           RETURNING shop_id""",
        [by, parcel_id, number],
    ).fetchall()
    return int(rows[0][0]) if rows else None


@dataclass(frozen=True, slots=True)
class UnknownCodeRow:
    source: str
    carrier: str
    code: str
    seen: int
    first_at: datetime
    last_at: datetime


def list_unknown_codes(conn: Conn, *, limit: int) -> list[UnknownCodeRow]:
    with conn.cursor(row_factory=class_row(UnknownCodeRow)) as cursor:
        return cursor.execute(
            """SELECT source, carrier, code, seen, first_at, last_at FROM unknown_code
               ORDER BY last_at DESC, source, carrier, code LIMIT %s""",
            [limit],
        ).fetchall()
