"""The runner: claims jobs that are due, runs their handlers on a few threads, and sweeps now and then.

Guaranteed: a job that is not finished within its lease is run again, and the late run cannot commit its effect;
failures wait longer each time, with jitter; whoever gives up says so in the same transaction. All times are the
machine's. The states and the language are in `jobs`, the SQL in `job_table`.
"""

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Protocol

from waystream.core.errors import Refused, Unavailable
from waystream.kernel import job_table
from waystream.kernel.database import error_text
from waystream.kernel.jobs import JOB_CHANNEL, Claimed, Handler, LeaseLost, Run, Sweep, leave
from waystream.kernel.tx import Tx, Work
from waystream.kernel.wake import Wake

logger = logging.getLogger(__name__)

WORKERS = 8
LONGEST_WAIT_ASKED_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the runner looks and how long it waits, in machine seconds."""

    poll_s: float = 1.0
    first_retry_s: float = 1.0
    longest_retry_s: float = 3600.0
    drain_s: float = 10.0
    longest_lease_s: float = 3600.0

    def retry_delay_s(self, attempts: int, *, asked_s: float | None = None) -> float:
        """Full jitter below a ceiling that doubles, and never less than the other side asked for."""
        ceiling_s = min(self.longest_retry_s, self.first_retry_s * 2 ** min(attempts, 30))
        delay_s = random.uniform(self.first_retry_s, max(self.first_retry_s, ceiling_s))
        return max(delay_s, min(asked_s or 0, LONGEST_WAIT_ASKED_S))


class Observer(Protocol):
    """Told of every run, for the figures; `outcome` is done, ready, given_up or lost."""

    def __call__(self, job: Claimed, /, *, seconds: float, outcome: str) -> None: ...


class Runner:
    """Runs jobs and sweeps. Several may run, in any process."""

    def __init__(
        self,
        work: Work,
        handlers: Iterable[Handler],
        sweeps: Iterable[Sweep] = (),
        *,
        workers: int = WORKERS,
        pace: Pace | None = None,
        observe: Observer | None = None,
    ) -> None:
        self._work = work
        self._handlers = {handler.kind: handler for handler in handlers}
        self._sweeps = {sweep.name: sweep for sweep in sweeps}
        self._workers = workers
        self._pace = pace or Pace()
        self._observe = observe
        self._wake = Wake(work.database, JOB_CHANNEL, poll_s=self._pace.poll_s)
        self._thread = threading.Thread(target=self._coordinate, name="runner", daemon=True)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="job")
        self._sweeper = ThreadPoolExecutor(1, thread_name_prefix="sweep")
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()
        self._futures: set[Future[None]] = set()
        self._sweep_at = dict.fromkeys(self._sweeps, 0.0)
        self._expire_at = 0.0

    def start(self) -> None:
        self._wake.start()
        self._thread.start()

    def stop(self) -> None:
        """Claim nothing more and give what runs `drain_s` to end; what does not is run again after its lease."""
        self._wake.stop(self._thread)
        self._sweeper.shutdown(cancel_futures=True)
        with self._lock:
            running = set(self._futures)
        late = wait(running, timeout=self._pace.drain_s).not_done
        self._pool.shutdown(wait=not late)

    def drain(self) -> int:
        """Run all jobs that are due, in this thread; how many runs."""
        runs = 0
        self._expire()
        while claimed := self._claim():
            for job in claimed:
                self._run(job)
            runs += len(claimed)
        return runs

    def sweep(self, name: str) -> int | None:
        """Sweep now; how many it found, None if another process is sweeping."""
        sweep = self._sweeps[name]

        def look(tx: Tx) -> int | None:
            return sweep.do(tx) if job_table.lock_sweep(tx.conn, name) else None

        return self._work.run(look)

    # ------------------------------------------------------------------ looking

    def _coordinate(self) -> None:
        while self._wake.wait():
            try:
                self._look()
            except Exception as error:  # noqa: BLE001
                logger.warning("the runner cannot look: %s", error_text(error))

    def _look(self) -> None:
        self._start_sweeps()
        if time.monotonic() >= self._expire_at:
            self._expire_at = time.monotonic() + self._pace.poll_s
            self._expire()
        for job in self._claim():
            future = self._pool.submit(self._run, job)
            with self._lock:
                self._futures.add(future)
            future.add_done_callback(self._ended)

    def _ended(self, future: Future[None]) -> None:
        with self._lock:
            self._futures.discard(future)
        self._wake.set()

    def _start_sweeps(self) -> None:
        for name, at in self._sweep_at.items():
            if time.monotonic() >= at:
                self._sweep_at[name] = float("inf")
                self._sweeper.submit(self._sweep, name)

    def _sweep(self, name: str) -> None:
        try:
            self.sweep(name)
        except Exception as error:  # noqa: BLE001
            logger.warning("sweep %s failed: %s", name, error_text(error))
        finally:
            self._sweep_at[name] = time.monotonic() + self._sweeps[name].every_s

    def _expire(self) -> None:
        with self._work.begin() as tx:
            expired = job_table.expire_leases(tx.conn)
        if expired:
            logger.warning("%d jobs outlived their lease and are ready again", expired)

    def _claim(self) -> Sequence[Claimed]:
        """As many due jobs as there are idle workers, never more of a kind than its handler takes at once."""
        with self._lock:
            idle = self._workers - self._running.total()
            wanted = [
                job_table.Wanted(kind, slots=slots, lease_s=min(handler.lease_s, self._pace.longest_lease_s))
                for kind, handler in self._handlers.items()
                if (slots := min(idle, handler.concurrency - self._running[kind])) > 0
            ]
        if not wanted:
            return ()
        with self._work.begin() as tx:
            claimed = job_table.claim(tx.conn, wanted, limit=idle)
        with self._lock:
            self._running.update(job.kind for job in claimed)
        return claimed

    # ------------------------------------------------------------------ one run

    def _run(self, job: Claimed) -> None:
        began, outcome = time.monotonic(), "done"
        try:
            self._do(self._handlers[job.kind], job)
        except Exception as error:  # noqa: BLE001
            outcome = self._end_failed(job, error)
        finally:
            with self._lock:
                self._running[job.kind] -= 1
            if self._observe:
                self._observe(job, seconds=time.monotonic() - began, outcome=outcome)

    def _do(self, handler: Handler, job: Claimed) -> None:
        if job.attempts > handler.max_attempts:
            raise Refused(f"no run ended within its lease in {handler.max_attempts} attempts")
        run = Run(job, self._work.because_of(job.as_cause))
        handler.do(run)
        if not run.finished:
            self._work.run(run.finish)

    def _end_failed(self, job: Claimed, error: Exception) -> str:
        """Give up, or leave the job for later; the outcome. Where even that fails the lease ends by itself."""
        try:
            if isinstance(error, LeaseLost):
                raise error
            if isinstance(error, Refused) or job.attempts >= self._handlers[job.kind].max_attempts:
                return self._give_up(job, error)
            return self._leave_ready(job, error)
        except LeaseLost:
            logger.warning("job %d (%s) ended too late: its effect was rolled back", job.id, job.kind)
        except Exception as second:  # noqa: BLE001
            logger.warning("job %d (%s) is left to its lease: %s", job.id, job.kind, error_text(second))
        return "lost"

    def _leave_ready(self, job: Claimed, error: Exception) -> str:
        asked_s = error.retry_after_s if isinstance(error, Unavailable) else None
        delay_s = self._pace.retry_delay_s(job.attempts, asked_s=asked_s)
        self._work.run(lambda tx: leave(tx.conn, job, state="ready", error=error_text(error), delay_s=delay_s))
        logger.info("job %d (%s) is tried again in %.0f s: %s", job.id, job.kind, delay_s, error_text(error))
        return "ready"

    def _give_up(self, job: Claimed, error: Exception) -> str:
        """End the job and tell its handler in one transaction; if the handler cannot, try that again later."""

        def give_up(tx: Tx) -> None:
            leave(tx.conn, job, state="given_up", error=error_text(error))
            self._handlers[job.kind].give_up(tx, job)

        try:
            self._work.because_of(job.as_cause).run(give_up)
        except LeaseLost:
            raise
        except Exception as second:  # noqa: BLE001
            logger.error("job %d (%s) could not be given up: %s", job.id, job.kind, error_text(second))
            return self._leave_ready(job, second)
        logger.warning("job %d (%s) is given up: %s", job.id, job.kind, error_text(error))
        return "given_up"
