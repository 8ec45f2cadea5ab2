"""Lanes: how fast one account of the outside world may be called. The limit is data of the integration.

A call books the next free slot of its lane and waits for it; one that would wait too long is told to come back later
and nothing was sent. Lanes are per process: with several processes each gets its share by setting.
"""

import threading
import time

from waystream.core.errors import Unavailable
from waystream.core.ports import Lane

LANES_MAX = 10_000


class Lanes:
    """`speed`: business seconds in one of the machine: limits count business time, as the other side does."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._free_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def enter(self, lane: Lane, *, timeout_s: float) -> None:
        """Return when the call may leave. Raises `Unavailable` if that is more than `timeout_s` away."""
        wait_s = self._book(lane, timeout_s=timeout_s)
        if wait_s > 0:
            time.sleep(wait_s)

    def _book(self, lane: Lane, *, timeout_s: float) -> float:
        step_s = 1 / (lane.per_s * self._speed)
        now = time.monotonic()
        with self._lock:
            if len(self._free_at) > LANES_MAX:
                self._free_at = {name: at for name, at in self._free_at.items() if at > now}
            slot = max(now, self._free_at.get(lane.name, now))
            if slot - now > timeout_s:
                raise Unavailable("The account is called as often as it may be.", retry_after_s=slot - now)
            self._free_at[lane.name] = slot + step_s
        return slot - now
