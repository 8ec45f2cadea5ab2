"""The SQL of hop 1: every statement takes a whole group. What pages read is in `store_lists`.

Rows are locked in the order of their parcel id, before anything about them is read; rows with keys of the outside
(digests, codes) are inserted sorted. Then nothing here can deadlock with itself.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

import msgspec
from msgspec import Struct
from psycopg import Connection

from waystream.core.facts import NEVER, Claim, Decision, Scan, Verdict
from waystream.core.parcel import Facts, Track
from waystream.core.state import CARRIED, Direction, Kind, Meaning, State
from waystream.kernel.columns import bigints, blobs, booleans, instants, integers, texts, words
from waystream.parts.tracking.learning import News, Retold, Telling, TellingId
from waystream.parts.tracking.marks import pack_marks, unpack_marks
from waystream.parts.tracking.model import Owner, Stranger, Waybill

Conn = Connection[Any]

_read_codes = msgspec.json.Decoder(dict[int, str]).decode
_read_claimed = msgspec.json.Decoder(dict[str, datetime]).decode
_write = msgspec.json.Encoder().encode

#: Looked up: calling an enumeration by its value costs five times as much.
_STATES = {word.value: word for word in State}
_KINDS = {word.value: word for word in Kind}
_DIRECTIONS = {word.value: word for word in Direction}


class Stored(Struct, frozen=True, gc=False):
    """A track row: the parcel, the binding whose facts count, and where they put it. `lane`: from where to where."""

    parcel_id: int
    shop_id: int
    binding_id: int
    track: Track
    latest: str = ""
    carrier: str = ""
    lane: str = ""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A push as it is kept."""

    digest: bytes
    id: int
    aggregator_id: int
    received_at: datetime
    size: int
    key_id: int
    sealed: bytes


def insert_inbox(conn: Conn, pushes: Sequence[Sealed]) -> set[int]:
    """Keep the pushes that are new by their digest; their ids."""
    rows = sorted(pushes, key=lambda push: push.digest)
    found = conn.execute(
        """WITH fresh AS (
               INSERT INTO inbox_digest (digest, id) SELECT * FROM unnest(%(digests)b::bytea[], %(ids)b::bigint[])
               ON CONFLICT (digest) DO NOTHING RETURNING id)
           INSERT INTO inbox (digest, id, aggregator_id, received_at, size, key_id, sealed)
           SELECT given.* FROM unnest(%(digests)b::bytea[], %(ids)b::bigint[], %(aggregators)b::bigint[],
                               %(instants)b::timestamptz[], %(sizes)b::int[], %(keys)b::bigint[], %(sealed)b::bytea[])
                AS given (digest, id, aggregator_id, received_at, size, key_id, sealed)
           WHERE id IN (SELECT id FROM fresh) RETURNING id""",
        {
            "digests": blobs([row.digest for row in rows]),
            "ids": bigints([row.id for row in rows]),
            "aggregators": bigints([row.aggregator_id for row in rows]),
            "instants": instants([row.received_at for row in rows]),
            "sizes": integers([row.size for row in rows]),
            "keys": bigints([row.key_id for row in rows]),
            "sealed": blobs([row.sealed for row in rows]),
        },
    )
    return {inbox_id for (inbox_id,) in found}


def list_owners(conn: Conn, waybills: Collection[Waybill]) -> dict[Waybill, list[Owner]]:
    """Every binding of each waybill, the newest first."""
    rows = conn.execute(
        """SELECT id, parcel_id, shop_id, carrier, number, state = 'cancelled', owns_from, owns_until
           FROM binding WHERE number = ANY (%b::text[]) ORDER BY owns_from DESC, id DESC""",
        [texts([number for _, number in waybills])],
        binary=True,
    )
    owners: dict[Waybill, list[Owner]] = {}
    for row in rows.fetchall():
        owner = Owner(*row)
        owners.setdefault((owner.carrier, owner.number), []).append(owner)
    return owners


def open_tracks(conn: Conn, parcel_ids: Collection[int], *, at: datetime, due_at: datetime | None) -> None:
    """Begin the tracks of bound parcels that have none yet."""
    conn.execute(
        """INSERT INTO track (parcel_id, shop_id, binding_id, changed_at, due_at)
           SELECT parcel_id, shop_id, id, %(at)s, %(due_at)s FROM binding
           WHERE parcel_id = ANY (%(ids)s) AND state <> 'cancelled' ORDER BY parcel_id
           ON CONFLICT (parcel_id) DO NOTHING""",
        {"ids": sorted(parcel_ids), "at": at, "due_at": due_at},
    )


