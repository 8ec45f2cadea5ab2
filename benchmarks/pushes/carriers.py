"""Carriers that push at a steady rate and send again what was not acknowledged; every answer is timed.

They run in a thread of ours, so that what goes on meanwhile can be watched and disturbed.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from benchmarks.pushes.lane import Lane, as_request

AGAIN_AFTER_S = 0.5


@dataclass(slots=True)
class Answers:
    """`acked_s` are the times of acknowledgements, `slowest_s` is the longest wait for any answer, yes or no."""

    acked: list[bytes] = field(default_factory=list)
    acked_s: list[float] = field(default_factory=list)
    again: int = 0
    slowest_s: float = 0.0

    @property
    def longest_gap_s(self) -> float:
        return longest_gap_s(self.acked_s)


def longest_gap_s(times_s: Iterable[float]) -> float:
    """The longest time in which nothing happened, from the first to the last."""
    ordered = sorted(times_s)
    return max((after - before for before, after in pairwise(ordered)), default=0.0)


class Carriers:
    """So many connections that post `bodies`, together so many a second. `done` once all are acknowledged."""

    def __init__(self, bodies: Iterable[bytes], *, port: int, path: str, rate: float, connections: int) -> None:
        self.answers = Answers()
        self.done = threading.Event()
        self._waiting = deque(bodies)
        self._port, self._path, self._rate, self._connections = port, path, rate, connections
        self._thread = threading.Thread(target=lambda: asyncio.run(self._post_all()), name="carriers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    async def _post_all(self) -> None:
        self._due_s = time.perf_counter()
        try:
            await asyncio.gather(*(self._post_on() for _ in range(self._connections)))
        finally:
            self.done.set()

    async def _post_on(self) -> None:
        loop = asyncio.get_running_loop()
        statuses: asyncio.Queue[int] = asyncio.Queue()
        _, lane = await loop.create_connection(
            lambda: Lane(lambda _, status: statuses.put_nowait(status), lambda _: statuses.put_nowait(0)),
            "127.0.0.1", self._port,
        )  # fmt: skip
        while self._waiting:
            body = self._waiting.popleft()
            self._due_s += 1 / self._rate
            await asyncio.sleep(self._due_s - time.perf_counter())
            while not await self._ask(lane, body, statuses):
                await asyncio.sleep(AGAIN_AFTER_S)
        lane.close()

    async def _ask(self, lane: Lane, body: bytes, statuses: "asyncio.Queue[int]") -> bool:
        """Whether it was acknowledged. A connection that breaks ends the run: nobody kills the process behind it."""
        sent_s = time.perf_counter()
        lane.send(as_request(body, self._path))
        status = await statuses.get()
        answered_s = time.perf_counter()
        assert status, "the connection broke"
        self.answers.slowest_s = max(self.answers.slowest_s, answered_s - sent_s)
        if status != 200:
            self.answers.again += 1
            return False
        self.answers.acked.append(body)
        self.answers.acked_s.append(answered_s)
        return True
