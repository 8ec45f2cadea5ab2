"""`benchmarks.push_to_order` at its smallest: every watched word was read, and every figure there."""

import json
import subprocess
import sys


def test_push_to_order() -> None:
    small = ("--seconds", "3", "--parcels", "2400", "--lead", "7000", "--rate", "60")
    run = subprocess.run([sys.executable, "-m", "benchmarks.push_to_order", "--json", *small], stdout=subprocess.PIPE,
                         check=False, text=True, timeout=240)  # fmt: skip
    told = json.loads(run.stdout.splitlines()[-1])
    assert 0 < told["p50_ms"] <= told["p99_ms"] <= told["longest_ms"]
    assert (told["never"], told["unacknowledged"], told["rate_per_s"]) == (0, 0, 60)
    assert told["watched"] >= 10
    assert told["ack_p50_ms"] < told["p50_ms"]
    assert run.returncode == 0
