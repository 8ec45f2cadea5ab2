"""What a process remembers of rows that seldom change, so that hot paths need not ask for them each time.

Guaranteed: nothing is older than its reader allows, in the machine's time; a failing load remembers nothing. What is
remembered is never changed in place.
"""

import time
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")


class Memory:
    """Values by name, each with the time until which it counts."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Any]] = {}
        self._lock = Lock()

    def recall(self, name: str, load: Callable[[T | None], T], *, for_s: float) -> T:
        """The value of that name, loaded anew when it is older than `for_s`; `load` is given what was known before.

        Two threads that find it old both load; whoever comes last is remembered.
        """
        until_s, known = self._known.get(name, (0.0, None))
        if time.monotonic() < until_s:
            value: T = known
            return value
        value = load(known)
        with self._lock:
            self._known[name] = (time.monotonic() + for_s, value)
        return value

    def forget(self, name: str) -> None:
        """The next who asks loads it."""
        with self._lock:
            self._known.pop(name, None)
