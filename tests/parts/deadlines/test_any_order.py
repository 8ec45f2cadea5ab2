"""However facts, rules and sweeps follow each other, a miss is told once, of what is late, and taken back (property).

The rules may read late: facts change at once, deadlines only when they are read, the sweep comes in between.
"""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.parts.deadlines.given import OF_DEADLINES, fire, put_track
from tests.parts.world import World, order, put_parcel
from waystream.kernel.clock import FixedClock
from waystream.parts.deadlines import actions as deadlines
from waystream.parts.orders import actions as orders

HOUR = timedelta(hours=1)
STATES = ("awaiting_collection", "collected", "in_transit", "ready_for_pickup", "delivered", "returning", "lost")
STEP = st.one_of(
    st.tuples(st.just("pass"), st.integers(1, 40)),
    st.tuples(st.just("move"), st.sampled_from(STATES)),
    st.tuples(st.just("ship_by"), st.integers(-5, 60)),
    st.tuples(st.sampled_from(["fire", "read", "dispatch", "cancel"]), st.none()),
)
MISSES = {"ShipByMissed": "ship_by", "CollectionMissed": "collection", "PickupOverdue": "pickup"}
_numbers = count(1)


class Life:
    """One order with one parcel, and what is true of them whatever the rows say."""

    def __init__(self, world: World, clock: FixedClock) -> None:
        self.world, self.clock, self.number = world, clock, next(_numbers)
        self.parcel_id = 10_000 + self.number
        with world.work.begin() as tx:
            [told] = orders.accept(tx, [order(f"L{self.number}", paid_at=None)])
        self.order_id = told.order_id
        self.dispatched = False

    def do(self, what: str, value: Any) -> None:
        if what == "pass":
            self.clock.advance(value * HOUR)
        elif what == "fire":
            self.fire()
        else:
            with self.world.work.begin() as tx:
                getattr(self, f"_{what}")(tx, value)

    def _read(self, tx: Any, _: None) -> None:
        deadlines.follow(tx, order_ids=[self.order_id], parcel_ids=[self.parcel_id])

    def _dispatch(self, tx: Any, _: None) -> None:
        if not self.dispatched:
            put_parcel(tx, self.order_id, parcel_id=self.parcel_id)
            tx.conn.execute("UPDATE parcel SET dispatched_at = %s WHERE id = %s", [tx.now, self.parcel_id])
            self.dispatched = True

    def _move(self, tx: Any, state: str) -> None:
        if self.dispatched:
            put_track(tx, self.parcel_id, state)

    def _ship_by(self, tx: Any, hours: int) -> None:
        tx.conn.execute("UPDATE orders SET ship_by = %s WHERE id = %s", [tx.now + hours * HOUR, self.order_id])

    def _cancel(self, tx: Any, _: None) -> None:
        if not self.dispatched:
            tx.conn.execute("UPDATE orders SET cancelled_at = %s WHERE id = %s", [tx.now, self.order_id])

    def fire(self) -> None:
        """What is told now is late now, by the facts."""
        before = len(self.told())
        fire(self.world)
        for name, kind, due_at in self.told()[before:]:
            if name in MISSES:
                assert kind in self.unmet() and due_at <= self.clock.now()

    def unmet(self) -> set[str]:
        """What is awaited by the facts, late or not."""
        with self.world.work.begin() as tx:
            [(cancelled,)] = tx.conn.execute(
                "SELECT cancelled_at IS NOT NULL FROM orders WHERE id = %s", [self.order_id]
            )
            track = tx.conn.execute("SELECT state, collected_at FROM track WHERE parcel_id = %s", [self.parcel_id])
            state, collected_at = track.fetchone() or ("", None)
        found = {
            "ship_by": not cancelled and not self.dispatched,
            "collection": self.dispatched and collected_at is None,
            "pickup": state == "ready_for_pickup",
        }
        return {kind for kind, holds in found.items() if holds}

    def told(self) -> list[tuple[str, str, datetime | None]]:
        with self.world.work.begin() as tx:
            rows = tx.conn.execute(
                """SELECT name, body ->> 'kind', (body ->> 'due_at')::timestamptz FROM event
                   WHERE name = ANY (%s) AND subject = ANY (%s) ORDER BY id""",
                [sorted(OF_DEADLINES), [f"order:{self.order_id}", f"parcel:{self.parcel_id}"]],
            ).fetchall()
        return [(name, MISSES.get(name, kind), due_at) for name, kind, due_at in rows]

    def rows(self) -> dict[str, tuple[str, datetime]]:
        with self.world.work.begin() as tx:
            found = tx.conn.execute(
                """SELECT kind, stand, due_at FROM deadline
                   WHERE subject_id IN (%s, %s) AND kind <> 'verification' AND stand IN ('open', 'missed')""",
                [self.order_id, self.parcel_id],
            ).fetchall()
        return {kind: (stand, due_at) for kind, stand, due_at in found}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, max_size=14))
def test_a_miss_is_told_once_of_what_is_late_and_taken_back_once(
    world: World, clock: FixedClock, steps: list[tuple[str, Any]]
) -> None:
    life = Life(world, clock)
    for step in (("read", None), *steps, ("read", None), ("fire", None)):
        life.do(*step)

    rows = life.rows()
    assert set(rows) == life.unmet()
    for stand, due_at in rows.values():
        assert (stand == "missed") == (due_at <= clock.now())
    for kind in MISSES.values():
        names = [name in MISSES for name, of, _ in life.told() if of == kind]
        assert names == [nth % 2 == 0 for nth in range(len(names))], "missed, caught up, missed …"
        assert (len(names) % 2 == 1) == (rows.get(kind, ("",))[0] == "missed")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, max_size=10))
def test_reading_again_changes_nothing(world: World, clock: FixedClock, steps: list[tuple[str, Any]]) -> None:
    life = Life(world, clock)
    for step in (*steps, ("read", None)):
        life.do(*step)
    before = life.rows(), life.told()
    life.do("read", None)
    assert (life.rows(), life.told()) == before
