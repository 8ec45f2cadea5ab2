"""The world and the floor every test of printing begins in."""

from collections.abc import Iterator

import pytest

from tests.parts.floor.given import Floor, open_floor
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


@pytest.fixture
def floor(world: World) -> Iterator[Floor]:
    with open_floor(world) as floor:
        yield floor
