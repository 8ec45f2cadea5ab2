"""Roles over several processes: under one command, or started by hand on one data folder. All real processes."""

import contextlib
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_commands import COMMAND, no_process_in, port, run  # noqa: F401
from tests.integrations.ipp.real_printer import free_port
from tests.kernel.machine import eventually

UP = [*COMMAND, "up"]
PUSH = "/push/kdniao/nobody"


@contextlib.contextmanager
def up(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """`waystream up`, once it says that it is; ended by SIGTERM unless it has ended."""
    process = subprocess.Popen([*UP, *arguments], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    with process:
        try:
            while "is up" not in (line := process.stderr.readline()):
                assert line, "waystream did not come up"
            yield process
        finally:
            process.terminate()
            process.wait(60)
        assert "Fatal" not in process.stderr.read(), "a child did not end cleanly"


def status(at: int, path: str, *, push: bool = False) -> int:
    """What it answers; 0 where nobody does."""
    request = urllib.request.Request(f"http://127.0.0.1:{at}{path}", data=b"x" if push else None)
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def children_of(process: "subprocess.Popen[str]") -> dict[int, str]:
    """Its Waystream children by process id, each with its roles."""
    roles = {}
    for thread in Path(f"/proc/{process.pid}/task").iterdir():
        for pid in (thread / "children").read_text().split():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):  # it ends just now
                if b"--listen-fd" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    environment = Path(f"/proc/{pid}/environ").read_bytes().decode()
                    roles[int(pid)] = re.findall(r"WAYSTREAM_ROLES=([a-z,]+)", environment)[0]
    return roles


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.timeout(240)
def test_a_process_that_dies_is_started_again_and_the_stop_reaches_all(tmp_path: Path, port: int) -> None:  # noqa: F811
    with up("--data", str(tmp_path / "data"), "--port", str(port), "--push-processes", "2") as supervisor:
        assert sorted(children_of(supervisor).values()) == ["apply,push", "apply,push", "jobs,loader,rules,web"]
        assert (status(port, "/sign-in"), status(port, PUSH, push=True)) == (200, 404)
        assert (status(port + 1, "/sign-in"), status(port + 1, "/readyz")) == (404, 200)
        for pid in children_of(supervisor):
            os.kill(pid, signal.SIGKILL)
            eventually(lambda pid=pid: pid not in (there := children_of(supervisor)) and len(there) == 3, within_s=30)
        assert (status(port, "/readyz"), status(port + 1, "/readyz")) == (200, 200)
    assert no_process_in(tmp_path)


@pytest.mark.timeout(120)
def test_children_end_when_the_supervisor_is_killed(tmp_path: Path, port: int) -> None:  # noqa: F811
    with up("--data", str(tmp_path / "data"), "--port", str(port), "--push-processes", "1") as supervisor:
        children = children_of(supervisor)
        supervisor.kill()
        eventually(lambda: not any(map(alive, children)) and no_process_in(tmp_path / "data" / "postgres"), within_s=60)
    assert status(port, "/readyz") == 0


@pytest.mark.timeout(120)
def test_a_part_of_the_roles_joins_a_running_database(tmp_path: Path) -> None:
    data, pages, pushes = str(tmp_path / "data"), free_port(), free_port()
    with (
        up("--data", data, "--port", str(pages), "--roles", "web,rules,jobs"),
        up("--data", data, "--port", str(pushes), "--roles", "push"),
    ):
        assert (status(pages, "/sign-in"), status(pages, PUSH, push=True)) == (200, 404)
        assert (status(pushes, "/sign-in"), status(pushes, "/metrics")) == (404, 200)
    assert no_process_in(tmp_path)


def test_unknown_roles_are_a_sentence(tmp_path: Path) -> None:
    told = run("up", "--data", str(tmp_path / "data"), "--roles", "push,printing")
    assert told.returncode == 1
    assert "printing" in told.stderr and "rules" in told.stderr and "Traceback" not in told.stderr
    told = run("up", "--data", str(tmp_path / "data"), "--roles", "push", "--push-processes", "2")
    assert (told.returncode, "leave roles out" in told.stderr) == (1, True)