def lock_tracks(conn: Conn, parcel_ids: Collection[int]) -> dict[int, Stored]:
    """The tracks, held until the end of the transaction. What else is read of them must be read after this."""
    rows = conn.execute(
        f"""SELECT {_TRACK} FROM track WHERE parcel_id = ANY (%b::bigint[])
            ORDER BY parcel_id FOR NO KEY UPDATE""",
        [bigints(sorted(parcel_ids))],
        binary=True,
    )
    return {row[0]: _stored(*row) for row in rows.fetchall()}


def list_tracks(conn: Conn, *, after: int, limit: int) -> list[Stored]:
    """Every track, by parcel id."""
    rows = conn.execute(f"SELECT {_TRACK} FROM track WHERE parcel_id > %s ORDER BY parcel_id LIMIT %s", [after, limit])
    return [_stored(*row) for row in rows]


_TRACK = """parcel_id, shop_id, binding_id, latest, carrier, lane, state, kind, direction, at, because, collected_at,
            delivered_at, scanned_at"""


def _stored(parcel_id: int, shop_id: int, binding_id: int, latest: str, carrier: str, lane: str, *track: Any) -> Stored:
    return Stored(parcel_id, shop_id, binding_id, _track(*track), latest, carrier, lane)


def _track(state: str, kind: str, direction: str, *rest: Any) -> Track:
    return Track(_STATES[state], _KINDS[kind], _DIRECTIONS[direction], *rest)


def list_tellings(conn: Conn, binding_ids: Collection[int]) -> dict[TellingId, Telling]:
    """What every source last told of these bindings."""
    rows = conn.execute(
        """SELECT binding_id, source, listed_at, codes::text, whole, claimed_at, claim_code, claim_state, claim_kind,
                  claim_coarse, claimed::text, inbox_id, marks
           FROM telling WHERE binding_id = ANY (%b::bigint[])""",
        [bigints(list(binding_ids))],
        binary=True,
    )
    return {(row[0], row[1]): _telling(*row) for row in rows.fetchall()}


@lru_cache(1024)
def _meaning(state: str, kind: str, coarse: bool) -> Meaning:
    return Meaning(State(state), Kind(kind), coarse)


def _telling(
    binding_id: int,
    source: str,
    listed_at: datetime | None,
    codes: str,
    whole: bool,
    claimed_at: datetime | None,
    code: str,
    state: str,
    kind: str,
    coarse: bool,
    claimed: str,
    inbox_id: int,
    marks: bytes,
) -> Telling:
    firsts, claim = _read_claimed(claimed), None
    if claimed_at is not None:
        meaning = _meaning(state, kind, coarse)
        claim = Claim(source, claimed_at, code, meaning, firsts.get(code, NEVER))
    known = unpack_marks(marks)
    return Telling(binding_id, source, listed_at, _read_codes(codes), whole, claim, firsts, inbox_id, known)


def add_scans(conn: Conn, news: Sequence[News]) -> None:
    """Join the scans with the stored ones: coded beats uncoded, then the newer push, then the code."""
    _add(conn, "scan", news)


def add_afterlife(conn: Conn, news: Sequence[News]) -> None:
    """Keep the scans of parcels whose partition has left."""
    _add(conn, "afterlife", news)


def _add(conn: Conn, table: Literal["scan", "afterlife"], news: Sequence[News]) -> None:
    rows = [(item.owner, item.inbox_ids[scan.key], scan) for item in news for scan in item.scans.values()]
    if not rows:
        return
    conn.execute(
        f"""INSERT INTO {table} AS scan (parcel_id, key, shop_id, binding_id, source, at, raw_time, text, code,
                                        coded_at, state, kind, coarse, location, inbox_id)
           SELECT * FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::text[],
               %b::timestamptz[], %b::text[], %b::text[], %b::text[], %b::timestamptz[], %b::text[], %b::text[],
               %b::boolean[], %b::text[], %b::bigint[])
           ON CONFLICT (parcel_id, key) DO UPDATE
           SET code = EXCLUDED.code, coded_at = EXCLUDED.coded_at, state = EXCLUDED.state, kind = EXCLUDED.kind,
               coarse = EXCLUDED.coarse, location = EXCLUDED.location, inbox_id = EXCLUDED.inbox_id
           WHERE (EXCLUDED.code <> '', EXCLUDED.coded_at, EXCLUDED.code, EXCLUDED.location)
               > (scan.code <> '', scan.coded_at, scan.code, scan.location)""",
        [
            bigints([owner.parcel_id for owner, _, _ in rows]),
            bigints([scan.key for _, _, scan in rows]),
            bigints([owner.shop_id for owner, _, _ in rows]),
            bigints([owner.binding_id for owner, _, _ in rows]),
            words([scan.source for _, _, scan in rows]),
            instants([scan.at for _, _, scan in rows]),
            texts([scan.raw_time for _, _, scan in rows]),
            texts([scan.text for _, _, scan in rows]),
            words([scan.code for _, _, scan in rows]),
            instants([scan.coded_at for _, _, scan in rows]),
            words([scan.meaning.state for _, _, scan in rows]),
            words([scan.meaning.kind for _, _, scan in rows]),
            booleans([scan.meaning.coarse for _, _, scan in rows]),
            texts([scan.location for _, _, scan in rows]),
            bigints([inbox_id for _, inbox_id, _ in rows]),
        ],
    )


