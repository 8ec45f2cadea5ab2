"""Replay: kept pushes read again with today's tables; what would change is seen first, then applied exactly once.

A replay goes in steps, each a transaction of its own that whoever carries it on may run (`carry_on`): a process that
dies between two changes nothing. Guaranteed: comparing writes no fact and no event (it applies, looks and rolls back),
so what is shown is what applying does; with the tables unchanged nothing is found; a parcel is applied once, and events
are said only of a state that changed. What differs is decided in `rereading`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import psycopg

from waystream.core.errors import Conflict, Invalid, Missing, Unreadable, WaystreamError
from waystream.core.events.tracking import changes
from waystream.core.ports import Network
from waystream.core.state import State
from waystream.kernel.audit import Entry
from waystream.kernel.database import error_text
from waystream.kernel.ids import first_id, mint_ids
from waystream.kernel.jobs import Job
from waystream.kernel.tx import Tx
from waystream.parts.tracking import actions, applying, model, store, store_lists, store_replay
from waystream.parts.tracking.model import Received
from waystream.parts.tracking.rereading import Wanted, reread
from waystream.parts.tracking.store_replay import ChangedParcel, ReplayRow

REPLAY = "replay"
PUSHES_AT_ONCE = 200
BYTES_AT_ONCE = 8 * 1024 * 1024
PARCELS_AT_ONCE = 200
PUSHES_OF_ONE_AT_MOST = 10_000  # of one parcel or number
QUARANTINED_AT_ONCE = 20
CODES_AT_MOST = 10_000
TEXT_MAX_CHARS = 64
CODES_SHOWN = 100
CHANGED_AT_ONCE = 1_000

Networks = Mapping[str, Network]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which kept pushes: of a time, and in it only what is told of a carrier, a number, a code, a parcel."""

    since: datetime
    until: datetime
    carrier: str = ""
    number: str = ""
    code: str = ""
    parcel_id: int | None = None

    @property
    def whole(self) -> bool:
        return not (self.carrier or self.number or self.code or self.parcel_id)


def begin(tx: Tx, selection: Selection, *, actor: str, by_job: bool) -> int:
    """Start to compare; the replay's id. `by_job`: a job carries it on, else the caller does."""
    _require_sound(selection)
    first = first_id(selection.since)
    row = ReplayRow(
        0, selection.since, selection.until, selection.carrier, selection.number, selection.code, selection.parcel_id,
        actor, tx.now, "comparing", first - 1, 0, 0, 0, None,
    )  # fmt: skip
    replay_id = store_replay.insert_replay(tx.conn, replace(row, pushes_of=_count_pushes(tx, row)))
    tx.note(Entry(actor, "replay.compare", f"replay:{replay_id}"))
    if by_job:
        tx.enqueue(_job(replay_id))
    return replay_id


def _count_pushes(tx: Tx, row: ReplayRow) -> int:
    if row.parcel_id is None and not row.number:
        return store_replay.count_pushes(tx.conn, first=row.position + 1, past=first_id(row.until))
    return len(_list_sizes(tx, row, limit=PUSHES_OF_ONE_AT_MOST))


def _require_sound(selection: Selection) -> None:
    if selection.since >= selection.until:
        raise Invalid("since", "the time begins before it ends")
    for path, text in (("carrier", selection.carrier), ("number", selection.number), ("code", selection.code)):
        if len(text) > TEXT_MAX_CHARS:
            raise Invalid(path, f"at most {TEXT_MAX_CHARS} characters")


def apply(tx: Tx, replay_id: int, *, actor: str, by_job: bool) -> None:
    """Apply what was found. Raises `Conflict` before everything was compared, and the second time."""
    replay = _hold(tx, replay_id)
    if replay.state != "compared":
        raise Conflict("Only a replay that has compared everything, and was not applied, can be applied.")
    store_replay.set_state(tx.conn, replay_id, "applying", ended_at=None)
    tx.note(Entry(actor, "replay.apply", f"replay:{replay_id}"))
    if by_job:
        tx.enqueue(_job(replay_id))


def stop(tx: Tx, replay_id: int, *, actor: str) -> None:
    """Go no further. What was applied stays; a new replay finds the rest."""
    replay = _hold(tx, replay_id)
    if replay.state not in ("comparing", "compared", "applying"):
        raise Conflict("This replay has ended.")
    store_replay.set_state(tx.conn, replay_id, "stopped", ended_at=tx.now)
    tx.note(Entry(actor, "replay.stop", f"replay:{replay_id}"))


def _hold(tx: Tx, replay_id: int) -> ReplayRow:
    replay = store_replay.lock_replay(tx.conn, replay_id)
    if replay is None:
        raise Missing("There is no such replay.")
    return replay


def _job(replay_id: int) -> Job:
    return Job(REPLAY, 0, str(replay_id), f"replay:{replay_id}")


