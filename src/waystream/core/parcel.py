"""The fold: a parcel's state computed from its facts.

`fold` is a join: any order, split, merge or repetition of the same facts gives the same result (property tests).
`advance` is the same for the common case, a history that only grew at its end, without reading that history.
Where facts come from is `parts.tracking`; what follows from a change is `core.events.tracking`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from waystream.core.facts import Claim, Decision, Scan, Snapshot, Verdict
from waystream.core.state import (
    CARRIED,
    CONTRADICTS_DELIVERY,
    FORWARDED,
    MOVING,
    NOT_YET,
    RANK,
    TERMINAL,
    TROUBLED,
    Direction,
    Kind,
    Meaning,
    State,
)

#: Carriers use numbers again: what is scanned so long after the journey's end is another parcel.
OWNED_AFTER_END = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything known of one waybill, already joined.

    One scan per key, one snapshot per source, one claim per source and code.
    """

    scans: tuple[Scan, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    claims: tuple[Claim, ...] = ()
    decisions: tuple[Decision, ...] = ()


class Track(Struct, frozen=True, gc=False):
    """Where a parcel is, since when, and which fact says so (`because`: scan:KEY, claim:SOURCE, decision:ID).

    `scanned_at` is when the newest standing scan happened, whatever it said.
    """

    state: State = State.AWAITING_COLLECTION
    kind: Kind = Kind.NONE
    direction: Direction = Direction.OUT
    at: datetime | None = None
    because: str = ""
    collected_at: datetime | None = None
    delivered_at: datetime | None = None
    scanned_at: datetime | None = None


START = Track()


def join(facts: Iterable[Facts]) -> Facts:
    """Unite several sets of facts of one waybill; associative, commutative, idempotent."""
    scans: dict[int, Scan] = {}
    snapshots: dict[str, Snapshot] = {}
    claims: dict[tuple[str, str], Claim] = {}
    decisions: dict[int, Decision] = {}
    for part in facts:
        for scan in part.scans:
            scans[scan.key] = scan.joined(scans.get(scan.key, scan))
        for snapshot in part.snapshots:
            snapshots[snapshot.source] = snapshot.joined(snapshots.get(snapshot.source, snapshot))
        for claim in part.claims:
            same = (claim.source, claim.code)
            claims[same] = claim.joined(claims.get(same, claim))
        for decision in part.decisions:
            decisions[decision.id] = decision.joined(decisions.get(decision.id, decision))
    return Facts(tuple(scans.values()), tuple(snapshots.values()), tuple(claims.values()), tuple(decisions.values()))


def standing(facts: Facts) -> list[Scan]:
    """The scans that were not withdrawn, in the order they happened."""
    lists = {snapshot.source: snapshot for snapshot in facts.snapshots}
    return in_order(scan for scan in facts.scans if scan.source not in lists or lists[scan.source].keeps(scan))


def in_order(scans: Iterable[Scan]) -> list[Scan]:
    """As they happened; within one second as far along the way as they are."""
    return sorted(scans, key=lambda scan: (scan.at, RANK[scan.meaning.state], scan.key))


def fold(*legs: Facts) -> Track:
    """The state of a parcel: the carriers' scans in their order, then their claims, then people's decisions.

    A parcel that was handed over to another number has a leg for each, in their order. An earlier leg tells of the way
    so far: its claims are over, and whoever signed there took the parcel over. Decisions are the parcel's, on any leg.
    """
    track = START
    for scan in in_order(chain(*map(_handed_over, legs[:-1]), standing(legs[-1]))):
        track = _after_scan(track, scan)
    return _after_decisions(_after_claims(track, legs[-1].claims), [made for leg in legs for made in leg.decisions])


def _handed_over(leg: Facts) -> list[Scan]:
    return [
        replace(scan, meaning=FORWARDED) if scan.meaning.state is State.DELIVERED else scan for scan in standing(leg)
    ]


def advance(track: Track, *, scans: Sequence[Scan], claims: Sequence[Claim]) -> Track | None:
    """`fold` of a history that grew by `scans` at its end; None where only the whole history can tell.

    `claims`: the newest of every source. Holds if nothing was withdrawn or told differently (the caller knows).
    """
    if track.because.startswith(("claim:", "decision:")):
        return None
    if track.scanned_at is not None and any(scan.at <= track.scanned_at for scan in scans):
        return None
    for scan in in_order(scans):
        track = _after_scan(track, scan)
    return _after_claims(track, claims)


def _after_scan(track: Track, scan: Scan) -> Track:
    if not _may_follow(track, scan):
        return replace(track, scanned_at=scan.at)
    state, kind, direction = _turned(track, scan.meaning)
    if track.state is state is State.DELIVERED:
        return replace(track, kind=kind if kind is not Kind.UNSPECIFIED else track.kind, scanned_at=scan.at)
    return Track(
        state,
        kind,
        direction,
        at=scan.at,
        because=f"scan:{scan.key}",
        collected_at=track.collected_at or (scan.at if scan.meaning.state in CARRIED else None),
        delivered_at=scan.at if state is State.DELIVERED else None,
        scanned_at=scan.at,
    )


def _may_follow(track: Track, scan: Scan) -> bool:
    """A finished journey is reopened only by what contradicts it, never by a late hub scan or an unknown code."""
    following = scan.meaning.state
    if track.state in (State.DELIVERED, State.RETURNED):
        assert track.at is not None
        if scan.at > track.at + OWNED_AFTER_END:
            return False
        if track.state is State.RETURNED:
            return following is State.RETURNED
        return following in CONTRADICTS_DELIVERY or following is State.DELIVERED
    return track.collected_at is None or following not in NOT_YET


def _turned(track: Track, meaning: Meaning) -> tuple[State, Kind, Direction]:
    """The state in its direction: what is delivered on the way back has been returned, not delivered."""
    back = track.direction is Direction.BACK or meaning.state in (State.RETURNING, State.RETURNED)
    if back and meaning.state is State.DELIVERED:
        return State.RETURNED, Kind.NONE, Direction.BACK
    return meaning.state, meaning.kind, Direction.BACK if back else Direction.OUT


def _after_claims(track: Track, claims: Sequence[Claim]) -> Track:
    """The newest claim speaks while no newer scan has come; it never undoes a finished journey.

    It counts from when it was first told (an echo: last told), but from no time before the newest scan,
    which had ended it.
    """
    current = [claim for claim in claims if track.scanned_at is None or claim.push_time >= track.scanned_at]
    if not current:
        return track
    claim = max(current, key=lambda claim: (claim.push_time, claim.code, claim.source))
    if not _claim_adds(track, claim.meaning):
        return track
    state, kind, direction = _turned(track, claim.meaning)
    began = max(claim.began, track.scanned_at or claim.began)
    handed_over = state in MOVING or state in (State.DELIVERED, State.RETURNED)
    return Track(
        state,
        kind,
        direction,
        at=began,
        because=f"claim:{claim.source}",
        collected_at=track.collected_at or (began if handed_over else None),
        delivered_at=began if state is State.DELIVERED else None,
        scanned_at=track.scanned_at,
    )


def _claim_adds(track: Track, meaning: Meaning) -> bool:
    if track.state in TERMINAL or (meaning.state is track.state and meaning.kind is track.kind):
        return False
    if meaning.state in NOT_YET or meaning.state is State.UNKNOWN:
        return track.because == ""
    if not meaning.coarse:
        return True
    if meaning.state is State.EXCEPTION:
        return track.state not in TROUBLED
    return meaning.state not in MOVING or track.state not in MOVING | TROUBLED


_VERDICTS = {
    Verdict.DELIVERED: (State.DELIVERED, Kind.UNSPECIFIED, Direction.OUT),
    Verdict.LOST: (State.LOST, Kind.NONE, None),
    Verdict.RETURNED: (State.RETURNED, Kind.NONE, Direction.BACK),
}


def _after_decisions(track: Track, decisions: Sequence[Decision]) -> Track:
    """A person's last word stands until the person takes it back."""
    made = [decision for decision in decisions if not decision.withdrawn]
    if not made:
        return track
    last = max(made, key=lambda decision: (decision.at, decision.id))
    state, kind, direction = _VERDICTS[last.verdict]
    return replace(
        track,
        state=state,
        kind=kind,
        direction=direction or track.direction,
        at=last.at,
        because=f"decision:{last.id}",
        delivered_at=last.at if state is State.DELIVERED else None,
    )
