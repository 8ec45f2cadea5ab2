"""Kdniao's side over real HTTP with a memory of its own, and everything of ours that runs beside it, on one thread."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.parts.world import World, build
from waystream import invariants, rules
from waystream.core.ports import CarrierAccount
from waystream.integrations.folder.adapter import driver
from waystream.integrations.kdniao.adapter import network
from waystream.integrations.kdniao.fake import Issued, KdniaoSide, Merchant, News, Subscription
from waystream.kernel import log, open_list
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.dispatcher import Dispatcher
from waystream.kernel.exchange import Exchange
from waystream.kernel.jobs import Outside
from waystream.kernel.runner import Pace, Runner
from waystream.kernel.tx import Tx
from waystream.kernel.vault import Keys
from waystream.parts.catalogue import actions as catalogue
from waystream.parts.catalogue.model import SenderIn, WarehouseIn
from waystream.parts.floor import actions as floor
from waystream.parts.floor import jobs as floor_jobs
from waystream.parts.floor.model import PrinterIn
from waystream.parts.fulfilment import jobs as fulfilment_jobs
from waystream.parts.hub import actions as hub
from waystream.parts.hub import jobs as hub_jobs
from waystream.parts.hub.model import AccountIn, AggregatorIn

ID, KEY = "1237100", "a-key-of-the-tests"
RULES = open_list.load(rules)
INVARIANTS = open_list.load(invariants)


@dataclass(slots=True)
class Memory:
    """A `fake.Book` that forgets at the end of the test."""

    orders: dict[str, Issued] = field(default_factory=dict)
    subscriptions: list[Subscription] = field(default_factory=list)
    collected: set[str] = field(default_factory=set)
    serial: int = 0

    def next_serial(self) -> int:
        self.serial += 1
        return self.serial

    def find_order(self, merchant_id: str, order_code: str) -> Issued | None:
        return self.orders.get(order_code)

    def find_reusable_number(self, carrier: str, at: datetime) -> str | None:
        return None

    def count_issued(self, carrier: str, customer: str) -> int:
        return len(self.orders)

    def issue(self, issued: Issued, subscription: Subscription | None) -> None:
        self.orders[issued.order_code] = issued
        if subscription is not None:
            self.subscriptions.append(subscription)

    def cancel(self, issued: Issued, at: datetime) -> None:
        self.orders[issued.order_code] = replace(issued, cancelled_at=at)

    def is_collected(self, issued: Issued, at: datetime) -> bool:
        return issued.number in self.collected

    def subscribe(self, subscription: Subscription) -> None:
        self.subscriptions.append(subscription)

    def find_news(self, carrier: str, number: str, at: datetime) -> News | None:
        return None

    def alive(self) -> set[str]:
        return {issued.number for issued in self.orders.values() if issued.cancelled_at is None}


class Whole:
    """Waystream from order to dispatch against Kdniao's side; `settle` runs rules and jobs until all is quiet."""

    def __init__(self, database: Database, clock: FixedClock, keys: Keys, *, url: str, prints: Path) -> None:
        self.world: World = build(database, clock, keys)
        self.work = self.world.work
        self.prints = prints
        self.work.run(lambda tx: self._set_up(tx, url))
        self.exchange = Exchange()
        outside = Outside(self.exchange, {"kdniao": network}, {"folder": driver})
        handlers = (*fulfilment_jobs.handlers(outside), *floor_jobs.handlers(outside), *hub_jobs.handlers(outside))
        self.runner = Runner(self.work, handlers, pace=Pace(first_retry_s=0.0, longest_retry_s=0.0))
        self.dispatcher = Dispatcher(self.work, RULES)

    def _set_up(self, tx: Tx, url: str) -> None:
        told = AggregatorIn("main", "kdniao", ID, url, KEY)
        aggregator = hub.add_aggregator(tx, told, integrations=["kdniao"], actor="staff:1")
        parameters = CarrierAccount("YTO", customer_name="us", customer_password="hush", month_code="M")
        hub.add_account(tx, AccountIn(aggregator.id, "yto", parameters), actor="staff:1")
        floor.add_printer(tx, PrinterIn("gate", f"folder://{self.prints}"), actor="staff:1")
        sender = SenderIn(name="发货", mobile="13900000000", address="仓前街1号")
        catalogue.upsert_warehouse(tx, WarehouseIn(
            code="yh", name="余杭仓", province="浙江省", city="杭州市", district="余杭区", sender=sender,
            printer="gate"), actor="staff:1")  # fmt: skip

    def settle(self) -> None:
        for _ in range(50):
            moved = self.work.database.run(log.sequence) + self.dispatcher.drain()
            with self.work.begin() as tx:
                tx.conn.execute("UPDATE job SET due_at = clock_timestamp() - interval '1 s' WHERE state = 'ready'")
            if not moved + self.runner.drain():
                return
        raise AssertionError("it never settles")

    def rows(self, query: str, *given: Any) -> list[tuple[Any, ...]]:
        with self.work.begin() as tx:
            return tx.conn.execute(query, list(given)).fetchall()

    def broken(self) -> list[str]:
        """What every invariant of the open list says."""
        said: list[str] = []
        for invariant in INVARIANTS:
            with self.work.begin() as tx:
                said += (
                    invariant.broken(tx)
                    if hasattr(invariant, "broken")
                    else [str(row[0]) for row in tx.conn.execute(invariant.SQL)]
                )
        return said


@contextmanager
def kdniao(memory: Memory, clock: FixedClock) -> Iterator[str]:
    """Kdniao's side listening; its address."""
    side = KdniaoSide([Merchant(ID, KEY)], book=memory, seed=7)

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            reply = side.answer(self.rfile.read(int(self.headers["content-length"])), at=clock.now())
            self.send_response(reply.status)
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
