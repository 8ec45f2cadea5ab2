"""Whatever happens in whatever order: never two live numbers, no label for a dead one, no number forgotten.

Hypothesis ships, loses answers, kills processes during the call, pastes one number twice at once, cancels, holds,
releases, moves and dispatches; after every step the invariants hold, and when everything has settled the carrier's
numbers are exactly ours.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.conftest import BUSINESS_TIME
from tests.engine import Engine
from tests.parts.fulfilment.bench import Bench, paste_at_once
from tests.parts.world import raw_order
from waystream.core.errors import Conflict
from waystream.kernel.clock import FixedClock
from waystream.kernel.tx import Tx
from waystream.kernel.vault import Keys, Vault
from waystream.parts.fulfilment import actions, cancels, takes
from waystream.parts.orders import actions as orders

FAULTS = st.sampled_from(["", "", "", "lost before", "lost after", "unreachable", "denied", "again", "unclear"])
OUTCOMES = st.sampled_from(["confirmed", "confirmed", "refused", "unsupported", "unreachable"])
PICK = st.integers(0, 1_000)


class Warehouse(RuleBasedStateMachine):
    """`untold`: orders whose change no rule has brought to fulfilment yet."""

    engine: Engine

    @initialize()
    def open(self) -> None:
        self.engine.wipe()
        clock = FixedClock(BUSINESS_TIME)
        self.half_hour = timedelta(minutes=31)
        self.bench = Bench(self.engine, clock, Keys(Vault(bytes(range(32)))))
        self.ids = self.bench.orders("A0", "A1")
        self.bench.ship(*self.ids)
        self.untold: set[int] = set()
        self.gates: set[int] = set()
        self.pasted: set[str] = set()

    def _order(self, pick: int) -> int:
        return self.ids[pick % len(self.ids)]

    def _parcel(self, pick: int) -> int | None:
        found = [row[0] for row in self.bench.rows("SELECT id FROM parcel WHERE mother_id IS NULL ORDER BY id")]
        return found[pick % len(found)] if found else None

    def _piece(self, pick: int) -> int | None:
        found = [row[0] for row in self.bench.rows("SELECT id FROM parcel ORDER BY id")]
        return found[pick % len(found)] if found else None

    @rule()
    @precondition(lambda self: len(self.ids) < 4)
    def sell(self) -> None:
        self.ids += self.bench.orders(f"A{len(self.ids)}")

    @rule(pick=PICK, many=st.booleans(), pieces=st.sampled_from([1, 1, 2]))
    @precondition(lambda self: self.ids)
    def ship(self, pick: int, many: bool, pieces: int) -> None:
        chosen = self.ids if many else [self._order(pick)]
        self.bench.ship(*chosen, combine=many, pieces=pieces)

    @rule(
        pick=PICK,
        what=st.sampled_from(
            ["hold", "release", "cancel", "refund", "no refund", "address", "smaller", "cash", "prepaid"]
        ),
    )
    @precondition(lambda self: self.ids)
    def change(self, pick: int, what: str) -> None:
        order_id = self._order(pick)
        number = f"A{self.ids.index(order_id)}"
        try:
            self._change(order_id, number, what)
        except Conflict:
            return
        self.untold.add(order_id)

    def _change(self, order_id: int, number: str, what: str) -> None:
        if what == "hold":
            self.bench.run(lambda tx: orders.hold(tx, [order_id], reason="check", actor="staff:1"))
        elif what == "release":
            self.bench.run(lambda tx: orders.release(tx, [order_id], reason="fine", actor="staff:1"))
        elif what == "cancel":
            self.bench.run(lambda tx: orders.cancel(tx, [order_id], reason="mistake", actor="staff:1"))
        elif what in ("refund", "no refund"):
            self.bench.orders(number, refund="asked" if what == "refund" else "none")
        elif what in ("cash", "prepaid"):
            cash = {"payment": "cod", "cod_fen": 5000, "paid_at": None} if what == "cash" else {}
            self.bench.orders(number, **cash)
        elif what == "address":
            self.bench.orders(number, receiver=raw_order()["receiver"] | {"address": "新地址9号"})
        else:
            self.bench.orders(number, lines=[{"sku": "T1", "name": "龙井", "quantity": 1, "price_fen": 4900}])

    @rule()
    @precondition(lambda self: self.untold)
    def rules_run(self) -> None:
        self.bench.follow(*self.untold)
        self.untold = set()

    @rule(faults=st.lists(FAULTS, max_size=4), outcomes=st.lists(OUTCOMES, max_size=3))
    def jobs_run(self, faults: list[str], outcomes: list[str]) -> None:
        self.bench.carrier.faults, self.bench.carrier.cancel_outcomes = faults, outcomes
        self.bench.run_once()
        self.bench.carrier.faults, self.bench.carrier.cancel_outcomes = [], []

    @rule(pick=PICK, what=st.sampled_from(["hold", "cancel", "refund", "address"]), told=st.booleans())
    @precondition(lambda self: self.ids)
    def change_during_the_call(self, pick: int, what: str, told: bool) -> None:
        def during() -> None:
            self._during(pick, what, told)

        self.bench.carrier.during = during
        self.bench.run_once()
        self.bench.carrier.during = None

    def _during(self, pick: int, what: str, told: bool) -> None:
        order_id = self._order(pick)
        try:
            self._change(order_id, f"A{self.ids.index(order_id)}", what)
        except Conflict:
            return
        self.untold.add(order_id)
        if told:
            self.bench.follow(order_id)

    @rule(pick=PICK, arrives=st.booleans())
    def die_during_the_call(self, pick: int, arrives: bool) -> None:
        open_takes = self.bench.rows("SELECT id FROM take WHERE state IN ('planned', 'asked', 'doubt') ORDER BY id")
        if open_takes:
            take_id = open_takes[pick % len(open_takes)][0]
            asking = self.bench.run(lambda tx: takes.begin(tx, take_id))
            if asking is not None and arrives:
                self.bench.carrier.take(asking.request)

    @rule(pick=PICK, carrier=st.sampled_from(["", "ZTO"]))
    def reissue(self, pick: int, carrier: str) -> None:
        self._undo(pick, lambda tx, an_id: actions.reissue(tx, an_id, reason="torn", actor="staff:1", carrier=carrier))

    @rule(pick=PICK)
    def void(self, pick: int) -> None:
        self._undo(pick, lambda tx, an_id: actions.void(tx, [an_id], reason="wrong", actor="staff:1"))

    def _undo(self, pick: int, undo: Callable[[Tx, int], None]) -> None:
        parcel_id = self._parcel(pick)
        if parcel_id is not None:
            self._try(lambda tx: undo(tx, parcel_id))

    def _pairs_without_number(self) -> list[tuple[int, int]]:
        """Parcels of different orders that wait for a number."""
        return self.bench.rows(
            """WITH waiting AS (
                   SELECT id, array_agg(order_id) AS orders FROM parcel JOIN parcel_order ON parcel_id = id
                   WHERE mother_id IS NULL AND stage IN ('asked', 'doubt', 'refused', 'conflict')
                     AND id NOT IN (SELECT parcel_id FROM binding WHERE state <> 'cancelled') GROUP BY id)
               SELECT a.id, b.id FROM waiting AS a JOIN waiting AS b ON NOT a.orders && b.orders ORDER BY 1, 2"""
        )

    @rule(pick=PICK, number=st.sampled_from(["SF0001", "SF0002"]))
    @precondition(lambda self: self._pairs_without_number())
    def paste(self, pick: int, number: str) -> None:
        """Two people paste one number for two parcels: the second looks before the first has bound it."""
        pairs = self._pairs_without_number()
        first, second = pairs[pick % len(pairs)]
        self.pasted |= {number, *(f"{number}X{piece}" for piece in range(1, 3))}
        assert paste_at_once(self.bench, first, second, number) != ["bound", "bound"]

    @rule(pick=PICK, verdict=st.sampled_from(["bind", "give_back", "dismiss"]))
    def decide(self, pick: int, verdict: takes.Verdict) -> None:
        unclear = self.bench.rows("SELECT id FROM take WHERE state = 'conflict' AND number <> '' ORDER BY id")
        if unclear and verdict != "dismiss":
            self._try(lambda tx: takes.decide(
                tx, unclear[pick % len(unclear)][0], verdict, reason="looked", actor="staff:1"))  # fmt: skip

    @rule(pick=PICK)
    def hear_that_it_was_collected(self, pick: int) -> None:
        open_ones = self.bench.rows("SELECT id FROM waybill_cancel WHERE state = 'unsupported' ORDER BY id")
        if open_ones:
            cancel_id = open_ones[pick % len(open_ones)][0]
            self._try(lambda tx: cancels.settle_by_hand(tx, cancel_id, "refused", reason="called", actor="staff:1"))

    @rule(pick=PICK)
    def call_the_carrier(self, pick: int) -> None:
        """A person gives a number back by telephone; the carrier then knows."""
        open_ones = self.bench.rows(
            """SELECT waybill_cancel.id, take.code, waybill_cancel.number FROM waybill_cancel
               LEFT JOIN take ON take.id = waybill_cancel.take_id
               WHERE waybill_cancel.state IN ('refused', 'unsupported') ORDER BY 1""")  # fmt: skip
        if open_ones:
            cancel_id, code, number = open_ones[pick % len(open_ones)]
            settled = self._try(lambda tx: cancels.settle_by_hand(
                tx, cancel_id, "confirmed", reason="called", actor="staff:1"))  # fmt: skip
            if settled and code and self.bench.carrier.numbers[code].number == number:
                self.bench.carrier.cancel(code, number)

    def _try(self, do: Callable[[Tx], None]) -> bool:
        try:
            self.bench.run(do)
        except Conflict:
            return False
        return True

    @rule(pick=PICK)
    def dispatch(self, pick: int) -> None:
        parcel_id = self._piece(pick)
        if parcel_id is None:
            return
        [answer] = self.bench.run(lambda tx: actions.dispatch(tx, [parcel_id], by="scan", actor="staff:1"))
        if answer.outcome == "dispatched":
            assert answer.number in self.bench.carrier.alive() | self._children() | self.pasted
            assert parcel_id not in self.gates
            self.gates.add(parcel_id)

    def _children(self) -> set[str]:
        return {child for taken in self.bench.carrier.numbers.values() for child in taken.children}

    @rule()
    def wait(self) -> None:
        self.bench.clock.advance(self.half_hour)
        self.bench.runner.sweep("ask_behind_doubt")

    @invariant()
    def nothing_is_broken(self) -> None:
        if hasattr(self, "bench"):
            assert self.bench.broken() == []

    def _behind_unclear_answers(self) -> set[str]:
        """What the carrier gave a code and never told us: a person has that take before him, without its number."""
        codes = self.bench.rows("SELECT code FROM take WHERE state = 'conflict' AND number = ''")
        return {self.bench.carrier.numbers[code].number for (code,) in codes if code in self.bench.carrier.numbers}

    def teardown(self) -> None:
        if not hasattr(self, "bench"):
            return
        for _ in range(3):
            self.bench.follow(*self.ids)
            self.bench.drain()
            self.bench.clock.advance(self.half_hour)
            self.bench.runner.sweep("ask_behind_doubt")
        assert self.bench.broken() == []
        live = {number for number, state in self.bench.bindings() if state != "cancelled"}
        listed = {row[0] for row in self.bench.rows(
            """SELECT number FROM waybill_cancel WHERE state IN ('refused', 'unsupported')
               UNION SELECT number FROM take WHERE state = 'conflict'""")}  # fmt: skip
        assert self.bench.carrier.alive() <= live | listed | self._behind_unclear_answers()
        assert live <= self.bench.carrier.alive() | self._children() | self.pasted
        assert self.bench.rows("SELECT count(*) FROM take WHERE state IN ('planned', 'asked', 'doubt')") == [(0,)]


@pytest.mark.timeout(300)
def test_whatever_happens_numbers_stay_single(engine: Engine) -> None:
    Warehouse.engine = engine
    run_state_machine_as_test(Warehouse, settings=settings(
        max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)))  # fmt: skip
