"""What the carriers' facts did to a parcel. `changes` is the only place where a change of track becomes events."""

from dataclasses import dataclass
from datetime import datetime

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
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelMoved(TrackEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class OutForDelivery(TrackEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyForPickup(TrackEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered(TrackEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRetracted(TrackEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFailed(TrackEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionRaised(TrackEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelReturning(TrackEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelReturned(TrackEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelLost(TrackEvent):
    pass


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
