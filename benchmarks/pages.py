"""`make bench-pages`: how long every page and list filter takes with a million parcels stored, and what is read for it.

Asked through the whole web application in this process, by an owner of every shop and by somebody limited to one small
shop and one warehouse; nothing is kept from one request to the next. Every statement is explained afterwards: what is a
fault stands in `crowd.plans`. Ends with 0 when there is none and every page's median is under 100 ms; the last line of
standard output is one JSON object, the slowest page first.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from psycopg.conninfo import make_conninfo
from starlette.testclient import TestClient

from benchmarks.crowd.paths import list_paths
from benchmarks.crowd.plans import list_faults, recorded
from benchmarks.crowd.seals import seal_all
from benchmarks.crowd.stock import Stored, fill
from waystream import rules
from waystream.app import load_gateways
from waystream.integrations.kdniao.adapter import network
from waystream.kernel import migrations, open_list
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database, Shops
from waystream.kernel.dispatcher import list_rules
from waystream.kernel.lifecycle import EmbeddedPostgres
from waystream.kernel.tx import Tx, Work
from waystream.kernel.vault import Keys, Vault
from waystream.parts.people import actions as people
from waystream.parts.people import credentials
from waystream.parts.people import store as people_store
from waystream.parts.people.model import Caller, Permission, Role
from waystream.web.app import make_web
from waystream.web.auth import SESSION_COOKIE
from waystream.web.context import WebContext
from waystream.web.live import Live
from waystream.web.pace import Pace
from waystream.web.pages.overview import fresh

PARCELS = 1_000_000
TIMES = 21
GOAL_MS = 100.0
NOW = datetime(2026, 11, 12, 6, 32, tzinfo=UTC)
SYSTEM = Caller("system", Role.OWNER, frozenset(Permission), Shops.every())
LIMITED = people.Limits(shops=(6,), warehouses=(2,))
RULES = list_rules(open_list.load(rules))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Asked:
    """One page by one caller. `p99_ms` of fewer than a hundred times is the slowest; `faults`: see `crowd.plans`."""

    who: str
    path: str
    status: int
    best_ms: float
    p50_ms: float
    p99_ms: float
    statements: int
    faults: tuple[str, ...]


def make_context(machine: Work, page: Work) -> WebContext:
    """Without bounds on how often may be asked."""
    free = Pace(per_s=1e9, burst=10**9)
    return WebContext(
        page, machine, {network.name: network}, Live(machine), "https://ship.example", requests=free, searches=free,
        buyers=free, guesses=free, rules=RULES, gateways=load_gateways(),
    )  # fmt: skip


def sign_in(work: Work, login: str, limits: people.Limits) -> dict[str, str]:
    """Somebody who may see everything within these limits: the headers that go with every request."""

    def make(tx: Tx) -> str:
        made = people.create_staff(tx, login=login, name=login, role=Role.OWNER, limits=limits, by=SYSTEM)
        tx.conn.execute("UPDATE staff SET must_change = false WHERE id = %s", [made.staff.id])
        token = credentials.new_token()
        hashed = credentials.hash_token(token)
        people_store.insert_session(tx.conn, token_hash=hashed, staff_id=made.staff.id, lives_s=86_400)
        return token

    return {"Cookie": f"{SESSION_COOKIE}={work.run(make)}", "Accept": "text/html"}


def ask_all(context: WebContext, stored: Stored, *, times: int = TIMES) -> Iterator[Asked]:
    """Every page by everybody; the first answer warms up and is recorded, the others are timed."""
    everybody = {
        "owner": sign_in(context.machine, "everything", people.Limits(every_shop=True)),
        "limited": sign_in(context.machine, "little", LIMITED),
    }
    with nothing_kept(), TestClient(make_web(context), raise_server_exceptions=False) as client:
        for who, headers in everybody.items():
            for _, path in list_paths(stored):
                with recorded() as record:
                    status = client.get(path, headers=headers).status_code
                took = [_time(client, path, headers) for _ in range(times)]
                yield Asked(
                    who, path, status, round(min(took), 1), round(statistics.median(took), 1), round(_high(took), 1),
                    len(record.statements), list_faults(context.work, record),
                )  # fmt: skip


@contextmanager
def nothing_kept() -> Iterator[None]:
    """Each request reads for itself, as the first who looks after something happened."""
    kept, fresh.FRESH_S = fresh.FRESH_S, 0.0
    try:
        yield
    finally:
        fresh.FRESH_S = kept


def _time(client: TestClient, path: str, headers: Mapping[str, str]) -> float:
    began_s = time.perf_counter()
    client.get(path, headers=headers)
    return (time.perf_counter() - began_s) * 1000


def _high(took: Sequence[float]) -> float:
    return sorted(took)[round(0.99 * (len(took) - 1))]


@contextmanager
def filled(folder: Path, *, parcels: int) -> Iterator[tuple[WebContext, Stored]]:
    """A database server of its own with so many parcels."""
    folder.chmod(0o711)  # started by root, the database is another user and has to pass through
    postgres = EmbeddedPostgres(folder / "data", key_folder=folder / "keys", fsync=False)
    keys, clock = Keys(Vault(bytes(range(32)))), FixedClock(NOW)
    with ExitStack() as stack:
        stack.enter_context(postgres)
        migrations.migrate(postgres.owner_url)
        began_s = time.monotonic()
        admin_url = make_conninfo(postgres.admin_url, dbname="waystream")
        stored = fill(admin_url, keys, parcels=parcels, now=NOW, rules=sorted(RULES))
        _say(f"{parcels:,} parcels stored in {time.monotonic() - began_s:.0f} s")
        machine = Database(postgres.machine_url, role="machine")
        page = Database(postgres.page_url, role="web")
        for database in (machine, page):
            stack.callback(database.close)
            database.open()
        context = make_context(Work(machine, clock, keys), Work(page, clock, keys))
        context.machine.run(lambda tx: seal_all(tx, stored.order_id, context.gateways))
        yield context, stored


def as_json(parcels: int, asked: Sequence[Asked]) -> str:
    slowest_first = sorted(asked, key=lambda each: (each.p50_ms, each.p99_ms), reverse=True)
    pages = [
        {"who": each.who, "page": each.path, "p50_ms": each.p50_ms, "p99_ms": each.p99_ms} for each in slowest_first
    ]
    return json.dumps({
        "parcels": parcels, "asked": len(asked), "median_ms": statistics.median(each.p50_ms for each in asked),
        "over_100_ms": [f"{one.who} {one.path}: {one.p50_ms}" for one in slowest_first if one.p50_ms > GOAL_MS],
        "p99_over_100_ms": [f"{one.who} {one.path}: {one.p99_ms}" for one in slowest_first if one.p99_ms > GOAL_MS],
        "faults": sorted({f"{each.path}: {fault}" for each in asked for fault in each.faults}),
        "failed": [f"{each.who} {each.path}: {each.status}" for each in asked if each.status >= 500],
        "pages": pages,
    }, ensure_ascii=False)  # fmt: skip


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="pages", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print nothing else")
    parser.add_argument("--parcels", type=int, default=PARCELS)
    parser.add_argument("--times", type=int, default=TIMES)
    given = parser.parse_args(arguments)
    asked: list[Asked] = []
    with (
        tempfile.TemporaryDirectory(prefix="waystream-pages-") as folder,
        filled(Path(folder), parcels=given.parcels) as (context, stored),
    ):
        for each in ask_all(context, stored, times=given.times):
            asked.append(each)
            if not given.json:
                _say(
                    f"{each.who:8}{each.p50_ms:8.1f}{each.p99_ms:8.1f} ms {each.status} {each.statements:3} "
                    f"{each.path} {each.faults or ''}"
                )
    print(as_json(given.parcels, asked), flush=True)
    bad = any(each.faults or each.status >= 500 or each.p50_ms > GOAL_MS for each in asked)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
