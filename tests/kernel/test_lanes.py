"""Lanes hold an account of the outside to its limit, in business time."""

import threading
import time

import pytest

from waystream.core.errors import Unavailable
from waystream.core.ports import Lane
from waystream.kernel.lanes import Lanes


def test_calls_of_one_lane_are_spaced_from_any_thread() -> None:
    lanes, left = Lanes(), []

    def call() -> None:
        lanes.enter(Lane("a", 100), timeout_s=5)
        left.append(time.monotonic())

    threads = [threading.Thread(target=call) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(left) - min(left) >= 0.085


def test_lanes_do_not_wait_for_each_other() -> None:
    lanes = Lanes()
    lanes.enter(Lane("a", 0.001), timeout_s=1)
    lanes.enter(Lane("b", 0.001), timeout_s=1)


def test_a_call_that_would_wait_too_long_is_told_when_to_come_back() -> None:
    lanes = Lanes()
    lanes.enter(Lane("a", 0.1), timeout_s=1)
    with pytest.raises(Unavailable) as refused:
        lanes.enter(Lane("a", 0.1), timeout_s=1)
    assert not refused.value.sent
    assert 8 < (refused.value.retry_after_s or 0) <= 10


def test_a_fast_clock_makes_the_limit_fast() -> None:
    lanes = Lanes(speed=3600)
    began = time.monotonic()
    for _ in range(1000):
        lanes.enter(Lane("a", 20), timeout_s=1)
    assert time.monotonic() - began < 1
