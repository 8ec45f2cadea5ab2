"""One command, several processes: so many that take pushes, one that does the rest, and us, who own the engine.

Guaranteed: a child that dies is started again, at once and then ever more slowly while it keeps dying; a stop reaches
every child, and a child whose supervisor is killed ends by itself. Children find the settings in their environment and
their own listening socket at a number: the kernel spreads what comes to a port evenly over its sockets. (One socket
for all was tried: of 64 connections at once the first process to wake took 50 to 60.)
"""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from waystream.app import App, build
from waystream.core.errors import Conflict
from waystream.server import take_port
from waystream.settings import ALL_ROLES, Role, Roles, Settings

log = logging.getLogger(__name__)

READY = "ready"
STOP_LIMIT_S = 30.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 30.0
SETTLED_S = 60.0  # who lived this long did not fail at its start

PUSHES: Roles = frozenset({Role.PUSH, Role.APPLY})
THE_REST: Roles = ALL_ROLES - PUSHES


@dataclass(frozen=True, slots=True)
class Post:
    """What one child does, and the port it listens on, with others of its kind."""

    name: str
    roles: Roles
    port: int


class Keeper:
    """Keeps the process of one post alive, in a thread of its own."""

    def __init__(self, post: Post, settings: Settings) -> None:
        self.ready = threading.Event()
        self._post = post
        self._settings = replace(settings, roles=post.roles, push_processes=0, push_base_url=settings.push_address)
        self._ended = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._changing = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name=f"keeper of {post.name}")

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Ask it to end; nothing is started any more."""
        with self._changing:
            self._ended.set()
            if self._process is not None:
                self._process.terminate()

    def join(self) -> None:
        """Wait until it has ended; one that takes too long is killed."""
        self._thread.join(STOP_LIMIT_S)
        if self._thread.is_alive() and self._process is not None:
            log.warning("%s did not end within %.0f s: it is killed", self._post.name, STOP_LIMIT_S)
            self._process.kill()
            self._thread.join()

    def _keep(self) -> None:
        wait_s = 0.0
        while not self._ended.wait(wait_s):
            began_s = time.monotonic()
            end = self._run()
            if self._ended.is_set():
                return
            settled = time.monotonic() - began_s > SETTLED_S
            wait_s = 0.0 if settled else min(LONGEST_WAIT_S, max(FIRST_WAIT_S, 2 * wait_s))
            log.error("%s ended by itself: %s. It is started again in %.1f s", self._post.name, end, wait_s)

    def _run(self) -> str:
        """One life, from its start; how it ended. Its socket ends with it, so that others get what comes."""
        try:
            return self._live()
        except (Conflict, OSError) as error:  # the port was taken meanwhile, or there is no room for a process
            return str(error)

    def _live(self) -> str:
        with take_port(self._settings, self._post.port, shared=True) as listening:
            with self._changing:
                if self._ended.is_set():
                    return ""
                process = self._process = self._start(listening.fileno())
            assert process.stdout is not None and process.stdin is not None
            with process:
                for line in process.stdout:
                    if line.strip() == READY:
                        self.ready.set()
                return f"exit code {process.wait()}"

    def _start(self, socket_number: int) -> "subprocess.Popen[str]":
        """Its standard input closes with us. A session of its own: Ctrl-C at the terminal is for us to pass on."""
        return subprocess.Popen(
            [sys.executable, "-m", "waystream.cli", "up", "--listen-fd", str(socket_number)],
            env=os.environ | self._settings.as_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            pass_fds=[socket_number], start_new_session=True,
        )  # fmt: skip


def supervise(settings: Settings, *, prepare: Callable[[App], None], on_ready: Callable[[], None]) -> None:
    """Run all processes until a signal ends it; the engine is ours, and stops last. `prepare` is done before them."""
    for port in (settings.port, settings.own_push_port):
        take_port(settings, port).close()  # somebody else there is a sentence now, not a child that cannot start
    with ExitStack() as stack:
        app = build(settings)
        app.host()
        stack.callback(app.stop)
        prepare(app)
        keepers = stack.enter_context(_kept([Keeper(post, settings) for post in _posts(settings)]))
        for keeper in keepers:
            keeper.ready.wait()
        on_ready()
        threading.Event().wait()


def _posts(settings: Settings) -> Iterator[Post]:
    for nth in range(1, settings.push_processes + 1):
        yield Post(f"push process {nth}", PUSHES, settings.own_push_port)
    yield Post("the process of pages, rules and jobs", THE_REST, settings.port)


@contextmanager
def _kept(keepers: list[Keeper]) -> Iterator[list[Keeper]]:
    for keeper in keepers:
        keeper.start()
    try:
        yield keepers
    finally:
        for keeper in keepers:
            keeper.end()
        for keeper in keepers:
            keeper.join()


@contextmanager
def ending_on_sigterm() -> Iterator[None]:
    """SIGTERM unwinds as Ctrl-C does, so that everything is closed in its order."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
