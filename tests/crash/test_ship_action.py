"""The ship action under kill -9 at twenty points, a dying carrier network, and a dying database.

Whatever is killed, afterwards: no parcel has two live numbers, no label belongs to a dead one, and every number the
network gave out is bound, cancelled, or listed for a person.
"""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.crash import story
from tests.crash.network import Network, running_network
from tests.crash.verdict import find_adrift, find_broken
from waystream.app import App, build
from waystream.settings import load

KILLED = -signal.SIGKILL
ROUNDS = 20
ORDERS_A_ROUND = 2


def run_victim(
    folder: Path, network: Network, *, kill_at: int = 0, trouble: str = "", orders: int = ORDERS_A_ROUND
) -> int:
    """One life of a Waystream; how many points it passed, or the signal that ended it (negative)."""
    command = [
        sys.executable, "-m", "tests.crash.victim", str(folder), "--network", network.url, "--kill-at", str(kill_at),
        "--orders", str(orders), "--trouble", trouble,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    if done.returncode == KILLED:
        return KILLED
    assert done.returncode == 0, done.stderr[-3000:]
    return int(done.stdout.split()[-1])


def judge(app: App, network: Network) -> None:
    """What must be true after any of it."""
    with app.machine.begin(read_only=True) as tx:
        assert find_adrift(tx, network) == ()
        assert find_broken(tx, app) == ()


@pytest.fixture
def network(tmp_path: Path):  # type: ignore[no-untyped-def]
    with running_network(tmp_path / "network") as running:
        yield running


def judged(folder: Path, network: Network) -> dict[str, int]:
    """Let what is left finish, judge it, and say how many parcels stand in which stage."""
    with build(load(data_folder=folder / "data", lease_s=3.0)) as app:
        story.wait_until_quiet(app)
        judge(app, network)
        with app.machine.begin(read_only=True) as tx:
            return dict(tx.conn.execute("SELECT stage, count(*) FROM parcel GROUP BY 1").fetchall())


@pytest.mark.timeout(600)
def test_killed_at_twenty_points_of_the_ship_action(tmp_path: Path, network: Network) -> None:
    points = run_victim(tmp_path, network)
    assert points >= ROUNDS
    killed = 0
    for n in range(ROUNDS):
        killed += run_victim(tmp_path, network, kill_at=1 + n * (points - 1) // ROUNDS) == KILLED
    assert killed >= ROUNDS - 2, "points shift a little between runs; nearly every run has to die"
    stages = judged(tmp_path, network)
    assert stages["dispatched"] >= ORDERS_A_ROUND
    assert set(stages) <= {"dispatched", "issued"}, "a label whose printing died again and again is left to a person"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("trouble", ["cancel", "address"])
def test_killed_while_the_shop_changes_its_mind(tmp_path: Path, network: Network, trouble: str) -> None:
    points = run_victim(tmp_path, network, trouble=trouble)
    for n in range(5):
        run_victim(tmp_path, network, kill_at=1 + n * points // 5, trouble=trouble)
    stages = judged(tmp_path, network)
    assert set(stages) <= {"dispatched", "voided"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("moment", ["die_before", "die_during", "die_after"])
def test_the_network_dies_around_an_allocation(tmp_path: Path, network: Network, moment: str) -> None:
    network.set_faults(**{moment: 1.0})
    run_victim(tmp_path, network, orders=4)
    network.set_faults(**{moment: 0.0})
    assert network.deaths, "the fault has to strike"
    assert judged(tmp_path, network) == {"dispatched": 4}


@pytest.mark.timeout(300)
def test_the_database_is_killed_in_the_middle(tmp_path: Path, network: Network) -> None:
    with build(load(data_folder=tmp_path / "data", lease_s=3.0)) as app:
        app.machine.run(lambda tx: story.set_up(tx, network_url=network.url, labels=tmp_path / "labels"))
        story.ship_orders(app, 20, trouble="")
        pid = int((tmp_path / "data" / "postgres" / "postmaster.pid").read_text().split()[0])
        threading.Timer(0.3, os.kill, (pid, signal.SIGKILL)).start()
        story.wait_until_quiet(app)
        judge(app, network)
        with app.machine.begin(read_only=True) as tx:
            assert tx.conn.execute("SELECT stage, count(*) FROM parcel GROUP BY 1").fetchall() == [("dispatched", 20)]
