"""The web as a person meets it: the real application over both database roles, and somebody signed in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from tests.web import sample
from tests.web.sample import World
from waystream import rules
from waystream.app import load_gateways
from waystream.integrations.kdniao.adapter import network
from waystream.kernel import open_list
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database, Shops
from waystream.kernel.dispatcher import list_rules
from waystream.kernel.tx import Tx, Work
from waystream.kernel.vault import Keys
from waystream.parts.people import actions as people
from waystream.parts.people import credentials, store
from waystream.parts.people.model import Caller, Permission, Role
from waystream.web import receipts
from waystream.web.app import make_web
from waystream.web.auth import SESSION_COOKIE, csrf_of
from waystream.web.context import WebContext
from waystream.web.live import Live

HTML = {"accept": "text/html"}
OWNER = Caller("system", Role.OWNER, frozenset(Permission), Shops.every())
MODULES = open_list.load(rules)
RULES = list_rules(MODULES)  # type: ignore[arg-type]
BASE_URL = "http://testserver"
GATEWAYS = load_gateways()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a browser: their cookie goes with every request, their token with every form."""

    client: TestClient
    staff_id: int

    @property
    def csrf(self) -> str:
        return csrf_of(self.client.cookies[SESSION_COOKIE])

    def get(self, path: str, *, accept: str = "text/html", **headers: str) -> httpx.Response:
        return self.client.get(path, headers={"accept": accept, **headers}, follow_redirects=False)

    def post(self, path: str, *, csrf: str | None = None, **form: Any) -> httpx.Response:
        data = {"csrf": self.csrf if csrf is None else csrf, **form}
        return self.client.post(path, data=data, headers=HTML, follow_redirects=False)


class Office:
    """The application, its world, and whoever is hired."""

    def __init__(self, context: WebContext, world: World) -> None:
        self.context = context
        self.world = world
        self.app = make_web(context, extra=[receipts.router])
        self._hired = 0

    def stranger(self) -> TestClient:
        return TestClient(self.app, BASE_URL)

    def hire(
        self,
        role: Role = Role.OWNER,
        *,
        shops: tuple[int, ...] = (),
        warehouses: tuple[int, ...] = (),
        must_change: bool = False,
    ) -> Person:
        """Somebody of this role, for these shops and warehouses (none named: every), signed in."""
        self._hired += 1
        login = f"{role.value}{self._hired}"

        def make(tx: Tx) -> tuple[int, str]:
            limits = people.Limits(not shops, shops, warehouses)
            made = people.create_staff(tx, login=login, name="林晓", role=role, limits=limits, by=OWNER, language="en")
            tx.conn.execute("UPDATE staff SET must_change = %s WHERE id = %s", [must_change, made.staff.id])
            token = credentials.new_token()
            hashed = credentials.hash_token(token)
            store.insert_session(tx.conn, token_hash=hashed, staff_id=made.staff.id, lives_s=600)
            return made.staff.id, token

        staff_id, token = self.context.machine.run(make)
        client = self.stranger()
        client.cookies.set(SESSION_COOKIE, token)
        return Person(client, staff_id)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.context.machine.begin() as tx:
            return tx.conn.execute(query, list(values)).fetchall()  # type: ignore[call-overload,no-any-return]


@pytest.fixture
def context(database: Database, page_database: Database, clock: FixedClock, keys: Keys) -> Iterator[WebContext]:
    machine = Work(database, clock, keys)
    live = Live(machine)
    work = Work(page_database, clock, keys)
    yield WebContext(
        work, machine, {network.name: network}, live, "https://ship.example", rules=RULES, gateways=load_gateways()
    )
    live.close()


@pytest.fixture
def office(context: WebContext) -> Office:
    """With the sample world in it."""
    return Office(context, context.machine.run(sample.make))


@pytest.fixture
def empty_office(context: WebContext) -> Office:
    """As on the first day: nothing there."""
    return Office(context, World())
