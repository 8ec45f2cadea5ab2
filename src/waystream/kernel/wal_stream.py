"""Every change of the embedded database, written beside its backups as it happens: pg_receivewal in a thread.

Guaranteed: what the stream has not received stays in the database's own log, up to a bound (`max_slot_wal_keep_size`),
so a backup disk that is full or gone for a while costs nothing; a stream that lost its place begins a new line, which
a new backup has to open. At most some ten seconds of changes are not yet on the backup's disk.
"""

import contextlib
import logging
import secrets
import signal
import subprocess
import threading
from pathlib import Path

import psycopg

from waystream.core.errors import Unavailable
from waystream.kernel.backup_folder import WAL
from waystream.kernel.clock import SystemClock
from waystream.kernel.database import error_text
from waystream.kernel.files import write_whole
from waystream.kernel.server_tools import last_line, run_tool, tool_command, tool_environment

log = logging.getLogger(__name__)

SLOT = "waystream_backup"
AGAIN_S = 1.0
SAY_EVERY = 60
LAST_BYTES_S = 20.0
LOST_PLACE = ("invalidated", "has already been removed", "can no longer")


class WalStream:
    """Keeps `folder/wal/LINE` up to the database at `url`. The line's name is remembered in `line_file`."""

    def __init__(self, url: str, folder: Path, *, line_file: Path, said: Path) -> None:
        self._url = url
        self._folder = folder
        self._line_file = line_file
        self._said = said
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._live, name="wal stream", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Called when the server has ended, which sent its last byte before; whoever still waits is told to end."""
        self._stopping.set()
        self._thread.join(LAST_BYTES_S)
        if self._process is not None and self._thread.is_alive():
            self._process.send_signal(signal.SIGINT)
            self._thread.join(LAST_BYTES_S)

    def _live(self) -> None:
        tries = 0
        while not self._stopping.is_set():
            if tries and (tries - 1) % SAY_EVERY == 0:
                log.warning("the write-ahead log is not copied to %s: %s", self._folder, self._last_words())
            tries = 0 if self._receive() else tries + 1
            self._stopping.wait(AGAIN_S)

    def _receive(self) -> bool:
        """Until the connection ends; whether it was a stream at all."""
        try:
            run_tool("pg_receivewal", "--create-slot", "--if-not-exists", f"--slot={SLOT}", url=self._url)
            target = self._folder / WAL / read_line(self._line_file, begin=True)
            target.mkdir(mode=0o700, parents=True, exist_ok=True)
        except (Unavailable, OSError) as error:
            self._said.write_text(f"{error}\n")
            return False
        # Without periodic replies the server asks for one, and only an answer to that makes the bytes durable first.
        command = tool_command(
            "pg_receivewal", f"--directory={target}", f"--slot={SLOT}", "--no-loop", "--no-password",
            "--compress=gzip:1", "--status-interval=0",
        )  # fmt: skip
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                command, env=tool_environment(self._url), stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                start_new_session=True,
            )  # fmt: skip
        code = self._process.wait()
        if any(words in self._last_words() for words in LOST_PLACE):
            self._begin_anew()
        return code == 0

    def _begin_anew(self) -> None:
        """The database no longer has what we lack: another line, which is of use from the next backup on."""
        log.error("changes are missing from the backup's log: it goes on in a new line, after the next backup")
        try:
            with psycopg.connect(self._url, autocommit=True) as admin:
                admin.execute("SELECT pg_drop_replication_slot(%s)", [SLOT])
        except psycopg.Error as error:
            log.warning("the old replication slot stays: %s", error_text(error))
            return
        self._line_file.unlink(missing_ok=True)

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            return last_line(self._said.read_text("utf-8", "replace"))
        return ""


def read_line(line_file: Path, *, begin: bool = False) -> str:
    """The name of the line, empty when there is none; `begin` draws one then."""
    if line_file.exists():
        return line_file.read_text().strip()
    if not begin:
        return ""
    name = f"{SystemClock().machine_now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    write_whole(line_file, name.encode())
    return name
