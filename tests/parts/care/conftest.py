"""A shop with an order and a parcel, and what care makes of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from tests.parts.world import World, build, happened, move_parcel, order, put_parcel
from waystream.core.care import Cause, Severity, Trouble
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.tx import Tx
from waystream.kernel.vault import Keys
from waystream.parts.care import actions
from waystream.parts.orders import actions as orders


@dataclass
class Desk:
    """One order, one dispatched parcel on its way."""

    world: World
    clock: FixedClock
    order_id: int
    parcel_id: int

    def trouble(self, cause: Cause = Cause.STALLED, **given: Any) -> Trouble:
        told = {"shop_id": self.world.tea, "at": self.clock.now(), "because": "event:7", "parcel_id": self.parcel_id}
        return Trouble(cause=cause, **(told | given))

    def raise_(self, *troubles: Trouble) -> None:
        self.world.work.run(lambda tx: actions.raise_troubles(tx, troubles))

    def move(self, state: str, kind: str = "", *, direction: str = "out", at: datetime | None = None) -> None:
        """The parcel's track, scanned at that moment, and what both rules make of it."""
        self.put(state, kind, direction=direction, at=at)
        self.world.work.run(lambda tx: actions.settle_by_track(tx, {self.parcel_id: "event:8"}))
        self.world.work.run(lambda tx: actions.raise_by_track(tx, {self.parcel_id: "event:8"}))

    def put(self, state: str, kind: str = "", *, direction: str = "out", at: datetime | None = None) -> None:
        with self.world.work.begin() as tx:
            move_parcel(tx, self.parcel_id, state=state, kind=kind, direction=direction, at=at)
            tx.conn.execute("UPDATE track SET scanned_at = at, collected_at = coalesce(collected_at, at)")

    def tickets(self, columns: str = "cause, state, ending") -> list[tuple[Any, ...]]:
        with self.world.work.begin() as tx:
            return tx.conn.execute(f"SELECT {columns} FROM ticket ORDER BY id".encode()).fetchall()

    def log(self, columns: str = "what, word") -> list[tuple[Any, ...]]:
        with self.world.work.begin() as tx:
            return tx.conn.execute(f"SELECT {columns} FROM ticket_entry ORDER BY id".encode()).fetchall()

    def told(self) -> list[str]:
        """The names of the ticket events, in their order."""
        with self.world.work.begin() as tx:
            return [name for name, _, _ in happened(tx) if name.startswith("Ticket")]


def put_order(tx: Tx, number: str = "A1", shop: str = "tea") -> int:
    [answer] = orders.accept(tx, (order(number, shop=shop),))
    return answer.order_id


@pytest.fixture
def desk(database: Database, clock: FixedClock, keys: Keys) -> Desk:
    world = build(database, clock, keys)
    with world.work.begin() as tx:
        order_id = put_order(tx)
        put_parcel(tx, order_id, parcel_id=11, state="in_transit")
        tx.conn.execute("UPDATE track SET scanned_at = at, collected_at = at")
    return Desk(world, clock, order_id, 11)


GRAVE = Severity.GRAVE
