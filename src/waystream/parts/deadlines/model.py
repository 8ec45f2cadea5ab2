"""What is awaited of orders and parcels until when, and what a change of facts does to the deadlines. Pure.

Guaranteed: deadlines follow from what stands now, so events may come twice or in any order; one that was missed stays
missed until the fact comes or the deadline is another. What was never missed leaves no row, but that of a delivery
that was looked at.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct, structs

from waystream.core.deadline import DeadlineKind
from waystream.core.errors import Invalid
from waystream.core.facts import NEVER
from waystream.core.order import Refund, Word
from waystream.core.parcel import Track
from waystream.core.state import TERMINAL, Direction, Kind, State

HOURS_MAX = 720
#: Scans that were told late come in before a delivery is looked at.
VERIFIED_AFTER = timedelta(minutes=30)
#: A delivery so long ago is looked at no more, and that it was in order is forgotten.
VERIFIED_WITHIN = timedelta(days=30)
Key = tuple[DeadlineKind, int]  # of which order or parcel


class Stand(StrEnum):
    """Where a deadline stands. The last two are the end of it."""

    OPEN = "open"
    MISSED = "missed"
    MET = "met"
    LIFTED = "lifted"


LIVING = frozenset({Stand.OPEN, Stand.MISSED})


@dataclass(frozen=True, slots=True)
class Settings:
    """What a shop asks of the calendar, in hours; kinds in `off` it does not watch."""

    ship_by_h: int = 48
    collection_h: int = 24
    pickup_h: int = 48
    off: frozenset[DeadlineKind] = frozenset()

    def __post_init__(self) -> None:
        for name in ("ship_by_h", "collection_h", "pickup_h"):
            if not 1 <= getattr(self, name) <= HOURS_MAX:
                raise Invalid(name, f"between 1 and {HOURS_MAX} hours")


USUAL = Settings()


class OrderNow(Struct, frozen=True, gc=False):
    """An order as it stands: `since` is when it was paid (or came in); `gone` when all of it left the warehouse."""

    id: int
    shop_id: int
    warehouse_id: int
    since: datetime
    ship_by: datetime | None
    promised_at: datetime | None
    cancelled: bool
    refund: str
    word: Word
    gone: bool


NOTHING_KNOWN = Track()


class ParcelNow(Struct, frozen=True, gc=False):
    """A parcel as it stands; without a track nothing is known of it."""

    id: int
    shop_id: int
    warehouse_id: int
    stage: str
    dispatched_at: datetime | None
    track: Track = NOTHING_KNOWN


class Deadline(Struct, frozen=True, gc=False):
    """A row: `since` when it counts, due at, where it stands. One for each kind and order or parcel."""

    kind: DeadlineKind
    subject_id: int
    shop_id: int
    warehouse_id: int
    since: datetime
    due_at: datetime
    stand: Stand = Stand.OPEN
    missed_at: datetime | None = None
    ended_at: datetime | None = None
    doubts: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        return self.kind, self.subject_id


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write: rows to save, keys of rows to drop; `caught_up` were missed before and are over."""

    save: tuple[Deadline, ...] = ()
    drop: tuple[Key, ...] = ()
    caught_up: tuple[Deadline, ...] = ()


def await_of_order(order: OrderNow, settings: Settings) -> tuple[Deadline, ...]:
    """The deadlines an order should have; those that are over say how they ended."""
    over = order.cancelled or order.word is Word.CLOSED
    ship_by = order.ship_by or order.since + timedelta(hours=settings.ship_by_h)
    kept_back = over or order.refund in (Refund.ASKED, Refund.FULL)
    shipped = Stand.MET if order.gone else Stand.LIFTED if kept_back else Stand.OPEN
    promised_at = order.promised_at or order.since
    arrived = order.word in (Word.DELIVERED, Word.COMPLETED)
    kept = Stand.MET if arrived else Stand.LIFTED if over or order.promised_at is None else Stand.OPEN
    place = (order.id, order.shop_id, order.warehouse_id)
    return _watched(
        settings,
        Deadline(DeadlineKind.SHIP_BY, *place, order.since, ship_by, shipped),
        Deadline(DeadlineKind.PROMISE, *place, order.since, promised_at, kept),
    )


def await_of_parcel(
    parcel: ParcelNow, settings: Settings, rows: Mapping[Key, Deadline], *, now: datetime
) -> tuple[Deadline, ...]:
    """The deadlines a parcel should have, with those that stand already: some count on from when they were set."""
    return _watched(
        settings,
        _collection(parcel, settings),
        _pickup(parcel, settings, rows.get((DeadlineKind.PICKUP, parcel.id)), now=now),
        _verification(parcel, rows.get((DeadlineKind.VERIFICATION, parcel.id)), now=now),
    )


