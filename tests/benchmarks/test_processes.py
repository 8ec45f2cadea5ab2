"""What a benchmark starts ends with it, even when it is killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_commands import no_process_in
from tests.kernel.machine import eventually

REPLAY = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from benchmarks.replay.processes import new_site, running_network, running_waystream
site = new_site(Path(sys.argv[1]))
with running_network(site, at=datetime.now(UTC)), running_waystream(site):
    print("up", flush=True)
    time.sleep(600)
"""
PUSHES = """
import sys, time
from pathlib import Path
from benchmarks.pushes.processes import running_server
from benchmarks.replay.processes import new_site
with running_server(new_site(Path(sys.argv[1]))):
    print("up", flush=True)
    time.sleep(600)
"""


@pytest.mark.timeout(180)
@pytest.mark.parametrize("parent", [REPLAY, PUSHES], ids=["replay", "pushes"])
def test_children_end_with_a_killed_parent(tmp_path: Path, parent: str) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    command = [sys.executable, "-c", parent, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        assert not no_process_in(folder)
        process.kill()
        process.wait()
        eventually(lambda: no_process_in(folder), within_s=60)
