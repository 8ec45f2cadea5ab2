"""The world every test of the buyer part begins in."""

import pytest

from tests.parts.world import World, build
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.tx import Work
from waystream.kernel.vault import Keys


@pytest.fixture
def world(database: Database, clock: FixedClock, keys: Keys) -> World:
    return build(database, clock, keys)


@pytest.fixture
def work(world: World) -> Work:
    return world.work
