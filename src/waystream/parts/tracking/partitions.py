"""Which rows lie in which partition: scans by the month their parcel was made in, kept pushes by their day. Pure.

A parcel's id begins with the time it was made, so a partition holds whole parcels and ends with them: once all of them
are closed it may be detached. Partitions by the time of the scan would cut living parcels.
A push's id begins with the time it came, so a day of them is forgotten by dropping its partition.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from waystream.kernel.ids import first_id

MONTHS_AHEAD = 3
DAYS_AHEAD = 7
_NAME = re.compile(r"scan_(\d{4})_(\d{2})")
_DAY_NAME = re.compile(r"inbox_(\d{4})_(\d{2})_(\d{2})")


@dataclass(frozen=True, slots=True)
class Partition:
    """The rows with `first` <= id < `past`: of a parcel its scans, or a kept push."""

    name: str
    first: int
    past: int

    def holds(self, parcel_id: int) -> bool:
        return self.first <= parcel_id < self.past


def partition_of(year: int, month: int) -> Partition:
    """The partition of a month of UTC."""
    first, past = (first_id(datetime(*start, 1, tzinfo=UTC)) for start in ((year, month), _after(year, month)))
    return Partition(f"scan_{year:04d}_{month:02d}", first, past)


def list_ahead(now: datetime) -> list[Partition]:
    """This month's partition and those of the months to come that have to be there by now."""
    month = (now.year, now.month)
    partitions = []
    for _ in range(MONTHS_AHEAD + 1):
        partitions.append(partition_of(*month))
        month = _after(*month)
    return partitions


def find_partition(name: str) -> Partition | None:
    """The partition of this name; None for a table that is not a month's."""
    found = _NAME.fullmatch(name)
    return partition_of(int(found[1]), int(found[2])) if found else None


def day_of(at: datetime) -> Partition:
    """The partition of the pushes of an instant's day of UTC."""
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Partition(f"inbox_{day:%Y_%m_%d}", first_id(day), first_id(day + timedelta(days=1)))


def list_days_ahead(now: datetime) -> list[Partition]:
    """Today's partition of pushes and those of the days to come that have to be there by now."""
    return [day_of(now + timedelta(days=ahead)) for ahead in range(DAYS_AHEAD + 1)]


def find_day(name: str) -> Partition | None:
    """The day's partition of this name; None for a table that is not a day's."""
    found = _DAY_NAME.fullmatch(name)
    return day_of(datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=UTC)) if found else None


def _after(year: int, month: int) -> tuple[int, int]:
    return (year, month + 1) if month < 12 else (year + 1, 1)
