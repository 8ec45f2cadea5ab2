"""Hop 1 on the real database: exact rows, exact events, whatever the order of pushes."""

import pytest

from tests.parts.tracking.given import Bound, Shop, at, bind_parcels, open_shop, received, told, trace
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.tx import Work
from waystream.kernel.vault import Keys
from waystream.parts.tracking.actions import apply


@pytest.fixture
def work(database: Database, clock: FixedClock, keys: Keys) -> Work:
    return Work(database, clock, keys)


@pytest.fixture
def shop(work: Work) -> Shop:
    return work.run(lambda tx: open_shop(tx.conn))


@pytest.fixture
def parcel(work: Work, shop: Shop) -> Bound:
    return work.run(lambda tx: bind_parcels(tx.conn, shop, ["YT1"]))[0]


def test_first_push(work: Work, shop: Shop, parcel: Bound) -> None:
    applied = work.run(lambda tx: apply(tx, [received(tx, shop, told("YT1", 10, trace(8, "1"), trace(9, "204")))]))
    assert applied.scans == 2
    with work.begin() as tx:
        row = tx.conn.execute("SELECT state, at, collected_at, latest FROM track").fetchone()
        assert row == ("in_transit", at(9), at(8), "scan 204")
        assert tx.conn.execute("SELECT name FROM event ORDER BY id").fetchall() == [
            ("ParcelCollected",), ("ParcelMoved",)]
