"""The world every test of deadlines begins in, and what may be asked of it."""

import pytest

from tests.parts.world import World, build
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.vault import Keys


@pytest.fixture
def world(database: Database, clock: FixedClock, keys: Keys) -> World:
    return build(database, clock, keys)
