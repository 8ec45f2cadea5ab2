"""The desk for every test of the interface."""

from collections.abc import Iterator

import pytest

from tests.engine import Engine
from tests.parts.fulfilment.bench import Bench
from tests.web.api.desk import Desk, open_client
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.vault import Keys


@pytest.fixture
def bench(engine: Engine, database: Database, clock: FixedClock, keys: Keys) -> Bench:
    return Bench(engine, clock, keys)


@pytest.fixture
def desk(bench: Bench, page_database: Database) -> Iterator[Desk]:
    with open_client(bench, page_database) as client:
        yield Desk(bench, client)
