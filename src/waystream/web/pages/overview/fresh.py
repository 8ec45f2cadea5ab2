"""One reading for everybody who sees the same and asks at the same time: many open overviews cost little more than one.

Guaranteed: nobody is shown what was read before the last event they could know of, nor anything older than `FRESH_S`,
nor what other shops gave; for one key there is one reading at a time. Kept in this process only.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

FRESH_S = 1.0
KEPT_MAX = 200


@dataclass(slots=True)
class _Kept(Generic[T]):
    """The last reading of a key: when it began, and at which position of the log."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    value: T | None = None
    began_s: float = 0.0
    position: int = -1


class Fresh(Generic[T]):
    """Values by key, read again when something happened since, or after `FRESH_S` of machine time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[Hashable, _Kept[T]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, read: Callable[[], T], *, position: int) -> T:
        """The value of the key. `position`: how far the log was told when somebody asked."""
        asked_s = self._clock()
        kept = self._find(key)
        with kept.lock:
            # Waiting for another's reading that began after one asked is as good as reading.
            told = kept.began_s >= asked_s or (kept.position >= position and asked_s - kept.began_s < FRESH_S)
            if kept.value is None or not told:
                began_s = self._clock()
                kept.value, kept.began_s, kept.position = read(), began_s, position
            return kept.value

    def _find(self, key: Hashable) -> _Kept[T]:
        with self._lock:
            kept = self._kept.setdefault(key, _Kept())
            self._kept.move_to_end(key)
            if len(self._kept) > KEPT_MAX:
                self._kept.popitem(last=False)
            return kept
