"""When a ticket is due: the minutes its priority gives, counted in the shop's working hours. Pure.

Holidays and the workdays China makes up for them (调休) come from the library `holidays`; a year whose calendar is not
yet published has its statutory days only. A shop's own days off and on come before both.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from waystream.core.care import Priority

DAY_MINUTES = 24 * 60
DAYS_AHEAD_MAX = 366  # what is due later than in a year is due then


@dataclass(frozen=True, slots=True)
class Hours:
    """When a shop's people work. `opens`, `closes`: minutes after midnight; `calendar`: a country's code or empty."""

    zone: str = "Asia/Shanghai"
    weekdays: frozenset[int] = frozenset({1, 2, 3, 4, 5})
    opens: int = 9 * 60
    closes: int = 18 * 60
    calendar: str = "CN"
    days_off: frozenset[date] = frozenset()
    days_on: frozenset[date] = frozenset()
    high_minutes: int = 120
    normal_minutes: int = 9 * 60
    low_minutes: int = 3 * 9 * 60
    reopen_days: int = 7

    def minutes(self, priority: Priority) -> int:
        by_priority = {
            Priority.HIGH: self.high_minutes,
            Priority.NORMAL: self.normal_minutes,
            Priority.LOW: self.low_minutes,
        }
        return by_priority[priority]

    def is_workday(self, day: date) -> bool:
        if day in self.days_on or day in self.days_off:
            return day in self.days_on
        if self.calendar:
            year = _read_year(self.calendar, day.year)
            if day in year.on or day in year.off:
                return day in year.on
        return day.isoweekday() in self.weekdays

    @property
    def reopens_within(self) -> timedelta:
        return timedelta(days=self.reopen_days)


DEFAULT = Hours()


@dataclass(frozen=True, slots=True)
class Year:
    """A country's holidays, and the weekend days that are worked for them."""

    off: frozenset[date] = field(default=frozenset())
    on: frozenset[date] = field(default=frozenset())


@lru_cache(64)
def _read_year(country: str, year: int) -> Year:
    calendar = holidays.country_holidays(country, years=year)
    on = {day for day in getattr(calendar, "weekend_workdays", ()) if day.year == year}
    return Year(frozenset(calendar) - on, frozenset(on))


@lru_cache(1)
def list_calendars() -> frozenset[str]:
    """The country codes whose holidays are known."""
    return frozenset(holidays.list_supported_countries())


@lru_cache(4096)
def due_after(hours: Hours, start: datetime, priority: Priority) -> datetime:
    """The instant by which so many working minutes have passed since `start`."""
    left = timedelta(minutes=hours.minutes(priority))
    ends = start
    for opens, closes in _shifts(hours, start):
        begins = max(start, opens)
        if begins + left <= closes:
            return begins + left
        left -= max(closes - begins, timedelta(0))
        ends = closes
    return ends


def is_open(hours: Hours, at: datetime) -> bool:
    """Whether people work at this instant."""
    here = at.astimezone(ZoneInfo(hours.zone))
    return hours.is_workday(here.date()) and hours.opens <= here.hour * 60 + here.minute < hours.closes


def list_special(hours: Hours, start: datetime, *, days: int) -> tuple[list[date], list[date]]:
    """Of the days from `start` on: those off that the week has on, and those worked that the week has off."""
    first = start.astimezone(ZoneInfo(hours.zone)).date()
    ahead = [first + timedelta(days=n) for n in range(days)]
    special = [day for day in ahead if hours.is_workday(day) != (day.isoweekday() in hours.weekdays)]
    return [day for day in special if not hours.is_workday(day)], [day for day in special if hours.is_workday(day)]


def _shifts(hours: Hours, start: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The working hours of the days from `start` on, in UTC."""
    zone = ZoneInfo(hours.zone)
    first = start.astimezone(zone).date()
    for day in (first + timedelta(days=n) for n in range(DAYS_AHEAD_MAX)):
        if hours.is_workday(day):
            yield _instant(day, hours.opens, zone), _instant(day, hours.closes, zone)


def _instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """By the clock on the wall, which a change to summer time moves."""
    after, minutes = divmod(minutes, DAY_MINUTES)
    at = time(minutes // 60, minutes % 60)
    return datetime.combine(day + timedelta(days=after), at, tzinfo=zone).astimezone(UTC)
