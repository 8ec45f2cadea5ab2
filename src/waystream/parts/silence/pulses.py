"""What an hour weighs: when scans happen, by stage, hour and kind of day; and the calendar. Pure.

Weekends and holidays are compared with workdays, and shrunk: as if `KNOWN_DAYS` more of them had weighed as usual.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from statistics import fmean

import holidays

from waystream.core.patience import EVEN, Calendar, Day, Pulse

KNOWN_DAYS = 3.0
KNOWN_SCANS = 480.0  # spread evenly over the day
#: Parcels of the last days have not ended yet: those days look emptier than they were.
UNRIPE = timedelta(days=4)
COUNTRY = "CN"


def read_calendar(today: date) -> Calendar:
    """The public holidays around a day; of a year whose holidays are not announced yet, those that are always kept."""
    return _calendar_around(today.year)


@lru_cache(8)
def _calendar_around(year: int) -> Calendar:
    years = (year - 1, year, year + 1)
    found = holidays.country_holidays(COUNTRY, years=years)
    made_up = frozenset(day for day in getattr(found, "weekend_workdays", ()) if day.year in years)
    return Calendar(frozenset(found) - made_up, made_up)


def pulse_of(days: Mapping[date, Sequence[int]], calendar: Calendar, *, today: date) -> Pulse:
    """`days`: scans that ended a silence of one stage, by day and hour."""
    hours = [sum(scans[hour] for scans in days.values()) for hour in range(24)]
    weights = tuple((scans + KNOWN_SCANS / 24) * 24 / (sum(hours) + KNOWN_SCANS) for scans in hours)
    by_kind: dict[Day, list[int]] = {kind: [] for kind in Day}
    ripe = [day for day in days if day <= today - UNRIPE]
    for day in ripe[1:]:
        by_kind[calendar.kind(day)].append(sum(days[day]))
    usual = fmean(by_kind[Day.WORKDAY]) if by_kind[Day.WORKDAY] else 0.0
    return Pulse(
        weights,
        weekend=_compared(by_kind[Day.WEEKEND], usual, EVEN.weekend),
        holiday=_compared(by_kind[Day.HOLIDAY], usual, EVEN.holiday),
    )


def _compared(scans: Sequence[int], usual: float, otherwise: float) -> float:
    """How a day of this kind compares with a workday; never busier, for silence would run faster then."""
    if not usual:
        return otherwise
    return min(1.0, (sum(scans) / usual + KNOWN_DAYS * otherwise) / (len(scans) + KNOWN_DAYS))
