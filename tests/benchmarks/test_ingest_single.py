"""`benchmarks.ingest_single` at its smallest: nothing lost, doubled or wrong, and every figure there."""

import json
import subprocess
import sys
from datetime import UTC, datetime

from benchmarks.pushes.story import BELT_LEAD, SCANS, Story
from waystream.core.ports import Aggregator
from waystream.integrations.kdniao.adapter import network

KEYS = {"pushes_per_s", "cpu_ms_per_push", "http_floor_per_s", "ratio", "ack_p99_ms"}


def test_on_the_belt_each_push_tells_one_more_scan_of_one_parcel() -> None:
    story = Story(2_000, datetime(2026, 11, 1, tzinfo=UTC))
    known = dict.fromkeys(range(story.parcels), 0)
    for n, step in story.belt():
        assert step == known[n]
        known[n] += 1
    evenly = [step for _, step in story.belt()][BELT_LEAD:]
    assert evenly == list(range(SCANS)) * (len(evenly) // SCANS)


def test_a_single_push_is_signed_and_tells_the_whole_history_so_far() -> None:
    story = Story(600, datetime(2026, 11, 1, tzinfo=UTC))
    aggregator = Aggregator("1237100", "key", "")
    for single in story.singles("key"):
        push = network.open_push(aggregator, single.body)
        assert push is not None
        (told,) = push.told
        assert told.number == story.number(single.n)
        assert len(told.traces) == single.traces == single.step + 1


def test_ingest_single() -> None:
    small = ("--seconds", "2", "--parcels", "1200", "--lead", "50")
    run = subprocess.run([sys.executable, "-m", "benchmarks.ingest_single", "--json", *small], stdout=subprocess.PIPE,
                         check=False, text=True, timeout=240)  # fmt: skip
    told = json.loads(run.stdout.splitlines()[-1])
    assert told.keys() >= KEYS
    assert (told["wrong_states"], told["lost"], told["duplicated_effects"], told["unacknowledged"]) == (0, 0, 0, 0)
    assert told["invariants_broken"] == []
    assert min(told[key] for key in KEYS) > 0
    assert run.returncode == 0
