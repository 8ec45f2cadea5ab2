"""Which deliveries cannot be as the carrier says; and that real ones all can."""

import csv
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystream.core.cities import CITIES, City, distance_km, find_city
from waystream.core.deadline import Doubt
from waystream.core.state import CARRIED, State
from waystream.core.text_rules import meaning_of
from waystream.parts.deadlines.doubts import INTERCEPTED, Evidence, Sighting, find_doubt, words_of

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("WAYSTREAM_DATA", ROOT.parent / "shared" / "data"))
CHINA = ZoneInfo("Asia/Shanghai")
SIGNED_AT = datetime(2026, 11, 12, 14, 30, tzinfo=CHINA)
HOUR = timedelta(hours=1)


def city(province: str, name: str = "") -> City:
    found = find_city(province, name)
    assert found is not None
    return found


BEIJING, CHENGDU, FOSHAN, GUANGZHOU = city("北京"), city("四川", "成都"), city("广东", "佛山"), city("广东", "广州")
HANGZHOU = city("浙江", "杭州")


def seen(hours_before: float, state: State, where: str, key: int = 1) -> Sighting:
    return Sighting(key, SIGNED_AT - hours_before * HOUR, state, where)


def signed(where: str) -> Sighting:
    return seen(0, State.DELIVERED, where, key=9)


def evidence(*sightings: Sighting, receiver: City | None = CHENGDU, left_h: float | None = None) -> Evidence:
    return Evidence(
        1, 1, SIGNED_AT, "scan:9", receiver, HANGZHOU, SIGNED_AT - left_h * HOUR if left_h else None,
        sightings=sightings,
    )  # fmt: skip


WAY = (
    seen(60, State.COLLECTED, "杭州市"), seen(40, State.IN_TRANSIT, "杭州市"), seen(9, State.IN_TRANSIT, "成都市"),
    seen(3, State.OUT_FOR_DELIVERY, "成都市"),
)  # fmt: skip


def test_a_delivery_as_it_should_be_is_not_doubted() -> None:
    assert words_of(evidence(*WAY, signed("成都市"), left_h=61)) == ()
    assert words_of(evidence(*WAY, signed(""), left_h=61)) == ()


def test_signed_for_in_another_city() -> None:
    assert find_doubt(evidence(*WAY, signed("北京市"))) is Doubt.ELSEWHERE
    just_before = seen(0.5, State.OUT_FOR_DELIVERY, "成都市")
    assert find_doubt(evidence(*WAY, just_before, signed("北京市"))) is Doubt.ELSEWHERE
    assert find_doubt(evidence(seen(60, State.COLLECTED, ""), signed("北京市"))) is Doubt.ELSEWHERE


@pytest.mark.parametrize(
    ("receiver", "where"),
    [
        (FOSHAN, "广州市"),
        (CHENGDU, "某地"),
        (CHENGDU, ""),
        (None, "北京市"),
        (CHENGDU, "转运中心"),
        (CHENGDU, "义乌市"),
    ],
)
def test_neighbours_and_unknown_places_accuse_nobody(receiver: City | None, where: str) -> None:
    assert find_doubt(evidence(signed(where), receiver=receiver)) is None


def test_what_was_sent_on_may_be_signed_for_elsewhere() -> None:
    assert find_doubt(evidence(*WAY, seen(90, State.FORWARDED, ""), signed("重庆市"))) is None


def test_signed_for_before_it_can_have_come() -> None:
    assert find_doubt(evidence(seen(5, State.COLLECTED, "杭州市"), signed(""))) is Doubt.TOO_EARLY
    assert find_doubt(evidence(signed(""), left_h=4)) is Doubt.TOO_EARLY
    assert find_doubt(evidence(signed(""), left_h=20)) is None


