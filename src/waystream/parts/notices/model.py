"""What is said, when, and why not: pure decisions over an order's state as it is in this moment.

Guaranteed: a verdict depends on its arguments only, so whatever happened between planning and saying counts. Words are
`wording` and `facts`, kinds are `kinds`, rows are `store*`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from waystream.core.channels import BuyerChannel, ChannelKind, is_email, is_mobile
from waystream.core.errors import Invalid
from waystream.core.state import Kind as TrackKind
from waystream.core.state import State
from waystream.parts.notices.kinds import INCIDENT, LANGUAGES, SAID, NoticeKind, load_kinds

MINUTES_A_DAY = 1_440
ZONE = "Asia/Shanghai"
#: Where a receiver's clock is not the shop's: the beginning of a province's name → zone.
ZONES = {"新疆": "Asia/Urumqi"}
DELIVERED = "delivered"
#: Kinds whose every telling after a delivery would be wrong are all but these.
AFTER_DELIVERY = frozenset({DELIVERED, SAID})
#: Kinds that are told of an order that was cancelled, too.
AFTER_CANCEL = frozenset({"returning", SAID})


class NoticeState(StrEnum):
    PLANNED = "planned"
    SENDING = "sending"
    HANDED = "handed"
    DELIVERED = "delivered"
    REFUSED = "refused"
    DROPPED = "dropped"


class Why(StrEnum):
    """Why something was not said."""

    DELIVERED = "delivered"  # it was delivered meanwhile
    MOVED_ON = "moved_on"  # it is not true any more
    STALE = "stale"  # it is no news any more
    VOID = "void"  # the parcel will never leave
    CANCELLED = "cancelled"  # the order was cancelled
    ERASED = "erased"  # the receiver was erased
    OFF = "off"  # the shop does not say this
    OPTED_OUT = "opted_out"  # the buyer does not want to hear it
    NO_CHANNEL = "no_channel"  # the shop has no way to buyers
    NO_ADDRESS = "no_address"  # nothing to reach this buyer by
    SLOWDOWN = "slowdown"  # a slow-down says it for all
    LIMIT = "limit"  # enough was said, until it was no news any more
    TAKEN_BACK = "taken_back"  # a rule or a person took it back
    REFUSED = "refused"  # every channel refused it
    UNAVAILABLE = "unavailable"  # no channel took it for too long
    REPORTED = "reported"  # a channel reports that it did not arrive


@dataclass(frozen=True, slots=True)
class Policy:
    """How a shop speaks to its buyers. Minutes are of the receiver's day; `channels` are names, the preferred first."""

    enabled: bool = False
    kinds_off: frozenset[str] = frozenset()
    channels: tuple[str, ...] = ()
    quiet_from_min: int = 22 * 60
    quiet_until_min: int = 8 * 60
    zone: str = ZONE
    per_order_day: int = 3
    per_person_day: int = 5
    gather_s: int = 120
    language: str = "zh"

    def says(self, kind: str) -> bool:
        return self.enabled and kind not in self.kinds_off


PER_DAY_MAX = 20
GATHER_MAX_S = 3_600
CHANNELS_MAX = 20


def checked_policy(policy: Policy) -> Policy:
    """Raises `Invalid`, naming what is out of bounds."""
    for name in ("quiet_from_min", "quiet_until_min"):
        if not 0 <= getattr(policy, name) < MINUTES_A_DAY:
            raise Invalid(name, "a time of the day, as 22:00")
    for name in ("per_order_day", "per_person_day"):
        if not 1 <= getattr(policy, name) <= PER_DAY_MAX:
            raise Invalid(name, f"between 1 and {PER_DAY_MAX} a day")
    if not 0 <= policy.gather_s <= GATHER_MAX_S:
        raise Invalid("gather_s", f"between 0 and {GATHER_MAX_S} seconds")
    if policy.language not in LANGUAGES:
        raise Invalid("language", "zh or en")
    if unknown := policy.kinds_off - set(load_kinds()):
        raise Invalid("kinds_off", f"There is no kind of notice “{min(unknown)}”.")
    if len(policy.channels) > CHANNELS_MAX:
        raise Invalid("channels", f"at most {CHANNELS_MAX} channels")
    try:
        ZoneInfo(policy.zone)
    except (KeyError, ValueError, OSError):
        raise Invalid("zone", "a time zone by its name, as Asia/Shanghai") from None
    return policy


