"""`benchmarks.ingest_growth` at its smallest: both sides are measured, the large one beside what was copied."""

import json
import subprocess
import sys


def test_ingest_growth() -> None:
    small = ("--parcels", "60", "--lead", "20", "--stored", "8000")
    run = subprocess.run([sys.executable, "-m", "benchmarks.ingest_growth", "--json", *small], stdout=subprocess.PIPE,
                         check=False, text=True, timeout=240)  # fmt: skip
    told = json.loads(run.stdout.splitlines()[-1])
    assert told["cost_ratio"] > 0
    assert (told["small_stored"], told["unacknowledged"]) == ((20 + 60) * 8, 0)
    # The parcels that warm up and those of both measurements so far, seven times as many copies of them.
    assert told["large_stored"] == (20 + 2 * 60) * 8 * 8
    assert min(told["small_cost_us"], told["large_cost_us"], told["load_s"]) > 0
    assert run.returncode == 0