def hand_on(tx: Tx, replay_id: int) -> None:
    """A job goes on where this one ends."""
    tx.enqueue(_job(replay_id))


def carry_on(tx: Tx, replay_id: int, networks: Networks) -> bool:
    """One step; whether another one follows."""
    replay = _hold(tx, replay_id)
    match replay.state:
        case "comparing":
            more = _compare_pushes(tx, replay, networks) or _try_quarantined(tx, replay, networks)
            return more or _compared(tx, replay)
        case "applying":
            more = _take_quarantined(tx, replay, networks) or _apply_parcels(tx, replay)
            return more or _applied(tx, replay, networks)
    return False


# ------------------------------------------------------------------ comparing


def _compare_pushes(tx: Tx, replay: ReplayRow, networks: Networks) -> bool:
    """Read the pushes that follow; False when there are none."""
    ids = _next_pushes(tx, replay)
    if not ids:
        return False
    pushes, unread = _open(tx, ids, networks)
    wanted = _wanted(tx, replay)
    told = [_narrowed(received, wanted) for received in pushes]
    owners = store.list_owners(tx.conn, model.waybills(told))
    bindings = {owner.binding_id: owner.parcel_id for each in owners.values() for owner in each}
    left = applying.list_left(tx, bindings.values())

    found = reread(
        told,
        {waybill: [owner for owner in each if owner.parcel_id not in left] for waybill, each in owners.items()},
        store_replay.list_known(tx.conn, set(bindings.values()) - left),
        store.list_tellings(tx.conn, bindings),
    )

    store_replay.save_mended_scans(tx.conn, replay.id, list(found.scans.values()))
    store_replay.save_mended_claims(tx.conn, replay.id, list(found.claims.values()))
    with tx.conn.transaction(force_rollback=True):
        changed = _mend(tx, replay.id, found.parcel_ids)
    store_replay.save_parcels(tx.conn, replay.id, changed)
    store_replay.save_progress(tx.conn, replay.id, position=ids[-1], pushes=len(ids), unread=unread)
    return True


def _next_pushes(tx: Tx, replay: ReplayRow) -> list[int]:
    """As many as fit one step, by number and by bytes."""
    ids: list[int] = []
    total = 0
    for inbox_id, size in _list_sizes(tx, replay, limit=PUSHES_AT_ONCE):
        total += size
        if ids and total > BYTES_AT_ONCE:
            break
        ids.append(inbox_id)
    return ids


def _list_sizes(tx: Tx, replay: ReplayRow, *, limit: int) -> list[tuple[int, int]]:
    past = first_id(replay.until)
    if replay.parcel_id is None and not replay.number:
        return store_replay.list_push_sizes(tx.conn, after=replay.position, past=past, limit=limit)
    waybills = store_replay.list_waybills(
        tx.conn, parcel_id=replay.parcel_id, number=replay.number, carrier=replay.carrier
    )
    return store_replay.list_push_sizes_of(tx.conn, waybills, after=replay.position, past=past, limit=limit)


def _open(tx: Tx, ids: Sequence[int], networks: Networks) -> tuple[list[Received], int]:
    """The pushes as today's reader understands them, and how many cannot be read any more."""
    kept = store_replay.list_pushes(tx.conn, ids)
    keys = tx.keys.load(tx.conn, {push.key_id for push in kept})
    opened: list[Received] = []
    for push in kept:
        if push.key_id in keys and push.integration in networks:
            try:
                opened.append(actions.opened(push, keys[push.key_id], networks))
            except Unreadable:
                continue
    return opened, len(ids) - len(opened)


def _wanted(tx: Tx, replay: ReplayRow) -> Wanted:
    waybills = None
    if replay.parcel_id is not None:
        waybills = frozenset(store_replay.list_waybills(tx.conn, parcel_id=replay.parcel_id))
    return Wanted(replay.carrier, replay.number, replay.code, waybills)


def _narrowed(received: Received, wanted: Wanted) -> Received:
    told = tuple(item for item in received.push.told if wanted.wants(item))
    return replace(received, push=received.push.narrowed(told))


def _mend(tx: Tx, replay_id: int, parcel_ids: Collection[int]) -> list[ChangedParcel]:
    """Give the facts of these parcels their meaning of today, fold, say what that changed. Twice changes no more."""
    if not parcel_ids:
        return []
    tracks = store.lock_tracks(tx.conn, parcel_ids)
    store_replay.mend_scans(tx.conn, replay_id, tracks)
    store_replay.mend_claims(tx.conn, replay_id, tracks)
    after = {stored.parcel_id: stored for stored in applying.refold(tx, list(tracks.values()))}
    applying.save_moved(tx, tracks, after.values(), dict.fromkeys(tracks, f"replay:{replay_id}"))
    return [_changed(tracks[parcel_id], after[parcel_id]) for parcel_id in sorted(after)]


