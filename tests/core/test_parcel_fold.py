"""The fold: an example for each sentence of the design, then any order, split and repetition of the same facts."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from waystream.core.events.tracking import changes
from waystream.core.facts import Claim, Decision, Scan, Snapshot, Verdict, scan_key
from waystream.core.parcel import OWNED_AFTER_END, START, Facts, Track, advance, fold, join, standing
from waystream.core.state import UNKNOWN, Direction, Kind, Meaning, State

DAY = datetime(2026, 11, 11, tzinfo=UTC)

COLLECTED = Meaning(State.COLLECTED, coarse=True)
HUB = Meaning(State.IN_TRANSIT)
COARSE_TRANSIT = Meaning(State.IN_TRANSIT, coarse=True)
OUTLET = Meaning(State.ARRIVED_AT_OUTLET)
COURIER = Meaning(State.OUT_FOR_DELIVERY)  # 202
LOCKER = Meaning(State.READY_FOR_PICKUP, Kind.LOCKER)
SIGNED = Meaning(State.DELIVERED, Kind.IN_PERSON)
COARSE_SIGNED = Meaning(State.DELIVERED, Kind.UNSPECIFIED, coarse=True)
STALLED = Meaning(State.EXCEPTION, Kind.STALLED)  # 403
COARSE_PROBLEM = Meaning(State.EXCEPTION, Kind.PROBLEM, coarse=True)
REFUSED = Meaning(State.RETURNING, Kind.REFUSED)  # 404
FAILED = Meaning(State.ATTEMPT_FAILED, Kind.FAILED)  # 405
RETURNED = Meaning(State.RETURNED)  # 406
LOST = Meaning(State.LOST)
NO_TRACE = Meaning(State.NO_TRACE)


def at(hour: float) -> datetime:
    return DAY + timedelta(hours=hour)


def scan(
    hour: float, meaning: Meaning, *, code: str | None = None, told: float | None = None, source: str = "a"
) -> Scan:
    """A scan told in the push of hour `told` (default: as it happened); code "" is an uncoded telling."""
    text = f"{hour} {meaning.state}"
    key = scan_key(binding_id=1, source=source, raw_time=str(hour), text=text)
    return Scan(key, source, at(hour), "X" if code is None else code, at(hour if told is None else told), meaning, text)


def claim(hour: float, meaning: Meaning, *, source: str = "a") -> Claim:
    return Claim(source, at(hour), f"{meaning.state}{meaning.kind}{meaning.coarse}", meaning, since=at(hour))


def snapshot(hour: float, *scans: Scan, source: str = "a") -> Snapshot:
    return Snapshot(source, at(hour), frozenset(scan.key for scan in scans))


def folded(*facts: Scan | Claim | Snapshot | Decision) -> Track:
    return fold(gathered(facts))


def gathered(facts: tuple[Scan | Claim | Snapshot | Decision, ...]) -> Facts:
    return join(alone(fact) for fact in facts)


def alone(fact: Scan | Claim | Snapshot | Decision) -> Facts:
    match fact:
        case Scan():
            return Facts(scans=(fact,))
        case Claim():
            return Facts(claims=(fact,))
        case Snapshot():
            return Facts(snapshots=(fact,))
        case Decision():
            return Facts(decisions=(fact,))


WAY = (scan(1, COLLECTED), scan(2, HUB), scan(8, COURIER), scan(9, SIGNED))


def test_nothing_told_is_awaiting_collection() -> None:
    assert folded() == START
    assert START.state is State.AWAITING_COLLECTION


def test_the_whole_way() -> None:
    track = folded(*WAY)
    assert (track.state, track.kind, track.at) == (State.DELIVERED, Kind.IN_PERSON, at(9))
    assert (track.collected_at, track.delivered_at, track.scanned_at) == (at(1), at(9), at(9))
    assert track.because == f"scan:{WAY[3].key}"


@pytest.mark.parametrize("meaning", [HUB, OUTLET, COLLECTED, UNKNOWN, LOCKER, COARSE_PROBLEM, NO_TRACE])
def test_a_late_hub_scan_after_delivery_changes_nothing_but_the_history(meaning: Meaning) -> None:
    track = folded(*WAY, scan(10, meaning))
    assert track == replace(folded(*WAY), scanned_at=at(10))
    assert folded(*WAY, scan(8.5, meaning)) == folded(*WAY)


@pytest.mark.parametrize("meaning", [COURIER, REFUSED, FAILED, RETURNED])
def test_a_contradicting_later_scan_retracts_the_delivery(meaning: Meaning) -> None:
    track = folded(*WAY, scan(10, meaning))
    assert track.state is meaning.state
    assert track.delivered_at is None
    earlier = folded(*WAY, scan(8.5, meaning)).state
    assert earlier is (State.RETURNED if meaning in (REFUSED, RETURNED) else State.DELIVERED)


def test_what_is_scanned_long_after_the_end_is_another_parcel() -> None:
    late = 9 + OWNED_AFTER_END / timedelta(hours=1)
    assert folded(*WAY, scan(late, COURIER)).state is State.OUT_FOR_DELIVERY
    assert folded(*WAY, scan(late + 1, COURIER)).state is State.DELIVERED


def test_a_later_signature_only_tells_the_kind() -> None:
    told = folded(WAY[0], scan(9, COARSE_SIGNED), scan(10, SIGNED))
    assert (told.at, told.kind) == (at(9), Kind.IN_PERSON)
    assert folded(WAY[0], scan(9, SIGNED), scan(10, COARSE_SIGNED)).kind is Kind.IN_PERSON


def test_delivered_on_the_way_back_is_returned() -> None:
    track = folded(*WAY[:3], scan(9, REFUSED), scan(20, HUB), scan(30, SIGNED))
    assert (track.state, track.direction, track.delivered_at) == (State.RETURNED, Direction.BACK, None)
    assert folded(*WAY[:3], scan(9, REFUSED), scan(20, HUB)).direction is Direction.BACK
    assert folded(*WAY[:3], scan(9, RETURNED), scan(20, COURIER)).state is State.RETURNED


def test_a_newer_snapshot_withdraws_what_it_leaves_out() -> None:
    track = folded(*WAY, snapshot(9.5, *WAY), snapshot(10, *WAY[:3]))
    assert track.state is State.OUT_FOR_DELIVERY
    assert len(standing(gathered((*WAY, snapshot(10, *WAY[:3]))))) == 3


def test_an_older_snapshot_changes_nothing() -> None:
    facts = (*WAY, snapshot(9.5, *WAY))
    assert folded(*facts, snapshot(8.5, *WAY[:3])) == folded(*facts)


def test_a_snapshot_speaks_for_its_own_source() -> None:
    others = scan(9, SIGNED, source="b")
    assert folded(*WAY[:3], others, snapshot(10, *WAY[:3])).state is State.DELIVERED


def test_a_scan_told_after_the_list_stands() -> None:
    assert folded(*WAY[:3], snapshot(8.5, *WAY[:3]), scan(9, SIGNED)).state is State.DELIVERED


def test_two_lists_of_one_second_are_united() -> None:
    assert folded(*WAY, snapshot(10, *WAY[:2]), snapshot(10, *WAY[2:])) == folded(*WAY)


def test_a_claim_with_an_unchanged_list_moves_the_parcel() -> None:
    track = folded(*WAY[:3], claim(8.1, COURIER), claim(50, STALLED))
    assert (track.state, track.kind, track.because) == (State.EXCEPTION, Kind.STALLED, "claim:a")


def test_a_claim_ends_with_a_newer_scan_and_an_older_claim_never_speaks() -> None:
    stalled = (*WAY[:3], claim(50, STALLED))
    assert folded(*stalled, scan(51, OUTLET)).state is State.ARRIVED_AT_OUTLET
    assert folded(*stalled, claim(49, LOST)) == folded(*stalled)


def test_a_claim_told_again_began_when_it_was_first_told() -> None:
    stalled = (*WAY[:3], claim(50, STALLED))
    assert folded(*stalled, claim(60, STALLED)) == folded(*stalled)
    assert folded(*WAY[:3], claim(60, STALLED), claim(50, STALLED)) == folded(*stalled)
    assert folded(*stalled, scan(55, HUB), claim(60, STALLED)).at == at(55)


def test_a_claim_never_undoes_the_end() -> None:
    assert folded(*WAY, claim(50, STALLED)) == folded(*WAY)
    assert folded(*WAY, claim(50, REFUSED)) == folded(*WAY)


def test_claims_of_a_network_that_has_no_codes_of_scans() -> None:
    uncoded = [scan(1, COLLECTED, code=""), scan(2, HUB, code="")]
    assert folded(*uncoded, claim(3, COARSE_TRANSIT)).because.startswith("scan:")
    assert folded(*uncoded, claim(3, COARSE_PROBLEM)).state is State.EXCEPTION
    signed = folded(*uncoded, claim(10, COARSE_SIGNED))
    assert (signed.state, signed.delivered_at) == (State.DELIVERED, at(10))
    alone = folded(claim(10, COARSE_TRANSIT))
    assert (alone.state, alone.collected_at) == (State.IN_TRANSIT, at(10))


def test_a_coarse_claim_adds_nothing_to_finer_knowledge() -> None:
    assert folded(*WAY[:3], claim(9, COARSE_TRANSIT)).state is State.OUT_FOR_DELIVERY
    assert folded(*WAY[:3], scan(9, FAILED), claim(10, COARSE_PROBLEM)).state is State.ATTEMPT_FAILED


def test_no_trace_says_nothing_once_there_is_one() -> None:
    assert folded(claim(5, NO_TRACE)).state is State.NO_TRACE
    assert folded(WAY[0], claim(5, NO_TRACE)).state is State.COLLECTED
    assert folded(WAY[0], scan(5, NO_TRACE)).state is State.COLLECTED


def test_an_enriched_scan_is_one_scan_and_its_code_counts() -> None:
    uncoded = scan(9, SIGNED, code="")
    coded = replace(uncoded, code="405", meaning=FAILED, coded_at=at(9))
    assert folded(*WAY[:3], uncoded, coded).state is State.ATTEMPT_FAILED
    assert len(gathered((uncoded, coded)).scans) == 1
    assert folded(coded, replace(uncoded, coded_at=at(50))).state is State.ATTEMPT_FAILED


def test_the_newer_push_decides_the_code() -> None:
    first = scan(9, SIGNED, code="301", told=9.1)
    mended = replace(first, code="405", meaning=FAILED, coded_at=at(9.2))
    assert folded(first, mended).state is folded(mended, first).state is State.ATTEMPT_FAILED


def test_decisions_win_and_can_be_withdrawn() -> None:
    found = Decision(1, at(60), Verdict.DELIVERED)
    facts = (*WAY[:3], claim(50, STALLED), found)
    assert folded(*facts).because == "decision:1"
    assert folded(*facts, scan(70, REFUSED), claim(80, LOST)).state is State.DELIVERED
    assert folded(*facts, Decision(2, at(61), Verdict.LOST)).state is State.LOST
    withdrawn = folded(*facts, replace(found, withdrawn=True))
    assert withdrawn == folded(*facts[:-1])
    assert folded(*facts, replace(found, withdrawn=True), found) == withdrawn


def test_a_decision_about_a_parcel_on_its_way_back_keeps_the_direction() -> None:
    track = folded(*WAY[:3], scan(9, REFUSED), Decision(1, at(60), Verdict.LOST))
    assert (track.state, track.direction) == (State.LOST, Direction.BACK)


def test_an_unknown_code_is_unknown_and_never_in_transit() -> None:
    assert folded(scan(5, UNKNOWN)).state is State.UNKNOWN
    track = folded(*WAY[:3], scan(8.5, UNKNOWN))
    assert (track.state, track.collected_at) == (State.UNKNOWN, at(1))
    assert folded(*WAY[:3], claim(8.5, UNKNOWN)).state is State.OUT_FOR_DELIVERY


def test_the_events_of_a_change() -> None:
    def names(before: Track, after: Track) -> list[str]:
        return [type(event).__name__ for event in changes(before, after, shop_id=1, parcel_id=2)]

    assert names(START, folded(WAY[0])) == ["ParcelCollected"]
    assert names(START, folded(*WAY[:2])) == ["ParcelCollected", "ParcelMoved"]
    assert names(folded(*WAY[:3]), folded(*WAY)) == ["Delivered"]
    assert names(folded(*WAY), folded(*WAY, scan(10, REFUSED))) == ["DeliveryRetracted", "ParcelReturning"]
    assert names(folded(*WAY), folded(*WAY, snapshot(10, WAY[0]))) == ["DeliveryRetracted", "ParcelMoved"]
    assert names(folded(*WAY), folded(*WAY, scan(10, HUB))) == []
    assert names(folded(scan(1, HUB)), START) == ["ParcelMoved"]


MEANINGS = (
    COLLECTED,
    HUB,
    COARSE_TRANSIT,
    OUTLET,
    COURIER,
    LOCKER,
    SIGNED,
    COARSE_SIGNED,
    STALLED,
    COARSE_PROBLEM,
    REFUSED,
    FAILED,
    RETURNED,
    LOST,
    NO_TRACE,
    UNKNOWN,
)
HOURS = st.integers(0, 12)
SOURCES = st.sampled_from(["a", "b"])
TOLD = st.builds(
    lambda hour, meaning, code, told, source: replace(
        scan(hour, HUB, source=source),
        meaning=meaning,
        code=code and f"{meaning.state}{meaning.kind}",
        coded_at=at(told),
    ),
    HOURS,
    st.sampled_from(MEANINGS),
    st.booleans(),
    HOURS,
    SOURCES,
).map(lambda told: told if told.code else replace(told, code="", meaning=UNKNOWN))
KEYS = st.builds(lambda hour, source: scan(hour, HUB, source=source).key, HOURS, SOURCES)
FACTS = st.lists(
    st.one_of(
        TOLD,
        st.builds(
            lambda source, hour, keys: Snapshot(source, at(hour), keys), SOURCES, HOURS, st.frozensets(KEYS, min_size=1)
        ),
        st.builds(
            lambda source, hour, meaning: claim(hour, meaning, source=source), SOURCES, HOURS, st.sampled_from(MEANINGS)
        ),
        st.builds(
            lambda hour, verdict, withdrawn: Decision(
                hour * 3 + list(Verdict).index(verdict), at(hour), verdict, withdrawn
            ),
            HOURS,
            st.sampled_from(list(Verdict)),
            st.booleans(),
        ),
    ),
    max_size=14,
).map(tuple)


@given(facts=FACTS, shuffle=st.randoms(use_true_random=False), cut=st.integers(0, 14))
def test_any_order_split_merge_and_repetition_gives_the_same_state(
    facts: tuple[Scan | Claim | Snapshot | Decision, ...], shuffle: Random, cut: int
) -> None:
    expected = folded(*facts)
    shuffled = list(facts) + list(facts[:cut])
    shuffle.shuffle(shuffled)
    assert folded(*shuffled) == expected
    halves = [gathered(tuple(shuffled[:cut])), gathered(tuple(shuffled[cut:]))]
    assert fold(join(halves)) == fold(join(reversed(halves))) == fold(join([*halves, halves[0]])) == expected


@given(facts=FACTS, news=st.lists(TOLD, max_size=4), claims=st.lists(HOURS, max_size=1))
def test_advancing_is_folding(
    facts: tuple[Scan | Claim | Snapshot | Decision, ...], news: list[Scan], claims: list[int]
) -> None:
    history = tuple(fact for fact in facts if not isinstance(fact, Snapshot))
    old = gathered(history)
    known = {scan.key for scan in old.scans}
    fresh = join(Facts(scans=(scan,)) for scan in news if scan.key not in known)
    new = join([old, fresh, *(Facts(claims=(claim(hour, STALLED),)) for hour in claims)])
    ahead = advance(fold(old), scans=fresh.scans, claims=new.claims)
    assert ahead is None or ahead == fold(new)