def remember_retold(conn: Conn, rows: Sequence[tuple[int, Retold]]) -> None:
    """(parcel, what left a list): the scans keep how long they were told so."""
    if not rows:
        return
    conn.execute(
        """UPDATE scan SET coded_at = told.at
           FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::timestamptz[]) AS told (parcel_id, key, code, at)
           WHERE scan.parcel_id = told.parcel_id AND scan.key = told.key AND scan.code = told.code
             AND scan.coded_at < told.at""",
        [
            [parcel_id for parcel_id, _ in rows],
            [told.key for _, told in rows],
            [told.code for _, told in rows],
            [told.coded_at for _, told in rows],
        ],
    )


def save_tellings(conn: Conn, rows: Sequence[tuple[Owner, Telling]]) -> None:
    """Each replaces what the source told before; the parcels are locked."""
    if not rows:
        return
    claims = [telling.claim for _, telling in rows]
    conn.execute(
        """INSERT INTO telling (binding_id, source, parcel_id, shop_id, listed_at, codes, whole, claimed_at,
                                claim_code, claim_state, claim_kind, claim_coarse, claimed, inbox_id,
                                marks)
           SELECT * FROM unnest(%b::bigint[], %b::text[], %b::bigint[], %b::bigint[], %b::timestamptz[], %b::jsonb[],
               %b::boolean[], %b::timestamptz[], %b::text[], %b::text[], %b::text[], %b::boolean[], %b::jsonb[],
               %b::bigint[], %b::bytea[])
           ON CONFLICT (binding_id, source) DO UPDATE
           SET listed_at = EXCLUDED.listed_at, codes = EXCLUDED.codes, whole = EXCLUDED.whole,
               claimed_at = EXCLUDED.claimed_at, claim_code = EXCLUDED.claim_code, claim_state = EXCLUDED.claim_state,
               claim_kind = EXCLUDED.claim_kind, claim_coarse = EXCLUDED.claim_coarse, claimed = EXCLUDED.claimed,
               inbox_id = EXCLUDED.inbox_id, marks = EXCLUDED.marks""",
        [
            bigints([owner.binding_id for owner, _ in rows]),
            words([telling.source for _, telling in rows]),
            bigints([owner.parcel_id for owner, _ in rows]),
            bigints([owner.shop_id for owner, _ in rows]),
            instants([telling.listed_at for _, telling in rows]),
            texts([_write(telling.codes).decode() for _, telling in rows]),
            booleans([telling.whole for _, telling in rows]),
            instants([claim.push_time if claim else None for claim in claims]),
            words([claim.code if claim else "" for claim in claims]),
            words([claim.meaning.state if claim else "" for claim in claims]),
            words([claim.meaning.kind if claim else "" for claim in claims]),
            booleans([claim is not None and claim.meaning.coarse for claim in claims]),
            texts([_write(telling.claimed).decode() for _, telling in rows]),
            bigints([telling.inbox_id for _, telling in rows]),
            blobs([pack_marks(telling.marks) for _, telling in rows]),
        ],
    )