@dataclass(frozen=True, slots=True)
class Happening:
    """Something a rule wants a buyer to know. `nth` makes it one thing where its kind's `once` is `given`.

    `detail`: a word of the cause. `because`: the event.
    """

    shop_id: int
    parcel_id: int
    kind: str
    at: datetime
    nth: int = 0
    detail: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True)
class Thing:
    """What a notice is about: a parcel (0: the whole order), a kind, an attempt."""

    order_id: int
    parcel_id: int
    kind: str
    nth: int
    at: datetime
    detail: str = ""
    because: str = ""

    @property
    def key(self) -> tuple[int, int, str, int]:
        return (self.order_id, self.parcel_id, self.kind, self.nth)


def thing_of(happening: Happening, *, order_id: int, zone: str = ZONE) -> Thing:
    """An attempt is a day of the parcel at the door, by the shop's clock: told again it is the same thing."""
    kind = load_kinds()[happening.kind]
    nth = happening.nth if kind.once == "given" else 0
    if kind.once == "attempt":
        nth = happening.at.astimezone(ZoneInfo(zone)).date().toordinal()
    return Thing(order_id, happening.parcel_id, happening.kind, nth, happening.at, happening.detail, happening.because)


@dataclass(frozen=True, slots=True)
class ParcelNow:
    """A parcel as it is. `slowed`: a slow-down that holds it, 0 for none."""

    id: int
    stage: str
    state: State
    kind: TrackKind
    carrier: str
    number: str
    scanned_at: datetime | None
    latest: str = ""
    slowed: int = 0


def why_not(kind: NoticeKind, thing: Thing, parcel: ParcelNow | None, *, now: datetime) -> Why | None:
    """Why a thing is not said now; None where it is."""
    if now > thing.at + kind.lives:
        return Why.STALE
    if not thing.parcel_id:
        return None
    if parcel is None or parcel.stage == "voided":
        return Why.VOID
    if parcel.state is State.DELIVERED and kind.name not in AFTER_DELIVERY:
        return Why.DELIVERED
    if kind.slowdown == "mutes" and parcel.slowed:
        return Why.SLOWDOWN
    if kind.slowdown == "needs" and parcel.slowed != thing.nth:
        return Why.MOVED_ON
    return None if _is_true(kind, thing, parcel) else Why.MOVED_ON


def _is_true(kind: NoticeKind, thing: Thing, parcel: ParcelNow) -> bool:
    if parcel.state not in kind.holds:
        return False
    if parcel.state is State.EXCEPTION:
        return parcel.kind in kind.troubles
    return not (kind.ended_by_move and parcel.scanned_at is not None and parcel.scanned_at > thing.at)


def mark_of(order_id: int) -> str:
    """How the list of who wants no messages names one order, where it names a kind else."""
    return f"order:{order_id}"


@dataclass(frozen=True, slots=True)
class Receiver:
    """Whom a letter goes to, in the clear for the length of a call. `readable`: not erased."""

    readable: bool
    key_id: int = 0
    name: str = field(default="", repr=False)
    mobile: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    language: str = ""
    province: str = ""

    def address_for(self, kind: ChannelKind) -> str | None:
        """None where this kind of channel does not reach him; empty where it needs nothing."""
        if kind is ChannelKind.SHOP:
            return ""
        found = self.mobile if kind is ChannelKind.SMS else self.email
        reaches = is_mobile(found) if kind is ChannelKind.SMS else is_email(found)
        return found if reaches else None


@dataclass(frozen=True, slots=True)
class Told:
    """What was said today, to this order and to this person, by rules."""

    of_order: int
    of_person: int


@dataclass(frozen=True, slots=True)
class Situation:
    """All that counts for one notice, as it is now."""

    kind: NoticeKind
    things: tuple[Thing, ...]
    parcels: Mapping[int, ParcelNow]
    policy: Policy
    receiver: Receiver
    told: Told
    opted_out: bool
    cancelled: bool
    by_person: bool = False
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Drop:
    why: Why


@dataclass(frozen=True, slots=True)
class Wait:
    until: datetime


@dataclass(frozen=True, slots=True)
class Say:
    """Say it, about these things; those that are no longer true are left out."""

    things: tuple[Thing, ...]


Verdict = Drop | Wait | Say


