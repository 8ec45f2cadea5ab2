"""Whose is what a push tells: pushes taken apart into what was told of each binding. Pure.

Guaranteed: a scan belongs to the one binding that owned its number when it happened; what happened outside every
ownership is disputed, never dropped; a number nobody has bound is a stranger. A source's clock is believed only so far
ahead of ours: nothing it says can pin a parcel beyond that.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from msgspec import Struct

from waystream.core.parcel import Track
from waystream.core.patience import Patience
from waystream.core.ports import Network, Push, Skim, Told, Trace, Unread
from waystream.core.state import TERMINAL

Waybill = tuple[str, str]  # carrier, number

#: A PushTime further ahead of its arrival is a wrong clock: the push counts as of its arrival.
PUSH_AHEAD_MAX = timedelta(hours=1)
#: A scan further ahead of its arrival is disputed, until it is told again when its time has come. A day lets through
#: what outlets stamp in advance or in another zone's time.
SCAN_AHEAD_MAX = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Received:
    """A verified and decoded push. `digest` identifies (integration, account, bytes); `id` sorts by time."""

    id: int
    aggregator_id: int
    network: Network = field(repr=False)
    body: bytes = field(repr=False)
    push: Push = field(repr=False)
    digest: bytes
    received_at: datetime


class Owner(Struct, frozen=True, gc=False):
    """A binding: whose a number is, from when (24 h before it was taken) to when."""

    binding_id: int
    parcel_id: int
    shop_id: int
    carrier: str
    number: str
    cancelled: bool
    owns_from: datetime
    owns_until: datetime | None

    def owned(self, at: datetime) -> bool:
        return self.owns_from <= at and (self.owns_until is None or at < self.owns_until)


class Heard(Struct, frozen=True):
    """What one push tells of one binding. `claim_code` is empty where the claim is not about this binding."""

    owner: Owner
    network: Network
    push_time: datetime
    inbox_id: int
    traces: tuple[Trace, ...]
    complete: bool
    claim_code: str
    died: str
    lines: tuple[bytes, ...] = ()  # the traces as they were written, where `Told` has them and all are this binding's

    @property
    def echoes(self) -> bool:
        """The claim only repeats the newest line."""
        return bool(self.traces) and self.traces[-1].code == self.claim_code


@dataclass(frozen=True, slots=True)
class Disputed:
    """A scan of a bound number outside the time its binding owns, or of a cancelled one, or `ahead` of our clock."""

    owner: Owner
    trace: Trace
    source: str
    inbox_id: int
    ahead: bool = False


@dataclass(frozen=True, slots=True)
class Stranger:
    """A push told of a number that nobody here has bound (yet). `code` is what its sender says that we call it."""

    aggregator_id: int
    carrier: str
    number: str
    inbox_id: int
    at: datetime
    code: str


@dataclass(frozen=True, slots=True)
class ClockAhead:
    """A push whose PushTime lay too far ahead of its arrival."""

    aggregator_id: int
    told_at: datetime
    received_at: datetime
    inbox_id: int


@dataclass(frozen=True, slots=True)
class UnreadLine:
    """A line of a push that could not be read, and whose number it stood under: nobody's where `owner` is None, no
    number at all where that is empty."""

    aggregator_id: int
    carrier: str
    number: str
    owner: Owner | None
    unread: Unread
    inbox_id: int
    at: datetime


@dataclass(slots=True)
class Routed:
    """A group of pushes by whom they are about."""

    heard: list[Heard] = field(default_factory=list)
    disputed: list[Disputed] = field(default_factory=list)
    strangers: list[Stranger] = field(default_factory=list)
    ahead: list[ClockAhead] = field(default_factory=list)
    unread: list[UnreadLine] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Known:
    """A waybill that was skimmed, and the one binding its number ever had: perhaps nothing in it is new."""

    received: Received
    skim: Skim
    owner: Owner


def digest_of(integration: str, account: str, body: bytes) -> bytes:
    """Identifies (integration, account, bytes)."""
    digest = hashlib.sha256(f"{integration}\x1f{account}\x1f".encode())
    digest.update(body)
    return digest.digest()


def waybills(group: Iterable[Received]) -> set[Waybill]:
    return {(item.carrier, item.number) for received in group for item in received.push.items}


def route(group: Sequence[Received], owners: Mapping[Waybill, Sequence[Owner]]) -> tuple[Routed, list[Known]]:
    """What is told, by whom it is about, and what need not be read before it is compared with what was told.

    `owners`: every binding of each waybill, the newest first.
    """
    routed, skimmed = Routed(), []
    for received in group:
        pushed_at = received.push.pushed_at
        ahead = believed(pushed_at, received.received_at) != pushed_at
        if ahead:
            routed.ahead.append(ClockAhead(received.aggregator_id, pushed_at, received.received_at, received.id))
        for item in received.push.items:
            bound = owners.get((item.carrier, item.number), ())
            if isinstance(item, Told):
                route_told(routed, received, item, bound)
            elif ahead or not item.complete or len(bound) != 1 or bound[0].cancelled:
                route_told(routed, received, item.read(), bound)
            else:
                skimmed.append(Known(received, item, bound[0]))
        routed.unread.extend(_unread(received, received.push.unread, ("", ""), None))
    return routed, skimmed


def route_told(routed: Routed, received: Received, told: Told, owners: Sequence[Owner]) -> None:
    """One waybill that was read."""
    routed.unread.extend(_unread(received, told.unread, (told.carrier, told.number), owners))
    if owners:
        _route_bound(routed, received, told, owners)
    else:
        of, at = received.aggregator_id, received.received_at
        routed.strangers.append(Stranger(of, told.carrier, told.number, received.id, at, told.our_code))


def _unread(
    received: Received, lines: Iterable[Unread], waybill: Waybill, owners: Sequence[Owner] | None
) -> Iterator[UnreadLine]:
    carrier, number = waybill
    for line in lines:
        owner = (find_owner(owners, received.received_at) or owners[0]) if owners else None
        yield UnreadLine(
            received.aggregator_id, carrier, number, owner, line, inbox_id=received.id, at=received.received_at
        )


def believed(pushed_at: datetime, received_at: datetime) -> datetime:
    """The time of a push: what it says itself, unless that lies too far ahead of when it came.

    It follows from the push and its arrival alone, so the order in which pushes are applied still cannot matter.
    """
    return received_at if pushed_at > received_at + PUSH_AHEAD_MAX else pushed_at


def _route_bound(routed: Routed, received: Received, told: Told, owners: Sequence[Owner]) -> None:
    push_time, latest = believed(told.push_time, received.received_at), received.received_at + SCAN_AHEAD_MAX
    claimant = find_owner(owners, max((trace.at for trace in told.traces if trace.at <= latest), default=push_time))
    whole = len(owners) == 1 and claimant is not None and owns_all(claimant, told.traces, latest=latest)
    shares = {owners[0]: told.traces} if whole else _shares(routed, received, told, owners)
    if claimant is not None:
        shares.setdefault(claimant, ())
    for owner, traces in shares.items():
        routed.heard.append(
            Heard(
                owner,
                received.network,
                push_time,
                received.id,
                traces,
                complete=told.complete and bool(traces),
                claim_code=told.state_code if owner is claimant else "",
                died=told.died if owner is claimant else "",
                lines=told.lines if whole else (),
            )
        )


def heard_skim(known: Known, traces: Sequence[Trace] = ()) -> Heard:
    """What was skimmed, with those of its traces that were read."""
    received, skim = known.received, known.skim
    return Heard(
        known.owner,
        received.network,
        skim.push_time,
        received.id,
        tuple(traces),
        complete=True,
        claim_code=skim.state_code,
        died="",
    )


def owns_all(owner: Owner, traces: Sequence[Trace], *, latest: datetime) -> bool:
    """Whether all of a list, oldest first, is the binding's, and none of it too far ahead."""
    return not traces or (traces[-1].at <= latest and owner.owned(traces[0].at) and owner.owned(traces[-1].at))


