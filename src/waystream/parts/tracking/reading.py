"""What pages and the API read of tracking, masked as it is stored. Opening a sealed push is noted in the audit."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from waystream.core.errors import Conflict, Invalid, Missing
from waystream.core.parcel import OWNED_AFTER_END
from waystream.core.state import TERMINAL
from waystream.kernel import vault
from waystream.kernel.audit import Entry
from waystream.kernel.ids import first_id
from waystream.kernel.tx import Tx
from waystream.parts.tracking import partitions, store_doubts, store_lists, store_partitions
from waystream.parts.tracking.store_doubts import ClockAheadRow, UnreadRow
from waystream.parts.tracking.store_lists import (
    ClaimRow,
    DecisionRow,
    DisputedScanRow,
    DisputeRow,
    QuarantineRow,
    ScanPlace,
    StrangerRow,
    TimelineRow,
    TrackRow,
    UnknownCodeRow,
)

PAGE_MAX_ROWS = 200
TIMELINE_MAX_ROWS = 500


@dataclass(frozen=True, slots=True)
class Why:
    """The chain from a parcel's state back to what was told: one of the facts, and the push behind it."""

    track: TrackRow
    scan: TimelineRow | None = None
    claim: ClaimRow | None = None
    decision: DecisionRow | None = None

    @property
    def inbox_id(self) -> int | None:
        """The sealed push; a person's decision has none."""
        told = self.scan or self.claim
        return told.inbox_id if told else None


@dataclass(frozen=True, slots=True)
class RawPush:
    """The bytes as they came, with the time they came."""

    inbox_id: int
    integration: str
    received_at: datetime
    body: bytes


def get_track(tx: Tx, parcel_id: int) -> TrackRow:
    found = store_lists.find_track(tx.conn, parcel_id)
    if found is None:
        raise Missing("There is no such parcel, or it has no waybill yet")
    return found


def why(tx: Tx, parcel_id: int) -> Why:
    """Which fact says where the parcel is. A parcel nobody told of yet has none."""
    track = get_track(tx, parcel_id)
    kind, _, name = track.because.partition(":")
    match kind:
        case "scan":
            scans = timeline(tx, parcel_id)
            return Why(track, scan=next((row for row in scans if row.key == int(name)), None))
        case "claim":
            claims = store_lists.list_claims(tx.conn, parcel_id)
            return Why(track, claim=next((row for row in claims if row.source == name), None))
        case "decision":
            decisions = store_lists.list_decisions(tx.conn, parcel_id)
            return Why(track, decision=next((row for row in decisions if row.id == int(name)), None))
    return Why(track)


def timeline(tx: Tx, parcel_id: int) -> list[TimelineRow]:
    """Every scan of the parcel, newest first, the withdrawn ones too."""
    return store_lists.list_timeline(tx.conn, parcel_id, limit=TIMELINE_MAX_ROWS)


def list_decisions(tx: Tx, parcel_id: int) -> list[DecisionRow]:
    return store_lists.list_decisions(tx.conn, parcel_id)


def list_disputed(
    tx: Tx,
    parcel_id: int | None = None,
    *,
    warehouse_ids: Collection[int] | None = None,
    before: ScanPlace | None = None,
    limit: int = PAGE_MAX_ROWS,
) -> list[DisputedScanRow]:
    """The newest first; `before` is (seen_at, parcel_id, key) of the last one seen."""
    here = None if warehouse_ids is None else sorted(warehouse_ids)
    return store_lists.list_disputed(
        tx.conn, parcel_id=parcel_id, warehouses=here, before=before, limit=min(limit, PAGE_MAX_ROWS + 1)
    )


def list_disputes(tx: Tx, *, warehouse_ids: Collection[int] | None = None, limit: int = 200) -> list[DisputeRow]:
    """Disputed scans nobody looked at yet, a row for each number."""
    here = None if warehouse_ids is None else sorted(warehouse_ids)
    return store_lists.list_disputes(tx.conn, warehouses=here, limit=min(limit, PAGE_MAX_ROWS))


def list_closed_partitions(tx: Tx) -> list[str]:
    """The partitions of scans to which nothing more can come: their parcels ended more than `OWNED_AFTER_END` ago."""
    there = [found for name in store_partitions.list_names(tx.conn) if (found := partitions.find_partition(name))]
    past = [partition for partition in there if partition.past <= first_id(tx.now)]
    return store_partitions.list_closed(tx.conn, past, ended=TERMINAL, before=tx.now - OWNED_AFTER_END)


def list_strangers(tx: Tx, *, before: int | None = None, limit: int = 50) -> list[StrangerRow]:
    return store_lists.list_strangers(tx.conn, before=before, limit=min(limit, PAGE_MAX_ROWS))


def list_quarantine(tx: Tx, *, before: int | None = None, limit: int = 50) -> list[QuarantineRow]:
    return store_lists.list_quarantine(tx.conn, before=before, limit=min(limit, PAGE_MAX_ROWS))


def list_unknown_codes(tx: Tx) -> list[UnknownCodeRow]:
    return store_lists.list_unknown_codes(tx.conn, limit=PAGE_MAX_ROWS)


def list_unread(
    tx: Tx, *, before: int | None = None, warehouse_ids: Collection[int] | None = None, limit: int = 50
) -> list[UnreadRow]:
    """Lines of pushes that could not be read while the rest could."""
    here = None if warehouse_ids is None else sorted(warehouse_ids)
    return store_doubts.list_unread(tx.conn, before=before, warehouses=here, limit=min(limit, PAGE_MAX_ROWS))


def get_unread_owner(tx: Tx, line_id: int) -> tuple[int, int | None]:
    """Shop and parcel of an open line; 0 and None where its number is nobody's. Raises `Missing`."""
    found = store_doubts.find_unread_owner(tx.conn, line_id)
    if found is None:
        raise Missing("There is no such line")
    return found


def list_clocks_ahead(tx: Tx) -> list[ClockAheadRow]:
    """Accounts whose pushes bear times too far ahead of their arrival."""
    return store_doubts.list_ahead(tx.conn, limit=PAGE_MAX_ROWS)


def open_push(tx: Tx, inbox_id: int, *, actor: str, reason: str, subject: str) -> RawPush:
    """The raw bytes of a push: personal data, so who looked and why is noted. `subject`: parcel:ID, stranger:NUMBER."""
    if not reason.strip():
        raise Invalid("reason", "say why you need to see the raw push")
    kept = store_lists.find_kept_push(tx.conn, inbox_id)
    if kept is None:
        raise Missing("The raw push is no longer kept")
    keys = tx.keys.load(tx.conn, [kept.key_id])
    if kept.key_id not in keys:
        raise Conflict("The key of this push has been destroyed: nobody can read it any more")

    body = vault.open_sealed(keys[kept.key_id], kept.sealed, aad=kept.digest)

    tx.note(Entry(actor, "open_push", subject, reason=reason, detail={"inbox": inbox_id}))
    return RawPush(inbox_id, kept.integration, kept.received_at, body)
