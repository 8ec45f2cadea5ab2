"""What is new in what a source tells, against what it told before. Pure.

`Telling.codes` is the known-set: the newest whole list as scan key -> code. What it holds costs nothing when it is told
again. Guaranteed: whatever the order of pushes, the stored scans, lists and claims are the join of all tellings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from waystream.core.facts import NEVER, Claim, Scan, Snapshot, scan_key
from waystream.core.ports import Trace
from waystream.parts.tracking.marks import mark
from waystream.parts.tracking.masks import masked
from waystream.parts.tracking.model import Heard, Owner

TellingId = tuple[int, str]  # binding, source


class Telling(Struct, frozen=True):
    """What one source last told of one waybill. `whole`: its list holds every scan it ever told, as it is stored;
    once it does not, the list says what stands but no longer what is known. `claim` is the newest, `claimed` says of
    each code when it was first claimed. `marks` know the list again by how its lines are written: see `skimming`."""

    binding_id: int
    source: str
    listed_at: datetime | None = None
    codes: Mapping[int, str] = {}
    whole: bool = True
    claim: Claim | None = None
    claimed: Mapping[str, datetime] = {}
    inbox_id: int = 0
    marks: tuple[int, ...] = ()

    @property
    def snapshot(self) -> Snapshot | None:
        return Snapshot(self.source, self.listed_at, frozenset(self.codes)) if self.listed_at else None


class Retold(Struct, frozen=True, gc=False):
    """A scan leaves the list: it was told with this code until then, which the scan itself has to remember now."""

    key: int
    code: str
    coded_at: datetime


class Lesson(Struct, frozen=True):
    """`scans` are to be joined with the stored ones. `grown`: nothing but scans never heard of before came on."""

    telling: Telling
    scans: tuple[Scan, ...]
    retold: tuple[Retold, ...]
    grown: bool


def learn(telling: Telling, heard: Heard) -> Lesson:
    """Compare with the known-set first: only what is not in it is made into a scan."""
    told, known = _keyed(heard), telling.codes
    doubtful = not (heard.complete and telling.whole)
    fresh = [key for key, trace in told.items() if doubtful or known.get(key) != trace.code]
    scans = tuple(scan_of(key, told[key], telling=telling, heard=heard) for key in fresh)

    codes, listed_at = _newer_list(telling, told, heard)
    claim, claimed = newer_claim(telling, heard, echoes=heard.echoes)
    retold = _retold(telling, codes) if codes is not known else ()
    whole = (
        telling.whole
        and all(key in codes for key in fresh)
        and all(left.key in codes for left in retold)
        and (heard.complete or all(codes[key] == trace.code for key, trace in told.items()))
    )
    newer = codes is not known or claim is not telling.claim or claimed is not telling.claimed
    following = Telling(
        telling.binding_id,
        telling.source,
        listed_at,
        codes,
        whole,
        claim,
        claimed,
        heard.inbox_id if newer else telling.inbox_id,
        telling.marks if codes is telling.codes else _marks(codes, heard, before=telling.listed_at),
    )
    return Lesson(following, scans, retold, grown=whole and not retold and not any(key in known for key in fresh))


def _keyed(heard: Heard) -> dict[int, Trace]:
    """The traces by their scan key; of one line told twice in a list the better coded stays."""
    binding_id, source = heard.owner.binding_id, heard.network.name
    told: dict[int, Trace] = {}
    for trace in heard.traces:
        key = scan_key(binding_id=binding_id, source=source, raw_time=trace.raw_time, text=trace.text)
        if key not in told or told[key].code < trace.code:
            told[key] = trace
    return told


def scan_of(key: int, trace: Trace, *, telling: Telling, heard: Heard) -> Scan:
    scan = Scan(
        key=key,
        source=heard.network.name,
        at=trace.at,
        code=trace.code,
        coded_at=heard.push_time,
        meaning=heard.network.meaning(trace.code, trace.text),
        text=masked(trace.text),
        raw_time=trace.raw_time,
        location=trace.location,
    )
    listed = telling.codes.get(key)
    if listed is None or telling.listed_at is None or heard.push_time > telling.listed_at:
        return scan
    # An older push tells otherwise than the list: what the list told of this scan was never stored, so it speaks here.
    return scan.joined(
        replace(scan, code=listed, coded_at=telling.listed_at, meaning=heard.network.meaning(listed, trace.text))
    )


def _newer_list(telling: Telling, told: Mapping[int, Trace], heard: Heard) -> tuple[Mapping[int, str], datetime | None]:
    """The newer of the lists, with its push time; two of the same second are united."""
    before = telling.listed_at
    if not heard.complete or (before is not None and heard.push_time < before):
        return telling.codes, before
    codes = {key: trace.code for key, trace in told.items()}
    if heard.push_time == before:
        codes = {key: max(codes.get(key, ""), telling.codes.get(key, "")) for key in {*codes, *telling.codes}}
    return codes, heard.push_time


def newer_claim(telling: Telling, heard: Heard, *, echoes: bool) -> tuple[Claim | None, Mapping[str, datetime]]:
    """The newest claim, and when each was first made; an echo is never the first."""
    code, at, before, claimed = heard.claim_code, heard.push_time, telling.claim, telling.claimed
    if code == "":
        return before, claimed
    if not echoes and at < claimed.get(code, NEVER):
        claimed = {**claimed, code: at}
    since = claimed.get(code, NEVER)
    if before is None or (before.push_time, before.code) < (at, code):
        return Claim(heard.network.name, at, code, heard.network.meaning(code, ""), since), claimed
    return replace(before, since=since) if before.code == code and before.since > since else before, claimed


def _marks(codes: Mapping[int, str], heard: Heard, *, before: datetime | None) -> tuple[int, ...]:
    """Marks of a list that is exactly what was heard, line by line; none of one that was united with another."""
    whole = len(heard.lines) == len(codes) and heard.push_time != before
    return mark(heard.lines) if whole else ()


def _retold(before: Telling, codes: Mapping[int, str]) -> tuple[Retold, ...]:
    """What was on the list and is not on the new one, or otherwise."""
    if before.listed_at is None:
        return ()
    left = [(key, code) for key, code in before.codes.items() if codes.get(key) != code]
    return tuple(Retold(key, code, before.listed_at) for key, code in left)


@dataclass(slots=True)
class News:
    """What a group of pushes brought to one binding; `inbox_ids` names the push behind each scan."""

    owner: Owner
    inbox_id: int
    scans: dict[int, Scan] = field(default_factory=dict)
    inbox_ids: dict[int, int] = field(default_factory=dict)
    retold: list[Retold] = field(default_factory=list)
    grown: bool = True

    def add(self, lesson: Lesson, inbox_id: int) -> None:
        for scan in lesson.scans:
            better = scan.joined(self.scans.get(scan.key, scan))
            if better is scan:
                self.inbox_ids[scan.key] = inbox_id
            self.scans[scan.key] = better
        self.retold.extend(lesson.retold)
        self.grown &= lesson.grown
        self.inbox_id = inbox_id


class Lessons:
    """What is new for each binding; `tellings` moves on to what every source has told now."""

    def __init__(self, tellings: Mapping[TellingId, Telling]) -> None:
        self.before = tellings
        self.tellings = dict(tellings)
        self.news: dict[int, News] = {}
        self.heard: list[Heard] = []

    def telling(self, binding_id: int, source: str) -> Telling:
        return self.tellings.get((binding_id, source)) or Telling(binding_id, source)

    def learn(self, heard: Heard) -> None:
        self.take(learn(self.telling(heard.owner.binding_id, heard.network.name), heard), heard)

    def take(self, lesson: Lesson, heard: Heard) -> None:
        telling = lesson.telling
        self.heard.append(heard)
        self.tellings[telling.binding_id, telling.source] = telling
        found = self.news.get(telling.binding_id)
        if found is None:
            found = self.news[telling.binding_id] = News(heard.owner, heard.inbox_id)
        found.add(lesson, heard.inbox_id)

    @property
    def changed(self) -> dict[TellingId, Telling]:
        return {told: telling for told, telling in self.tellings.items() if self.before.get(told) is not telling}
