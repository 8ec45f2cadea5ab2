"""The interface as a program meets it: the real application on a real database, callers with real keys and sessions."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from starlette.testclient import TestClient

from tests.parts.fulfilment.bench import Bench
from waystream import rules
from waystream.app import load_gateways
from waystream.integrations.kdniao.adapter import network
from waystream.kernel import open_list
from waystream.kernel.database import Database, Shops
from waystream.kernel.dispatcher import list_rules
from waystream.kernel.tx import Work
from waystream.parts.people import actions as people
from waystream.parts.people import credentials, store
from waystream.parts.people.actions import Limits
from waystream.parts.people.model import Caller, Permission, Role
from waystream.web.app import make_web
from waystream.web.auth import SESSION_COOKIE, csrf_of
from waystream.web.context import WebContext
from waystream.web.doorway import Doorway
from waystream.web.live import Live
from waystream.web.pace import Pace
from waystream.web.push import PushDesk

RULES = list_rules(open_list.load(rules))  # type: ignore[arg-type]
OWNER = Caller("system", Role.OWNER, frozenset(Permission), Shops.every())
EVERY = frozenset(Permission) - {Permission.PERSON_UNMASK}
OF_EVERY_SHOP = {Permission.SETUP_WRITE, Permission.MACHINE_READ, Permission.MACHINE_WRITE}


GATEWAYS = load_gateways()


@dataclass(frozen=True, slots=True)
class Program:
    """A caller: what it sends with every request."""

    client: TestClient
    headers: dict[str, str]

    def get(self, path: str, **given: Any) -> Any:
        return self.client.get(path, headers=self.headers, **given)

    def post(self, path: str, json: Any = None, *, key: str = "", method: str = "POST", **given: Any) -> Any:
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        return self.client.request(method, path, json=json, headers=headers, **given)

    def put(self, path: str, json: Any) -> Any:
        return self.post(path, json, method="PUT")

    def delete(self, path: str) -> Any:
        return self.client.delete(path, headers=self.headers)


class Desk:
    """`bench` is what stands behind: orders, accounts, a carrier in memory."""

    def __init__(self, bench: Bench, client: TestClient) -> None:
        self.bench, self.client = bench, client
        self.world, self.work = bench.world, bench.work

    def key(self, *scopes: str, shops: tuple[int, ...] = ()) -> Program:
        """A program with these permissions (none named: all a key can have), for these shops (none named: every)."""
        limits = Limits(every_shop=not shops, shops=shops)
        can_have = EVERY - OF_EVERY_SHOP if shops else EVERY
        with self.work.begin() as tx:
            new = people.create_key(tx, name="test", scopes=scopes or can_have, limits=limits, by=OWNER)
        return Program(self.client, {"Authorization": f"Bearer {new.secret}"})

    def person(
        self, role: str, *, shops: tuple[int, ...] = (), warehouses: tuple[int, ...] = (), login: str = ""
    ) -> Program:
        """Somebody signed in with this role."""
        limits = Limits(every_shop=not shops, shops=shops, warehouses=warehouses)
        with self.work.begin() as tx:
            made = people.create_staff(
                tx, login=login or f"{role}{len(people.list_staff(tx))}", name=role, role=Role(role), limits=limits,
                by=OWNER,
            )  # fmt: skip
            tx.conn.execute("UPDATE staff SET must_change = false WHERE id = %s", [made.staff.id])
            token = credentials.new_token()
            token_hash = credentials.hash_token(token)
            store.insert_session(tx.conn, token_hash=token_hash, staff_id=made.staff.id, lives_s=600)
        return Program(self.client, {"Cookie": f"{SESSION_COOKIE}={token}", "X-CSRF": csrf_of(token)})

    def warehouse(self, code: str) -> int:
        """Another warehouse, like the first."""
        with self.work.begin() as tx:
            row = tx.conn.execute(
                """INSERT INTO warehouse (code, name, province, city, district, key_id, sealed, contact_mask,
                                          created_at)
                   SELECT %s, '别仓', province, city, district, key_id, sealed, contact_mask, created_at
                   FROM warehouse WHERE code = 'yh' RETURNING id""",
                [code],
            ).fetchone()
        assert row is not None
        return int(row[0])


@contextmanager
def open_client(
    bench: Bench, page: Database, *, pushes: PushDesk | None = None, **context: Any
) -> Iterator[TestClient]:
    """`context`: what of the web's context is other than usual; `pushes`: who answers them in the same process."""
    usual = {
        "requests": Pace(per_s=1000, burst=10_000),
        "searches": Pace(per_s=1000, burst=10_000),
        "live": Live(bench.work),
        "networks": {"kdniao": network},
        "rules": RULES,
    }
    work = Work(page, bench.clock, bench.work.keys)
    made = WebContext(
        work=work, machine=bench.work, base_url="http://localhost", gateways=GATEWAYS, **(usual | context)
    )
    web = make_web(made)
    with TestClient(Doorway(web, pushes) if pushes else web, raise_server_exceptions=False) as client:
        yield client
