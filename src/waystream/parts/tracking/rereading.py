"""What kept pushes say by today's tables, against what was stored when they came. Pure.

Guaranteed: with the tables unchanged nothing differs. A replay gives facts another meaning and never adds or removes
one: what is the same line, whose it is and what was withdrawn stays as it was decided when the push was applied.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from waystream.core.facts import scan_key
from waystream.core.ports import Network, Told
from waystream.core.state import UNKNOWN, Meaning
from waystream.parts.tracking.learning import Telling, TellingId
from waystream.parts.tracking.model import Owner, Received, Waybill

ScanId = tuple[int, int]  # parcel, key
Known = tuple[str, Meaning]  # a stored scan as far as a mapping decides it: its code and what that said then


@dataclass(frozen=True, slots=True)
class MendedScan:
    """A stored scan with what its code, or its words where it has none, say today."""

    owner: Owner
    source: str
    key: int
    code: str
    before: Meaning
    meaning: Meaning


@dataclass(frozen=True, slots=True)
class MendedClaim:
    """A stored claim with what its code says today."""

    owner: Owner
    source: str
    code: str
    before: Meaning
    meaning: Meaning


@dataclass(slots=True)
class Reread:
    """What differs, by what it is about."""

    scans: dict[ScanId, MendedScan] = field(default_factory=dict)
    claims: dict[TellingId, MendedClaim] = field(default_factory=dict)

    @property
    def parcel_ids(self) -> set[int]:
        return {parcel_id for parcel_id, _ in self.scans} | {claim.owner.parcel_id for claim in self.claims.values()}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of what the pushes tell is looked at; what is empty does not limit. `waybills`: those of one parcel."""

    carrier: str = ""
    number: str = ""
    code: str = ""
    waybills: frozenset[Waybill] | None = None

    def wants(self, told: Told) -> bool:
        return (
            self.carrier in ("", told.carrier)
            and self.number in ("", told.number)
            and (self.waybills is None or (told.carrier, told.number) in self.waybills)
            and (self.code in ("", told.state_code) or any(trace.code == self.code for trace in told.traces))
        )


def reread(
    pushes: Iterable[Received],
    owners: Mapping[Waybill, Sequence[Owner]],
    known: Mapping[ScanId, Known],
    tellings: Mapping[TellingId, Telling],
) -> Reread:
    """Compare every line and claim of the pushes with the stored one, under whichever binding that lies."""
    found = Reread()
    for received in pushes:
        for told in received.push.told:
            for owner in owners.get((told.carrier, told.number), ()):
                _compare_claim(found, received.network, told, owner, tellings)
                _compare_scans(found, received.network, told, owner, known)
    return found


def _compare_claim(
    found: Reread, network: Network, told: Told, owner: Owner, tellings: Mapping[TellingId, Telling]
) -> None:
    same = (owner.binding_id, network.name)
    claim = tellings[same].claim if same in tellings else None
    if claim is None or not claim.code or claim.code != told.state_code:
        return
    today = network.meaning(claim.code, "")
    if today != claim.meaning:
        found.claims[same] = MendedClaim(owner, network.name, claim.code, claim.meaning, today)


def _compare_scans(found: Reread, network: Network, told: Told, owner: Owner, known: Mapping[ScanId, Known]) -> None:
    for trace in told.traces:
        key = scan_key(binding_id=owner.binding_id, source=network.name, raw_time=trace.raw_time, text=trace.text)
        code, before = known.get((owner.parcel_id, key), (None, UNKNOWN))
        if code != trace.code:  # not stored here, or its code came from another telling
            continue
        today = network.meaning(trace.code, trace.text)
        if today != before:
            found.scans[owner.parcel_id, key] = MendedScan(owner, network.name, key, trace.code, before, today)
