"""The carriers' side, a process of its own: tells the story over HTTP, and times the answers.

Says "ready" when every push is made; then each line on its input is an `Errand` as JSON, answered with what came of it
as one JSON line. Only 200 acknowledges; anything else is sent again a little later, as a carrier does.
"""

import asyncio
import json
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

import uvloop

from benchmarks.pushes.lane import Lane, as_request
from benchmarks.pushes.story import Push, Story

AGAIN_AFTER_S = 0.05
TRIES_MAX = 2_000
CONNECTIONS = 64


@dataclass(frozen=True, slots=True)
class Errand:
    """Post to `path` what comes next: so many pushes or for so many seconds, whichever ends first; 0 is without limit.

    With `rate` pushes leave at their times, whoever has answered; without, each connection waits for its answer and
    sends the next. Every so many of them are `watched`: a line "n step seconds" tells when each was sent. `again`
    leaves the pushes to be told once more, and starts over at their end.
    """

    path: str
    pushes: int = 0
    seconds: float = 0.0
    rate: float = 0.0
    watched: int = 0
    again: bool = False
    connections: int = CONNECTIONS

    def as_json(self) -> str:
        return json.dumps(asdict(self))


@dataclass(slots=True)
class Posted:
    """What came of it; `unacknowledged` were given up."""

    seconds: float = 0.0
    traces: int = 0
    again: int = 0
    unacknowledged: int = 0
    cpu_s: float = 0.0
    waits_s: list[float] = field(default_factory=list)

    def as_json(self) -> str:
        waits_s = sorted(self.waits_s)
        return json.dumps({
            "seconds": self.seconds, "pushes": len(waits_s), "traces": self.traces, "again": self.again,
            "unacknowledged": self.unacknowledged, "poster_cpu_s": self.cpu_s, "p50_ms": rank_ms(waits_s, 0.5),
            "p99_ms": rank_ms(waits_s, 0.99),
        })  # fmt: skip


def rank_ms(sorted_s: Sequence[float], share: float) -> float:
    return round(sorted_s[int((len(sorted_s) - 1) * share)] * 1000, 2) if sorted_s else 0.0


@dataclass(slots=True)
class _Sending:
    """A push on its way over a lane; `since_s` is when it was due or sent."""

    push: Push
    request: bytes
    since_s: float
    tries: int = 1


class Run:
    """One errand under way."""

    def __init__(self, errand: Errand, waiting: deque[Push], told: Callable[[str], None]) -> None:
        self._errand = errand
        self._waiting = waiting
        self._told = told
        self._posted = Posted()
        self._loop = asyncio.get_running_loop()
        self._left = min(errand.pushes or len(waiting), len(waiting))
        self._nth = 0
        self._until_s = float("inf")
        self._free: deque[Lane] = deque()
        self._late: deque[float] = deque()
        self._sending: dict[Lane, _Sending] = {}
        self._over: asyncio.Future[None] = self._loop.create_future()

    async def post(self, port: int) -> Posted:
        lanes = [
            (await self._loop.create_connection(lambda: Lane(self._answered, self._break), "127.0.0.1", port))[1]
            for _ in range(self._errand.connections)
        ]
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        if self._errand.seconds:
            self._until_s = began_s + self._errand.seconds
        if self._errand.rate:
            self._free.extend(lanes)
            self._leave_on_time(began_s)
        else:
            for lane in lanes:
                self._go_on(lane)
        await self._over
        self._posted.seconds = time.perf_counter() - began_s
        self._posted.cpu_s = time.process_time() - began_cpu_s
        for lane in lanes:
            lane.close()
        return self._posted

    def _leave_on_time(self, due_s: float) -> None:
        """Send what is due by now; without a free lane it waits for one, and its time runs."""
        now_s, step_s = time.perf_counter(), 1 / self._errand.rate
        while due_s <= now_s and self._is_more(due_s):
            self._left -= 1
            if self._free:
                self._send_next(self._free.popleft(), time.perf_counter())
            else:
                self._late.append(due_s)
            due_s += step_s
        if self._is_more(due_s):
            self._loop.call_later(max(0.0, due_s - now_s), self._leave_on_time, due_s)
        else:
            self._left = 0
            self._end_if_over()

    def _is_more(self, at_s: float) -> bool:
        return self._left > 0 and at_s < self._until_s

    def _go_on(self, lane: Lane) -> None:
        now_s = time.perf_counter()
        if self._errand.rate:
            if self._late:
                self._send_next(lane, self._late.popleft())
            else:
                self._free.append(lane)
        elif self._is_more(now_s):
            self._left -= 1
            self._send_next(lane, now_s)
        else:
            self._left = 0
        self._end_if_over()

    def _end_if_over(self) -> None:
        if not (self._left or self._late or self._sending or self._over.done()):
            self._over.set_result(None)

    def _send_next(self, lane: Lane, since_s: float) -> None:
        push = self._waiting.popleft()
        if self._errand.again:
            self._waiting.append(push)
        self._sending[lane] = sending = _Sending(push, as_request(push.body, self._errand.path), since_s)
        if self._errand.watched and self._nth % self._errand.watched == 0:
            self._told(f"{push.n} {push.step} {since_s!r}")
        self._nth += 1
        lane.send(sending.request)

    def _answered(self, lane: Lane, status: int) -> None:
        sending = self._sending[lane]
        if status == 200:
            self._posted.waits_s.append(time.perf_counter() - sending.since_s)
            self._posted.traces += sending.push.traces
        elif sending.tries < TRIES_MAX:
            sending.tries += 1
            self._posted.again += 1
            self._loop.call_later(AGAIN_AFTER_S, lane.send, sending.request)
            return
        else:
            self._posted.unacknowledged += 1
        del self._sending[lane]
        self._go_on(lane)

    def _break(self, error: Exception) -> None:
        if not self._over.done():
            self._over.set_exception(error)


async def post(waiting: deque[Push], errand: Errand, *, port: int, told: Callable[[str], None]) -> Posted:
    return await Run(errand, deque(waiting) if errand.again else waiting, told).post(port)


def _tell(line: str) -> None:
    print(line, flush=True)


def main(plan: str, parcels: str, start: str, port: str, first: str, past: str) -> None:
    key = sys.stdin.readline().strip()
    story = Story(int(parcels), datetime.fromisoformat(start))
    shuffled = plan == "shuffled"
    waiting = deque(story.pushes(key, first=int(first), past=int(past)) if shuffled else story.singles(key))
    _tell("ready")
    for line in sys.stdin:
        errand = Errand(**json.loads(line))
        _tell(uvloop.run(post(waiting, errand, port=int(port), told=_tell)).as_json())


if __name__ == "__main__":
    main(*sys.argv[1:])
