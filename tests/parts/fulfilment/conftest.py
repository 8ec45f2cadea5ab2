"""What the tests of fulfilment share."""

import pytest

from tests.engine import Engine
from tests.parts.fulfilment.bench import Bench
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.vault import Keys


@pytest.fixture
def bench(engine: Engine, database: Database, clock: FixedClock, keys: Keys) -> Bench:
    return Bench(engine, clock, keys)
