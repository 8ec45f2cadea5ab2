"""What sources and people tell us of one parcel: scans, snapshots, claims, decisions.

A fact is immutable and has an identity computed from its content, so telling it twice changes nothing.
`core.parcel.fold` turns any set of facts into a state; how facts are stored is `parts.tracking.store`.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from waystream.core.state import Meaning

_FIELD = b"\x1f"


def scan_key(source: str, raw_time: str, text: str) -> int:
    """Signed 64-bit BLAKE2b identity of a scan: the same trace line told again has the same key."""
    digest = hashlib.blake2b(_FIELD.join((source.encode(), raw_time.encode(), text.encode())), digest_size=8)
    return int.from_bytes(digest.digest(), "big", signed=True)


def known_hash(key: int, code: str) -> int:
    """Signed 64-bit identity of (scan, code): a scan that gained a code counts as new once."""
    digest = hashlib.blake2b(key.to_bytes(8, "big", signed=True) + code.encode(), digest_size=8)
    return int.from_bytes(digest.digest(), "big", signed=True)


@dataclass(frozen=True, slots=True)
class Scan:
    """One thing a source said happened. `at` is aware UTC; `raw_time` is the carrier's own stamp."""

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
        return max(self, other, key=lambda scan: (scan.code != "", scan.coded_at, scan.code))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The newest complete trace list of one source: which of its scans stand."""

    source: str
    push_time: datetime
    keys: frozenset[int]

    def joined(self, other: "Snapshot") -> "Snapshot":
        """Newer wins; two lists of the same second are united, so the order of arrival cannot matter."""
        assert self.source == other.source
        if self.push_time == other.push_time:
            return Snapshot(self.source, self.push_time, self.keys | other.keys)
        return max(self, other, key=lambda snapshot: snapshot.push_time)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a source says of the whole waybill, without a new scan (Kdniao State and StateEx)."""

    source: str
    push_time: datetime
    code: str
    meaning: Meaning

    def joined(self, other: "Claim") -> "Claim":
        assert self.source == other.source
        return max(self, other, key=lambda claim: (claim.push_time, claim.code))


class Verdict(StrEnum):
    """What a person may decide of a parcel's way."""

    DELIVERED = "delivered"
    LOST = "lost"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's fact: carriers cannot undo it; it can be withdrawn (then it is not handed to the fold)."""

    id: int
    at: datetime
    verdict: Verdict
