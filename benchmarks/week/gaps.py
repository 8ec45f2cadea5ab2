"""How long a healthy parcel is silent before its next scan: log-normal bodies with Pareto tails, by stage. Pure.

Tails reach as far as the stalls begin, so no threshold tells them apart without mistakes. Nights, Sundays and a holiday
stop couriers, not hubs.
"""

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from math import log

BEIJING = timezone(timedelta(hours=8))
OPENS, CLOSES = 8, 21  # local hours in which couriers collect and deliver
#: Qingming 2026: the weekend and the Monday. The weeks of the history had no holiday.
HOLIDAY = frozenset({date(2026, 4, 4), date(2026, 4, 5), date(2026, 4, 6)})
#: Shares of outlets that stay shut.
SHUT_ON_SUNDAY, SHUT_ON_HOLIDAY = 0.08, 0.2
HOLIDAY_SLOWER = 1.25  # hubs and trucks


@dataclass(frozen=True, slots=True)
class Gap:
    """Hours of log-normal median and width; `tail` of them wait a Pareto time of at least `tail_h` instead."""

    median_h: float
    sigma: float
    tail: float = 0.0
    tail_h: float = 16.0
    alpha: float = 2.4

    def draw_h(self, dice: random.Random, *, slower: float = 1.0) -> float:
        if dice.random() < self.tail:
            return self.tail_h * dice.paretovariate(self.alpha) * slower
        return dice.lognormvariate(log(self.median_h), self.sigma) * slower


FETCHED = Gap(4.0, 0.45)
SENT_ON = Gap(2.5, 0.6, tail=0.003)
TO_HUB = Gap(2.5, 0.5, tail=0.003)
AT_HUB = Gap(4.5, 0.7, tail=0.008)
TO_OUTLET = Gap(3.0, 0.6, tail=0.005)
AT_OUTLET = Gap(1.5, 0.6, tail=0.004)
AT_DOOR = Gap(2.5, 0.55)
IN_LOCKER = Gap(7.0, 0.8)
#: Relative to the hours the road takes.
ROAD = Gap(1.0, 0.24, tail=0.006, tail_h=2.2, alpha=2.6)

KM_PER_H, LOADING_H = 58.0, 2.0


def open_at(at: datetime, dice: random.Random, *, every_day: bool = False) -> datetime:
    """When a courier goes on: now, or some time in the next morning that finds his outlet open."""
    local = at.astimezone(BEIJING)
    if OPENS <= local.hour < CLOSES and (every_day or not _is_shut(local.date(), dice)):
        return at
    day = local.date() + timedelta(days=local.hour >= OPENS)
    while not every_day and _is_shut(day, dice):
        day += timedelta(days=1)
    morning = datetime(day.year, day.month, day.day, OPENS, tzinfo=BEIJING)
    return (morning + timedelta(minutes=dice.uniform(0, 150))).astimezone(at.tzinfo)


def _is_shut(day: date, dice: random.Random) -> bool:
    if day in HOLIDAY:
        return dice.random() < SHUT_ON_HOLIDAY
    return day.isoweekday() == 7 and dice.random() < SHUT_ON_SUNDAY


def slower_on(at: datetime) -> float:
    return HOLIDAY_SLOWER if at.astimezone(BEIJING).date() in HOLIDAY else 1.0
