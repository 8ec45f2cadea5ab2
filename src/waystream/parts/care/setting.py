"""A shop's working hours as people say them: checked at the door, saved, written to the audit.

Before they write, callers check `Caller.may`: `shop:write`.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import available_timezones

from waystream.core.errors import Invalid
from waystream.kernel.audit import Entry
from waystream.kernel.tx import Tx
from waystream.parts.care import store_hours
from waystream.parts.care.hours import DAY_MINUTES, DEFAULT, Hours, list_calendars

MINUTES_MAX = 60 * DAY_MINUTES
DAYS_MAX = 100
REOPEN_DAYS_MAX = 90

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)|(24):(00)")


@dataclass(frozen=True, slots=True)
class HoursIn:
    """As it was typed: times `09:00`, days `2026-10-01` with blanks or commas between, weekdays `1` (Monday) to `7`."""

    zone: str
    weekdays: Collection[str]
    opens: str
    closes: str
    calendar: str
    days_off: str
    days_on: str
    high_minutes: int
    normal_minutes: int
    low_minutes: int
    reopen_days: int


def parse_hours(told: HoursIn) -> Hours:
    """Raises `Invalid` naming the field."""
    opens, closes = _minutes("opens", told.opens), _minutes("closes", told.closes)
    if not opens < closes:
        raise Invalid("closes", "has to be later than the beginning")
    weekdays = frozenset(told.weekdays)
    if not weekdays or not weekdays <= set("1234567"):
        raise Invalid("weekdays", "choose at least one day")
    if told.zone not in available_timezones():
        raise Invalid("zone", "a time zone such as Asia/Shanghai")
    if told.calendar and told.calendar not in list_calendars():
        raise Invalid("calendar", "a country's code of two letters, such as CN")
    return Hours(
        zone=told.zone,
        weekdays=frozenset(int(day) for day in weekdays),
        opens=opens,
        closes=closes,
        calendar=told.calendar,
        days_off=_days("days_off", told.days_off),
        days_on=_days("days_on", told.days_on),
        high_minutes=_bounded("high_minutes", told.high_minutes, most=MINUTES_MAX),
        normal_minutes=_bounded("normal_minutes", told.normal_minutes, most=MINUTES_MAX),
        low_minutes=_bounded("low_minutes", told.low_minutes, most=MINUTES_MAX),
        reopen_days=_bounded("reopen_days", told.reopen_days, most=REOPEN_DAYS_MAX),
    )


def _minutes(path: str, text: str) -> int:
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        raise Invalid(path, "a time such as 09:00")
    hour, minute = found[1] or found[3], found[2] or found[4]
    return int(hour) * 60 + int(minute)


def _days(path: str, text: str) -> frozenset[date]:
    words = re.split(r"[\s,，、]+", text.strip()) if text.strip() else []
    if len(words) > DAYS_MAX:
        raise Invalid(path, f"at most {DAYS_MAX} days")
    try:
        return frozenset(datetime.strptime(word, "%Y-%m-%d").date() for word in words)  # noqa: DTZ007
    except ValueError:
        raise Invalid(path, "days such as 2026-10-01") from None


def _bounded(path: str, value: int, *, most: int) -> int:
    if not 1 <= value <= most:
        raise Invalid(path, f"a whole number, at most {most}")
    return value


def list_hours(tx: Tx, shop_ids: Collection[int]) -> dict[int, Hours]:
    """By shop; the defaults where it has set none."""
    return dict.fromkeys(shop_ids, DEFAULT) | store_hours.list_hours(tx.conn, shop_ids)


def set_hours(tx: Tx, shop_id: int, hours: Hours, *, actor: str) -> None:
    """From now on; what is open keeps the time it is due."""
    store_hours.save_hours(tx.conn, shop_id, hours, at=tx.now)
    tx.note(Entry(actor, "set_hours", f"shop:{shop_id}", shop_id))
