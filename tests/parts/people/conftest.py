"""An empty installation with two shops, and the callers the tests act as."""

import pytest

from tests.parts.world import World, build
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.vault import Keys
from waystream.parts.people import actions
from waystream.parts.people.model import Caller


@pytest.fixture
def world(database: Database, clock: FixedClock, keys: Keys) -> World:
    return build(database, clock, keys)


@pytest.fixture
def owner(world: World) -> Caller:
    """The first owner, with a password of their own."""
    with world.work.begin() as tx:
        made = actions.ensure_owner(tx)
        assert made is not None
        assert actions.change_password(tx, made.staff.id, old=made.password, new="correct horse", token="")
        return actions.get_staff(tx, made.staff.id).caller()