def test_where_it_arrived_it_may_have_flown() -> None:
    collected, out = seen(8, State.COLLECTED, "杭州市"), seen(1, State.OUT_FOR_DELIVERY, "")
    assert find_doubt(evidence(collected, signed(""))) is Doubt.TOO_EARLY
    assert find_doubt(evidence(collected, out, signed(""))) is None
    assert find_doubt(evidence(seen(1, State.COLLECTED, "杭州市"), out, signed(""))) is Doubt.TOO_EARLY


def test_a_first_scan_far_from_home_says_nothing_of_the_beginning() -> None:
    """Scans before it are missing: it did not leave our warehouse an hour ago."""
    assert find_doubt(evidence(seen(1, State.OUT_FOR_DELIVERY, "成都市"), signed("成都市"))) is None


def test_a_day_is_no_instant() -> None:
    midnight = SIGNED_AT.replace(hour=0, minute=0)
    one = evidence(Sighting(1, midnight, State.COLLECTED, "杭州市"), Sighting(9, midnight, State.DELIVERED, "成都市"))
    assert find_doubt(replace(one, delivered_at=midnight)) is None


def test_what_was_to_be_stopped_and_was_delivered() -> None:
    assert words_of(evidence(*WAY, seen(1, State.INTERCEPTED, "成都市"), signed("成都市"))) == (INTERCEPTED,)
    assert words_of(replace(evidence(*WAY, signed("成都市")), stopped=True)) == (INTERCEPTED,)
    after = Sighting(3, SIGNED_AT + HOUR, State.INTERCEPTED)
    assert words_of(evidence(*WAY, signed("成都市"), after)) == ()


PLACES = st.sampled_from(CITIES)


@given(PLACES, PLACES, st.floats(1, 200), st.sampled_from(sorted(CARRIED - {State.DELIVERED})))
def test_who_has_time_to_drive_is_not_doubted(origin: City, goal: City, more_h: float, state: State) -> None:
    hours = distance_km(origin, goal) / 80 + more_h
    told = Evidence(
        1, 1, SIGNED_AT, "scan:9", goal, origin, SIGNED_AT - hours * HOUR,
        sightings=(seen(hours, state, f"{origin.province}{origin.name}"), signed(f"{goal.province}{goal.name}")),
    )  # fmt: skip
    assert find_doubt(told) is None


@given(st.lists(st.builds(seen, st.floats(-5, 100), st.sampled_from(State), st.sampled_from(["", "x", "转运中心"]))))
def test_without_a_place_nobody_is_doubted(sightings: list[Sighting]) -> None:
    assert find_doubt(replace(evidence(*sightings), origin=None)) is None
    assert find_doubt(evidence(*sightings, receiver=None, left_h=1)) is None


def list_real() -> Iterator[list[Sighting]]:
    """Real traces, by shipment, in their order."""
    file = DATA / "traces" / "cn_express_traces.csv"
    if not file.is_file():
        pytest.skip(f"no real traces: WAYSTREAM_DATA must name the folder that holds traces/ (looked in {DATA})")
    rows = [row for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines()) if row["event_time"]]
    for _, lines in groupby(rows, key=lambda row: row["shipment"]):
        yield [
            Sighting(
                key, datetime.fromisoformat(row["event_time"]).replace(tzinfo=CHINA), meaning_of(row["text"]).state,
                text=row["text"],
            )
            for key, row in enumerate(lines)
        ]  # fmt: skip


def test_no_real_delivery_is_doubted() -> None:
    """The receiver lives where the courier went last; the goods came from where they were first seen."""
    delivered = accused = judged = 0
    for sightings in list_real():
        ends = [each for each in sightings if each.state is State.DELIVERED]
        if not ends:
            continue
        places = [each.place for each in sightings if each.place is not None]
        delivered += 1
        judged += bool(places)
        told = Evidence(
            1, 1, ends[0].at, f"scan:{ends[0].key}", places[-1] if places else None,
            places[0] if places else None, sightings[0].at, sightings=sightings,
        )  # fmt: skip
        accused += bool(words_of(told))
    assert delivered >= 15 and judged >= 10
    assert accused == 0
