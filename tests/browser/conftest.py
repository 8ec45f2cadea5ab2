"""A real browser on the real server: one site per module, with the sample world in it and its owner signed in."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.conftest import BUSINESS_TIME
from tests.engine import Engine
from tests.web import sample
from tests.web.conftest import GATEWAYS, RULES, Office
from tests.web.sample_outage import make_outage, make_replay
from tests.web.sample_tickets import make_tickets
from tests.web.standstill import stand_still
from waystream.integrations.kdniao.adapter import network
from waystream.kernel.clock import FixedClock
from waystream.kernel.tx import Work
from waystream.kernel.vault import Keys, Vault
from waystream.parts.people.model import Role
from waystream.web.auth import SESSION_COOKIE
from waystream.web.context import WebContext
from waystream.web.live import Live

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
DESK, PHONE = (1440, 900), (390, 844)
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>/usr/share/fonts</dir><dir>{chinese}</dir><cachedir>{cache}</cachedir></fontconfig>"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", action="store_true", help="draw every page into docs/pictures")


@dataclass(frozen=True, slots=True)
class Site:
    """A running server and what stands behind it."""

    address: str
    office: Office


@dataclass(frozen=True, slots=True)
class Look:
    """How a page is looked at."""

    language: str = "zh"
    theme: str = "light"
    size: tuple[int, int] = DESK
    scripts: bool = True

    @property
    def name(self) -> str:
        return "-".join((self.language, self.theme, "phone" if self.size == PHONE else "desk"))


class Visitor:
    """A signed-in browser window; what its console complained of is kept."""

    def __init__(self, page: Page, context: BrowserContext, site: Site, *, staff_id: int) -> None:
        self.page, self.context, self.site, self.staff_id = page, context, site, staff_id
        self.complaints: list[str] = []
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, path: str) -> Page:
        self.page.goto(self.site.address + path)
        return self.page


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium with a Chinese font out of a wheel, so that pictures are the same on every machine."""
    import mplfonts

    fonts = tmp_path_factory.mktemp("fonts")
    settings = FONTS.format(chinese=Path(mplfonts.__file__).parent, cache=fonts / "cache")
    (fonts / "fonts.conf").write_text(settings)
    with sync_playwright() as playwright:
        environment = {**os.environ, "FONTCONFIG_FILE": str(fonts / "fonts.conf")}
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS), env=environment)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def site(engine: Engine) -> Iterator[Site]:
    engine.wipe()
    keys, clock = Keys(Vault(bytes(range(32)))), FixedClock(BUSINESS_TIME)
    machine = Work(engine.machine, clock, keys)
    live = Live(machine)
    work = Work(engine.page, clock, keys)
    context = WebContext(
        work, machine, {network.name: network}, live, "https://ship.example", rules=RULES, gateways=GATEWAYS
    )
    office = Office(context, machine.run(sample.make))
    machine.run(lambda tx: stand_still(tx, office.world))
    machine.run(lambda tx: make_outage(tx, office.world))
    machine.run(lambda tx: make_tickets(tx, office.world))
    office.world.replay_id = machine.run(lambda tx: make_replay(tx, office.world))
    live.start()
    with _serve(office) as address:
        yield Site(address, office)


@contextmanager
def _serve(office: Office) -> Iterator[str]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(office.app, log_level="error", lifespan="off", timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    office.context.live.close()
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Callable[..., Visitor]]:
    """Open a window as somebody of a role, looking in a certain way."""
    opened: list[BrowserContext] = []

    def enter(look: Look = Look(), *, role: Role = Role.OWNER) -> Visitor:
        person = site.office.hire(role)
        width, height = look.size
        context = browser.new_context(
            viewport={"width": width, "height": height}, java_script_enabled=look.scripts, reduced_motion="reduce"
        )
        opened.append(context)
        cookies = {
            SESSION_COOKIE: person.client.cookies[SESSION_COOKIE],
            "language": look.language,
            "theme": look.theme,
        }
        context.add_cookies([{"name": name, "value": value, "url": site.address} for name, value in cookies.items()])
        return Visitor(context.new_page(), context, site, staff_id=person.staff_id)

    yield enter
    for context in opened:
        context.close()
