"""How long after something was stored its page was told. Pure."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence

Message = tuple[int, int, float]  # page, position up to which it holds, when it came (seconds of the clock)
Happened = Sequence[tuple[int, float]]  # (position, when it was stored), by position


def lags_s(messages: Sequence[Message], happened: Mapping[int, Happened], *, since: int) -> list[float]:
    """Of each message, from the oldest of its page's events that it is the first to tell; `since` is the position at
    which the pages were opened. A message that tells of nothing of its page's own has none."""
    found: list[float] = []
    reached: dict[int, int] = {}
    for page, position, at_s in sorted(messages, key=lambda message: message[2]):
        events = happened.get(page, ())
        first = bisect_right(events, (reached.get(page, since), float("inf")))
        if first < len(events) and events[first][0] <= position:
            found.append(max(0.0, at_s - events[first][1]))
        reached[page] = max(position, reached.get(page, since))
    return found


def rank(sorted_s: Sequence[float], share: float) -> float | None:
    return round(sorted_s[int((len(sorted_s) - 1) * share)], 3) if sorted_s else None
