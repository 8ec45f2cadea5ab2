"""Parcels under way as tracking has them, and the sweep over what is overdue."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.parts.tracking.conftest import parcel, push, rows, shop, work
from waystream.kernel.tx import Tx, Work
from waystream.parts.silence import actions

__all__ = ["parcel", "push", "rows", "shop", "work"]

WAIT = timedelta(hours=2)


@pytest.fixture(autouse=True)
def two_days(work: Work) -> None:
    """On workdays a collected parcel and one in transit may be silent for two days."""

    def publish(tx: Tx) -> None:
        tx.conn.execute(
            """INSERT INTO patience (carrier, lane, stage, hours, usual_h, gaps, waiting)
               VALUES ('', '', 'collected', 48, 16, 0, 0), ('', '', 'in_transit', 48, 16, 0, 0)"""
        )

    work.run(publish)


@pytest.fixture
def sweep(work: Work) -> Callable[[], int]:
    return lambda: work.run(lambda tx: actions.watch(tx, wait=WAIT))
