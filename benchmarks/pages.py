"""`make bench-pages`: how long every page and list filter takes with a million parcels stored, and what is read for it.

Asked through the whole web application in this process, by an owner of every shop and by somebody limited to one small
shop and one warehouse. Every statement is explained afterwards: a sequential scan of a big table is a fault, and so is
reading more than READ_AT_MOST rows of one by any way. Ends with 0 when there is none and every page's median is under
100 ms; the last line of standard output is one JSON object.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import psycopg
from fastapi import FastAPI
from psycopg.conninfo import make_conninfo
from starlette.testclient import TestClient

from benchmarks.stored import FOUND_LAST_FOUR, Stored, fill
from waystream.integrations.kdniao.adapter import network
from waystream.kernel import migrations
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database, Shops
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
from waystream.web.pages.overview.fresh import Fresh
from waystream.web.render import SAID_COOKIE

PARCELS = 1_000_000
TIMES = 9
GOAL_MS = 100.0
READ_AT_MOST = 20_000
NOW = datetime(2026, 11, 12, 6, 32, tzinfo=UTC)
SYSTEM = Caller("system", Role.OWNER, frozenset(Permission), Shops.every())
LIMITED = people.Limits(shops=(6,), warehouses=(2,))
BIG = frozenset({
    "orders", "order_line", "person", "person_index", "parcel", "parcel_order", "parcel_line", "binding", "track",
    "event", "audit", "stranger", "job", "inbox", "ticket", "ticket_entry",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """One page by one caller. `scans`: big tables its statements read from end to end, or too much of."""

    who: str
    path: str
    status: int
    best_ms: float
    p50_ms: float
    p95_ms: float
    statements: int
    scans: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A statement that was executed, with its values and for which shops."""

    text: bytes
    values: Any
    shops: str


@dataclass(slots=True)
class Record:
    statements: list[Said] = field(default_factory=list)


def list_paths(stored: Stored) -> list[str]:
    """Every page that reads big tables, and every filter alone and against the grain."""
    after = f"{int(stored.middle.timestamp())}.000000-{stored.order_id}"
    words = (
        "to_ship",
        "shipped",
        "in_transit",
        "out_for_delivery",
        "part_delivered",
        "delivered",
        "completed",
        "closed",
    )
    orders = [
        *(f"word={word}" for word in words), "view=late", "view=held", "view=trouble", "shop=1", "shop=6", "shop=8",
        "shop=99", "warehouse=2", "warehouse=3", "warehouse=99", "shop=8&warehouse=3", "shop=6&warehouse=2&word=closed",
        "carrier=SF", "carrier=EMS", "carrier=NOPE", "carrier=EMS&word=to_ship", "carrier=SF&word=to_ship",
        "carrier=STO&word=completed", "view=late&shop=8", "view=trouble&warehouse=3", "view=held&carrier=EMS",
        f"after={after}", f"word=completed&after={after}", f"shop=8&after={after}", f"q={stored.number}",
        f"q={stored.waybill}", f"q={FOUND_LAST_FOUR}", "q=T0000", "q=15812346021",
    ]  # fmt: skip
    states = (
        "awaiting_collection",
        "in_transit",
        "out_for_delivery",
        "delivered",
        "exception",
        "lost",
        "returned",
        "customs",
    )
    parcels = [
        *(f"state={state}" for state in states), "stage=refused", "stage=issued", "stage=printed", "stage=dispatched",
        "view=trouble", "state=delivered&kind=locker", "state=delivered&kind=stalled", "carrier=SF", "carrier=EMS",
        "carrier=NOPE", "state=delivered&carrier=EMS", "state=exception&kind=damaged&carrier=EMS",
        "view=trouble&carrier=EMS", "stage=issued&carrier=EMS", f"after={after}", f"state=delivered&after={after}",
        f"view=trouble&after={after}",
    ]  # fmt: skip
    api_orders = [
        "word=completed", "word=to_ship&word=shipped", "shop=shop8", "warehouse=wh3", "carrier=SF", "held=true",
        "refund=true", "late=true", "word=to_ship&late=true", f"after={after}", f"q={stored.waybill}",
    ]  # fmt: skip
    api_parcels = [
        "stage=issued", "state=lost", "state=delivered", "carrier=EMS", "carrier=NOPE", "state=delivered&carrier=EMS",
        "shop=shop8", "warehouse=wh3", "held=true", "held=false", "number=SF0000", f"number={stored.waybill}",
        f"order={stored.order_id}", f"after={after}", f"state=delivered&after={after}",
    ]  # fmt: skip
    bench = [
        "due=today", "mine=1", "cause=lost", "carrier=SF", "carrier=EMS", "priority=high", "shop=6",
        "carrier=EMS&cause=lost&priority=low", f"q={stored.number}", f"q={stored.waybill}", f"q={FOUND_LAST_FOUR}",
        f"after={int(NOW.timestamp())}.000000-{stored.order_id}",
    ]  # fmt: skip
    return [
        "/workbench", "/workbench/queue", *(f"/workbench?{each}" for each in bench),
        "/", "/orders", *(f"/orders?{each}" for each in orders), "/parcels", *(f"/parcels?{each}" for each in parcels),
        f"/orders/{stored.order_id}", "/strangers", "/strangers?before=500", "/strangers?view=quarantine",
        "/strangers?view=codes", "/strangers?view=disputed", "/audit", "/audit?actor=staff:3", "/audit?actor=nobody",
        "/audit?action=unmask", "/audit?action=nothing", "/audit?subject=order:77", f"/audit?after={after}",
        "/setup", "/printers", "/people", "/shops", "/api/orders", *(f"/api/orders?{each}" for each in api_orders),
        "/api/orders/counts", f"/api/orders/{stored.order_id}", f"/api/orders/{stored.order_id}/timeline",
        "/api/parcels", *(f"/api/parcels?{each}" for each in api_parcels), "/api/parcels/counts",
        f"/api/parcels/{stored.parcel_id}", f"/api/parcels/{stored.parcel_id}/timeline", "/api/strangers", "/api/audit",
    ]  # fmt: skip