def _watched(settings: Settings, *wanted: Deadline) -> tuple[Deadline, ...]:
    return tuple(structs.replace(each, stand=Stand.LIFTED) if each.kind in settings.off else each for each in wanted)


def _collection(parcel: ParcelNow, settings: Settings) -> Deadline:
    track, since = parcel.track, parcel.dispatched_at
    if parcel.stage != "dispatched" or since is None or track.state is State.CANCELLED:
        stand = Stand.LIFTED
    else:
        stand = Stand.MET if track.collected_at or track.state in TERMINAL else Stand.OPEN
    due_at = since + timedelta(hours=settings.collection_h) if since else NEVER
    return Deadline(DeadlineKind.COLLECTION, *_place(parcel), since or NEVER, due_at, stand)


def _place(parcel: ParcelNow) -> tuple[int, int, int]:
    return parcel.id, parcel.shop_id, parcel.warehouse_id


def _pickup(parcel: ParcelNow, settings: Settings, row: Deadline | None, *, now: datetime) -> Deadline:
    """A carrier's reminder is a new scan of the same waiting: it counts from the first."""
    track = parcel.track
    fetched = Stand.MET if track.state is State.DELIVERED else Stand.LIFTED
    since = row.since if row and row.stand in LIVING else track.at or now
    due_at = since + timedelta(hours=settings.pickup_h)
    stand = Stand.OPEN if waits_for_buyer(track) else fetched
    return Deadline(DeadlineKind.PICKUP, *_place(parcel), since, due_at, stand)


def waits_for_buyer(track: Track) -> bool:
    """In a locker or at a station, though the carrier may say by now that it waits too long."""
    overdue = track.state is State.EXCEPTION and track.kind is Kind.LOCKER_OVERDUE
    return track.direction is Direction.OUT and (track.state is State.READY_FOR_PICKUP or overdue)


def _verification(parcel: ParcelNow, row: Deadline | None, *, now: datetime) -> Deadline:
    """Each delivery is looked at once; what a person decided is not doubted."""
    track = parcel.track
    since = track.delivered_at or now
    told = track.state is State.DELIVERED and not track.because.startswith("decision:")
    same = row is not None and row.since == since
    due_at = row.due_at if row and same else now + VERIFIED_AFTER
    stand = Stand.OPEN if told and since > now - VERIFIED_WITHIN else Stand.LIFTED
    if row and same and stand is Stand.OPEN and row.stand is Stand.MET:
        stand = Stand.MET
    return Deadline(DeadlineKind.VERIFICATION, *_place(parcel), since, due_at, stand)


def reconcile(rows: Mapping[Key, Deadline], wanted: Iterable[Deadline], *, now: datetime) -> Plan:
    """What turns the rows into what is wanted; nothing where they are that already."""
    save: list[Deadline] = []
    drop: list[Key] = []
    caught_up: list[Deadline] = []
    for want in wanted:
        row = rows.get(want.key)
        if want.stand is Stand.OPEN:
            save += _set(row, want, now=now)
            moved = row is not None and row.stand is Stand.MISSED and row.due_at != want.due_at > now
            caught_up += [structs.replace(row, stand=Stand.LIFTED)] if row and moved else []
        elif row is not None and row.stand is Stand.OPEN:
            drop.append(row.key)
        elif row is not None and row.stand is Stand.MISSED:
            ended = structs.replace(row, stand=want.stand, ended_at=now)
            save.append(ended)
            caught_up.append(ended)
    return Plan(tuple(save), tuple(drop), tuple(caught_up))


def _set(row: Deadline | None, want: Deadline, *, now: datetime) -> list[Deadline]:
    """A new deadline, or one that moved; one that is set as it should be stays, and a missed one is missed however far
    it moved within the past."""
    if row is None or row.stand not in LIVING or (row.due_at != want.due_at and row.stand is Stand.OPEN):
        return [want]
    if row.due_at != want.due_at and want.due_at > now:
        return [want]
    kept = structs.replace(row, warehouse_id=want.warehouse_id, since=want.since, due_at=want.due_at)
    return [kept] if kept != row else []


def parse_settings(*, ship_by_h: int, collection_h: int, pickup_h: int, watched: Iterable[str]) -> Settings:
    """Raises `Invalid` for a kind that is none and for hours outside 1 to 720."""
    kinds = frozenset(watched)
    if not kinds <= set(DeadlineKind):
        raise Invalid("watched", f"choose from {', '.join(DeadlineKind)}")
    off = frozenset(DeadlineKind) - frozenset(DeadlineKind(kind) for kind in kinds)
    return Settings(ship_by_h, collection_h, pickup_h, off)
