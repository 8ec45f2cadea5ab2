"""Journeys: seeded, in order, quiet at night, and each fate ends where its name says, read through the wire's codes."""

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystream.core.errors import Invalid
from waystream.core.facts import Scan, Snapshot, scan_key
from waystream.core.parcel import Facts, fold
from waystream.core.state import Kind, State
from waystream.integrations.kdniao.adapter import network
from waystream.integrations.kdniao.fake import Place
from waystream.sandbox.cities import CITIES, city_of, distance_km
from waystream.sandbox.storm import Storm
from waystream.sandbox.world import (
    DEMO,
    USUAL,
    Fate,
    Happening,
    Trip,
    fate_of,
    journey,
    parse_shares,
    seeded,
    told_at,
)

TAKEN = datetime(2026, 3, 1, 2, tzinfo=UTC)
BEIJING = timezone(timedelta(hours=8))
CARRIERS = ("SF", "ZTO", "YTO", "STO", "YD", "JD", "JTSD", "EMS", "DBL")

trips = st.builds(
    Trip,
    seed=st.integers(0, 99),
    carrier=st.sampled_from(CARRIERS),
    number=st.integers(10**9, 10**10).map(str),
    origin=st.just(Place("广东省", "深圳市", "南山区")),
    destination=st.sampled_from([Place("x", name, "y") for name in [*CITIES, "无名市", "火星"]]),
    taken_at=st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    pace=st.sampled_from([0.1, 0.4, 1.0, 2.0]),
)


def trip(number: str = "78000001", **changes: object) -> Trip:
    known: dict[str, object] = {
        "seed": 1,
        "carrier": "ZTO",
        "number": number,
        "origin": Place("广东省", "深圳市", "南山区"),
        "destination": Place("北京市", "北京市", "朝阳区"),
        "taken_at": TAKEN,
    }
    return Trip(**(known | changes))  # type: ignore[arg-type]


@given(trip=trips, fate=st.sampled_from(Fate))
def test_a_journey_is_told_again_the_same_and_in_order(trip: Trip, fate: Fate) -> None:
    way = journey(trip, fate)
    assert journey(trip, fate) == way
    stamps = [one.at for one in way]
    assert stamps == sorted(set(stamps))
    assert all(one.at >= trip.taken_at + timedelta(hours=2, minutes=59) for one in way)
    assert all(one.text and one.location and "{" not in one.text for one in way)
    assert len(way) <= 40


@given(trip=trips, fate=st.sampled_from(Fate))
def test_nobody_rings_at_night(trip: Trip, fate: Fate) -> None:
    by_day = {"1", "202", "419", "301", "302", "304", "211", "311", "406"}
    hours = [one.at.astimezone(BEIJING).hour for one in journey(trip, fate) if one.code in by_day]
    assert all(8 <= hour <= 21 for hour in hours)


ENDS = {
    Fate.IN_PERSON: (State.DELIVERED, Kind.IN_PERSON),
    Fate.PROXY: (State.DELIVERED, Kind.BY_PROXY),
    Fate.LOCKER: (State.DELIVERED, Kind.LOCKER),
    Fate.LOCKER_OVERDUE: (State.DELIVERED, Kind.LOCKER),
    Fate.FAILED: (State.DELIVERED, Kind.UNSPECIFIED),
    Fate.UNREACHABLE: (State.DELIVERED, Kind.UNSPECIFIED),
    Fate.BAD_ADDRESS: (State.DELIVERED, Kind.UNSPECIFIED),
    Fate.REFUSED: (State.RETURNED, Kind.NONE),
    Fate.INTERCEPTED: (State.RETURNED, Kind.NONE),
    Fate.LOST: (State.LOST, Kind.NONE),
    Fate.DAMAGED: (State.DELIVERED, Kind.IN_PERSON),
    Fate.MISROUTED: (State.DELIVERED, Kind.IN_PERSON),
    Fate.DELAYED: (State.DELIVERED, Kind.IN_PERSON),
    Fate.STALLED: (State.DELIVERED, Kind.IN_PERSON),
    Fate.CUSTOMS: (State.DELIVERED, Kind.IN_PERSON),
    Fate.FORWARDED: (State.DELIVERED, Kind.IN_PERSON),
    Fate.NEVER_COLLECTED: (State.AWAITING_COLLECTION, Kind.NONE),
    Fate.RETRACTED: (State.DELIVERED, Kind.IN_PERSON),
    Fate.CONTRADICTED: (State.DELIVERED, Kind.BY_PROXY),
    Fate.ODD_CODE: (State.DELIVERED, Kind.IN_PERSON),
}


def states(way: tuple[Happening, ...]) -> list[tuple[State, Kind]]:
    """What the fold says after each push of a whole history."""
    moments = sorted({one.at for one in way} | {one.gone_at for one in way if one.gone_at})
    known: dict[int, Scan] = {}
    said = []
    for now in moments or [TAKEN]:
        told = [_scan(one, now) for one in told_at(way, now)]
        known |= {scan.key: scan for scan in told}
        track = fold(Facts(tuple(known.values()), (Snapshot("k", now, frozenset(scan.key for scan in told)),)))
        said.append((track.state, track.kind))
    return said


