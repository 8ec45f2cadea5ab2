"""How fast one caller may ask: token buckets, in this process's memory. Over it the answer is 429 with Retry-After.

Guaranteed: a bucket costs a few bytes and there are never more than `CALLERS_MAX`. What is kept: every request to the
interface; (much lower) searches by phone or name, so that nobody can walk through all the numbers; what is asked
through one buyer's link; and wrong links from one address, behind which many honest phones may stand.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from waystream.core.errors import WaystreamError
from waystream.web.shell.language import N_

CALLERS_MAX = 10_000


class TooMany(WaystreamError):
    """Asked too often: `retry_after_s` says when it may go on."""

    status = 429

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(N_("Too many requests: wait a moment"))
        self.retry_after_s = retry_after_s


class Pace:
    """`burst` at once, then `per_s` a second, for each caller on their own."""

    def __init__(self, *, per_s: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        assert per_s > 0 and burst >= 1
        self._per_s, self._burst, self._clock = per_s, burst, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, caller: str) -> None:
        """Take one token of the caller's. Raises `TooMany`."""
        with self._lock:
            at = self._clock()
            tokens, filled_at = self._buckets.pop(caller, (float(self._burst), at))
            tokens = min(self._burst, tokens + (at - filled_at) * self._per_s)
            left = tokens - 1 if tokens >= 1 else tokens
            self._buckets[caller] = (left, at)
            if len(self._buckets) > CALLERS_MAX:
                self._buckets.popitem(last=False)
        if tokens < 1:
            raise TooMany((1 - tokens) / self._per_s)


def new_requests() -> Pace:
    return Pace(per_s=50, burst=200)


def new_searches() -> Pace:
    return Pace(per_s=0.5, burst=20)


def new_buyers() -> Pace:
    return Pace(per_s=2, burst=60)


def new_guesses() -> Pace:
    return Pace(per_s=0.2, burst=30)
