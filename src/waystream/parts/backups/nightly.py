"""The thread that makes a backup when one is due, in the process that owns the embedded server."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import psycopg

from waystream.core.errors import WaystreamError
from waystream.kernel.database import error_text
from waystream.kernel.tx import Work
from waystream.parts.backups import actions
from waystream.parts.backups.model import is_due

log = logging.getLogger(__name__)

LOOK_EVERY_S = 30.0
AGAIN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often, and how to: `line` names the log beside the backups, empty while there is none yet."""

    every: timedelta
    make: Callable[[], object]
    line: Callable[[], str]
    look_every_s: float = LOOK_EVERY_S


class NightlyBackups:
    def __init__(self, work: Work, rhythm: Rhythm) -> None:
        self._work = work
        self._rhythm = rhythm
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._live, name="backups", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """A backup that is being made is waited for."""
        self._ended.set()
        self._thread.join()

    def _live(self) -> None:
        while not self._ended.wait(self._rhythm.look_every_s):
            try:
                self.look()
            except (WaystreamError, psycopg.Error, OSError) as error:
                log.error("no backup was made: %s", error_text(error))

    def look(self) -> bool:
        """Make a backup if it is due; whether it was."""
        line = self._rhythm.line()
        with self._work.begin(read_only=True) as tx:
            standing = actions.look(tx)
        now = self._work.clock.machine_now()
        due = bool(line) and is_due(standing, now=now, every=self._rhythm.every, line=line, again=AGAIN)
        if due:
            self._rhythm.make()
        return due
