"""The SQL of replays: the pushes they read, what they found, and writing that into the facts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from waystream.core.state import Kind, Meaning, State
from waystream.kernel.columns import bigints, booleans, texts
from waystream.parts.tracking.model import Waybill
from waystream.parts.tracking.rereading import Known, MendedClaim, MendedScan, ScanId
from waystream.parts.tracking.store_lists import KeptPush

Conn = Connection[Any]


@dataclass(frozen=True, slots=True)
class ReplayRow:
    """A replay as it stands."""

    id: int
    since: datetime
    until: datetime
    carrier: str
    number: str
    code: str
    parcel_id: int | None
    actor: str
    asked_at: datetime
    state: str
    position: int
    pushes: int
    pushes_of: int
    unread: int
    ended_at: datetime | None


_REPLAY = """id, since, until, carrier, number, code, parcel_id, actor, asked_at, state, position, pushes, pushes_of,
             unread, ended_at"""


def insert_replay(conn: Conn, row: ReplayRow) -> int:
    """`row.id` is not used: the new one is returned."""
    found = conn.execute(
        """INSERT INTO replay (since, until, carrier, number, code, parcel_id, actor, asked_at, position, pushes_of)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id""",
        [row.since, row.until, row.carrier, row.number, row.code, row.parcel_id, row.actor, row.asked_at,
         row.position, row.pushes_of],
    ).fetchone()  # fmt: skip
    assert found is not None
    return int(found[0])


def find_replay(conn: Conn, replay_id: int) -> ReplayRow | None:
    with conn.cursor(row_factory=class_row(ReplayRow)) as cursor:
        return cursor.execute(f"SELECT {_REPLAY} FROM replay WHERE id = %s", [replay_id]).fetchone()


def lock_replay(conn: Conn, replay_id: int) -> ReplayRow | None:
    """Held until the commit: one step of a replay at a time, whoever carries it on."""
    with conn.cursor(row_factory=class_row(ReplayRow)) as cursor:
        return cursor.execute(f"SELECT {_REPLAY} FROM replay WHERE id = %s FOR NO KEY UPDATE", [replay_id]).fetchone()


def list_replays(conn: Conn, *, limit: int) -> list[ReplayRow]:
    """The newest first."""
    with conn.cursor(row_factory=class_row(ReplayRow)) as cursor:
        return cursor.execute(f"SELECT {_REPLAY} FROM replay ORDER BY id DESC LIMIT %s", [limit]).fetchall()


def save_progress(conn: Conn, replay_id: int, *, position: int, pushes: int, unread: int) -> None:
    conn.execute(
        "UPDATE replay SET position = %s, pushes = pushes + %s, unread = unread + %s WHERE id = %s",
        [position, pushes, unread, replay_id],
    )


def set_state(conn: Conn, replay_id: int, state: str, *, ended_at: datetime | None) -> None:
    conn.execute("UPDATE replay SET state = %s, ended_at = %s WHERE id = %s", [state, ended_at, replay_id])


# ------------------------------------------------------------------ reading


def count_pushes(conn: Conn, *, first: int, past: int) -> int:
    row = conn.execute("SELECT count(*) FROM inbox WHERE id >= %s AND id < %s", [first, past]).fetchone()
    return int(row[0]) if row else 0


def list_push_sizes(conn: Conn, *, after: int, past: int, limit: int) -> list[tuple[int, int]]:
    """(id, bytes) of the kept pushes that follow, the oldest first."""
    return conn.execute(
        "SELECT id, size FROM inbox WHERE id > %s AND id < %s ORDER BY id LIMIT %s", [after, past, limit]
    ).fetchall()


def list_push_sizes_of(
    conn: Conn, waybills: Collection[Waybill], *, after: int, past: int, limit: int
) -> list[tuple[int, int]]:
    """(id, bytes) of the kept pushes behind what is stored of these waybills, the oldest first."""
    return conn.execute(
        """SELECT id, size FROM inbox WHERE id IN (
               SELECT told.inbox_id FROM binding
               JOIN unnest(%s::text[], %s::text[]) AS given (carrier, number) USING (carrier, number)
               CROSS JOIN LATERAL (
                   SELECT inbox_id FROM scan WHERE parcel_id = binding.parcel_id AND binding_id = binding.id
                   UNION SELECT inbox_id FROM telling WHERE binding_id = binding.id) AS told)
             AND id > %s AND id < %s ORDER BY id LIMIT %s""",
        [[carrier for carrier, _ in waybills], [number for _, number in waybills], after, past, limit],
    ).fetchall()


def list_waybills(conn: Conn, *, parcel_id: int | None = None, number: str = "", carrier: str = "") -> set[Waybill]:
    """The numbers a parcel ever had, or a number with every carrier that gave it."""
    rows = conn.execute(
        """SELECT carrier, number FROM binding
           WHERE (%(parcel)s::bigint IS NULL OR parcel_id = %(parcel)s) AND %(number)s IN ('', number)
             AND %(carrier)s IN ('', carrier)""",
        {"parcel": parcel_id, "number": number, "carrier": carrier},
    )
    return {(found, name) for found, name in rows}


def list_pushes(conn: Conn, ids: Sequence[int]) -> list[KeptPush]:
    rows = conn.execute(
        """SELECT inbox.id, aggregator_id, integration, digest, received_at, key_id, sealed
           FROM inbox JOIN aggregator ON aggregator.id = aggregator_id
           WHERE inbox.id = ANY (%b::bigint[]) ORDER BY inbox.id""",
        [bigints(ids)],
        binary=True,
    )
    return [KeptPush(*row) for row in rows]


def list_known(conn: Conn, parcel_ids: Collection[int]) -> dict[ScanId, Known]:
    """The stored scans of these parcels."""
    rows = conn.execute(
        "SELECT parcel_id, key, code, state, kind, coarse FROM scan WHERE parcel_id = ANY (%b::bigint[])",
        [bigints(list(parcel_ids))],
        binary=True,
    )
    return {
        (parcel_id, key): (code, Meaning(State(state), Kind(kind), coarse))
        for parcel_id, key, code, state, kind, coarse in rows
    }


# ------------------------------------------------------------------ what was found


def save_mended_scans(conn: Conn, replay_id: int, found: Collection[MendedScan]) -> None:
    conn.execute(
        """INSERT INTO replay_scan (replay_id, parcel_id, key, shop_id, binding_id, source, code, state_before,
                                    kind_before, coarse_before, state, kind, coarse)
           SELECT %s, given.* FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::text[],
               %b::text[], %b::text[], %b::text[], %b::boolean[], %b::text[], %b::text[], %b::boolean[]) AS given
           ON CONFLICT DO NOTHING""",
        [
            replay_id,
            bigints([scan.owner.parcel_id for scan in found]),
            bigints([scan.key for scan in found]),
            bigints([scan.owner.shop_id for scan in found]),
            bigints([scan.owner.binding_id for scan in found]),
            texts([scan.source for scan in found]),
            texts([scan.code for scan in found]),
            *_meanings([scan.before for scan in found]),
            *_meanings([scan.meaning for scan in found]),
        ],
    )


def save_mended_claims(conn: Conn, replay_id: int, found: Collection[MendedClaim]) -> None:
    conn.execute(
        """INSERT INTO replay_claim (replay_id, binding_id, source, parcel_id, shop_id, code, state_before, kind_before,
                                     coarse_before, state, kind, coarse)
           SELECT %s, given.* FROM unnest(%b::bigint[], %b::text[], %b::bigint[], %b::bigint[], %b::text[],
               %b::text[], %b::text[], %b::boolean[], %b::text[], %b::text[], %b::boolean[]) AS given
           ON CONFLICT DO NOTHING""",
        [
            replay_id,
            bigints([claim.owner.binding_id for claim in found]),
            texts([claim.source for claim in found]),
            bigints([claim.owner.parcel_id for claim in found]),
            bigints([claim.owner.shop_id for claim in found]),
            texts([claim.code for claim in found]),
            *_meanings([claim.before for claim in found]),
            *_meanings([claim.meaning for claim in found]),
        ],
    )


def _meanings(meanings: Sequence[Meaning]) -> tuple[Any, Any, Any]:
    return (
        texts([meaning.state for meaning in meanings]),
        texts([meaning.kind for meaning in meanings]),
        booleans([meaning.coarse for meaning in meanings]),
    )


def mend_scans(conn: Conn, replay_id: int, parcel_ids: Collection[int]) -> int:
    """Give the scans their meaning of today, where they still say what they said when they were compared."""
    return conn.execute(
        """UPDATE scan SET state = found.state, kind = found.kind, coarse = found.coarse FROM replay_scan AS found
           WHERE found.replay_id = %s AND found.parcel_id = ANY (%b::bigint[])
             AND scan.parcel_id = ANY (%b::bigint[])
             AND scan.parcel_id = found.parcel_id AND scan.key = found.key AND scan.code = found.code
             AND (scan.state, scan.kind, scan.coarse) = (found.state_before, found.kind_before, found.coarse_before)""",
        [replay_id, bigints(list(parcel_ids)), bigints(list(parcel_ids))],
    ).rowcount


def mend_claims(conn: Conn, replay_id: int, parcel_ids: Collection[int]) -> int:
    """The same for claims."""
    return conn.execute(
        """UPDATE telling SET claim_state = found.state, claim_kind = found.kind, claim_coarse = found.coarse
           FROM replay_claim AS found
           WHERE found.replay_id = %s AND found.parcel_id = ANY (%b::bigint[])
             AND telling.binding_id = found.binding_id AND telling.source = found.source
             AND telling.claim_code = found.code AND (telling.claim_state, telling.claim_kind, telling.claim_coarse)
                 = (found.state_before, found.kind_before, found.coarse_before)""",
        [replay_id, bigints(list(parcel_ids))],
    ).rowcount


@dataclass(frozen=True, slots=True)
class ChangedParcel:
    """A parcel with where it is and where it would be."""

    parcel_id: int
    shop_id: int
    state_before: str
    kind_before: str
    direction_before: str
    state: str
    kind: str
    direction: str
    events: list[str]


def save_parcels(conn: Conn, replay_id: int, rows: Sequence[ChangedParcel]) -> None:
    """What is known of a parcel by now replaces what was found in earlier pushes."""
    with conn.cursor() as cursor:
        cursor.executemany(
            """INSERT INTO replay_parcel (replay_id, parcel_id, shop_id, state_before, kind_before, direction_before,
                                          state, kind, direction, events)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
               ON CONFLICT (replay_id, parcel_id) DO UPDATE
               SET state = EXCLUDED.state, kind = EXCLUDED.kind, direction = EXCLUDED.direction,
                   events = EXCLUDED.events""",
            [
                (replay_id, row.parcel_id, row.shop_id, row.state_before, row.kind_before, row.direction_before,
                 row.state, row.kind, row.direction, row.events)
                for row in rows
            ],
        )  # fmt: skip


def list_pending(conn: Conn, replay_id: int, *, limit: int) -> list[int]:
    """The parcels that were not applied yet, by their id."""
    rows = conn.execute(
        """SELECT parcel_id FROM replay_parcel WHERE replay_id = %s AND applied_at IS NULL
           ORDER BY parcel_id LIMIT %s""",
        [replay_id, limit],
    )
    return [parcel_id for (parcel_id,) in rows]


def mark_applied(conn: Conn, replay_id: int, parcel_ids: Sequence[int], *, at: datetime) -> None:
    conn.execute(
        "UPDATE replay_parcel SET applied_at = %s WHERE replay_id = %s AND parcel_id = ANY (%s)",
        [at, replay_id, list(parcel_ids)],
    )


# ------------------------------------------------------------------ quarantine and unknown codes


def list_untried(conn: Conn, replay: ReplayRow, *, limit: int) -> list[int]:
    """Quarantined pushes of the replay's time that it has not tried yet."""
    rows = conn.execute(
        """SELECT id FROM quarantine WHERE healed_at IS NULL AND received_at >= %s AND received_at < %s
             AND NOT EXISTS (SELECT FROM replay_quarantine WHERE replay_id = %s AND quarantine_id = quarantine.id)
           ORDER BY id LIMIT %s""",
        [replay.since, replay.until, replay.id, limit],
    )
    return [quarantine_id for (quarantine_id,) in rows]


