"""What every test may ask for: the real database in both roles, a clock that stands still, keys."""

import zlib
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import settings

from benchmarks.pushes.nats_servers import Servers, running_servers
from tests.engine import Engine
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.jetstream import JetStream, Place
from waystream.kernel.vault import Keys, Vault

# How long an example takes says how busy the machine is, nothing of what must be true.
settings.register_profile("waystream", deadline=None)
settings.load_profile("waystream")

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


@pytest.fixture(scope="session")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """One NATS server with JetStream for the whole run of a worker."""
    with running_servers(tmp_path_factory.mktemp("nats") / "one", count=1) as servers:
        yield servers


@pytest.fixture
def jetstream(nats: Servers, request: pytest.FixtureRequest) -> Iterator[JetStream]:
    """A connection whose streams are this test's own."""
    prefix = f"t{zlib.crc32(request.node.nodeid.encode())}"
    with JetStream(Place((nats.url,), None, prefix, 1)) as jetstream:
        yield jetstream
