"""The running server process: its one thread, its end, and what an earlier owner may have left running.

The server dies with us: the kernel sends it a stop signal when the thread that started it ends, so that thread lives
as long as we need the server, and starts it again if it dies. A process of an earlier run is only ever signalled
through a pidfd, after it proved to be the server of our folder.
"""

import contextlib
import logging
import os
import select
import signal
import subprocess
import threading
import time
from pathlib import Path

from waystream.core.errors import Unavailable

log = logging.getLogger(__name__)

SAY_EVERY_S = 5.0
FAST_STOP_S = 60.0
KEEP_LOGS = 10
PRUNE_EVERY_S = 600.0
RESTART_S = 1.0


class ServerProcess:
    """One `postgres` in a thread of its own. After `keep` a server that dies is started again."""

    def __init__(self, command: list[str], *, cluster: Path, socket_folder: Path, said: Path) -> None:
        self._command = command
        self._cluster = cluster
        self._socket_folder = socket_folder
        self._said = said
        self._process: subprocess.Popen[bytes] | None = None
        self._spawned = threading.Event()
        self._stopping = threading.Event()
        self._keeping = False
        self._thread = threading.Thread(target=self._live, name="postgres", daemon=True)

    def start(self) -> None:
        """Returns when the process exists; whether it answers is for a connection to say."""
        self._thread.start()
        self._spawned.wait()

    def keep(self) -> None:
        self._keeping = True

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """Stop fast (sessions are ended, data is written); after a minute without the courtesy."""
        self._stopping.set()
        for stop_signal in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if self._process is not None:
                self._process.send_signal(stop_signal)
            self._thread.join(FAST_STOP_S)
            if not self._thread.is_alive():
                return
            log.warning("PostgreSQL did not stop within %.0f s of %s", FAST_STOP_S, stop_signal.name)

    def _live(self) -> None:
        try:
            self._run_once()
            while self._keeping and not self._stopping.wait(RESTART_S):
                clear_the_way(self._cluster, self._socket_folder)
                self._run_once()
        finally:
            self._spawned.set()

    def _run_once(self) -> None:
        with self._said.open("wb") as said:
            # Own session: Ctrl-C at the terminal is for us, and we stop the server when we are ready.
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
            )
        self._spawned.set()
        handle = os.pidfd_open(self._process.pid)
        try:
            while not select.select([handle], [], [], PRUNE_EVERY_S)[0]:
                prune_logs(self._cluster)
        finally:
            os.close(handle)
        code = self._process.wait()
        if not self._stopping.is_set():
            log.error("PostgreSQL ended by itself with code %s", code)


def prune_logs(cluster: Path) -> None:
    """Keep the newest log files; each is at most 10 MB."""
    files = sorted((cluster / "log").glob("postgres-*.log"))
    for old in files[:-KEEP_LOGS]:
        old.unlink(missing_ok=True)


def last_words(cluster: Path, said: Path) -> str:
    """The server's last complaint, for the sentence that says why it did not start."""
    newest = sorted((cluster / "log").glob("postgres-*.log"))[-1:]
    text = "\n".join(path.read_text("utf-8", "replace") for path in (said, *newest) if path.exists())
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    fatal = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
    return (fatal or lines or ["it said nothing"])[-1]


def clear_the_way(cluster: Path, socket_folder: Path) -> None:
    """End a server that an earlier, killed owner left behind, and the claims of a dead one. We hold the folder's lock.

    The pid in `postmaster.pid` may be anybody's by now: it counts only if that process is a `postgres` working in
    this very folder. PostgreSQL itself would believe any living pid, there and beside the socket.
    """
    pid_file = cluster / "postmaster.pid"
    with contextlib.suppress(FileNotFoundError):
        pid = _read_pid(pid_file)
        if pid is None:
            pid_file.unlink()
        else:
            _end_server(pid, cluster)
            _disown(pid_file)
    for left in socket_folder.glob(".s.PGSQL.*"):
        left.unlink()


def _end_server(pid: int, cluster: Path) -> None:
    with contextlib.ExitStack() as stack:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        stack.callback(os.close, handle)
        if _is_server_of(pid, cluster):
            log.warning("a PostgreSQL left by an earlier run still uses %s: stopping it", cluster)
            _end(handle)


def _disown(pid_file: Path) -> None:
    """Put our own pid first: a server does not mind its parent's. The rest stays, for by it PostgreSQL finds out
    whether children of a killed server still hold its memory."""
    lines = pid_file.read_text().split("\n")
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))


def _read_pid(pid_file: Path) -> int | None:
    try:
        return int(pid_file.read_text().split("\n", 1)[0])
    except ValueError:
        return None


def _is_server_of(pid: int, cluster: Path) -> bool:
    try:
        program = Path(os.readlink(f"/proc/{pid}/exe")).name.removesuffix(" (deleted)")
        folder = os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return False
    return program == "postgres" and os.path.realpath(cluster) == folder


def _end(handle: int) -> None:
    started = time.monotonic()
    signal.pidfd_send_signal(handle, signal.SIGINT)
    while not select.select([handle], [], [], SAY_EVERY_S)[0]:
        waited_s = time.monotonic() - started
        log.warning("still waiting for the earlier PostgreSQL to end, %.0f s so far", waited_s)
        if waited_s > FAST_STOP_S:
            raise Unavailable("The PostgreSQL of an earlier run does not end: try again in a minute", retry_after_s=60)
