"""Imports under way and done, kept in this process: each runs in a thread and one transaction, all of it or nothing.

Closing the page changes nothing; stopping the server rolls an unfinished import back. The newest few are remembered.
"""

import logging
import secrets
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import psycopg

from waystream.core.errors import Conflict, InvalidMany, WaystreamError
from waystream.kernel.database import Shops, error_text
from waystream.kernel.tx import Tx, Work
from waystream.web.shell.language import N_

log = logging.getLogger(__name__)

KEPT = 50
AT_ONCE = 2

#: Does the import and says what came of it; `progress` is told (done, of).
Import = Callable[[Tx, Callable[[int, int], None]], tuple[tuple[str, int], ...]]


@dataclass
class Running:
    """One import: written by its thread, read by pages. `result` are (word, count) pairs."""

    id: str
    name: str
    target: str
    actor: str
    began_at: datetime
    done: int = 0
    of: int = 0
    ended_at: datetime | None = None
    result: tuple[tuple[str, int], ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    ended: threading.Event = field(default_factory=threading.Event)

    def progress(self, done: int, of: int) -> None:
        self.done, self.of = done, of


@dataclass
class Desk:
    """Starts imports and remembers the newest."""

    running: "OrderedDict[str, Running]" = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, work: Work, shops: Shops, *, file: Path, name: str, target: str, actor: str, do: Import) -> Running:
        """Run in a thread of its own; the file and its folder are removed at the end. `Conflict` for too many."""
        running = Running(secrets.token_hex(6), name, target, actor, work.clock.now())
        with self.lock:
            if sum(not each.ended.is_set() for each in self.running.values()) >= AT_ONCE:
                shutil.rmtree(file.parent, ignore_errors=True)
                raise Conflict(N_("Other imports are under way: try again when they have ended."))
            self.running[running.id] = running
            while len(self.running) > KEPT:
                self.running.popitem(last=False)
        thread = threading.Thread(target=_run, args=(work, shops, running, file, do), name="import", daemon=True)
        thread.start()
        return running

    def find(self, import_id: str, *, actor: str) -> Running | None:
        """An import of this person."""
        found = self.running.get(import_id)
        return found if found is not None and found.actor == actor else None

    def wait(self, import_id: str, timeout_s: float = 30.0) -> bool:
        """Until the import has ended; False if it takes longer."""
        return self.running[import_id].ended.wait(timeout_s)

    def list_of(self, actor: str) -> list[Running]:
        with self.lock:
            return [running for running in reversed(self.running.values()) if running.actor == actor]


def _run(work: Work, shops: Shops, running: Running, file: Path, do: Import) -> None:
    try:
        running.result = work.run(lambda tx: do(tx, running.progress), shops=shops)
    except InvalidMany as refusal:
        running.problems = tuple((each.path or "", each.sentence) for each in refusal.problems)
    except WaystreamError as refusal:
        running.problems = ((refusal.path or "", refusal.sentence),)
    except psycopg.Error as error:
        log.error("an import ended: %s", error_text(error))
        running.problems = (("", "The database did not take it; nothing was imported. Try again."),)
    finally:
        shutil.rmtree(file.parent, ignore_errors=True)
        running.ended_at = work.clock.now()
        running.ended.set()
