"""When a ticket is due: working minutes, holidays, and the weekend days China works for them (调休)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.parts.care.conftest import Desk
from waystream.core.care import Priority
from waystream.core.errors import Invalid
from waystream.parts.care import setting
from waystream.parts.care.hours import DEFAULT, Hours, due_after, is_open, list_special
from waystream.parts.care.setting import HoursIn, parse_hours

SHANGHAI = ZoneInfo("Asia/Shanghai")
HIGH, NORMAL, LOW = Priority


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def due(text: str, priority: Priority = HIGH, hours: Hours = DEFAULT) -> str:
    return due_after(hours, at(text), priority).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("start", "priority", "end"),
    [
        ("2026-11-12 14:32", HIGH, "2026-11-12 16:32"),  # a Thursday
        ("2026-11-12 17:00", HIGH, "2026-11-13 10:00"),  # the evening does not count
        ("2026-11-12 03:00", HIGH, "2026-11-12 11:00"),
        ("2026-11-12 18:00", HIGH, "2026-11-13 11:00"),
        ("2026-11-13 17:30", HIGH, "2026-11-16 10:30"),  # over a weekend
        ("2026-11-12 14:32", NORMAL, "2026-11-13 14:32"),
        ("2026-11-12 14:32", LOW, "2026-11-17 14:32"),
        ("2026-11-12 16:00", HIGH, "2026-11-12 18:00"),  # the last minute counts
        ("2026-09-30 17:00", HIGH, "2026-10-08 10:00"),  # the week of the National Day
        ("2026-10-09 17:00", HIGH, "2026-10-10 10:00"),  # a Saturday worked for it
        ("2026-10-10 17:00", HIGH, "2026-10-12 10:00"),
        ("2026-02-14 10:00", HIGH, "2026-02-14 12:00"),  # a Saturday worked for the Spring Festival
        ("2026-02-14 17:00", HIGH, "2026-02-24 10:00"),
    ],
)
def test_due_in_working_minutes(start: str, priority: Priority, end: str) -> None:
    assert due(start, priority) == end


def test_a_shops_own_days_come_before_the_countrys() -> None:
    hours = Hours(days_off=frozenset({date(2026, 11, 13)}), days_on=frozenset({date(2026, 10, 1)}))
    assert due("2026-11-12 17:00", hours=hours) == "2026-11-16 10:00"
    assert due("2026-09-30 17:00", hours=hours) == "2026-10-01 10:00"


def test_a_shop_that_never_rests() -> None:
    hours = Hours(weekdays=frozenset(range(1, 8)), opens=0, closes=1440, calendar="")
    assert due("2026-10-03 23:00", hours=hours) == "2026-10-04 01:00"


def test_summer_time_moves_the_wall_clock() -> None:
    """In Berlin the clock goes back on 25 October 2026: eight in the morning is then an hour later by UTC."""
    hours = Hours(zone="Europe/Berlin", weekdays=frozenset(range(1, 8)), opens=480, closes=1080, calendar="DE")
    start = datetime(2026, 10, 24, 15, 30, tzinfo=UTC)  # half past five
    assert due_after(hours, start, HIGH) == datetime(2026, 10, 25, 8, 30, tzinfo=UTC)


def test_what_is_never_open_is_due_within_a_year() -> None:
    hours = Hours(days_off=frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(800)))
    start = at("2026-11-12 10:00")
    assert due_after(hours, start, HIGH) == start


def test_at_work_and_what_differs_from_the_week() -> None:
    assert is_open(DEFAULT, at("2026-10-10 09:00")) and not is_open(DEFAULT, at("2026-10-10 18:00"))
    assert not is_open(DEFAULT, at("2026-10-05 10:00")) and not is_open(DEFAULT, at("2026-11-14 10:00"))
    off, on = list_special(DEFAULT, at("2026-09-15 10:00"), days=60)
    assert off == [date(2026, 9, 25), *(date(2026, 10, day) for day in (1, 2, 5, 6, 7))]
    assert on == [date(2026, 9, 20), date(2026, 10, 10)]


@given(
    minutes=st.integers(0, 900 * 24 * 60),
    later=st.integers(0, 10_000),
    priority=st.sampled_from(Priority),
)
def test_due_never_runs_backwards(minutes: int, later: int, priority: Priority) -> None:
    """Due after the start, within working hours, no earlier for what began later, and sooner for what matters more."""
    start = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    end = due_after(DEFAULT, start, priority)
    assert end > start
    assert is_open(DEFAULT, end - timedelta(minutes=1))
    assert due_after(DEFAULT, start + timedelta(minutes=later), priority) >= end
    assert due_after(DEFAULT, start, HIGH) <= due_after(DEFAULT, start, NORMAL) <= due_after(DEFAULT, start, LOW)


GOOD = HoursIn("Asia/Shanghai", ("1", "6"), "8:30", "24:00", "CN", "2026-11-13，2026-11-14", "", 60, 600, 1200, 3)


def test_hours_are_read_from_what_people_type() -> None:
    hours = parse_hours(GOOD)
    assert (hours.opens, hours.closes, hours.weekdays) == (510, 1440, frozenset({1, 6}))
    assert hours.days_off == frozenset({date(2026, 11, 13), date(2026, 11, 14)})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("zone", "Mars/Base"), ("zone", "../etc/passwd"), ("weekdays", ()), ("weekdays", ("8",)), ("opens", "25:00"),
        ("opens", "x"), ("closes", "08:30"), ("calendar", "XX"), ("days_off", "tomorrow"), ("days_on", "2026-02-30"),
        ("days_off", " ".join(["2026-01-01"] * 101)), ("high_minutes", 0), ("low_minutes", 10**9), ("reopen_days", 91),
    ],
)  # fmt: skip
def test_hours_that_cannot_be_are_refused(field: str, value: object) -> None:
    with pytest.raises(Invalid) as refused:
        parse_hours(replace(GOOD, **{field: value}))  # type: ignore[arg-type]
    assert refused.value.path == field


def test_each_shops_tickets_are_due_by_its_own_hours(desk: Desk) -> None:
    hours = Hours(weekdays=frozenset(range(1, 8)), opens=0, closes=1440, calendar="", normal_minutes=30, reopen_days=1)
    with desk.world.work.begin() as tx:
        setting.set_hours(tx, desk.world.tea, hours, actor="staff:1")
        assert setting.list_hours(tx, [desk.world.tea, desk.world.toys]) == {
            desk.world.tea: hours,
            desk.world.toys: DEFAULT,
        }
    desk.raise_(desk.trouble())
    assert desk.tickets("due_at") == [(desk.clock.now() + timedelta(minutes=30),)]
    desk.clock.advance(timedelta(hours=1))
    desk.move("arrived_at_outlet")
    desk.clock.advance(timedelta(days=2))
    desk.raise_(desk.trouble())
    assert desk.tickets("state") == [("closed",), ("open",)]