def make_context(machine: Work, page: Work) -> WebContext:
    """Without bounds on how often may be asked."""
    free = {"per_s": 1e9, "burst": 10**9}
    return WebContext(
        page, machine, {network.name: network}, Live(machine), "https://ship.example",
        requests=Pace(**free), searches=Pace(**free),  # type: ignore[arg-type]
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
    app = make_web(context)
    with TestClient(app, raise_server_exceptions=False) as client:
        for who, headers in everybody.items():
            for path in list_paths(stored):
                app.state.overview = Fresh()
                with recorded() as record:
                    status = client.get(path, headers=headers).status_code
                took = [_time(client, path, headers, app) for _ in range(times)]
                yield Asked(
                    who, path, status, round(min(took), 1), round(statistics.median(took), 1), round(_high(took), 1),
                    len(record.statements), list_scans(context.work, record),
                )  # fmt: skip


def _time(client: TestClient, path: str, headers: Mapping[str, str], app: FastAPI) -> float:
    """As the first who looks after something happened: nothing of the moment before."""
    app.state.overview = Fresh()
    cookie = headers["Cookie"] + f"; {SAID_COOKIE}=x"  # whoever just did something is shown what is so now
    began_s = time.perf_counter()
    client.get(path, headers={**headers, "Cookie": cookie})
    return (time.perf_counter() - began_s) * 1000


def _high(took: Sequence[float]) -> float:
    return sorted(took)[min(len(took) - 1, round(0.95 * len(took)))]


@contextmanager
def recorded() -> Iterator[Record]:
    """Every statement any connection of this process executes meanwhile."""
    record, execute, shops = Record(), psycopg.Cursor.execute, ["*"]

    def listen(self: Any, query: Any, params: Any = None, **options: Any) -> Any:
        text = query if isinstance(query, bytes) else str(query).encode()
        if b"waystream.shops" in text:
            shops[0] = params[0]
        elif text.lstrip()[:6].upper().startswith((b"SELECT", b"WITH")):
            record.statements.append(Said(text, params, shops[0]))
        return execute(self, query, params, **options)

    psycopg.Cursor.execute = cast(Any, listen)  # type: ignore[method-assign]
    try:
        yield record
    finally:
        psycopg.Cursor.execute = cast(Any, execute)  # type: ignore[method-assign]


def list_scans(work: Work, record: Record) -> tuple[str, ...]:
    """`orders scanned in SELECT …` for each fault in a statement's plan."""
    found: list[str] = []
    with work.begin(read_only=True) as tx:
        for said in record.statements:
            tx.conn.execute("select set_config('waystream.shops', %s, true)", [said.shops])
            explain = b"EXPLAIN (ANALYZE, TIMING OFF, BUFFERS OFF, FORMAT JSON) "
            row = tx.conn.execute(explain + said.text, said.values).fetchone()
            assert row is not None
            words = " ".join(said.text.decode().split())[:100]
            found += [f"{fault} in {words}" for fault in _faults(row[0][0]["Plan"])]
    return tuple(found)


def _faults(plan: Mapping[str, Any]) -> Iterator[str]:
    table = str(plan.get("Relation Name", ""))
    if table in BIG:
        read = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
        if plan["Node Type"] == "Seq Scan":
            yield f"{table} scanned"
        elif read > READ_AT_MOST:
            yield f"{read:,.0f} rows of {table}"
    for child in plan.get("Plans", ()):
        yield from _faults(child)


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
        stored = fill(make_conninfo(postgres.admin_url, dbname="waystream"), keys, parcels=parcels, now=NOW)
        _say(f"{parcels:,} parcels stored in {time.monotonic() - began_s:.0f} s")
        machine = Database(postgres.machine_url, role="machine")
        page = Database(postgres.page_url, role="web")
        for database in (machine, page):
            stack.callback(database.close)
            database.open()
        yield make_context(Work(machine, clock, keys), Work(page, clock, keys)), stored


def as_json(parcels: int, asked: Sequence[Asked]) -> str:
    slowest, medians = max(asked, key=lambda each: each.p50_ms), [each.p50_ms for each in asked]
    return json.dumps({
        "parcels": parcels, "pages": len(asked), "median_ms": round(statistics.median(medians), 1),
        "slowest_p50_ms": slowest.p50_ms, "slowest": f"{slowest.who} {slowest.path}",
        "over_100_ms": [f"{each.who} {each.path}: {each.p50_ms}" for each in asked if each.p50_ms > GOAL_MS],
        "faults": sorted({scan for each in asked for scan in each.scans}),
        "failed": [f"{each.who} {each.path}: {each.status}" for each in asked if each.status >= 500],
        "overview_p50_ms": [each.p50_ms for each in asked if each.path == "/"],
    })  # fmt: skip


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
                    f"{each.who:8}{each.p50_ms:8.1f}{each.p95_ms:8.1f} ms {each.status} {each.path} {each.scans or ''}"
                )
    print(as_json(given.parcels, asked), flush=True)
    faults = any(each.scans or each.status >= 500 or each.p50_ms > GOAL_MS for each in asked)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