def save_tracks(conn: Conn, rows: Sequence[tuple[Stored, datetime | None]], *, at: datetime) -> None:
    """The tracks as they are now, each with the time its next scan is due."""
    if not rows:
        return
    tracks = [stored.track for stored, _ in rows]
    conn.execute(
        """UPDATE track SET binding_id = new.binding_id, state = new.state, kind = new.kind, direction = new.direction,
               at = new.happened_at, because = new.because, collected_at = new.collected_at,
               delivered_at = new.delivered_at, scanned_at = new.scanned_at, latest = new.latest, due_at = new.due_at,
               changed_at = %s
           FROM unnest(%b::bigint[], %b::bigint[], %b::text[], %b::text[], %b::text[], %b::timestamptz[], %b::text[],
                       %b::timestamptz[], %b::timestamptz[], %b::timestamptz[], %b::text[], %b::timestamptz[])
                AS new (parcel_id, binding_id, state, kind, direction, happened_at, because, collected_at,
                        delivered_at, scanned_at, latest, due_at)
           WHERE track.parcel_id = new.parcel_id""",
        [
            at,
            bigints([stored.parcel_id for stored, _ in rows]),
            bigints([stored.binding_id for stored, _ in rows]),
            words([track.state for track in tracks]),
            words([track.kind for track in tracks]),
            words([track.direction for track in tracks]),
            instants([track.at for track in tracks]),
            texts([track.because for track in tracks]),
            instants([track.collected_at for track in tracks]),
            instants([track.delivered_at for track in tracks]),
            instants([track.scanned_at for track in tracks]),
            texts([stored.latest for stored, _ in rows]),
            instants([due_at for _, due_at in rows]),
        ],
    )


def list_facts(conn: Conn, tracks: Iterable[Stored]) -> dict[int, dict[int, Facts]]:
    """All facts of each parcel by its legs: the bindings that travelled and the present one, in their order."""
    legs = {stored.parcel_id: {stored.binding_id} for stored in tracks}
    scans: dict[int, list[Scan]] = {}
    rows = conn.execute(
        """SELECT parcel_id, binding_id, key, source, at, code, coded_at, text, raw_time, location, state, kind, coarse
           FROM scan WHERE parcel_id = ANY (%b::bigint[])""",
        [bigints(list(legs))],
        binary=True,
    )
    for parcel_id, binding_id, *told in rows.fetchall():
        scan = _scan(*told)
        scans.setdefault(binding_id, []).append(scan)
        if scan.meaning.state in CARRIED:
            legs[parcel_id].add(binding_id)
    tellings: dict[int, list[Telling]] = {}
    for (binding_id, _), telling in list_tellings(conn, set().union(*legs.values())).items():
        tellings.setdefault(binding_id, []).append(telling)
    decisions = _list_decisions(conn, legs)
    return {
        parcel_id: {
            binding_id: _leg(scans.get(binding_id, ()), tellings.get(binding_id, ()), decisions.get(parcel_id, ()))
            for binding_id in sorted(ids)
        }
        for parcel_id, ids in legs.items()
    }


def _list_decisions(conn: Conn, parcel_ids: Collection[int]) -> dict[int, tuple[Decision, ...]]:
    decisions: dict[int, tuple[Decision, ...]] = {}
    for parcel_id, *decision in conn.execute(
        """SELECT parcel_id, id, at, verdict, withdrawn_at IS NOT NULL FROM decision
               WHERE parcel_id = ANY (%s)""",
        [list(parcel_ids)],
    ):
        decisions[parcel_id] = (*decisions.get(parcel_id, ()), _decision(*decision))
    return decisions


def _leg(scans: Sequence[Scan], tellings: Sequence[Telling], decisions: tuple[Decision, ...]) -> Facts:
    snapshots = tuple(snapshot for telling in tellings if (snapshot := telling.snapshot))
    claims = tuple(telling.claim for telling in tellings if telling.claim)
    return Facts(tuple(scans), snapshots, claims, decisions)


def _scan(
    key: int,
    source: str,
    at: datetime,
    code: str,
    coded_at: datetime,
    text: str,
    raw_time: str,
    location: str,
    state: str,
    kind: str,
    coarse: bool,
) -> Scan:
    return Scan(key, source, at, code, coded_at, _meaning(state, kind, coarse), text, raw_time, location)


def _decision(decision_id: int, at: datetime, verdict: str, withdrawn: bool) -> Decision:
    return Decision(decision_id, at, Verdict(verdict), withdrawn)


