"""A shop with an endpoint, a receiver that listens there, and a courier that is turned by hand."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.parts.webhooks.receiver import Receiver, receiving
from tests.parts.world import World, build
from waystream.core.events import Event
from waystream.core.events.orders import OrderReleased
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.dispatcher import Dispatcher
from waystream.kernel.exchange import Exchange
from waystream.kernel.log import Sequencer
from waystream.kernel.vault import Keys
from waystream.parts.webhooks import actions
from waystream.parts.webhooks.courier import Courier, Pace
from waystream.parts.webhooks.model import EndpointIn, NewEndpoint
from waystream.rules import event_is_told_to_endpoints

LOOPBACK = frozenset({"127.0.0.1"})
FAST = Pace(threads=8, each=4, timeout_s=2.0, lease_s=5.0, poll_s=0.05)


@dataclass
class Post:
    """The world with its webhooks."""

    world: World
    database: Database
    exchange: Exchange
    pace: Pace = FAST
    told: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dispatcher = Dispatcher(self.world.work, [event_is_told_to_endpoints])
        self.dispatcher.drain()

    def add(self, url: str, *wanted: str, shop_id: int = 0) -> NewEndpoint:
        told = EndpointIn(url, wanted or ("*",))
        with self.world.work.begin() as tx:
            return actions.add_endpoint(tx, shop_id or self.world.tea, told, actor="staff:1", private_hosts=LOOPBACK)

    def happen(self, *events: Event) -> None:
        with self.world.work.begin() as tx:
            tx.emit(*events)

    def release(self, *order_ids: int) -> None:
        """Something happens to orders of the shop `tea`."""
        self.happen(*(OrderReleased(shop_id=self.world.tea, order_id=order_id) for order_id in order_ids))

    def fan_out(self) -> None:
        Sequencer(self.database).drain()
        self.dispatcher.drain()

    def courier(self, pace: Pace | None = None) -> Courier:
        return Courier(self.world.work, self.exchange, pace=pace or self.pace)

    def send(self) -> int:
        """Fan out what happened and make every attempt that is due."""
        self.fan_out()
        return self.courier().drain()

    def make_due(self) -> None:
        """As if the waits had passed."""
        with self.world.work.begin() as tx:
            tx.conn.execute("UPDATE webhook_delivery SET due_at = clock_timestamp() WHERE state = 'waiting'")
            tx.conn.execute("UPDATE webhook_endpoint SET rests_until = NULL")

    def rows(self, columns: str = "state, attempts, status") -> list[tuple[object, ...]]:
        with self.world.work.begin() as tx:
            return tx.conn.execute(f"SELECT {columns} FROM webhook_delivery ORDER BY id").fetchall()  # type: ignore[arg-type]

    def endpoint(self, columns: str = "disabled_why, failures") -> tuple[object, ...]:
        with self.world.work.begin() as tx:
            [row] = tx.conn.execute(f"SELECT {columns} FROM webhook_endpoint").fetchall()  # type: ignore[arg-type]
        return row


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def post(database: Database, clock: FixedClock, keys: Keys) -> Iterator[Post]:
    with Exchange(LOOPBACK.__contains__) as exchange:
        yield Post(build(database, clock, keys), database, exchange)
