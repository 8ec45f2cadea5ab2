"""When a parcel's next scan is due, as its track is saved; and due times that follow when patience changes.

How long a parcel may be silent is published by `parts.silence` from history. A process keeps it in memory and looks
every few seconds whether another one was published: no scan costs a question.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from waystream.core.parcel import START
from waystream.core.patience import Patience, WorkClock
from waystream.kernel.jobs import Job
from waystream.kernel.tx import Tx
from waystream.parts.tracking import model, store_dues
from waystream.parts.tracking.store import Stored

REDUE, NAME = "redue_tracks", "patience"
LOOKED_EVERY_S = 2.0
#: The clock of working hours is made anew when the moment it was made for is so far away.
CLOCK_LASTS = timedelta(days=1)
MOVED_AT_ONCE = 2_000


#: Before every due time.
BEGINNING = (datetime.min.replace(tzinfo=UTC), 0)
Place = tuple[datetime, int]  # due time, parcel


def patience_of(tx: Tx) -> Patience:
    """What is allowed now, a few seconds old at most."""
    return tx.memory.recall(NAME, lambda known: _load(tx, known), for_s=LOOKED_EVERY_S)


def _load(tx: Tx, known: Patience | None) -> Patience:
    version = store_dues.find_version(tx.conn)
    if known is not None and known.version == version and abs(tx.now - known.clock.made_at) < CLOCK_LASTS:
        return known
    clock = WorkClock(store_dues.list_pulses(tx.conn), store_dues.load_calendar(tx.conn), around=tx.now)
    return Patience(version, clock, store_dues.list_hours(tx.conn))


def first_due(tx: Tx) -> datetime | None:
    """For parcels that were never scanned."""
    return model.due_at(START, patience_of(tx), carrier="", lane="", opened_at=tx.now)


def with_dues(tx: Tx, tracks: Iterable[Stored]) -> list[tuple[Stored, datetime | None]]:
    """Each with the time its next scan is due."""
    patience = patience_of(tx)
    return [(stored, _due_at(stored, patience, tx.now)) for stored in tracks]


def _due_at(stored: Stored, patience: Patience, now: datetime) -> datetime | None:
    return model.due_at(stored.track, patience, carrier=stored.carrier, lane=stored.lane, opened_at=now)


# ------------------------------------------------------------------ when patience changes


def ask_to_move(tx: Tx, version: int) -> None:
    """Have the due times of all parcels under way follow this patience."""
    tx.enqueue(Job(REDUE, 0, str(version), f"patience:{version}"))


def move_some(tx: Tx, after: Place) -> Place | None:
    """The due times next after this place; where to go on, None at the end.

    A parcel that moves ahead is met again, and stands still then.
    """
    if after == BEGINNING:
        tx.memory.forget(NAME)
    patience, moved = patience_of(tx), list[tuple[int, datetime]]()
    tracks = store_dues.lock_due(tx.conn, after=after, limit=MOVED_AT_ONCE)
    for stored, due_at in tracks:
        if stored.track.scanned_at or stored.track.at:
            new = _due_at(stored, patience, tx.now)
            if new is not None and new != due_at:
                moved.append((stored.parcel_id, new))
    store_dues.set_dues(tx.conn, moved)
    return _last(tracks) if len(tracks) == MOVED_AT_ONCE else None


def _last(tracks: Sequence[tuple[Stored, datetime]]) -> Place:
    return max((due_at, stored.parcel_id) for stored, due_at in tracks)
