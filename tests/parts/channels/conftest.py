"""A shop with the gateways there are, a real mail server, and jobs that run when they are told to."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.integrations.smtp.mail_server import Server, serving
from tests.parts.world import World, build
from waystream.app import load_gateways
from waystream.core.channels import Letter
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.exchange import Exchange
from waystream.kernel.jobs import Outside
from waystream.kernel.runner import Runner
from waystream.kernel.vault import Keys
from waystream.parts.channels import actions, jobs
from waystream.parts.channels.model import Channel, ChannelIn
from waystream.parts.channels.post import PostOffice

GATEWAYS = load_gateways()
ADDRESS = "https://waystream.example.com"
LETTER = Letter(
    id="K7Q2XRT4WS", shop="茶铺", order="A1", language="zh", template="shipped", to="buyer@example.com",
    subject="您的订单已发货", text="订单 A1 已发货。", variables={"order": "A1", "carrier": "顺丰"},
)  # fmt: skip


@dataclass
class Counter:
    """The world with its post office."""

    world: World
    exchange: Exchange
    mail: Server

    @property
    def office(self) -> PostOffice:
        return PostOffice(self.world.work, self.exchange, GATEWAYS, ADDRESS)

    def add(self, gateway: str = "smtp", *, shop_id: int = 0, name: str = "mail", **given: object) -> Channel:
        values = given.pop("values", None) or self.values()
        told = ChannelIn(name, values, **given)  # type: ignore[arg-type]
        with self.world.work.begin() as tx:
            return actions.add_channel(tx, shop_id or self.world.tea, gateway, told, gateways=GATEWAYS, actor="staff:1")

    def values(self, **given: str) -> dict[str, str]:
        usual = {"host": "127.0.0.1", "port": str(self.mail.port), "security": "none", "sender": "service@example.com"}
        return usual | given

    def read(self, channel_id: int) -> Channel:
        with self.world.work.begin() as tx:
            return actions.get_channel(tx, channel_id)

    def run_jobs(self) -> None:
        outside = Outside(self.exchange, {}, {}, gateways=GATEWAYS, push_address=ADDRESS, page_address=ADDRESS)
        Runner(self.world.work, jobs.handlers(outside)).drain()


@pytest.fixture
def counter(database: Database, clock: FixedClock, keys: Keys) -> Iterator[Counter]:
    with serving() as mail, Exchange(lambda host: host == "127.0.0.1", speed=1_000) as exchange:
        yield Counter(build(database, clock, keys), exchange, mail)
