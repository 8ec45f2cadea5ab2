"""Whether a delivery can be as the carrier says: signed where the receiver lives, and not before it can be there. Pure.

Guaranteed: what is not known accuses nobody. A place counts where its city is named beyond doubt, a distance where it
is far beyond what centres of cities are good for, a time where it is an instant and not a day.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from waystream.core.cities import City, distance_km, find_place
from waystream.core.deadline import Doubt
from waystream.core.state import CARRIED, State

#: Nearer than this a city is a neighbour: outlets serve across the border.
ELSEWHERE_KM = 120.0
#: Of every distance this much is not counted: centres of cities stand for all of them.
SLACK_KM = 200.0
#: Faster than an aeroplane from door to door, or, where nothing says that it arrived, than a lorry without a stop.
BY_AIR_KM_H = 800.0
BY_ROAD_KM_H = 110.0
#: Carriers stamp Chinese time; exactly midnight there is a day and no instant.
CHINA = timezone(timedelta(hours=8))

#: It was to be stopped on its way, and was delivered.
INTERCEPTED = "intercepted"

#: A scan with one of these says that the parcel is where it is to be handed over.
ARRIVED = frozenset(
    {State.ARRIVED_AT_OUTLET, State.OUT_FOR_DELIVERY, State.READY_FOR_PICKUP, State.ATTEMPT_FAILED, State.EXCEPTION}
)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A standing scan; `key` tells which fact the track stands on."""

    key: int
    at: datetime
    state: State
    location: str = ""
    text: str = field(default="", repr=False)

    @property
    def place(self) -> City | None:
        return find_place(self.location, self.text)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one delivery: whose city, from which city of ours, `left_at` when somebody here said so.

    `stopped`: somebody wants it back and the wish stands.
    """

    parcel_id: int
    shop_id: int
    delivered_at: datetime
    because: str
    receiver: City | None
    origin: City | None = None
    left_at: datetime | None = None
    stopped: bool = False
    sightings: Sequence[Sighting] = ()

    @property
    def before(self) -> list[Sighting]:
        """What was seen of it until it was signed for."""
        return [seen for seen in self.sightings if seen.at <= self.delivered_at and seen.state is not State.DELIVERED]

    @property
    def signed(self) -> City | None:
        """Where it was signed for."""
        return next((seen.place for seen in self.sightings if f"scan:{seen.key}" == self.because), None)

    @property
    def intercepted(self) -> bool:
        """It was to be stopped, by the carrier's word or by ours."""
        return self.stopped or any(seen.state is State.INTERCEPTED for seen in self.before)


def words_of(evidence: Evidence) -> tuple[str, ...]:
    """All that is wrong with a delivery: a doubt, and that it was to be stopped."""
    doubt = find_doubt(evidence)
    return (*([doubt] if doubt else []), *([INTERCEPTED] if evidence.intercepted else []))


def find_doubt(evidence: Evidence) -> Doubt | None:
    """What speaks against a delivery, if anything. In the wrong place is too early as well: it is told once."""
    if _is_elsewhere(evidence):
        return Doubt.ELSEWHERE
    return Doubt.TOO_EARLY if _is_too_early(evidence) else None


def _is_elsewhere(evidence: Evidence) -> bool:
    """One that was sent on to another address may be signed for there."""
    signed, receiver = evidence.signed, evidence.receiver
    if signed is None or receiver is None or any(seen.state is State.FORWARDED for seen in evidence.sightings):
        return False
    return signed != receiver and distance_km(signed, receiver) > ELSEWHERE_KM


def _is_too_early(evidence: Evidence) -> bool:
    goal = evidence.signed or evidence.receiver
    if goal is None or _is_a_day(evidence.delivered_at):
        return False
    arrived = _has_arrived(evidence, goal)
    return any(
        _too_fast(distance_km(place, goal), evidence.delivered_at - at, arrived=arrived)
        for at, place in _whereabouts(evidence)
        if not _is_a_day(at)
    )


def _has_arrived(evidence: Evidence, goal: City) -> bool:
    """Somebody says that it came to where it was signed for."""
    return any(
        seen.state in ARRIVED or ((place := seen.place) is not None and distance_km(place, goal) <= ELSEWHERE_KM)
        for seen in evidence.before
    )


def _whereabouts(evidence: Evidence) -> list[tuple[datetime, City]]:
    """When it was where, as far as that is known: by its scans, and as it left our warehouse, at the earliest time that
    anybody says; its first scan says nothing of that, for those before it may be missing."""
    seen = [(each.at, place) for each in evidence.before if each.state in CARRIED and (place := each.place) is not None]
    left = [each.at for each in evidence.before if each.state is State.COLLECTED]
    left += [evidence.left_at] if evidence.left_at is not None else []
    if evidence.origin is not None and left:
        seen.append((min(left), evidence.origin))
    return seen


def _too_fast(km: float, took: timedelta, *, arrived: bool) -> bool:
    hours = max(took.total_seconds(), 0.0) / 3600
    return km - SLACK_KM > hours * (BY_AIR_KM_H if arrived else BY_ROAD_KM_H)


def _is_a_day(at: datetime) -> bool:
    moment = at.astimezone(CHINA)
    return (moment.hour, moment.minute, moment.second) == (0, 0, 0)
