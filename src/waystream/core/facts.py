"""What sources and people tell us of one parcel: scans, snapshots, claims, decisions.

A fact is immutable and has an identity computed from its content, so telling it twice changes nothing. Two tellings
of one fact are `joined`: associative, commutative, idempotent, so the order of arrival cannot matter.
`core.parcel.fold` turns any set of facts into a state; how facts are stored is `parts.tracking.store`.
Structs, since they are made by the thousand: a frozen dataclass takes eight times as long.
"""

import hashlib
from datetime import UTC, datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from waystream.core.state import Meaning

_FIELD = "\x1f"


def scan_key(*, binding_id: int, source: str, raw_time: str, text: str) -> int:
    """Signed 64-bit BLAKE2b identity of a scan: the same trace line told again has the same key."""
    told = f"{binding_id}{_FIELD}{source}{_FIELD}{raw_time}{_FIELD}{text}".encode()
    return int.from_bytes(hashlib.blake2b(told, digest_size=8).digest(), "big", signed=True)


class Scan(Struct, frozen=True, gc=False):
    """One thing a source said happened. `at` is aware UTC; `raw_time` is the carrier's own stamp.

    `coded_at` is the newest push time at which `code` was told.
    """

    key: int
    source: str
    at: datetime
    code: str
    coded_at: datetime
    meaning: Meaning
    text: str = ""
    raw_time: str = ""
    location: str = ""

    def joined(self, other: "Scan") -> "Scan":
        """The better told of two tellings of one scan: coded beats uncoded, then the newer push, then the code."""
        assert self.key == other.key
        return max(self, other, key=lambda scan: (scan.code != "", scan.coded_at, scan.code, scan.location))


class Snapshot(Struct, frozen=True):
    """The newest complete trace list of one source: which of its scans stand. Never empty."""

    source: str
    push_time: datetime
    keys: frozenset[int]

    def joined(self, other: "Snapshot") -> "Snapshot":
        """Newer wins; two lists of the same second are united."""
        assert self.source == other.source
        if self.push_time == other.push_time:
            return Snapshot(self.source, self.push_time, self.keys | other.keys)
        return max(self, other, key=lambda snapshot: snapshot.push_time)

    def keeps(self, scan: Scan) -> bool:
        """Whether a scan of this source stands: it is on the list, or was told after the list was made."""
        return scan.key in self.keys or scan.coded_at > self.push_time


NEVER = datetime.max.replace(tzinfo=UTC)


class Claim(Struct, frozen=True, gc=False):
    """What a source says of the whole waybill, without a new scan (Kdniao State and StateEx).

    A source has one for each code it ever claimed: first told at `since`, last at `push_time`. One that only echoes the
    code of the newest line of its own list says nothing of its own, so it has no beginning: `since` is NEVER.
    """

    source: str
    push_time: datetime
    code: str
    meaning: Meaning
    since: datetime

    @property
    def began(self) -> datetime:
        """From when it counts."""
        return min(self.since, self.push_time)

    def joined(self, other: "Claim") -> "Claim":
        """Said again it is the same claim: it began when it was first said."""
        assert (self.source, self.code) == (other.source, other.code)
        newest = max(self, other, key=lambda claim: claim.push_time)
        return replace(newest, since=min(self.since, other.since))


class Verdict(StrEnum):
    """What a person may decide of a parcel's way."""

    DELIVERED = "delivered"
    LOST = "lost"
    RETURNED = "returned"


class Decision(Struct, frozen=True, gc=False):
    """A person's fact: carriers cannot undo it, the person can (`withdrawn`), for good."""

    id: int
    at: datetime
    verdict: Verdict
    withdrawn: bool = False

    def joined(self, other: "Decision") -> "Decision":
        assert self.id == other.id
        return replace(self, withdrawn=self.withdrawn or other.withdrawn)
