"""A Waystream in several processes, each of which can be killed and is started again: how a supervisor would see it.

`split` has a process for each role, the first of which owns PostgreSQL; `whole` is one process with every role. What
they say lies in the folder, one file for each process.
"""

import contextlib
import http.client
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.integrations.ipp.real_printer import free_port

START_LIMIT_S = 120.0
LOOK_EVERY_S = 0.05
FIRST_BLOCK_BYTES = 8192

#: The roles of each process; the first one is started first and owns the database.
LAYOUTS = {
    "split": {"web": "web", "push": "push,apply", "rules": "rules", "jobs": "jobs,loader"},
    "whole": {"waystream": "push,web,apply,rules,jobs,loader"},
}


@dataclass(slots=True)
class Post:
    """One process of the site and what it does."""

    name: str
    roles: str
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None


class Site:
    """`posts` in the order of their start."""

    def __init__(self, folder: Path, layout: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.posts = {name: Post(name, roles) for name, roles in LAYOUTS[layout].items()}

    @property
    def owner(self) -> Post:
        return next(iter(self.posts.values()))

    @property
    def push_port(self) -> int:
        return next(post.port for post in self.posts.values() if "push" in post.roles)

    def start_all(self) -> None:
        for post in self.posts.values():
            self.start(post)

    def start(self, post: Post) -> None:
        """Returns when it answers."""
        settings = {"WAYSTREAM_LEASE_S": "3", "WAYSTREAM_LOG_LEVEL": "warning"}
        command = [sys.executable, "-m", "waystream.cli", "up", "--data", str(self.data), "--port", str(post.port)]
        with (self.folder / f"{post.name}.said").open("ab") as said:
            post.process = subprocess.Popen(
                [*command, "--roles", post.roles], env=os.environ | settings, stdout=said, stderr=said
            )
        deadline = time.monotonic() + START_LIMIT_S
        while not _answers(post.port):
            assert post.process.poll() is None, f"{post.name} ended by itself, see {post.name}.said"
            assert time.monotonic() < deadline, f"{post.name} did not come up"
            time.sleep(LOOK_EVERY_S)

    def kill(self, post: Post) -> None:
        assert post.process is not None
        post.process.kill()
        post.process.wait()

    def stop_all(self) -> None:
        """In the reverse order, so that the database ends last."""
        for post in reversed(self.posts.values()):
            if post.process is not None and post.process.poll() is None:
                post.process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    post.process.wait(START_LIMIT_S)
                post.process.kill()
                post.process.wait()

    @property
    def postmaster(self) -> int:
        return int((self.data / "postgres" / "postmaster.pid").read_text().split()[0])

    def sessions(self) -> list[int]:
        """The server's children: sessions and its own workers."""
        postmaster = self.postmaster
        return [int(pid) for pid in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()]


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_LIMIT_S)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    return False


def leave_no_room(postmaster: int) -> None:
    """No file of the server or its sessions may grow or be written beyond its first block: as on a full disk."""
    owner = Path(f"/proc/{postmaster}").stat().st_uid
    as_owner = {"user": owner, "group": owner} if owner != os.getuid() else {}
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    for pid in (str(postmaster), *children):  # a child may have ended by now
        command = ["prlimit", f"--pid={pid}", f"--fsize={FIRST_BLOCK_BYTES}:{FIRST_BLOCK_BYTES}"]
        subprocess.run(command, check=pid == str(postmaster), stderr=subprocess.DEVNULL, **as_owner)  # type: ignore[call-overload]