def find_owner(owners: Sequence[Owner], at: datetime) -> Owner | None:
    """Who owned the number at an instant; a cancelled binding owns nothing."""
    return next((owner for owner in owners if not owner.cancelled and owner.owned(at)), None)


def _shares(routed: Routed, received: Received, told: Told, owners: Sequence[Owner]) -> dict[Owner, tuple[Trace, ...]]:
    shares: dict[Owner, tuple[Trace, ...]] = {}
    latest = received.received_at + SCAN_AHEAD_MAX
    for trace in told.traces:
        ahead = trace.at > latest
        owner = None if ahead else find_owner(owners, trace.at)
        if owner is not None:
            shares[owner] = (*shares.get(owner, ()), trace)
        else:
            suspect = next((owner for owner in owners if owner.owned(trace.at)), owners[0])
            routed.disputed.append(Disputed(suspect, trace, received.network.name, received.id, ahead))
    return shares


def due_at(track: Track, patience: Patience, *, carrier: str, lane: str, opened_at: datetime) -> datetime | None:
    """When the next scan is due; nothing is due after the end."""
    if track.state in TERMINAL:
        return None
    since = track.scanned_at or track.at or opened_at
    return patience.due_at(since, carrier=carrier, lane=lane, stage=track.state)


def narrowed(received: Received, waybill: Waybill) -> Received:
    """The push as if it had told of this waybill only."""
    told = tuple(item for item in received.push.told if (item.carrier, item.number) == waybill)
    return replace(received, push=received.push.narrowed(told))
