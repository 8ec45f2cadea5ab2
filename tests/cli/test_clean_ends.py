"""Every program ends as quietly on SIGTERM as on Ctrl-C: nothing accepted is lost, nothing is said, nothing is left."""

import contextlib
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from tests.cli.test_commands import COMMAND, no_process_in, port  # noqa: F401
from tests.cli.test_processes import status
from tests.crash import story
from tests.crash.test_pushes import push_to, seal
from tests.integrations.ipp.real_printer import free_port
from tests.kernel.machine import eventually
from waystream.app import build
from waystream.parts.people import credentials, store
from waystream.parts.people.actions import ensure_owner
from waystream.settings import load
from waystream.web.auth import SESSION_COOKIE

#: What uvicorn says of callers that never finish; they are named, not traced.
CUT_OFF = "timeout graceful shutdown exceeded"
ENDS = [signal.SIGINT, signal.SIGTERM]
END_LIMIT_S = 60
#: A signal that comes before a program has said how it wants to end just ends it.
EARLY = {0, 130, -signal.SIGTERM, -signal.SIGINT}


def start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def listens(at: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", at)) == 0


def sandbox(folder: Path, at: int) -> "subprocess.Popen[str]":
    return start("sandbox", "--push-url", "http://127.0.0.1:9/push", "--port", str(at), "--data", str(folder))


@pytest.mark.parametrize("end", ENDS)
def test_the_sandbox_ends_quietly(tmp_path: Path, end: signal.Signals) -> None:
    at = free_port()
    with sandbox(tmp_path, at) as process:
        eventually(lambda: listens(at), within_s=60)
        with socket.create_connection(("127.0.0.1", at)) as caller:
            caller.sendall(b"POST /api/EOrderService HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
            process.send_signal(end)
            said, _ = process.communicate(timeout=END_LIMIT_S)
    assert process.returncode == 0
    assert [line for line in said.splitlines() if CUT_OFF not in line] == []


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("after_s", [0.1, 0.4, 0.8, 1.6])
def test_the_sandbox_ends_quietly_at_its_start(tmp_path: Path, end: signal.Signals, after_s: float) -> None:
    with sandbox(tmp_path, free_port()) as process:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(after_s)
        process.send_signal(end)
        said, _ = process.communicate(timeout=END_LIMIT_S)
    assert process.returncode in EARLY
    assert "Traceback" not in said


class Life:
    """`waystream up` on a folder, with an account for pushes and somebody who watches a page."""

    def __init__(self, folder: Path, at: int) -> None:
        self.settings = load(data_folder=folder / "data", port=at)
        self.at = at
        with build(self.settings) as app, app.machine.begin() as tx:
            story.set_up(tx, network_url="http://127.0.0.1:9", labels=folder / "labels")
            owner = ensure_owner(tx)
            assert owner is not None
            self._token = credentials.new_token()
            token_hash = credentials.hash_token(self._token)
            store.insert_session(tx.conn, token_hash=token_hash, staff_id=owner.staff.id, lives_s=600)
            tx.conn.execute("UPDATE staff SET must_change = false")

    def watch(self) -> socket.socket:
        """An open stream of events, after its first word."""
        stream = socket.create_connection(("127.0.0.1", self.at), timeout=END_LIMIT_S)
        cookie = f"Cookie: {SESSION_COOKIE}={self._token}"
        head = ("GET /live?keys=overview HTTP/1.1", "Host: 127.0.0.1", cookie, "", "")
        stream.sendall("\r\n".join(head).encode())
        heard = b""
        while b"event: hello" not in heard:
            more = stream.recv(4096)
            assert more, heard
            heard += more
        return stream

    def list_kept(self) -> int:
        with build(self.settings) as app, app.machine.begin() as tx:
            return int(tx.conn.execute("SELECT count(*) FROM inbox").fetchone()[0])

    @property
    def engine_said(self) -> str:
        """What PostgreSQL wrote of its newest life."""
        logs = sorted((self.settings.data_folder / "postgres" / "log").glob("*"), key=lambda file: file.stat().st_mtime)
        return logs[-1].read_text(errors="replace")


@pytest.mark.timeout(240)
@pytest.mark.parametrize("end", ENDS)
def test_waystream_ends_quietly_under_pushes_and_streams(
    tmp_path: Path,
    port: int,  # noqa: F811
    end: signal.Signals,
) -> None:
    life, accepted, counting = Life(tmp_path, port), [0], threading.Lock()
    process = start("up", "--data", str(life.settings.data_folder), "--port", str(port))
    with process:
        eventually(lambda: status(port, "/readyz") == 200, within_s=90)

        def send(who: int) -> None:
            for n in range(10_000):
                if push_to(port, seal(f"end {who}", n)) != 200:
                    return
                with counting:
                    accepted[0] += 1

        senders = [threading.Thread(target=send, args=[who]) for who in range(4)]
        with life.watch() as stream, socket.create_connection(("127.0.0.1", port)) as half:
            half.sendall(b"POST /push/kdniao/crash HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
            for sender in senders:
                sender.start()
            eventually(lambda: accepted[0] > 50, within_s=60)
            process.send_signal(end)
            while stream.recv(4096):
                pass
        said, _ = process.communicate(timeout=END_LIMIT_S)
        for sender in senders:
            sender.join()
    assert process.returncode in (0, 130)
    loud = ("WARNING", "ERROR", "Traceback")
    assert not [line for line in said.splitlines() if any(word in line for word in loud) and CUT_OFF not in line], said
    assert no_process_in(tmp_path)
    assert "database system is shut down" in life.engine_said
    assert life.list_kept() >= accepted[0]
    assert "not properly shut down" not in life.engine_said


@pytest.mark.timeout(120)
@pytest.mark.parametrize("end", ENDS)
def test_the_demo_ends_quietly(tmp_path: Path, port: int, end: signal.Signals) -> None:  # noqa: F811
    with start("demo", "--data", str(tmp_path / "data"), "--port", str(port)) as process:
        assert process.stdout is not None
        head = []
        while "Ctrl-C stops it" not in (line := process.stdout.readline()):
            head.append(line)
            assert line, "the demo did not start: " + "".join(head)
        process.send_signal(end)
        said, _ = process.communicate(timeout=END_LIMIT_S)
    assert process.returncode in (0, 130)
    assert "Traceback" not in said
    assert no_process_in(tmp_path)
