"""What befalls a parcel: its fate by its number, and the tracks its carrier's scans make of it, step by step. Pure.

Of a hundred parcels one is held before it left and one cancelled, one is no longer watched, one leaves unscanned, one's
delivery is retracted and one comes back; the others end as the story of the push benchmarks tells it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import IntEnum
from functools import lru_cache

from benchmarks.pushes.story import SCANS, STEP, Story
from waystream.core.events.tracking import TrackEvent, changes
from waystream.core.facts import Scan
from waystream.core.parcel import START, Track, advance
from waystream.integrations.kdniao.adapter import network


class Fate(IntEnum):
    """A parcel's number modulo a hundred; any other number is an ordinary parcel."""

    HELD = 0
    CANCELLED = 1
    UNWATCHED = 2
    UNSCANNED = 3
    RETRACTED = 7
    RETURNED = 8


STAYS = frozenset({Fate.HELD, Fate.CANCELLED})
_WAYS: Mapping[int, Sequence[str]] = {
    Fate.RETRACTED: ("1", "206", "204", "205", "202", "301", "202", "301"),
    Fate.RETURNED: ("1", "206", "204", "205", "202", "405", "404", "406"),
}


def fate_of(n: int) -> int:
    return n % 100


@lru_cache(maxsize=2_000)
def tracks(fate: int, start: datetime) -> Sequence[Track]:
    """Where a parcel of this fate is before its first scan and after each of the eight."""
    found = [START]
    told = _WAYS.get(fate)
    codes = told or [trace.code for trace in Story(100, start).way(fate)]
    for step, code in enumerate(codes):
        at = start + step * STEP
        scan = Scan(step + 1, network.name, at, code, at, network.meaning(code, ""))
        track = advance(found[-1], scans=[scan], claims=[])
        assert track is not None, "a history that only grows"
        found.append(track)
    assert len(found) == SCANS + 1
    return found


def news(fate: int, step: int, start: datetime, *, shop_id: int, parcel_id: int) -> list[TrackEvent]:
    """The events a push with this step's scan causes."""
    before, after = tracks(fate, start)[step : step + 2]
    return changes(before, after, shop_id=shop_id, parcel_id=parcel_id)


def started(now: datetime) -> datetime:
    """So long ago that all of it has happened by now."""
    return now - SCANS * STEP - timedelta(hours=1)
