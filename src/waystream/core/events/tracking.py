"""What the carriers' facts did to a parcel. `changes` is the only place where a change of track becomes events."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from waystream.core.events import ParcelEvent
from waystream.core.parcel import Track
from waystream.core.state import Direction, Kind, State


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackEvent(ParcelEvent):
    """The parcel's track changed; `at` is when it happened by the carrier's or the person's word."""

    before: State
    after: State
    kind: Kind
    direction: Direction
    at: datetime
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelCollected(TrackEvent):
    """The carrier has it."""

    public: ClassVar[str] = "parcel.collected"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelMoved(TrackEvent):
    """It is somewhere new on its way, or in a state that has no event of its own."""

    public: ClassVar[str] = "parcel.moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutForDelivery(TrackEvent):
    """The courier is on the way to the receiver (派件)."""

    public: ClassVar[str] = "parcel.out_for_delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyForPickup(TrackEvent):
    """It waits in a locker or at a station."""

    public: ClassVar[str] = "parcel.ready_for_pickup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered(TrackEvent):
    """Signed for (签收). With `before` delivered only the kind became known."""

    public: ClassVar[str] = "parcel.delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRetracted(TrackEvent):
    """It was called delivered and is not."""

    public: ClassVar[str] = "parcel.delivery_retracted"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFailed(TrackEvent):
    """The courier came and could not hand it over."""

    public: ClassVar[str] = "parcel.attempt_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionRaised(TrackEvent):
    """Something is wrong with it (问题件); `kind` says what."""

    public: ClassVar[str] = "parcel.exception_raised"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelReturning(TrackEvent):
    """It is on its way back."""

    public: ClassVar[str] = "parcel.returning"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelReturned(TrackEvent):
    """It came back."""

    public: ClassVar[str] = "parcel.returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelLost(TrackEvent):
    """The carrier or a person says that it is lost."""

    public: ClassVar[str] = "parcel.lost"


_EVENT_OF: dict[State, type[TrackEvent]] = {
    State.OUT_FOR_DELIVERY: OutForDelivery,
    State.READY_FOR_PICKUP: ReadyForPickup,
    State.DELIVERED: Delivered,
    State.ATTEMPT_FAILED: AttemptFailed,
    State.EXCEPTION: ExceptionRaised,
    State.RETURNING: ParcelReturning,
    State.RETURNED: ParcelReturned,
    State.LOST: ParcelLost,
}


def changes(before: Track, after: Track, *, shop_id: int, parcel_id: int) -> list[TrackEvent]:
    """The events that a change of track is, in the order a reader should see them; none when nothing changed.

    A `Delivered` whose `before` is delivered tells only that the kind became known.
    """

    def say(event: type[TrackEvent], at: datetime | None) -> TrackEvent:
        moment = at or before.at
        assert moment is not None, "a change without an instant"
        return event(
            shop_id=shop_id,
            parcel_id=parcel_id,
            before=before.state,
            after=after.state,
            kind=after.kind,
            direction=after.direction,
            at=moment,
            because=after.because,
        )

    told: list[TrackEvent] = []
    collected = before.collected_at is None and after.collected_at is not None
    if collected:
        told.append(say(ParcelCollected, after.collected_at))
    if before.state is State.DELIVERED and after.state is not State.DELIVERED:
        told.append(say(DeliveryRetracted, after.at))
    moved = (before.state, before.kind, before.direction) != (after.state, after.kind, after.direction)
    if moved and not (collected and after.state is State.COLLECTED):
        told.append(say(_EVENT_OF.get(after.state, ParcelMoved), after.at))
    return told
