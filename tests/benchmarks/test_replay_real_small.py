"""The replay of real orders, with sixty of them: the same programs, the same judge, in seconds.

Where the data is absent the program has to say so; that is a test of its own wherever the tests run.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.replay_real import DATA

ROOT = Path(__file__).resolve().parents[2]
ORDERS = 60


def replay(data: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.replay_real", "--json", "--orders", str(ORDERS)],
        cwd=ROOT, env=os.environ | {"WAYSTREAM_DATA": str(data)}, capture_output=True, text=True, timeout=240,
        check=False,
    )  # fmt: skip


def assert_says_what_is_missing(done: "subprocess.CompletedProcess[str]") -> None:
    assert done.returncode == 2
    assert done.stdout == ""
    assert "WAYSTREAM_DATA" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.timeout(270)
def test_real_orders_end_as_they_really_did() -> None:
    data = Path(os.environ.get("WAYSTREAM_DATA") or DATA)
    done = replay(data)
    if not (data / "olist").is_dir():
        assert_says_what_is_missing(done)
        return
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["orders"] == ORDERS
    assert told["parcels"] > ORDERS, "orders of several sellers travel in several parcels"
    assert 0 < told["completed"] == told["completed_expected"] < ORDERS
    assert told["mismatches"] == told["unbound"] == told["pushes_failed"] == 0
    assert told["live_numbers_per_parcel_max"] == 1
    assert told["invariants_broken"] == []


def test_without_the_data_it_says_so(tmp_path: Path) -> None:
    assert_says_what_is_missing(replay(tmp_path))
