"""A carrier is quiet when it has parcels on the way and is silent for longer than it usually is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.tx import Work
from waystream.kernel.vault import Keys
from waystream.parts.hub import hearing
from waystream.parts.hub.hearing import Hearing

START = datetime(2026, 11, 1, 1, 0, tzinfo=UTC)


@pytest.fixture
def hear(database: Database, keys: Keys) -> Callable[..., None]:
    """These carriers push at this moment, through the only aggregator there is."""
    with database.tx() as conn:
        conn.execute(
            """INSERT INTO aggregator (code, integration, merchant_id, base_url, key_sealed, created_at)
               VALUES ('main', 'kdniao', '1', 'https://x.example', '', %s)""",
            [START],
        )
        row = conn.execute("SELECT id FROM aggregator").fetchone()
    assert row is not None

    def push(at: datetime, *carriers: str) -> None:
        Work(database, FixedClock(at), keys).run(lambda tx: hearing.note(tx, {(row[0], each): 2 for each in carriers}))

    return push


def found_at(database: Database, keys: Keys, at: datetime) -> dict[str, Hearing]:
    with Work(database, FixedClock(at), keys).begin(read_only=True) as tx:
        return {each.carrier: each for each in hearing.list_hearing(tx)}


def test_the_usual_silence_is_the_median_of_the_longest_gaps(
    hear: Callable[..., None], database: Database, keys: Keys
) -> None:
    for day in range(5):
        for hour in (0, 4, 5, 10):
            hear(START + timedelta(days=day, hours=hour), "SF")
    hear(START + timedelta(days=4), "ZTO")
    heard = found_at(database, keys, START + timedelta(days=4, hours=11))
    # From 11:00 to 1:00 the next day are 14 hours; on the first day 5 are the longest.
    assert (heard["SF"].usual_s, heard["SF"].days, heard["SF"].last_at) == (14 * 3600, 4, START + timedelta(4, 36_000))
    assert (heard["ZTO"].usual_s, heard["ZTO"].days) == (None, 0)
    with database.tx() as conn:
        [(pushes,)] = conn.execute(
            "SELECT pushes FROM carrier_heard WHERE carrier = 'SF' ORDER BY day LIMIT 1"
        ).fetchall()
    assert pushes == 8


def test_hearing_at_the_same_time_is_one_row_and_no_gap(
    hear: Callable[..., None], database: Database, keys: Keys
) -> None:
    hear(START, "SF", "ZTO")
    hear(START, "ZTO", "SF")
    hear(START - timedelta(seconds=5), "SF")
    with database.tx() as conn:
        found = conn.execute("SELECT pushes, last_at, longest_gap_s FROM carrier_heard WHERE carrier = 'SF'").fetchall()
    assert found == [(6, START, 0.0)]


SILENT = Hearing("main", "SF", START, usual_s=7200.0, days=5, moving=3)


@pytest.mark.parametrize(
    ("heard", "hours", "quiet"),
    [
        (SILENT, 2.9, False),
        (SILENT, 3.1, True),
        (replace(SILENT, moving=0), 100, False),
        (replace(SILENT, usual_s=1.0), 0.49, False),
        (replace(SILENT, usual_s=1.0), 0.51, True),
        (replace(SILENT, days=2), 23, False),
        (replace(SILENT, usual_s=None, days=0), 25, True),
    ],
)
def test_who_is_quiet(heard: Hearing, hours: float, quiet: bool) -> None:
    assert heard.is_quiet(START + timedelta(hours=hours)) is quiet


def test_old_days_are_forgotten(hear: Callable[..., None], database: Database, keys: Keys) -> None:
    hear(START, "SF")
    hear(START + timedelta(days=100), "SF")
    assert Work(database, FixedClock(START + timedelta(days=100)), keys).run(hearing.forget) == 1
