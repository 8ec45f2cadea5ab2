"""Which parcels' scans lie in which partition: one for each month in which parcels were made. Pure.

A parcel's id begins with the time it was made, so a partition holds whole parcels and ends with them: once all of them
are closed it may be detached. Partitions by the time of the scan would cut living parcels.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from waystream.kernel.ids import EPOCH_MS, LOW_BITS

MONTHS_AHEAD = 3
_NAME = re.compile(r"scan_(\d{4})_(\d{2})")


@dataclass(frozen=True, slots=True)
class Partition:
    """The scans of the parcels with `first` <= id < `past`."""

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


def _after(year: int, month: int) -> tuple[int, int]:
    return (year, month + 1) if month < 12 else (year + 1, 1)


def first_id(at: datetime) -> int:
    """The smallest id that could be minted at an instant or later."""
    return (int(at.timestamp() * 1000) - EPOCH_MS) << LOW_BITS
