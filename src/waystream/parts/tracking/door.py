"""The door of hop 1: group commit. Whoever submits a push gets its future; it is done once the push is durable.

Guaranteed: what is acknowledged is committed. A group that fails with a data error is applied again in halves, down to
the push that stands alone, which goes to quarantine; an error of connection, disk or lock fails the group as a whole.
When too much is waiting, a push is refused with "again later", never kept in memory.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import psycopg

from waystream.core.errors import Unavailable
from waystream.kernel.database import error_text
from waystream.kernel.tx import Tx, Work
from waystream.parts.tracking import actions
from waystream.parts.tracking.model import Received

log = logging.getLogger(__name__)

GROUP_MAX_PUSHES = 64
GROUP_MAX_BYTES = 2 * 1024 * 1024
WAITING_MAX_PUSHES = 4_000
WAITING_MAX_BYTES = 64 * 1024 * 1024
#: More wait for each other as soon as their groups touch a parcel both: tried, and slower.
APPLIERS = 1
RETRY_AFTER_S = 2.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Waiting:
    received: Received
    applied: Future[None] = field(default_factory=Future)


class Observer(Protocol):
    """Told of every commit, for the figures: the ids of the pushes in it, and how long it took."""

    def __call__(self, inbox_ids: Sequence[int], /, *, seconds: float) -> None: ...


class Door:
    """Gathers what is waiting and applies it, a group per transaction, with `appliers` threads.

    `observe` is told of every commit.
    """

    def __init__(
        self,
        work: Work,
        *,
        appliers: int = APPLIERS,
        group_max_pushes: int = GROUP_MAX_PUSHES,
        waiting_max_pushes: int = WAITING_MAX_PUSHES,
        waiting_max_bytes: int = WAITING_MAX_BYTES,
        observe: Observer | None = None,
    ) -> None:
        self._work = work
        self._observe = observe
        self._group_max_pushes = group_max_pushes
        self._waiting_max_pushes = waiting_max_pushes
        self._waiting_max_bytes = waiting_max_bytes
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._closed = False
        self._changed = threading.Condition()
        self._pool = ThreadPoolExecutor(appliers, thread_name_prefix="apply")
        self._threads = [threading.Thread(target=self._serve, name=f"door {n}", daemon=True) for n in range(appliers)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Apply what is waiting, then end; nothing more is taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        self._pool.shutdown()

    def submit(self, received: Received) -> Future[None]:
        """Hand in a push. The future ends with the commit, or raises why it could not be; `Unavailable` when full."""
        waiting = _Waiting(received)
        with self._changed:
            full = (
                len(self._waiting) >= self._waiting_max_pushes
                or self._waiting_bytes + len(received.body) > self._waiting_max_bytes
            )
            if full or self._closed:
                raise Unavailable("Too many pushes are waiting: send it again later", retry_after_s=RETRY_AFTER_S)
            self._waiting.append(waiting)
            self._waiting_bytes += len(received.body)
            self._changed.notify()
        return waiting.applied

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def _serve(self) -> None:
        while group := self._gather():
            self._apply(group)

    def _gather(self) -> list[_Waiting]:
        """What is waiting, within the bounds of a group; empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            group: list[_Waiting] = []
            size = 0
            while self._waiting and len(group) < self._group_max_pushes and size < GROUP_MAX_BYTES:
                group.append(self._waiting.popleft())
                size += len(group[-1].received.body)
            self._waiting_bytes -= size
            return group

    def _apply(self, group: Sequence[_Waiting]) -> None:
        pushes, began = [waiting.received for waiting in group], time.perf_counter()
        error = self._attempt(lambda tx: actions.apply(tx, pushes))
        if error is None:
            if self._observe:
                self._observe([push.id for push in pushes], seconds=time.perf_counter() - began)
            _settle(group)
        elif not _is_of_data(error):
            log.warning("a group of %d pushes was not applied: %s", len(group), error_text(error))
            _settle(group, error)
        elif len(group) == 1:
            self._quarantine(group[0], error)
        else:
            middle = len(group) // 2
            self._apply(group[:middle])
            self._apply(group[middle:])

    def _quarantine(self, waiting: _Waiting, error: BaseException) -> None:
        log.error("a push goes to quarantine: %s", error_text(error))
        push = waiting.received
        _settle(
            [waiting],
            self._attempt(
                lambda tx: actions.quarantine(
                    tx, aggregator_id=push.aggregator_id, digest=push.digest, body=push.body, reason=error_text(error)
                )
            ),
        )

    def _attempt(self, do: Callable[[Tx], T]) -> BaseException | None:
        """Run in a transaction; what went wrong, if anything. The pool hands over any error, known or not."""
        return self._pool.submit(self._work.run, do).exception()


def _is_of_data(error: BaseException) -> bool:
    """Whether the pushes are to blame (or we, with them): a fault of the machinery would meet every other group too."""
    if isinstance(error, psycopg.Error):
        return isinstance(error, psycopg.DataError | psycopg.IntegrityError)
    return not isinstance(error, Unavailable)


def _settle(group: Sequence[_Waiting], error: BaseException | None = None) -> None:
    for waiting in group:
        if not waiting.applied.set_running_or_notify_cancel():
            continue
        if error is None:
            waiting.applied.set_result(None)
        else:
            waiting.applied.set_exception(error)
