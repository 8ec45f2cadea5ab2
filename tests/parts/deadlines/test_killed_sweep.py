"""The process of the sweep is killed before its commit, or just after: every miss is told, and once."""

import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from tests.engine import Engine
from tests.parts.deadlines.given import accept, fire, rows, said
from tests.parts.world import World
from waystream.kernel.clock import FixedClock

PAID = "2026-11-12T14:32:00+08:00"
SWEEP = """
import os, signal, sys
from datetime import datetime
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.tx import Work
from waystream.kernel.vault import Keys, Vault
from waystream.parts.deadlines import actions

url, now, when = sys.argv[1:]
database = Database(url, role="victim")
database.open()
work = Work(database, FixedClock(datetime.fromisoformat(now)), Keys(Vault(bytes(32))))
with work.begin() as tx:
    actions.fire_due(tx)
    if when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_sweep_loses_and_repeats_nothing(world: World, clock: FixedClock, engine: Engine, when: str) -> None:
    ids = [accept(world, f"A{n}", paid_at=PAID) for n in range(10)]
    clock.advance(timedelta(hours=100))
    command = [sys.executable, "-c", SWEEP, engine.postgres.machine_url, clock.now().isoformat(), when]
    assert subprocess.run(command, timeout=60).returncode == -signal.SIGKILL

    assert len(said(world)) == (0 if when == "before" else 10)
    fire(world)
    assert sorted(said(world)) == sorted(("ShipByMissed", f"order:{order_id}") for order_id in ids)
    assert fire(world) == 0
    assert rows(world) == [("ship_by", "missed")] * 10
