"""The unit of work: one database transaction with the business time and the keys it runs under.

Actions of the parts and rules take a `Tx` and nothing else that could reach out: what must happen outside is a job,
what happened is an event, both written here and nowhere else. Opening transactions is `Work`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from psycopg import Connection

from waystream.core.events import Event
from waystream.kernel import audit, jobs, log
from waystream.kernel.clock import Clock
from waystream.kernel.database import Database, Shops
from waystream.kernel.memory import Memory
from waystream.kernel.vault import Keys

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Tx:
    """`now` is business time, the same for the whole transaction; `cause` is what made it necessary, as events and
    jobs name it; `memory` is the process's."""

    conn: Connection[Any]
    now: datetime
    keys: Keys
    cause: str = field(default="", kw_only=True)
    memory: Memory = field(default_factory=Memory, kw_only=True, repr=False, compare=False)

    def emit(self, *events: Event, cause: str = "") -> None:
        """Record what happened; readers see it after the commit, once the sequencer gave it a position."""
        log.emit(self.conn, events, at=self.now, cause=cause or self.cause)

    def enqueue(self, *wanted: jobs.Job) -> None:
        """Ask for something outside; a job of the same kind and key that is not finished is kept instead."""
        jobs.enqueue(self.conn, wanted, causes=[self.cause] * len(wanted))

    def note(self, *entries: audit.Entry) -> None:
        """Write the audit: who did what to whom, and why."""
        audit.write(self.conn, entries, at=self.now)


@dataclass(frozen=True, slots=True)
class Work:
    """Opens transactions for one database role, and on behalf of one cause where there is one."""

    database: Database
    clock: Clock
    keys: Keys
    cause: str = ""
    memory: Memory = field(default_factory=Memory, repr=False, compare=False)

    @contextmanager
    def begin(self, *, shops: Shops | None = None, read_only: bool = False) -> Iterator[Tx]:
        with self.database.tx(shops=shops, read_only=read_only) as conn:
            yield self._tx(conn)

    def run(self, work: Callable[[Tx], T], *, shops: Shops | None = None) -> T:
        """Run `work` in a transaction; deadlocks and serialization errors are retried three times."""
        return self.database.run(lambda conn: work(self._tx(conn)), shops=shops)

    def because_of(self, cause: str) -> "Work":
        return replace(self, cause=cause)

    def _tx(self, conn: Connection[Any]) -> Tx:
        return Tx(conn, self.clock.now(), self.keys, cause=self.cause, memory=self.memory)