def save_tried(conn: Conn, replay_id: int, quarantine_id: int, *, scans: int, moved: int, said: str) -> None:
    conn.execute(
        """INSERT INTO replay_quarantine (replay_id, quarantine_id, scans, moved, said) VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT (replay_id, quarantine_id) DO UPDATE
           SET scans = EXCLUDED.scans, moved = EXCLUDED.moved, said = EXCLUDED.said""",
        [replay_id, quarantine_id, scans, moved, said],
    )


def list_untaken(conn: Conn, replay_id: int, *, limit: int) -> list[int]:
    """Quarantined pushes that can be taken in and were not yet."""
    rows = conn.execute(
        """SELECT quarantine_id FROM replay_quarantine WHERE replay_id = %s AND said = '' AND taken_at IS NULL
           ORDER BY quarantine_id LIMIT %s""",
        [replay_id, limit],
    )
    return [quarantine_id for (quarantine_id,) in rows]


def mark_taken(conn: Conn, replay_id: int, quarantine_id: int, *, at: datetime) -> None:
    conn.execute(
        "UPDATE replay_quarantine SET taken_at = %s WHERE replay_id = %s AND quarantine_id = %s",
        [at, replay_id, quarantine_id],
    )


def delete_unknown(conn: Conn, codes: Sequence[tuple[str, str, str]]) -> int:
    """These (source, carrier, code) are known now."""
    return conn.execute(
        """DELETE FROM unknown_code USING unnest(%s::text[], %s::text[], %s::text[]) AS healed (source, carrier, code)
           WHERE (unknown_code.source, unknown_code.carrier, unknown_code.code)
               = (healed.source, healed.carrier, healed.code)""",
        [[source for source, _, _ in codes], [carrier for _, carrier, _ in codes], [code for _, _, code in codes]],
    ).rowcount


