"""Imports under way in this process: each runs in a thread and one transaction, all of it or nothing.

How far it is and what came of it stand in the database (`parts.imports`): closing the page changes nothing, another
process shows it too, and after a crash the run is seen to have stopped, with nothing taken in, and can be run again.
"""

import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from waystream.core.errors import Conflict, InvalidMany, WaystreamError
from waystream.kernel.database import Shops, error_text
from waystream.kernel.tx import Tx, Work
from waystream.parts.imports import actions
from waystream.parts.imports.model import Given
from waystream.web.context import WebContext
from waystream.web.pages.imports.targets import Reading, Result, read_in
from waystream.web.shell.language import N_

log = logging.getLogger(__name__)

AT_ONCE = 2
BEAT_S = 1.0
FOLDER = "waystream-import-"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to run: `rehearsal` reads and checks everything and takes nothing in."""

    run_id: str
    given: Given
    actor: str
    rehearsal: bool
    columns: Mapping[str, str] | None = None


class _TakenBack(Exception):
    """A rehearsal went through: its transaction is rolled back."""

    def __init__(self, result: Result) -> None:
        self.result = result


@dataclass
class Desk:
    """Starts imports and knows which run here."""

    running: dict[str, threading.Event] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, context: WebContext, shops: Shops, wanted: Wanted) -> None:
        """Run in a thread of its own. Raises `Conflict` for too many, and where the run cannot be begun."""
        with self.lock:
            self.running = {run_id: ended for run_id, ended in self.running.items() if not ended.is_set()}
            if len(self.running) >= AT_ONCE:
                raise Conflict(N_("Other imports are under way: try again when they have ended."))
            token = context.work.run(lambda tx: _begin(tx, wanted))
            self.running[wanted.run_id] = ended = threading.Event()
        importer = _Importer(context.work, context.machine, shops, wanted, token, ended)
        threading.Thread(target=importer.run, name="import", daemon=True).start()

    def wait(self, run_id: str, timeout_s: float = 30.0) -> bool:
        """Until the import has ended; False if it takes longer."""
        ended = self.running.get(run_id)
        return ended is None or ended.wait(timeout_s)


def _begin(tx: Tx, wanted: Wanted) -> str:
    return actions.begin(
        tx, wanted.run_id, actor=wanted.actor, rehearsal=wanted.rehearsal, mapping=wanted.given.mapping,
        columns=wanted.columns,
    )  # fmt: skip


@dataclass
class _Importer:
    """One run in its thread, with a second one that says how far it is."""

    work: Work
    machine: Work
    shops: Shops
    wanted: Wanted
    token: str
    ended: threading.Event
    done: int = 0
    total: int = 0

    def run(self) -> None:
        beating = threading.Thread(target=self._beat, name="import-beat", daemon=True)
        beating.start()
        try:
            with unsealed(self.machine, self.wanted.run_id, self.wanted.given.name, self.wanted.actor) as file:
                self._read(file)
        except InvalidMany as refusal:
            self._refuse(tuple((each.path or "", each.sentence) for each in refusal.problems))
        except WaystreamError as refusal:
            self._refuse(((refusal.path or "", refusal.sentence),))
        except psycopg.Error as error:
            log.error("an import ended: %s", error_text(error))
            self._refuse((("", "The database did not take it; nothing was imported. Try again."),))
        finally:
            self.ended.set()
            beating.join()

    def _read(self, file: Path) -> None:
        wanted, token = self.wanted, self.token
        reading = Reading(file, wanted.given, wanted.columns, wanted.actor)

        def take_in(tx: Tx) -> None:
            result = read_in(tx, reading, self._progress)
            if wanted.rehearsal:
                raise _TakenBack(result)
            actions.finish(tx, wanted.run_id, token=token, result=result)

        try:
            self.work.run(take_in, shops=self.shops)
        except _TakenBack as done:
            result = done.result
            self.machine.run(lambda tx: actions.end_rehearsal(tx, wanted.run_id, token=token, result=result))

    def _refuse(self, problems: tuple[tuple[str, str], ...]) -> None:
        run_id, actor = self.wanted.run_id, self.wanted.actor
        try:
            self.machine.run(lambda tx: actions.refuse(tx, run_id, actor=actor, token=self.token, problems=problems))
        except (psycopg.Error, WaystreamError):
            log.error("import %s could not be marked as refused: it will be seen to have stopped", run_id)

    def _progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total

    def _beat(self) -> None:
        while not self.ended.wait(BEAT_S):
            try:
                self.machine.run(self._say)
            except psycopg.Error as error:
                log.warning("an import could not say how far it is: %s", error_text(error))

    def _say(self, tx: Tx) -> bool:
        return actions.beat(tx, self.wanted.run_id, token=self.token, done=self.done, total=self.total)


@contextmanager
def unsealed(work: Work, run_id: str, name: str, actor: str) -> Iterator[Path]:
    """The file in the clear, under its own name (which problems tell), in a folder that goes at the end."""
    _drop_left_behind()
    with tempfile.TemporaryDirectory(prefix=f"{FOLDER}{os.getpid()}-", ignore_cleanup_errors=True) as folder:
        file = Path(folder) / name
        with work.begin(read_only=True) as tx:
            actions.copy_file(tx, run_id, file, actor=actor)
        yield file


def _drop_left_behind() -> None:
    """Folders of processes that were killed hold people's data: gone with the next file that is read."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*-*"):
        pid = folder.name.removeprefix(FOLDER).partition("-")[0]
        if pid.isdecimal() and not _lives(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's
    return True
