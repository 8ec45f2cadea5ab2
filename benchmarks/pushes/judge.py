"""Whether what is stored is what was told: every scan once, every parcel where its story ends, every event once."""

from dataclasses import dataclass

from benchmarks.pushes.stock import Stock
from benchmarks.pushes.story import SCANS, Story
from waystream.app import App
from waystream.doctor import check

_TRACKS = "SELECT track.parcel_id, track.state, track.kind FROM track"
_SCANS = (
    "SELECT parcel_id, count(DISTINCT (at, text)), count(*) FROM scan WHERE withdrawn_at IS NULL GROUP BY parcel_id"
)
_EVENTS_TWICE = """SELECT coalesce(sum(times - 1), 0) FROM (
                       SELECT count(*) AS times FROM event GROUP BY subject, name, body) AS told"""


@dataclass(frozen=True, slots=True)
class Verdict:
    wrong_states: int
    lost: int
    duplicated_effects: int
    invariants_broken: list[str]

    @property
    def good(self) -> bool:
        return not (self.wrong_states or self.lost or self.duplicated_effects or self.invariants_broken)


def judge(app: App, story: Story, stock: Stock) -> Verdict:
    with app.machine.begin(read_only=True) as tx:
        tracks = {row[0]: row[1:3] for row in tx.conn.execute(_TRACKS)}
        scans = {parcel_id: (told, stored) for parcel_id, told, stored in tx.conn.execute(_SCANS)}
        twice = tx.conn.execute(_EVENTS_TWICE).fetchone()
        broken = [finding.name for finding in check(tx, app.invariants) if not finding.holds]
    assert twice is not None
    wrong = sum(tracks.get(parcel_id) != story.end(n) for n, parcel_id in enumerate(stock.parcel_ids))
    lost = sum(SCANS - scans.get(parcel_id, (0, 0))[0] for parcel_id in stock.parcel_ids)
    stored_twice = sum(stored - told for told, stored in scans.values())
    return Verdict(wrong, lost, int(twice[0]) + stored_twice, broken)