def _scan(one: Happening, now: datetime) -> Scan:
    key = scan_key(binding_id=1, source="k", raw_time=one.at.isoformat(), text=one.text)
    return Scan(key, "k", one.at, one.code, now, network.meaning(one.code, one.text), one.text)


@pytest.mark.parametrize("fate", Fate)
@pytest.mark.parametrize("carrier", CARRIERS)
def test_each_fate_ends_where_its_name_says(fate: Fate, carrier: str) -> None:
    assert states(journey(trip(carrier=carrier), fate))[-1] == ENDS[fate]


@pytest.mark.parametrize(
    ("fate", "passing"),
    [
        (Fate.FAILED, State.ATTEMPT_FAILED),
        (Fate.REFUSED, State.RETURNING),
        (Fate.INTERCEPTED, State.INTERCEPTED),
        (Fate.DAMAGED, State.EXCEPTION),
        (Fate.CUSTOMS, State.CUSTOMS),
        (Fate.FORWARDED, State.FORWARDED),
        (Fate.LOCKER, State.READY_FOR_PICKUP),
        (Fate.ODD_CODE, State.UNKNOWN),
        (Fate.IN_PERSON, State.OUT_FOR_DELIVERY),
        (Fate.IN_PERSON, State.ARRIVED_AT_OUTLET),
        (Fate.IN_PERSON, State.COLLECTED),
        (Fate.IN_PERSON, State.IN_TRANSIT),
    ],
)
def test_a_fate_passes_through_its_state(fate: Fate, passing: State) -> None:
    assert passing in [state for state, _ in states(journey(trip(), fate))]


@pytest.mark.parametrize("fate", [Fate.RETRACTED, Fate.CONTRADICTED])
def test_a_delivery_may_be_taken_back(fate: Fate) -> None:
    said = [state for state, _ in states(journey(trip(), fate))]
    first = said.index(State.DELIVERED)
    assert any(state is not State.DELIVERED for state in said[first:])
    assert said[-1] is State.DELIVERED


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("fate", [fate for fate in Fate if fate is not Fate.ODD_CODE])
def test_the_words_alone_say_the_same_end(carrier: str, fate: Fate) -> None:
    """The basic edition has no codes: the last words of a journey must not mislead."""
    way = journey(trip(carrier=carrier), fate)
    assert not way or network.meaning("", way[-1].text).state is ENDS[fate][0]


def test_the_mixes_hold_every_fate() -> None:
    for mix in (USUAL, DEMO):
        assert {fate for fate, _ in mix} == set(Fate)
    drawn = Counter(fate_of(1, str(number), USUAL) for number in range(4000))
    assert drawn[Fate.IN_PERSON] > 2000
    assert fate_of(1, "x", DEMO) is fate_of(1, "x", DEMO)


def test_far_is_far() -> None:
    assert distance_km(city_of("北京"), city_of("北京市")) == 0
    assert 1_000 < distance_km(city_of("北京市"), city_of("上海市")) < 1_150
    assert city_of("不在图上") == city_of("不在图上")
    near, far = (
        [
            journey(trip(str(number), destination=Place("x", city, "y")), Fate.IN_PERSON)[-1].at - TAKEN
            for number in range(60)
        ]
        for city in ("广州市", "乌鲁木齐市")
    )
    assert sorted(near)[30] < sorted(far)[30]


def test_seeded_trouble_has_exactly_its_share_and_leaves_the_rest_as_it_was() -> None:
    mix = dict(seeded({Fate.STALLED: 0.25, Fate.LOST: 0.05}, USUAL))
    assert (mix[Fate.STALLED], mix[Fate.LOST]) == (0.25, 0.05)
    assert sum(mix.values()) == pytest.approx(1)
    assert mix[Fate.PROXY] / mix[Fate.LOCKER] == pytest.approx(dict(USUAL)[Fate.PROXY] / dict(USUAL)[Fate.LOCKER])
    assert seeded({}, USUAL) is USUAL


def test_shares_are_read_and_what_is_none_is_refused() -> None:
    assert parse_shares(["stalled=0.02", "lost=0"]) == {Fate.STALLED: 0.02, Fate.LOST: 0}
    for told in ("stalled", "stalled=often", "lucky=0.1", "stalled=-0.1", "stalled=nan", "stalled=1.1"):
        with pytest.raises(Invalid):
            parse_shares([told])
    with pytest.raises(Invalid):
        parse_shares(["stalled=0.6", "lost=0.6"])


def test_nothing_is_scanned_in_a_hub_while_a_storm_is_over_it() -> None:
    storm = Storm("深圳", TAKEN, TAKEN + timedelta(days=4))
    way, fair = journey(trip(storm=storm), Fate.IN_PERSON), journey(trip(), Fate.IN_PERSON)
    in_hub = [one.at for one in way if "深圳转运中心" in one.text and one.code in ("204", "2")]
    assert in_hub and all(at >= storm.ended_at for at in in_hub)
    assert [one.code for one in way] == [one.code for one in fair], "it only comes later"
    elsewhere = journey(trip(storm=Storm("西安", TAKEN, TAKEN + timedelta(days=4))), Fate.IN_PERSON)
    assert elsewhere == fair
