"""What the tally keeps: what stands for ever, what passed for as long as somebody compares with it."""

from datetime import datetime, timedelta

#: The overview compares today with yesterday, in any zone.
PASSED_KEPT = timedelta(days=3)


def forgotten_before(now: datetime) -> datetime:
    return now - PASSED_KEPT
