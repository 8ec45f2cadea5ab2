"""Token buckets: a burst, then a steady rate, each caller for themselves."""

import pytest

from waystream.web import pace
from waystream.web.pace import Pace, TooMany


class Watch:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_a_burst_then_a_steady_rate() -> None:
    watch = Watch()
    bucket = Pace(per_s=2, burst=3, clock=watch)
    for _ in range(3):
        bucket.take("a")
    with pytest.raises(TooMany) as refused:
        bucket.take("a")
    assert (refused.value.status, refused.value.retry_after_s) == (429, 0.5)
    watch.at += 0.5
    bucket.take("a")
    with pytest.raises(TooMany):
        bucket.take("a")


def test_nobody_pays_for_another_and_rest_saves_no_more_than_a_burst() -> None:
    watch = Watch()
    bucket = Pace(per_s=1, burst=1, clock=watch)
    bucket.take("a")
    bucket.take("b")
    watch.at += 1000
    bucket.take("a")
    with pytest.raises(TooMany):
        bucket.take("a")


def test_callers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "CALLERS_MAX", 2)
    bucket = Pace(per_s=1, burst=1, clock=Watch())
    for caller in "abc":
        bucket.take(caller)
    bucket.take("a")
    with pytest.raises(TooMany):
        bucket.take("c")
