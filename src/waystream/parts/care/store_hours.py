"""SQL of a shop's working hours and of the time it gives its people."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from psycopg import Connection

from waystream.kernel.columns import bigints
from waystream.parts.care.hours import Hours

Conn = Connection[Any]


def list_hours(conn: Conn, shop_ids: Collection[int]) -> dict[int, Hours]:
    """Of the shops that have set some."""
    rows = conn.execute(
        """SELECT shop_id, zone, weekdays, opens, closes, calendar, days_off, days_on, high_minutes, normal_minutes,
                  low_minutes, reopen_days
           FROM care_hours WHERE shop_id = ANY (%b::bigint[])""",
        [bigints(list(shop_ids))],
    )
    return {row[0]: _hours(*row[1:]) for row in rows}


def _hours(zone: str, weekdays: str, opens: int, closes: int, calendar: str, *rest: Any) -> Hours:
    days_off, days_on, high, normal, low, reopen_days = rest
    return Hours(
        zone=zone,
        weekdays=frozenset(int(day) for day in weekdays),
        opens=opens,
        closes=closes,
        calendar=calendar,
        days_off=frozenset(days_off),
        days_on=frozenset(days_on),
        high_minutes=high,
        normal_minutes=normal,
        low_minutes=low,
        reopen_days=reopen_days,
    )


def save_hours(conn: Conn, shop_id: int, hours: Hours, *, at: datetime) -> None:
    conn.execute(
        """INSERT INTO care_hours (shop_id, zone, weekdays, opens, closes, calendar, days_off, days_on, high_minutes,
                                   normal_minutes, low_minutes, reopen_days, changed_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
           ON CONFLICT (shop_id) DO UPDATE SET zone = EXCLUDED.zone, weekdays = EXCLUDED.weekdays,
               opens = EXCLUDED.opens, closes = EXCLUDED.closes, calendar = EXCLUDED.calendar,
               days_off = EXCLUDED.days_off, days_on = EXCLUDED.days_on, high_minutes = EXCLUDED.high_minutes,
               normal_minutes = EXCLUDED.normal_minutes, low_minutes = EXCLUDED.low_minutes,
               reopen_days = EXCLUDED.reopen_days, changed_at = EXCLUDED.changed_at""",
        [
            shop_id,
            hours.zone,
            "".join(str(day) for day in sorted(hours.weekdays)),
            hours.opens,
            hours.closes,
            hours.calendar,
            sorted(hours.days_off),
            sorted(hours.days_on),
            hours.high_minutes,
            hours.normal_minutes,
            hours.low_minutes,
            hours.reopen_days,
            at,
        ],
    )
