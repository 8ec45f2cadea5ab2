"""What the web needs of the rest, handed in once by the composition root."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from starlette.requests import HTTPConnection

from waystream.core.gateways import Gateway
from waystream.core.ports import Network
from waystream.kernel.dispatcher import Rule
from waystream.kernel.figures import Figures
from waystream.kernel.tx import Work
from waystream.web.live import Live
from waystream.web.pace import Pace, new_buyers, new_guesses, new_requests, new_searches

BODY_LIMIT_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class WebContext:
    """`work` sees only the shops it is told (the page role); `machine` sees all and serves sign-in and health.

    `requests` bounds what programs ask, `searches` what anybody searches by phone or name, `buyers` what is asked
    through one buyer's link, `guesses` the wrong links from one address.
    """

    work: Work
    machine: Work
    networks: Mapping[str, Network]
    live: Live
    base_url: str
    push_base_url: str = ""
    cookie_secure: bool = False
    body_limit_bytes: int = BODY_LIMIT_BYTES
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    requests: Pace = field(default_factory=new_requests)
    searches: Pace = field(default_factory=new_searches)
    buyers: Pace = field(default_factory=new_buyers)
    guesses: Pace = field(default_factory=new_guesses)
    figures: Figures = field(default_factory=Figures)
    backup_every: timedelta = timedelta(days=1)
    rules: Mapping[str, Rule] = field(default_factory=dict)
    data_folder: Path | None = None  # where the embedded database lies
    gateways: Mapping[str, Gateway] = field(default_factory=dict)  # the ways out for messages
    private_hosts: frozenset[str] = frozenset()  # where webhooks may go though it is private

    @property
    def push_address(self) -> str:
        """Where carriers push to, without the path of an account."""
        return self.push_base_url or self.base_url


def context_of(connection: HTTPConnection) -> WebContext:
    context = connection.app.state.context
    assert isinstance(context, WebContext)
    return context
