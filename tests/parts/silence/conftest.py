"""Parcels under way as tracking has them, and the sweep over what is overdue."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.parts.tracking.conftest import parcel, push, rows, shop, work
from waystream.kernel.tx import Work
from waystream.parts.silence import actions

__all__ = ["parcel", "push", "rows", "shop", "work"]

WAIT = timedelta(hours=2)


@pytest.fixture
def sweep(work: Work) -> Callable[[], int]:
    return lambda: work.run(lambda tx: actions.watch(tx, wait=WAIT))
