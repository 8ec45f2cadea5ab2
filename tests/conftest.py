"""What every test may ask for: the real database in both roles, a clock that stands still, keys."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.engine import Engine
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.vault import Keys, Vault

BUSINESS_TIME = datetime(2026, 11, 12, 6, 32, tzinfo=UTC)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One PostgreSQL for the whole run of a worker."""
    engine = Engine(tmp_path_factory.mktemp("engine"))
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture
def database(engine: Engine) -> Database:
    """The machine's role, on tables as the migrations left them."""
    engine.wipe()
    return engine.machine


@pytest.fixture
def page_database(engine: Engine, database: Database) -> Database:
    """The page role on the same tables: row-level security holds it to the shops of the transaction."""
    return engine.page


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(BUSINESS_TIME)


@pytest.fixture
def keys() -> Keys:
    """Data keys under a root key that is the same in every test."""
    return Keys(Vault(bytes(range(32))))
