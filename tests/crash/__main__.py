"""`make crash`: rounds of `kill -9` under load; the last line of standard output is one JSON object.

Ends with 0 when nothing was lost, doubled or broken. `--seed N --rounds 1` plays one round again.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.crash.rounds import Outcome, play, tell
from tests.crash.site import LAYOUTS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--layout", choices=list(LAYOUTS), default="split")
    given = parser.parse_args()
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="waystream-crash-", ignore_cleanup_errors=True) as folder:
        outcome = play(Path(folder), seed=given.seed, rounds=given.rounds, layout=given.layout, say=tell)
    print(as_json(outcome, seed=given.seed, seconds=time.monotonic() - began_s))
    return 0 if outcome.verdict is not None and outcome.verdict.good else 1


def as_json(outcome: Outcome, *, seed: int, seconds: float) -> str:
    found = outcome.verdict
    assert found is not None
    return json.dumps({
        "rounds": outcome.rounds, "seed": seed, "kills": dict(outcome.kills), "acknowledged": outcome.acknowledged,
        "repeated": outcome.repeated, "refused": outcome.refused, "applied": found.applied, "lost": len(found.lost),
        "duplicated": len(found.duplicated), "wrong_states": len(found.wrong_states),
        "invariants_broken": list(found.broken), "seconds": round(seconds),
    })  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
