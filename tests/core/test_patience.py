"""The clock of working hours, and what is allowed by it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystream.core.patience import ZONE, Calendar, Day, Patience, Pulse, WorkClock, table_h
from waystream.core.state import State

MONDAY = datetime(2026, 11, 9, tzinfo=ZONE)
QINGMING = Calendar(off=frozenset({date(2026, 4, 5), date(2026, 4, 6)}))
NIGHTS = Pulse(tuple(0.1 if hour < 8 else 1.45 for hour in range(24)), weekend=0.5, holiday=0.2)


def clock(pulse: Pulse = NIGHTS, calendar: Calendar | None = None, *, around: datetime = MONDAY) -> WorkClock:
    return WorkClock({"in_transit": pulse}, calendar or Calendar(), around=around)


def test_a_night_uses_up_little_patience() -> None:
    night = clock().length_h("in_transit", MONDAY, MONDAY + timedelta(hours=8))
    day = clock().length_h("in_transit", MONDAY + timedelta(hours=8), MONDAY + timedelta(hours=16))
    assert night == pytest.approx(0.8) and day == pytest.approx(11.6)


def test_a_stage_without_a_pulse_has_even_hours() -> None:
    assert clock().length_h("collected", MONDAY, MONDAY + timedelta(hours=30)) == pytest.approx(30)


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 4, 3), Day.WORKDAY),
        (date(2026, 4, 4), Day.HOLIDAY),  # the Saturday before: part of it
        (date(2026, 4, 5), Day.HOLIDAY),
        (date(2026, 4, 6), Day.HOLIDAY),
        (date(2026, 4, 7), Day.WORKDAY),
        (date(2026, 4, 11), Day.WEEKEND),
    ],
)
def test_a_weekend_that_touches_a_holiday_is_part_of_it(day: date, kind: Day) -> None:
    assert QINGMING.kind(day) is kind
    assert Calendar(made_up=frozenset({day})).kind(day) is Day.WORKDAY


def test_holidays_put_the_due_time_off() -> None:
    eve = datetime(2026, 4, 3, 18, tzinfo=ZONE)
    slow, usual = clock(calendar=QINGMING, around=eve), clock(around=eve)
    assert slow.after("in_transit", eve, 24) > usual.after("in_transit", eve, 24) + timedelta(hours=20)


@given(st.floats(-2_000, 3_000), st.floats(0, 500))
def test_after_is_the_inverse_of_length_everywhere(begin_h: float, hours: float) -> None:
    """Beyond its reach, too."""
    since = MONDAY + timedelta(hours=begin_h)
    counted = clock(calendar=QINGMING)
    until = counted.after("in_transit", since, hours)
    assert until >= since
    assert counted.length_h("in_transit", since, until) == pytest.approx(hours, abs=1e-3)


def test_the_lane_speaks_before_the_carrier_before_the_stage_before_the_table() -> None:
    hours = {("YTO", "a>b", "in_transit"): 30.0, ("YTO", "", "in_transit"): 40.0, ("", "", "in_transit"): 50.0}
    patience = Patience(1, clock(Pulse()), hours)

    def allowed(carrier: str, lane: str, stage: str = "in_transit") -> float:
        return patience.allowed_h(carrier=carrier, lane=lane, stage=stage)

    assert [allowed("YTO", "a>b"), allowed("YTO", "a>c"), allowed("SF", "a>b")] == [30, 40, 50]
    assert allowed("YTO", "a>b", "customs") == table_h("customs") == 168


def test_what_is_not_watched_is_due_by_plain_hours() -> None:
    since = datetime(2026, 4, 3, tzinfo=UTC)
    patience = Patience(1, clock(calendar=QINGMING), {})
    due = patience.due_at(since, carrier="YTO", lane="", stage=State.READY_FOR_PICKUP)
    assert due == since + timedelta(hours=72)
