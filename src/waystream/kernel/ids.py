"""Row ids: positive 63-bit integers that sort by time, minted here and not by sequences.

41 bits of milliseconds since 2024-01-01 UTC (until 2093), then 22 bits: a random start, then ascending.
Guaranteed: within a process the ids of one millisecond are unique and ascending. Two processes collide in the same
millisecond about once in two million pairs; the primary key catches it.
"""

from datetime import datetime
from random import Random
from threading import Lock

EPOCH_MS = 1_704_067_200_000  # 2024-01-01T00:00:00Z
LOW_BITS = 22
LOW_LIMIT = 1 << LOW_BITS
HIGH_LIMIT = 1 << 41

_lock = Lock()
_random = Random()  # ids are no secrets; every process has a seed of its own from the system
_last = 0


def mint_ids(n: int, *, at_ms: int) -> list[int]:
    """`n` ids for an instant in Unix milliseconds; n is less than two million."""
    global _last
    high = at_ms - EPOCH_MS
    assert 0 <= n < LOW_LIMIT // 2, "more ids than one call gives"
    assert 0 <= high < HIGH_LIMIT, "an instant outside 2024 to 2093"
    with _lock:
        # Business time may stand still for long: then go on where the last call ended.
        same_ms = _last >> LOW_BITS == high
        first = _last + 1 if same_ms else (high << LOW_BITS) + _random.getrandbits(LOW_BITS - 1)
        _last = first + n - 1
    return list(range(first, first + n))


def minted_ms(an_id: int) -> int:
    """The Unix millisecond an id was minted at: for partition bounds."""
    return (an_id >> LOW_BITS) + EPOCH_MS


def first_id(at: datetime) -> int:
    """The smallest id that could be minted at an instant or later."""
    return (int(at.timestamp() * 1000) - EPOCH_MS) << LOW_BITS
