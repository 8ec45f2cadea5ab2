"""`benchmarks.ingest` in its quick form: nothing lost, doubled or wrong, and every figure there."""

import json
import subprocess
import sys
from datetime import UTC, datetime

from benchmarks.pushes.story import SCANS, WAYBILLS_A_PUSH, Story
from waystream.core.ports import Aggregator
from waystream.integrations.kdniao.adapter import network

KEYS = {
    "new_scans_per_s", "traces_per_s", "copy_floor_rows_per_s", "ratio", "cpu_us_per_scan", "ack_p50_ms", "ack_p99_ms",
    "wrong_states", "lost", "duplicated_effects", "peak_rss_mb",
}  # fmt: skip


def test_the_story_is_told_whole_shuffled_and_partly_twice() -> None:
    story = Story(40, datetime(2026, 11, 1, tzinfo=UTC))
    bodies = [push.body for push in story.pushes("key")]
    aggregator = Aggregator("1237100", "key", "")
    pushes = [push for body in bodies if (push := network.open_push(aggregator, body))]
    assert len(pushes) == len(bodies) == 17
    assert len(set(bodies)) == 16
    assert {len(push.told) for push in pushes} == {WAYBILLS_A_PUSH}
    assert [push.pushed_at for push in pushes] != sorted(push.pushed_at for push in pushes)
    whole = {told.number for push in pushes for told in push.told if len(told.traces) == SCANS}
    assert len(whole) == 40
    traces = [sum(len(told.traces) for told in push.told) for push in pushes]
    assert [push.traces for push in story.pushes("key")] == traces


def test_ingest() -> None:
    run = subprocess.run([sys.executable, "-m", "benchmarks.ingest", "--json", "--quick"], stdout=subprocess.PIPE,
                         check=False, text=True, timeout=240)  # fmt: skip
    told = json.loads(run.stdout.splitlines()[-1])
    assert told.keys() >= KEYS
    assert (told["wrong_states"], told["lost"], told["duplicated_effects"], told["unacknowledged"]) == (0, 0, 0, 0)
    assert told["invariants_broken"] == []
    assert run.returncode == 0
