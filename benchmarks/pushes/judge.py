"""Whether what is stored is what was told: every scan once, every parcel where its story ends, every event once."""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.pushes.stock import Stock
from benchmarks.pushes.story import SCANS, Story
from waystream.app import App
from waystream.core.events import registry
from waystream.core.events.orders import OrderCompleted, OrderMoved
from waystream.core.events.tracking import TrackEvent
from waystream.doctor import check

_TRACKS = "SELECT track.parcel_id, track.state, track.kind FROM track"
_SCANS = (
    "SELECT parcel_id, count(DISTINCT (at, text)), count(*) FROM scan WHERE withdrawn_at IS NULL GROUP BY parcel_id"
)
_EVENTS_TWICE = """SELECT coalesce(sum(times - 1), 0) FROM (
                       SELECT count(*) AS times FROM event WHERE name = ANY (%s)
                       GROUP BY subject, name, body) AS told"""
#: What follows from a push itself. What clocks say of a parcel (it is asked for, stirs, catches up) may be said again.
_EFFECTS = [name for name, event in registry().items() if issubclass(event, TrackEvent | OrderMoved | OrderCompleted)]


@dataclass(frozen=True, slots=True)
class Verdict:
    wrong_states: int
    lost: int
    duplicated_effects: int
    invariants_broken: list[str]

    @property
    def good(self) -> bool:
        return not (self.wrong_states or self.lost or self.duplicated_effects or self.invariants_broken)


def judge(app: App, story: Story, stock: Stock, told: Mapping[int, int] | None = None) -> Verdict:
    """`told` is how many scans of each parcel were acknowledged; by default all of every parcel."""
    told = dict.fromkeys(range(story.parcels), SCANS) if told is None else told
    with app.machine.begin(read_only=True) as tx:
        tracks = {row[0]: row[1:3] for row in tx.conn.execute(_TRACKS)}
        scans = {parcel_id: (different, all_of) for parcel_id, different, all_of in tx.conn.execute(_SCANS)}
        twice = tx.conn.execute(_EVENTS_TWICE, [_EFFECTS]).fetchone()
        broken = [finding.name for finding in check(tx, app.invariants) if not finding.holds]
    assert twice is not None
    ended = [n for n, count in told.items() if count == SCANS]
    wrong = sum(tracks.get(stock.parcel_ids[n]) != story.end(n) for n in ended)
    lost = sum(max(0, count - scans.get(stock.parcel_ids[n], (0, 0))[0]) for n, count in told.items())
    stored_twice = sum(all_of - different for different, all_of in scans.values())
    return Verdict(wrong, lost, int(twice[0]) + stored_twice, broken)