# ------------------------------------------------------------------ what people see


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a replay found, and how much of it is applied."""

    scans: int
    claims: int
    parcels: int
    moved: int
    applied: int
    quarantined: int
    refused: int
    taken: int


def count_found(conn: Conn, replay_id: int) -> Counts:
    with conn.cursor(row_factory=class_row(Counts)) as cursor:
        found = cursor.execute(
            """SELECT (SELECT count(*) FROM replay_scan WHERE replay_id = %(id)s) AS scans,
                      (SELECT count(*) FROM replay_claim WHERE replay_id = %(id)s) AS claims, parcels.*, pushes.*
               FROM (SELECT count(*) AS parcels, count(*) FILTER (WHERE events <> '{}') AS moved,
                            count(applied_at) AS applied FROM replay_parcel WHERE replay_id = %(id)s) AS parcels,
                    (SELECT count(*) FILTER (WHERE said = '') AS quarantined,
                            count(*) FILTER (WHERE said <> '') AS refused, count(taken_at) AS taken
                     FROM replay_quarantine WHERE replay_id = %(id)s) AS pushes""",
            {"id": replay_id},
        ).fetchone()
    assert found is not None
    return found


@dataclass(frozen=True, slots=True)
class CodeChange:
    """Scans and claims of one code (or words without one) that say something else today."""

    source: str
    code: str
    state_before: str
    kind_before: str
    state: str
    kind: str
    facts: int


def list_code_changes(conn: Conn, replay_id: int, *, limit: int) -> list[CodeChange]:
    """The most frequent first."""
    with conn.cursor(row_factory=class_row(CodeChange)) as cursor:
        return cursor.execute(
            """SELECT source, code, state_before, kind_before, state, kind, count(*) AS facts
               FROM (SELECT source, code, state_before, kind_before, state, kind FROM replay_scan
                     WHERE replay_id = %(id)s
                     UNION ALL
                     SELECT source, code, state_before, kind_before, state, kind FROM replay_claim
                     WHERE replay_id = %(id)s) AS found
               GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY facts DESC, 1, 2, 3, 4, 5, 6 LIMIT %(limit)s""",
            {"id": replay_id, "limit": limit},
        ).fetchall()


def list_changed(conn: Conn, replay_id: int, *, after: int, limit: int) -> list[ChangedParcel]:
    """The parcels whose state would be another, by their id."""
    with conn.cursor(row_factory=class_row(ChangedParcel)) as cursor:
        return cursor.execute(
            """SELECT parcel_id, shop_id, state_before, kind_before, direction_before, state, kind, direction, events
               FROM replay_parcel WHERE replay_id = %s AND parcel_id > %s AND events <> '{}'
               ORDER BY parcel_id LIMIT %s""",
            [replay_id, after, limit],
        ).fetchall()
