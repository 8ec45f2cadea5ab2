"""The fold: a parcel's state computed from its facts.

`fold` is a join: any order, split, merge or repetition of the same facts gives the same result (property tests).
Where facts come from is `parts.tracking`; what follows from a change is `core.events.tracking`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from waystream.core.facts import Claim, Decision, Scan, Snapshot, Verdict
from waystream.core.state import (
    CONTRADICTS_DELIVERY,
    MOVING,
    RANK,
    TERMINAL,
    TROUBLED,
    Direction,
    Kind,
    Meaning,
    State,
)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything known of one parcel, already joined: one scan per key, one snapshot and claim per source."""

    scans: tuple[Scan, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    claims: tuple[Claim, ...] = ()
    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True)
class Track:
    """Where a parcel is, since when, and which fact says so (`because`: scan:KEY, claim:SOURCE, decision:ID)."""

    state: State = State.AWAITING_COLLECTION
    kind: Kind = Kind.NONE
    direction: Direction = Direction.OUT
    at: datetime | None = None
    because: str = ""
    collected_at: datetime | None = None
    delivered_at: datetime | None = None


START = Track()


def join(facts: Iterable[Facts]) -> Facts:
    """Unite several sets of facts of one parcel; associative, commutative, idempotent."""
    scans: dict[int, Scan] = {}
    snapshots: dict[str, Snapshot] = {}
    claims: dict[str, Claim] = {}
    decisions: dict[int, Decision] = {}
    for part in facts:
        for scan in part.scans:
            scans[scan.key] = scan.joined(scans[scan.key]) if scan.key in scans else scan
        for snapshot in part.snapshots:
            old = snapshots.get(snapshot.source)
            snapshots[snapshot.source] = snapshot.joined(old) if old else snapshot
        for claim in part.claims:
            told = claims.get(claim.source)
            claims[claim.source] = claim.joined(told) if told else claim
        for decision in part.decisions:
            decisions[decision.id] = decision
    return Facts(tuple(scans.values()), tuple(snapshots.values()), tuple(claims.values()), tuple(decisions.values()))


def standing(facts: Facts) -> list[Scan]:
    """The scans that were not withdrawn, in the order they happened."""
    lists = {snapshot.source: snapshot.keys for snapshot in facts.snapshots}
    kept = [scan for scan in facts.scans if scan.source not in lists or scan.key in lists[scan.source]]
    return sorted(kept, key=lambda scan: (scan.at, RANK[scan.meaning.state], scan.key))


def fold(facts: Facts) -> Track:
    """The state of a parcel: people first, then the carriers' scans in their order, then their claims."""
    track = START
    scans = standing(facts)
    for scan in scans:
        track = _after_scan(track, scan)
    track = _after_claims(track, facts.claims, scans[-1].at if scans else None)
    return _after_decisions(track, facts.decisions)


def _after_scan(track: Track, scan: Scan) -> Track:
    state = scan.meaning.state
    if not _may_follow(track.state, state):
        return track
    moved = _turned(track, scan.meaning)
    if track.state is moved.state is State.DELIVERED:
        return replace(track, kind=moved.kind if moved.kind is not Kind.UNSPECIFIED else track.kind)
    collected = track.collected_at or (scan.at if RANK[state] >= RANK[State.COLLECTED] else None)
    return replace(moved, at=scan.at, because=f"scan:{scan.key}", collected_at=collected,
                   delivered_at=scan.at if moved.state is State.DELIVERED else None)


def _may_follow(current: State, following: State) -> bool:
    """A finished journey is reopened only by what contradicts it, never by a late hub scan or an unknown code."""
    if current is State.DELIVERED:
        return following in CONTRADICTS_DELIVERY or following is State.DELIVERED
    if current is State.RETURNED:
        return following is State.RETURNED
    return True


def _turned(track: Track, meaning: Meaning) -> Track:
    """The state in its direction: what is delivered on the way back has been returned, not delivered."""
    back = track.direction is Direction.BACK or meaning.state in (State.RETURNING, State.RETURNED)
    state = State.RETURNED if back and meaning.state is State.DELIVERED else meaning.state
    return replace(track, state=state, kind=meaning.kind, direction=Direction.BACK if back else Direction.OUT)


def _after_claims(track: Track, claims: tuple[Claim, ...], last_scan_at: datetime | None) -> Track:
    """The newest claim speaks while no newer scan has come; it never undoes a finished journey."""
    current = [claim for claim in claims if last_scan_at is None or claim.push_time >= last_scan_at]
    if not current:
        return track
    claim = max(current, key=lambda claim: (claim.push_time, claim.code, claim.source))
    if not _claim_adds(track, claim.meaning):
        return track
    moved = replace(_turned(track, claim.meaning), at=claim.push_time, because=f"claim:{claim.source}")
    return replace(moved, delivered_at=claim.push_time if moved.state is State.DELIVERED else None)


def _claim_adds(track: Track, meaning: Meaning) -> bool:
    if track.state in TERMINAL or (meaning.state is track.state and meaning.kind is track.kind):
        return False
    if meaning.state in (State.NO_TRACE, State.AWAITING_COLLECTION, State.UNKNOWN):
        return track.because == ""
    if not meaning.coarse:
        return True
    if meaning.state is State.EXCEPTION:
        return track.state not in TROUBLED
    return meaning.state not in MOVING or track.state not in MOVING | TROUBLED


_VERDICTS = {
    Verdict.DELIVERED: (State.DELIVERED, Kind.UNSPECIFIED, Direction.OUT),
    Verdict.LOST: (State.LOST, Kind.NONE, Direction.OUT),
    Verdict.RETURNED: (State.RETURNED, Kind.NONE, Direction.BACK),
}


def _after_decisions(track: Track, decisions: tuple[Decision, ...]) -> Track:
    if not decisions:
        return track
    last = max(decisions, key=lambda decision: (decision.at, decision.id))
    state, kind, direction = _VERDICTS[last.verdict]
    return replace(track, state=state, kind=kind, direction=direction, at=last.at, because=f"decision:{last.id}",
                   delivered_at=last.at if state is State.DELIVERED else None)