def strike_withdrawn(conn: Conn, judged: Sequence[tuple[int, int, bool]], *, at: datetime) -> None:
    """Strike through the scans (parcel, key) that do not stand; the others stand again."""
    conn.execute(
        """UPDATE scan SET withdrawn_at = CASE WHEN NOT judged.stands THEN %s::timestamptz END
           FROM unnest(%b::bigint[], %b::bigint[], %b::boolean[]) AS judged (parcel_id, key, stands)
           WHERE scan.parcel_id = ANY (%b::bigint[]) AND scan.parcel_id = judged.parcel_id AND scan.key = judged.key
             AND judged.stands <> (scan.withdrawn_at IS NULL)""",
        [
            at,
            bigints([parcel_id for parcel_id, _, _ in judged]),
            bigints([key for _, key, _ in judged]),
            booleans([stands for _, _, stands in judged]),
            bigints(sorted({parcel_id for parcel_id, _, _ in judged})),
        ],
    )


@dataclass(frozen=True, slots=True)
class DisputedRow:
    """A disputed scan as it is listed: its text masked."""

    parcel_id: int
    key: int
    number: str
    carrier: str
    shop_id: int
    at: datetime
    text: str
    code: str
    inbox_id: int
    ahead: bool


def insert_disputed(conn: Conn, rows: Sequence[DisputedRow], *, at: datetime) -> set[int]:
    """List them; the keys of those never listed before."""
    if not rows:
        return set()
    rows = sorted({(row.parcel_id, row.key): row for row in rows}.values(), key=lambda row: (row.parcel_id, row.key))
    found = conn.execute(
        """INSERT INTO disputed_scan (parcel_id, key, number, carrier, shop_id, at, text, code, inbox_id, ahead,
                                      seen_at)
           SELECT given.*, %s FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::bigint[],
               %s::timestamptz[], %s::text[], %s::text[], %s::bigint[], %s::boolean[]) AS given
           ON CONFLICT (parcel_id, key) DO NOTHING RETURNING key""",
        [
            at,
            [row.parcel_id for row in rows],
            [row.key for row in rows],
            [row.number for row in rows],
            [row.carrier for row in rows],
            [row.shop_id for row in rows],
            [row.at for row in rows],
            [row.text for row in rows],
            [row.code for row in rows],
            [row.inbox_id for row in rows],
            [row.ahead for row in rows],
        ],
    )
    return {key for (key,) in found}


def list_unanswered_takes(conn: Conn, codes: Collection[str]) -> dict[str, tuple[int, int, int]]:
    """(take, parcel, shop) by code: the attempts of these codes whose answer never came, or named no number."""
    rows = conn.execute(
        """SELECT code, id, parcel_id, shop_id FROM take
           WHERE code = ANY (%s) AND (state IN ('asked', 'doubt', 'abandoned')
                                      OR (state IN ('conflict', 'refused') AND number = ''))""",
        [sorted(codes)],
    )
    return {code: (take_id, parcel_id, shop_id) for code, take_id, parcel_id, shop_id in rows}


def insert_strangers(conn: Conn, rows: Sequence[Stranger]) -> None:
    if not rows:
        return
    conn.execute(
        """INSERT INTO stranger (aggregator_id, carrier, number, inbox_id, first_at, last_at)
           SELECT aggregator_id, carrier, number, inbox_id, at, at
           FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::timestamptz[])
                AS given (aggregator_id, carrier, number, inbox_id, at)
           ORDER BY 1, 2, 3, 4
           ON CONFLICT (aggregator_id, carrier, number, inbox_id) DO NOTHING""",
        [
            [row.aggregator_id for row in rows],
            [row.carrier for row in rows],
            [row.number for row in rows],
            [row.inbox_id for row in rows],
            [row.at for row in rows],
        ],
    )


def count_unknown(conn: Conn, seen: Sequence[tuple[tuple[str, str, str], int]], *, at: datetime) -> None:
    """((source, carrier, code), how often), sorted."""
    if not seen:
        return
    conn.execute(
        """INSERT INTO unknown_code (source, carrier, code, seen, first_at, last_at)
           SELECT source, carrier, code, seen, %(at)s, %(at)s
           FROM unnest(%(sources)s::text[], %(carriers)s::text[], %(codes)s::text[], %(counts)s::bigint[])
                AS given (source, carrier, code, seen) ORDER BY 1, 2, 3
           ON CONFLICT (source, carrier, code) DO UPDATE
           SET seen = unknown_code.seen + EXCLUDED.seen, last_at = EXCLUDED.last_at""",
        {
            "at": at,
            "sources": [name[0] for name, _ in seen],
            "carriers": [name[1] for name, _ in seen],
            "codes": [name[2] for name, _ in seen],
            "counts": [count for _, count in seen],
        },
    )
