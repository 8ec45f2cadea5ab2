"""What learning stores is the join of all tellings, whatever their order: the known-set hides nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.parts.tracking.given import DAY, at, told, trace
from waystream.core.facts import NEVER, Claim, Scan, Snapshot, scan_key
from waystream.core.parcel import Facts, Track, advance, fold, join
from waystream.core.ports import Told
from waystream.integrations.kdniao.adapter import network
from waystream.parts.tracking.learning import Lesson, Telling, learn
from waystream.parts.tracking.model import Heard, Owner

OWNER = Owner(1, 2, 3, "YTO", "YT1", cancelled=False, owns_from=DAY, owns_until=None)
LINES = st.builds(
    lambda hour, code: trace(hour, code, f"line {hour}"), st.integers(1, 3), st.sampled_from(["", "202", "301", "405"])
)
PUSHES = st.lists(
    st.builds(
        lambda hour, lines, claim, complete: told(
            "YT1",
            hour,
            *sorted({line.at: line for line in lines}.values(), key=lambda line: line.at),
            claim=claim,
            complete=complete,
        ),
        st.integers(3, 8),
        st.lists(LINES, max_size=3),
        st.sampled_from(["", "2", "301", "403"]),
        st.sampled_from([True, True, True, False]),
    ),
    min_size=1,
    max_size=7,
)


def heard(item: Told) -> Heard:
    return Heard(OWNER, network, item.push_time, 1, item.traces, item.complete, item.state_code, "")


def facts_of(item: Told) -> Facts:
    scans = tuple(
        Scan(
            scan_key(binding_id=1, source="kdniao", raw_time=line.raw_time, text=line.text),
            "kdniao",
            line.at,
            line.code,
            item.push_time,
            network.meaning(line.code, line.text),
        )
        for line in item.traces
    )
    keys = frozenset(scan.key for scan in scans)
    echoes = bool(item.traces) and item.traces[-1].code == item.state_code
    since = NEVER if echoes else item.push_time
    claim = Claim("kdniao", item.push_time, item.state_code, network.meaning(item.state_code, ""), since)
    return Facts(
        scans, (Snapshot("kdniao", item.push_time, keys),) if item.complete else (), (claim,) if item.state_code else ()
    )


@dataclass(slots=True)
class Memory:
    """The tables of one waybill, as the store keeps them."""

    telling: Telling = field(default_factory=lambda: Telling(1, "kdniao"))
    scans: dict[int, Scan] = field(default_factory=dict)
    track: Track = field(default_factory=Track)

    def take(self, item: Told) -> None:
        lesson = learn(self.telling, heard(item))
        for scan in lesson.scans:
            self.scans[scan.key] = scan.joined(self.scans.get(scan.key, scan))
        for left in lesson.retold:
            scan = self.scans.get(left.key)
            if scan and scan.code == left.code and scan.coded_at < left.coded_at:
                self.scans[left.key] = replace(scan, coded_at=left.coded_at)
        self.telling = lesson.telling
        self.track = self.moved(lesson)

    def moved(self, lesson: Lesson) -> Track:
        """The short way where it is open; it must lead where the long one does."""
        claims = [lesson.telling.claim] if lesson.telling.claim else []
        ahead = advance(self.track, scans=lesson.scans, claims=claims) if lesson.grown else None
        assert ahead is None or ahead == fold(self.facts)
        return ahead or fold(self.facts)

    @property
    def facts(self) -> Facts:
        telling = self.telling
        return Facts(
            tuple(self.scans.values()),
            (telling.snapshot,) if telling.snapshot else (),
            (telling.claim,) if telling.claim else (),
        )


@settings(max_examples=600, deadline=None)
@given(pushes=PUSHES, again=st.lists(st.integers(0, 6), max_size=3))
def test_the_join_of_all_tellings(pushes: Sequence[Told], again: Sequence[int]) -> None:
    memory = Memory()
    for item in [*pushes, *[pushes[n] for n in again if n < len(pushes)]]:
        memory.take(item)
    expected = join(facts_of(item) for item in pushes)
    assert memory.track == fold(expected)
    assert {key: scan.code for key, scan in memory.scans.items()} == {scan.key: scan.code for scan in expected.scans}
    assert (memory.telling.snapshot,) == (expected.snapshots or (None,))


def test_a_list_that_told_otherwise_in_between_is_not_forgotten() -> None:
    """202 at 3, again 202 at 6 (known, so not stored), gone at 7; then 405, told at 5, arrives: 202 was told later."""
    memory = Memory()
    for item in (
        told("YT1", 3, trace(1, "202", "x")),
        told("YT1", 6, trace(1, "202", "x")),
        told("YT1", 7, trace(2, "1")),
        told("YT1", 5, trace(1, "405", "x")),
    ):
        memory.take(item)
    assert sorted(scan.code for scan in memory.scans.values()) == ["1", "202"]
    assert memory.telling.listed_at == at(7)
