"""What the tests of the log, the dispatcher and the runner share: events to tell, and waiting for a signal."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

import psycopg
from psycopg import Connection

from tests.engine import Engine
from waystream.core.events.orders import OrderHeld, OrderReleased
from waystream.kernel import log
from waystream.kernel.database import Database

AT = datetime(2026, 11, 12, 6, 32, tzinfo=UTC)
SHOP = 7


def held(order_id: int, reason: str = "test") -> OrderHeld:
    return OrderHeld(shop_id=SHOP, order_id=order_id, reason=reason)


def released(order_id: int) -> OrderReleased:
    return OrderReleased(shop_id=SHOP, order_id=order_id)


def tell(database: Database, *events: OrderHeld | OrderReleased) -> None:
    """Record the events and give them their places."""
    with database.tx() as conn:
        log.emit(conn, events, at=AT)
    while database.run(log.sequence):
        pass


def list_orders(events: Sequence[log.Recorded]) -> list[int]:
    return [recorded.event.order_id for recorded in events]  # type: ignore[attr-defined]


def rows(database: Database, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with database.tx() as conn:
        return conn.execute(query, list(parameters)).fetchall()


def read_all(conn: Connection[Any]) -> list[log.Recorded]:
    return log.read(conn, after=0, limit=100_000)


def eventually(seen: Callable[[], object], *, within_s: float = 10.0) -> None:
    """Look again until it is so; for what other threads do on their own."""
    ends = time.monotonic() + within_s
    while not seen():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.01)


@contextmanager
def frail(engine: Engine) -> Iterator[Database]:
    """Connections of their own, to be killed without harm to other tests."""
    database = Database(engine.postgres.machine_url, max_size=3, role="frail")
    database.open()
    try:
        yield database
    finally:
        database.close()


def kill_frail(engine: Engine) -> None:
    with psycopg.connect(engine.admin_url, autocommit=True) as admin:
        killed = admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'waystream frail'"
        )
        assert killed.rowcount > 0


class Machine(Protocol):
    def start(self) -> None: ...
    def stop(self) -> None: ...


@contextmanager
def running(*machines: Machine) -> Iterator[None]:
    """The threads of the machines run for the length of the block."""
    for machine in machines:
        machine.start()
    try:
        yield
    finally:
        for machine in machines:
            machine.stop()
