"""A bench for fulfilment: a real database, a carrier network in memory that does what the test tells it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
from psycopg import Connection

from tests.engine import Engine
from tests.parts.world import World, build, order
from waystream.core.errors import Conflict, Invalid, Unavailable
from waystream.core.ports import (
    Aggregator,
    CancelAnswer,
    CarrierAccount,
    Routing,
    TakeAnswer,
    TakeDenied,
    Taken,
    TakeRequest,
    TakeUnclear,
)
from waystream.invariants import (
    every_orphan_is_given_back,
    no_label_without_live_number,
    no_line_is_shipped_twice,
    no_unbound_parcel,
    nothing_printed_for_a_dead_number,
    one_live_number_per_parcel,
)
from waystream.kernel.clock import FixedClock
from waystream.kernel.jobs import Outside
from waystream.kernel.runner import Pace, Runner
from waystream.kernel.tx import Tx, Work
from waystream.kernel.vault import Keys
from waystream.parts.fulfilment import actions, jobs
from waystream.parts.fulfilment.model import ShipOrders, Shipped
from waystream.parts.hub import actions as hub
from waystream.parts.hub.model import AccountIn, AggregatorIn
from waystream.parts.orders import actions as orders

INVARIANTS = (
    every_orphan_is_given_back, no_label_without_live_number, no_line_is_shipped_twice, no_unbound_parcel,
    nothing_printed_for_a_dead_number, one_live_number_per_parcel,
)  # fmt: skip


@dataclass(slots=True)
class Carrier:
    """The other side: gives each code its number once, tells it again, cancels. `faults` are used up in order."""

    faults: list[str] = field(default_factory=list)
    numbers: dict[str, Taken] = field(default_factory=dict)
    asked: list[TakeRequest] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    cancel_outcomes: list[str] = field(default_factory=list)
    next_numbers: list[str] = field(default_factory=list)
    during: Callable[[], None] | None = None
    serial: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, request: TakeRequest) -> TakeAnswer:
        with self.lock:
            fault = self.faults.pop(0) if self.faults else ""
            self.asked.append(request)
            during, self.during = self.during, None
        if fault == "unreachable":
            raise Unavailable("cannot be reached", sent=False)
        if fault == "lost before":
            raise Unavailable("did not answer", sent=True)
        answer = self._answer(request, fault)
        if during:
            during()
        if fault == "lost after":
            raise Unavailable("did not answer", sent=True)
        return answer

    def _answer(self, request: TakeRequest, fault: str) -> TakeAnswer:
        if fault == "no to all" or (fault == "denied" and request.code not in self.numbers):
            return TakeDenied("105", "number_pool_empty", "单号不足")
        if fault == "unclear":
            return TakeUnclear("106 without an order")
        with self.lock:
            if request.code in self.numbers:
                return replace(self.numbers[request.code], again=True)
            taken = Taken(
                self._number(),
                Routing(mark="128-A12"),
                "<html>the label</html>",
                tuple(self._number() for _ in range(request.quantity - 1)),
                network_order="KDN1",
            )
            self.numbers[request.code] = taken
        return replace(taken, again=True) if fault == "again" else taken

    def _number(self) -> str:
        self.serial += 1
        return self.next_numbers.pop(0) if self.next_numbers else f"YT{self.serial:04d}"

    def cancel(self, code: str, number: str) -> CancelAnswer:
        outcome = self.cancel_outcomes.pop(0) if self.cancel_outcomes else "confirmed"
        if outcome == "unreachable":
            raise Unavailable("cannot be reached")
        if outcome == "confirmed":
            assert self.numbers[code].number == number
            self.cancelled.append(number)
        return CancelAnswer(outcome, outcome)

    def alive(self) -> set[str]:
        """Numbers given and not cancelled."""
        return {taken.number for taken in self.numbers.values()} - set(self.cancelled)


class Network:
    """The carrier as a `core.ports.Network` without bytes: an ask carries its question, a reply its answer."""

    name = "kdniao"

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier

    def ask_take(self, aggregator: Aggregator, request: TakeRequest) -> Any:
        return lambda: self.carrier.take(request)

    def read_take(self, reply: Any) -> TakeAnswer:
        return reply.answer

    def ask_cancel(self, aggregator: Aggregator, account: CarrierAccount, *, code: str, number: str) -> Any:
        return lambda: self.carrier.cancel(code, number)

    def read_cancel(self, reply: Any) -> CancelAnswer:
        return reply.answer


@dataclass(frozen=True, slots=True)
class Answered:
    answer: Any
    status: int = 200
    body: bytes = b"{}"


class Exchange:
    def send(self, ask: Any) -> Any:
        return Answered(ask())


class Bench:
    """Orders, an account of two carriers, a runner that runs in the test's own thread."""

    def __init__(self, engine: Engine, clock: FixedClock, keys: Keys) -> None:
        self.clock = clock
        self.admin_url = engine.admin_url
        database = engine.machine
        self.world: World = build(database, clock, keys)
        self.work: Work = self.world.work
        self.carrier = Carrier()
        self.accounts = self.work.run(self._open_accounts)
        outside = Outside(Exchange(), {"kdniao": Network(self.carrier)}, {})  # type: ignore[arg-type,dict-item]
        self.runner = Runner(
            self.work, jobs.handlers(outside), jobs.SWEEPS, pace=Pace(first_retry_s=0.0, longest_retry_s=0.0)
        )

    def _open_accounts(self, tx: Tx) -> dict[str, int]:
        tx.conn.execute(
            """INSERT INTO sku (shop_id, code, name, weight_g, length_mm, width_mm, height_mm, changed_at)
               VALUES (%s, 'T1', 'tea', 250, 100, 100, 50, %s)""",
            [self.world.tea, tx.now],
        )
        told = AggregatorIn("main", "kdniao", "1237100", "http://localhost:9", "secret")
        aggregator = hub.add_aggregator(tx, told, integrations=["kdniao"], actor="staff:1")
        found = {}
        for priority, carrier in enumerate(("YTO", "ZTO")):
            parameters = CarrierAccount(carrier, customer_name="us", customer_password="pass")
            told_account = AccountIn(aggregator.id, carrier, parameters, priority=priority)
            found[carrier] = hub.add_account(tx, told_account, actor="staff:1").id
        tx.conn.execute("DELETE FROM job")
        return found

    def orders(self, *numbers: str, **given: Any) -> list[int]:
        with self.work.begin() as tx:
            return [answer.order_id for answer in orders.accept(tx, [order(number, **given) for number in numbers])]

    def ship(self, *order_ids: int, **given: Any) -> list[Shipped]:
        return self.work.run(lambda tx: actions.ship(tx, ShipOrders(tuple(order_ids), **given), actor="staff:1"))

    def drain(self) -> None:
        """Run the jobs until none is left, however often they fail."""
        for _ in range(50):
            with self.work.begin() as tx:
                tx.conn.execute("UPDATE job SET due_at = clock_timestamp() - interval '1 s' WHERE state = 'ready'")
            if not self.runner.drain():
                return

    def run_once(self) -> None:
        """Run what is due, once each."""
        with self.work.begin() as tx:
            tx.conn.execute("UPDATE job SET due_at = clock_timestamp() - interval '1 s' WHERE state = 'ready'")
        for job in self.runner._claim():
            self.runner._run(job)

    def rows(self, query: str, *given: Any) -> list[tuple[Any, ...]]:
        with self.work.begin() as tx:
            return tx.conn.execute(query, list(given)).fetchall()

    def run(self, do: Callable[[Tx], Any]) -> Any:
        return self.work.run(do)

    def events(self, *names: str) -> list[str]:
        """The names of what was said about parcels, in order."""
        rows = self.rows("SELECT name FROM event WHERE subject LIKE 'parcel:%%' ORDER BY id")
        return [name for (name,) in rows if not names or name in names]

    def stage(self, parcel_id: int) -> tuple[str, str]:
        [row] = self.rows("SELECT stage, held_reason FROM parcel WHERE id = %s", parcel_id)
        return row

    def follow(self, *order_ids: int) -> None:
        """What the rule does when something was said about these orders."""
        self.run(lambda tx: actions.follow_orders(tx, order_ids))

    def broken(self, conn: Connection[Any] | None = None) -> list[str]:
        """What the invariants of fulfilment say."""
        if conn is not None:
            return [said for invariant in INVARIANTS for (said,) in conn.execute(invariant.SQL)]
        return [said for invariant in INVARIANTS for (said,) in self.rows(invariant.SQL)]

    @contextmanager
    def rolled_back(self) -> Iterator[Connection[Any]]:
        """The superuser's transaction, undone at the end."""
        with psycopg.connect(self.admin_url) as admin:
            yield admin
            admin.rollback()

    def bindings(self) -> list[tuple[str, str]]:
        return self.rows("SELECT number, state FROM binding ORDER BY id")

    def takes(self) -> list[tuple[str, str]]:
        return self.rows("SELECT state, number FROM take ORDER BY id")