def _changed(before: store.Stored, after: store.Stored) -> ChangedParcel:
    said = changes(before.track, after.track, shop_id=before.shop_id, parcel_id=before.parcel_id)
    return ChangedParcel(
        before.parcel_id,
        before.shop_id,
        *(before.track.state.value, before.track.kind.value, before.track.direction.value),
        *(after.track.state.value, after.track.kind.value, after.track.direction.value),
        [type(event).__name__ for event in said],
    )


def _try_quarantined(tx: Tx, replay: ReplayRow, networks: Networks) -> bool:
    """Take the next quarantined pushes in, look, and roll back; False when there are none. Only a replay of
    everything in its time tries them: whose they are is not known before they are read."""
    selection = Selection(replay.since, replay.until, replay.carrier, replay.number, replay.code, replay.parcel_id)
    untried = store_replay.list_untried(tx.conn, replay, limit=QUARANTINED_AT_ONCE) if selection.whole else []
    for quarantine_id in untried:
        applied, said = _attempt(tx, quarantine_id, networks, undo=True)
        store_replay.save_tried(tx.conn, replay.id, quarantine_id, scans=applied.scans, moved=applied.moved, said=said)
    return bool(untried)


def _attempt(tx: Tx, quarantine_id: int, networks: Networks, *, undo: bool) -> tuple[applying.Applied, str]:
    """What taking it in did; or nothing, and what stands in its way."""
    [inbox_id] = mint_ids(1, at_ms=int(tx.now.timestamp() * 1000))
    try:
        with tx.conn.transaction(force_rollback=undo):
            return actions.retry_quarantine(tx, quarantine_id, networks=networks, inbox_id=inbox_id), ""
    except (WaystreamError, psycopg.DataError, psycopg.IntegrityError) as error:
        return applying.Applied(), error.sentence if isinstance(error, WaystreamError) else error_text(error)


def _compared(tx: Tx, replay: ReplayRow) -> bool:
    store_replay.set_state(tx.conn, replay.id, "compared", ended_at=tx.now)
    return False


# ------------------------------------------------------------------ applying


def _take_quarantined(tx: Tx, replay: ReplayRow, networks: Networks) -> bool:
    untaken = store_replay.list_untaken(tx.conn, replay.id, limit=QUARANTINED_AT_ONCE)
    for quarantine_id in untaken:
        _, said = _attempt(tx, quarantine_id, networks, undo=False)
        if said:
            store_replay.save_tried(tx.conn, replay.id, quarantine_id, scans=0, moved=0, said=said)
        else:
            store_replay.mark_taken(tx.conn, replay.id, quarantine_id, at=tx.now)
    return bool(untaken)


def _apply_parcels(tx: Tx, replay: ReplayRow) -> bool:
    pending = store_replay.list_pending(tx.conn, replay.id, limit=PARCELS_AT_ONCE)
    if not pending:
        return False
    _mend(tx, replay.id, set(pending) - applying.list_left(tx, pending))
    store_replay.mark_applied(tx.conn, replay.id, pending, at=tx.now)
    return True


def _applied(tx: Tx, replay: ReplayRow, networks: Networks) -> bool:
    """The end: what was an unknown code and is known today leaves the list."""
    known = [
        (row.source, row.carrier, row.code)
        for row in store_lists.list_unknown_codes(tx.conn, limit=CODES_AT_MOST)
        if row.source in networks and networks[row.source].meaning(row.code, "").state is not State.UNKNOWN
    ]
    store_replay.delete_unknown(tx.conn, known)
    store_replay.set_state(tx.conn, replay.id, "applied", ended_at=tx.now)
    return False


# ------------------------------------------------------------------ looking


@dataclass(frozen=True, slots=True)
class Difference:
    """What a replay found so far."""

    replay: ReplayRow
    counts: store_replay.Counts
    codes: tuple[store_replay.CodeChange, ...]


def look(tx: Tx, replay_id: int) -> Difference:
    """A replay, how much it found, and which codes say what now. Raises `Missing`."""
    replay = store_replay.find_replay(tx.conn, replay_id)
    if replay is None:
        raise Missing("There is no such replay.")
    codes = store_replay.list_code_changes(tx.conn, replay_id, limit=CODES_SHOWN)
    return Difference(replay, store_replay.count_found(tx.conn, replay_id), tuple(codes))


def list_changed(tx: Tx, replay_id: int, *, after: int = 0, limit: int = 50) -> list[ChangedParcel]:
    """The parcels whose state changes, by their id."""
    return store_replay.list_changed(tx.conn, replay_id, after=after, limit=min(limit, CHANGED_AT_ONCE))


def list_replays(tx: Tx, *, limit: int = 50) -> list[ReplayRow]:
    return store_replay.list_replays(tx.conn, limit=min(limit, CHANGED_AT_ONCE))
