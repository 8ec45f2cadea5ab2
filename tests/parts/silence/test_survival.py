"""Kaplan-Meier over classes against lifelines, its shrinkage, and the budget solved from it."""

import random
from itertools import pairwise
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter

from waystream.parts.silence import allowing
from waystream.parts.silence.allowing import GAPS_LEAST, LATEST_H, allow, allowed_h, read_curve
from waystream.parts.silence.survival import (
    CLASSES,
    EDGES_H,
    Gaps,
    class_of,
    even_hazards,
    hazards,
    longer,
    quantile_h,
    survival,
)


def gaps_of(lengths: list[float], waiting: list[float] | None = None, *, days: float = 0.0) -> Gaps:
    ended, waits = [0.0] * CLASSES, [0.0] * CLASSES
    for length in lengths:
        ended[class_of(length)] += 1
    for length in waiting or []:
        waits[class_of(length)] += 1
    return Gaps(tuple(ended), tuple(waits), days)


def lengths(n: int, *, seed: int = 1, median: float = 8.0) -> list[float]:
    dice = random.Random(seed)
    return [median * dice.lognormvariate(0, 0.6) for _ in range(n)]


@given(st.floats(0, 2_000))
def test_a_length_lies_in_its_class(hours: float) -> None:
    n = class_of(hours)
    assert EDGES_H[n] <= hours and (hours < EDGES_H[n + 1] or n == CLASSES - 1)
    assert all(a < b for a, b in pairwise(EDGES_H)) and len(EDGES_H) == CLASSES + 1


@pytest.mark.parametrize("seed", range(3))
def test_it_is_kaplan_meier(seed: int) -> None:
    ended, waiting = lengths(400, seed=seed), lengths(300, seed=seed + 50, median=5)
    ours = survival(hazards(gaps_of(ended, waiting)))
    fitter = KaplanMeierFitter().fit(
        [class_of(each) for each in ended + waiting], [1] * len(ended) + [0] * len(waiting)
    )
    theirs = fitter.survival_function_at_times(range(CLASSES)).tolist()
    last = max(map(class_of, ended + waiting))
    assert ours[:last] == pytest.approx(theirs[:last], abs=1e-9)


def test_who_waits_still_makes_the_usual_silence_longer() -> None:
    """Left out, the slow ones would count as if they were as quick as those that have ended."""
    ended = lengths(500)
    assert quantile_h(hazards(gaps_of(ended, [40.0] * 100)), left=0.1) > 1.2 * quantile_h(
        hazards(gaps_of(ended)), left=0.1
    )


def test_a_quantile_lies_within_its_class() -> None:
    values = sorted(lengths(20_000))
    assert quantile_h(hazards(gaps_of(values)), left=0.1) == pytest.approx(values[18_000], rel=0.02)


def test_even_hazards_end_nine_in_ten_by_then() -> None:
    assert quantile_h(even_hazards(24.0), left=0.1) == pytest.approx(24.0)


def test_a_thin_history_speaks_as_its_parent_and_a_thick_one_for_itself() -> None:
    parent = hazards(gaps_of(lengths(5_000, median=8)))
    usual = quantile_h(parent, left=0.1)
    thin = quantile_h(hazards(gaps_of(lengths(5, median=24)), parent), left=0.1)
    thick = quantile_h(hazards(gaps_of(lengths(5_000, median=24)), parent), left=0.1)
    assert thin < 1.4 * usual
    assert thick == pytest.approx(quantile_h(hazards(gaps_of(lengths(5_000, median=24))), left=0.1), rel=0.05)
    assert hazards(Gaps(), parent) == pytest.approx(list(parent))


def test_longer_counts_what_lasts_on() -> None:
    values = lengths(1_000)
    gaps = gaps_of(values, [200.0])
    assert longer(gaps.beyond(), 0.0) == 1_001
    assert longer(gaps.beyond(), 10.0) == pytest.approx(sum(value > 10 for value in values) + 1, abs=12)
    assert longer(gaps.beyond(), EDGES_H[-1]) == 0


# ------------------------------------------------------------------ the budget


def history(n: int = 4_000) -> dict[tuple[str, str, str], Gaps]:
    slow, quick = lengths(n, seed=2, median=20), lengths(n, seed=3, median=4)
    return {
        ("SLOW", "a>b", "in_transit"): gaps_of(slow, days=sum(slow) / 24),
        ("QUICK", "a>b", "in_transit"): gaps_of(quick, days=sum(quick) / 24),
        ("QUICK", "a>c", "in_transit"): gaps_of([4.0], days=0.2),
    }


def test_without_history_the_table_decides() -> None:
    book = allow({}, budget=10)
    assert (book.times, book.expected, book.rows, book.curve) == (3.0, None, (), ())
    few = allow({("A", "l", "in_transit"): gaps_of(lengths(GAPS_LEAST - 1), days=9)}, budget=10)
    assert (few.times, few.expected) == (3.0, None)


@pytest.mark.parametrize("budget", [5, 20, 60])
def test_the_budget_is_kept_by_the_history_it_was_solved_from(budget: float) -> None:
    cells = history()
    book = allow(cells, budget=budget)
    hours = {(row.carrier, row.lane): row.hours for row in book.rows if row.stage == "in_transit"}
    days = sum(gaps.days for gaps in cells.values())
    alerts = sum(
        longer(gaps.beyond(), hours[carrier, lane if gaps.count > 20 else ""])
        for (carrier, lane, _), gaps in cells.items()
    )
    assert book.expected == budget
    assert 1_000 * alerts / days == pytest.approx(budget, rel=0.15)


def test_a_quick_lane_has_less_patience_and_a_thin_one_its_carriers() -> None:
    rows = {(row.carrier, row.lane): row for row in allow(history(), budget=10).rows}
    quick, slow = rows["QUICK", "a>b"], rows["SLOW", "a>b"]
    assert slow.hours / quick.hours == pytest.approx(sqrt(slow.usual_h / quick.usual_h))
    assert quick.hours < slow.hours / 2
    assert ("QUICK", "a>c") not in rows
    assert rows["QUICK", ""].gaps == 4_001


def test_true_stalls_in_the_history_do_not_stretch_what_is_usual() -> None:
    """A fiftieth of the gaps lasts a week: nothing in nine out of ten changes, and they are still alarmed."""
    cells = history()
    clean = {row.lane: row for row in allow(cells, budget=30).rows if row.carrier == "SLOW"}
    slow = cells["SLOW", "a>b", "in_transit"]
    ended = list(slow.ended)
    ended[class_of(160.0)] += 80
    cells["SLOW", "a>b", "in_transit"] = Gaps(tuple(ended), days=slow.days + 80 * 160 / 24)
    row = next(row for row in allow(cells, budget=30).rows if row.lane == "a>b" and row.carrier == "SLOW")
    assert row.usual_h == pytest.approx(clean["a>b"].usual_h, rel=0.1)
    assert row.hours <= LATEST_H


def test_nothing_is_overdue_at_once_and_everything_in_the_end() -> None:
    assert allowed_h("in_transit", 0.5, 3) == allowing.SOONEST_H
    assert allowed_h("in_transit", 300, 3) == LATEST_H
    assert allowed_h("customs", 300, 3) == 168


def test_the_curve_is_read_between_its_points() -> None:
    curve = [(1.0, 100.0), (2.0, 20.0), (4.0, 10.0)]
    assert read_curve(curve, 200) == (1.0, 100.0)
    assert read_curve(curve, 60) == (1.5, 60)
    assert read_curve(curve, 5) == (4.0, 10.0)
