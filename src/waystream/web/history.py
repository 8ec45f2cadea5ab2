"""What happened to an order or a parcel, from every source in one list: our events, scans, claims and decisions.

Texts are masked as they are stored; an event carries ids and words only. Bounded to the newest entries.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg import Connection

from waystream.kernel.tx import Tx
from waystream.parts.tracking import reading, store_lists

Conn = Connection[Any]

ENTRIES_MAX = 500
PARCELS_MAX = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `push` is the sealed push that told it; a withdrawn scan or decision is kept.

    `source` says whose word it is: an event is ours, scans and claims a carrier network's, a decision a person's.
    """

    at: datetime
    source: Literal["event", "scan", "claim", "decision"]
    subject: str
    name: str
    text: str = ""
    code: str = ""
    kind: str = ""
    location: str = ""
    by: str = ""
    cause: str = ""
    push: int | None = None
    withdrawn_at: datetime | None = None


def list_of_order(tx: Tx, order_id: int) -> tuple[Entry, ...]:
    parcels = [
        row[0]
        for row in tx.conn.execute(
            "SELECT parcel_id FROM parcel_order WHERE order_id = %s ORDER BY parcel_id DESC LIMIT %s",
            [order_id, PARCELS_MAX],
        )
    ]
    return _newest([*_events(tx.conn, [f"order:{order_id}", *map(_subject, parcels)]), *_told(tx, parcels)])


def list_of_parcel(tx: Tx, parcel_id: int) -> tuple[Entry, ...]:
    return _newest([*_events(tx.conn, [_subject(parcel_id)]), *_told(tx, [parcel_id])])


def _newest(entries: list[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.at, reverse=True)[:ENTRIES_MAX])


def _subject(parcel_id: int) -> str:
    return f"parcel:{parcel_id}"


def _events(conn: Conn, subjects: Sequence[str]) -> list[Entry]:
    rows = conn.execute(
        "SELECT at, subject, name, cause FROM event WHERE subject = ANY (%s) ORDER BY id DESC LIMIT %s",
        [list(subjects), ENTRIES_MAX],
    )
    return [Entry(at, "event", subject, name, cause=cause) for at, subject, name, cause in rows]


def _told(tx: Tx, parcel_ids: Iterable[int]) -> list[Entry]:
    return [entry for parcel_id in parcel_ids for entry in _told_of(tx, parcel_id)]


def _told_of(tx: Tx, parcel_id: int) -> list[Entry]:
    subject = _subject(parcel_id)
    scans = [
        Entry(
            row.at, "scan", subject, row.state, row.text, row.code, row.kind, row.location, row.source,
            push=row.inbox_id, withdrawn_at=row.withdrawn_at,
        )
        for row in reading.timeline(tx, parcel_id)
    ]  # fmt: skip
    claims = [
        Entry(row.at, "claim", subject, row.state, code=row.code, kind=row.kind, by=row.source, push=row.inbox_id)
        for row in store_lists.list_claims(tx.conn, parcel_id)
        if row.code
    ]
    decisions = [
        Entry(row.at, "decision", subject, row.verdict, row.reason, by=row.actor, withdrawn_at=row.withdrawn_at)
        for row in reading.list_decisions(tx, parcel_id)
    ]
    return scans + claims + decisions
