"""Many silences at one place are one thing, where chance does not bring so many."""

from datetime import UTC, datetime, timedelta
from math import exp, factorial

import pytest

from waystream.parts.silence.slowness import (
    LASTS_MOST,
    Course,
    Flow,
    Rules,
    Slow,
    chance_of,
    expected_of,
    find_slow,
    list_over,
)

NOW = datetime(2026, 11, 12, tzinfo=UTC)
RULES, RATE = Rules(parcels_least=10, chance=1e-6), 10.0
FLOWS = {
    "YTO": Flow(2_000, {"成都": 5_000.0, "杭州": 20_000.0}, 100_000.0),
    "ZTO": Flow(4_000, {"成都": 5_000.0}, 200_000.0),
}


def slow(silent: dict[tuple[str, str], int], **given: object) -> list[tuple[str, str, int]]:
    found = find_slow(silent, FLOWS, rate=RATE, rules=RULES, **given)  # type: ignore[arg-type]
    return [(each.carrier, each.place, each.silent) for each in found]


@pytest.mark.parametrize(("count", "expected"), [(5, 1.0), (20, 4.0), (60, 30.0)])
def test_the_bound_is_above_the_poisson_tail(count: int, expected: float) -> None:
    tail = 1 - sum(exp(-expected) * expected**n / factorial(n) for n in range(count))
    assert tail < chance_of(count, expected) < 60 * tail
    assert chance_of(3, 4.0) == 1.0


def test_what_to_expect_is_a_places_share_of_what_is_under_way() -> None:
    assert expected_of(("YTO", ""), FLOWS, rate=RATE) == pytest.approx(20)
    assert expected_of(("YTO", "成都"), FLOWS, rate=RATE) == pytest.approx(1.0, rel=0.01)
    assert expected_of(("", "成都"), FLOWS, rate=RATE) == pytest.approx(2.0, rel=0.01)
    assert expected_of(("YTO", "nowhere"), FLOWS, rate=RATE) == pytest.approx(2 / 100_200 * 20)
    assert expected_of(("JD", ""), FLOWS, rate=RATE) == 0


def test_a_hub_of_one_carrier() -> None:
    assert slow({("YTO", "成都"): 30, ("YTO", "杭州"): 3, ("ZTO", "成都"): 1}) == [("YTO", "成都", 30)]


def test_a_hub_of_several_carriers_is_one_slowdown() -> None:
    assert slow({("YTO", "成都"): 12, ("ZTO", "成都"): 9}) == [("", "成都", 21)]


def test_a_network_is_slow_everywhere() -> None:
    assert slow({("YTO", f"p{n}"): 9 for n in range(12)}) == [("YTO", "", 108)]
    assert slow({("YTO", ""): 200}) == []


def test_few_or_usual_is_nothing() -> None:
    assert slow({("YTO", "成都"): 9}) == []
    assert slow({("YTO", "杭州"): 12}) == []
    assert slow({}) == []


def test_what_is_known_does_not_begin_again() -> None:
    silent = {("YTO", "成都"): 30}
    for known in (("YTO", "成都"), ("", "成都"), ("YTO", "")):
        assert slow(silent, known=[known]) == []


def test_without_history_many_at_one_place_are_needed() -> None:
    flows = {"YTO": Flow(10_000, {}, 0.0)}
    rules = Rules(parcels_least=20)
    assert find_slow({("YTO", "成都"): 20}, flows, rate=30.0, rules=rules) == []
    [found] = find_slow({("YTO", "成都"): 30}, flows, rate=30.0, rules=rules)
    assert found == Slow("YTO", "成都", 30, pytest.approx(3.0))


@pytest.mark.parametrize(
    ("silent", "fresh", "age", "over"),
    [
        (100, 30, timedelta(hours=5), False),
        (100, 0, timedelta(hours=5), False),  # nothing came in, but nothing stirs either
        (50, 0, timedelta(hours=5), True),
        (50, 5, timedelta(hours=5), False),
        (100, 30, LASTS_MOST, True),
    ],
)
def test_it_flows_again(silent: int, fresh: int, age: timedelta, over: bool) -> None:
    course = Course(1, "YTO", "成都", NOW - age, parcels=100, silent=silent, fresh=fresh)
    assert bool(list_over([course], FLOWS, rate=RATE, now=NOW)) is over