@contextmanager
def in_thread(do: Callable[[], Any]) -> Iterator[list[Any]]:
    """Run beside the test; what it returned is there after the block."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(do()))
    thread.start()
    yield found
    thread.join(20)
    assert not thread.is_alive()


def paste_at_once(bench: Bench, first: int, second: int, number: str) -> list[str]:
    """Bind one number to two parcels: the second looked whose it is before the first had it, and binds it after.

    What became of each: "bound", or the error. The labels are locked meanwhile: the second stops between the two.
    """

    def paste(tx: Tx, parcel_id: int) -> None:
        [(pieces,)] = tx.conn.execute("SELECT pieces FROM parcel WHERE id = %s", [parcel_id]).fetchall()
        children = [f"{number}X{piece}" for piece in range(1, pieces)]
        actions.bind_foreign(tx, parcel_id, carrier="SF", number=number, children=children, actor="staff:1")

    def said(do: Callable[[], None]) -> str:
        try:
            do()
        except (Conflict, Invalid) as refusal:
            return type(refusal).__name__
        return "bound"

    late: list[str] = []
    thread = threading.Thread(target=lambda: late.append(said(lambda: bench.run(lambda tx: paste(tx, second)))))

    def paste_first() -> None:
        with bench.work.begin() as tx:
            tx.conn.execute("LOCK TABLE label IN SHARE ROW EXCLUSIVE MODE")
            thread.start()
            while thread.is_alive() and not _somebody_waits(tx):
                thread.join(0.005)
            paste(tx, first)

    outcome = said(paste_first)
    thread.join(20)
    assert not thread.is_alive()
    return [outcome, *late]


def _somebody_waits(tx: Tx) -> bool:
    row = tx.conn.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)").fetchone()
    return row is not None and row[0]