def decide(of: Situation, *, now: datetime) -> Verdict:
    """Whether to say it now. A person's message to one buyer is held to his wishes and hours, not
    to limits."""
    if why := _why_nothing(of):
        return Drop(why)
    doubts = {thing: why_not(of.kind, thing, of.parcels.get(thing.parcel_id), now=now) for thing in of.things}
    true = tuple(thing for thing, why in doubts.items() if why is None)
    if not true:
        return Drop(next((why for why in doubts.values() if why), Why.MOVED_ON))
    until = _wait_until(of, now=now)
    if until is None:
        return Say(true)
    last = max(thing.at for thing in true) + of.kind.lives
    return Wait(until) if until <= last else Drop(Why.LIMIT if _is_full(of) else Why.STALE)


def _why_nothing(of: Situation) -> Why | None:
    if not of.receiver.readable:
        return Why.ERASED
    if of.opted_out:
        return Why.OPTED_OUT
    if not of.by_person and not of.policy.says(of.kind.name):
        return Why.OFF
    if of.cancelled and of.kind.name not in AFTER_CANCEL:
        return Why.CANCELLED
    return None


def _is_full(of: Situation) -> bool:
    is_limited = not of.by_person or of.kind.name == INCIDENT
    return is_limited and (of.told.of_order >= of.policy.per_order_day or of.told.of_person >= of.policy.per_person_day)


def _wait_until(of: Situation, *, now: datetime) -> datetime | None:
    zone = zone_of(of.receiver.province, of.policy)
    if _is_full(of):
        tomorrow = day_begins(now, zone) + timedelta(days=1)
        return quiet_until(tomorrow, zone, of.policy) or tomorrow
    return None if of.urgent else quiet_until(now, zone, of.policy)


def zone_of(province: str, policy: Policy) -> ZoneInfo:
    return ZoneInfo(next((zone for name, zone in ZONES.items() if province.startswith(name)), policy.zone))


def day_begins(at: datetime, zone: ZoneInfo) -> datetime:
    """Midnight of the receiver's day, as UTC."""
    return datetime.combine(at.astimezone(zone).date(), time(), zone).astimezone(at.tzinfo)


def quiet_until(at: datetime, zone: ZoneInfo, policy: Policy) -> datetime | None:
    """When the quiet hours end in which `at` lies; None outside of them. Equal bounds: there are none."""
    here = at.astimezone(zone)
    minute, begins, ends = here.hour * 60 + here.minute, policy.quiet_from_min, policy.quiet_until_min
    is_quiet = begins <= minute < ends if begins <= ends else minute >= begins or minute < ends
    if not is_quiet:
        return None
    day = here.date() + timedelta(days=1 if begins > ends and minute >= begins else 0)
    return datetime.combine(day, time(ends // 60, ends % 60), zone).astimezone(at.tzinfo)


@dataclass(frozen=True, slots=True)
class Route:
    """The channel a letter goes by and what its `to` is."""

    channel: BuyerChannel
    to: str = field(repr=False)


#: Where a shop prefers nothing: what costs nothing first.
_USUAL = (ChannelKind.SHOP, ChannelKind.EMAIL, ChannelKind.SMS)


def list_routes(
    channels: Sequence[BuyerChannel], receiver: Receiver, *, preferred: Sequence[str], refused: Collection[str]
) -> Sequence[Route] | Why:
    """The channels that reach this buyer and did not refuse, in the shop's order; at least one, or why none."""
    if not channels:
        return Why.NO_CHANNEL
    rank = {name: place for place, name in enumerate(preferred)}
    ordered = sorted(channels, key=lambda each: (rank.get(each.name, len(rank)), _USUAL.index(each.kind), each.name))
    reaching = [Route(channel, to) for channel in ordered if (to := receiver.address_for(channel.kind)) is not None]
    if not reaching:
        return Why.NO_ADDRESS
    return [route for route in reaching if route.channel.name not in refused] or Why.REFUSED


def language_of(receiver: Receiver, policy: Policy) -> str:
    return receiver.language if receiver.language in LANGUAGES else policy.language


@dataclass(frozen=True, slots=True)
class Notice:
    """A row, as far as deciding needs it."""

    id: int
    shop_id: int
    order_id: int
    kind: str
    letter_id: str
    state: NoticeState
    actor: str
    again_of: int | None
    urgent: bool
    planned_at: datetime
    channel: str
    refused_by: tuple[str, ...]
    receipt: str
    doubted_at: datetime | None
    key_id: int | None
    test: bool = False
    language: str = ""
    sealed: bytes = field(default=b"", repr=False)

    @property
    def by_person(self) -> bool:
        return self.actor != ""
