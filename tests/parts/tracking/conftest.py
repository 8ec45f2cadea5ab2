"""A machine's work on the real database, one shop, one bound parcel."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.parts.tracking.given import Bound, Shop, bind_parcels, open_shop, received
from waystream.core.ports import Told
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.tx import Work
from waystream.kernel.vault import Keys
from waystream.parts.tracking.actions import Applied, apply

Push = Callable[..., Applied]
Rows = Callable[..., list[Any]]


@pytest.fixture
def work(database: Database, clock: FixedClock, keys: Keys) -> Work:
    return Work(database, clock, keys)


@pytest.fixture
def shop(work: Work) -> Shop:
    return work.run(lambda tx: open_shop(tx.conn))


@pytest.fixture
def parcel(work: Work, shop: Shop) -> Bound:
    return work.run(lambda tx: bind_parcels(tx.conn, shop, ["YT1"]))[0]


@pytest.fixture
def push(work: Work, shop: Shop) -> Push:
    """Apply one push that tells of the given waybills, in a transaction of its own."""

    def apply_one(*items: Told, **kwargs: Any) -> Applied:
        return work.run(lambda tx: apply(tx, [received(tx, shop, *items, **kwargs)]))

    return apply_one


@pytest.fixture
def rows(work: Work) -> Rows:
    """What a query finds, single columns as bare values."""

    def find(query: str, *params: Any) -> list[Any]:
        with work.begin() as tx:
            found = tx.conn.execute(query, params or None).fetchall()
        return [row[0] if len(row) == 1 else row for row in found]

    return find
