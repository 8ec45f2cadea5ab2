"""Whatever happens to a parcel, and in whatever order rules and people hear of it: tickets are what stands."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.conftest import BUSINESS_TIME
from tests.parts.care.conftest import Desk
from waystream.core.care import Cause, Ending, Trouble
from waystream.core.errors import Conflict
from waystream.core.state import Direction, Kind, State
from waystream.kernel import log
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.care import actions, handling, store
from waystream.parts.care.standing import Where, causes_of, judge, troubles_of
from waystream.rules import order_that_moves_on_closes_its_tickets as order_closes
from waystream.rules import parcel_that_moves_on_closes_its_tickets as closes

TRACKS = (
    ("collected", ""), ("in_transit", ""), ("out_for_delivery", ""), ("ready_for_pickup", "locker"),
    ("attempt_failed", "unreachable"), ("attempt_failed", "refused"), ("exception", "damaged"),
    ("exception", "stalled"), ("lost", ""), ("delivered", "in_person"), ("returning", ""), ("returned", ""),
)  # fmt: skip
MOVES = st.tuples(st.just("move"), st.sampled_from(TRACKS))
SILENCE = st.tuples(st.just("silent"), st.sampled_from([Cause.STALLED, Cause.SUBSCRIPTION_DEAD, Cause.OVERDUE]))
DOUBTS = st.tuples(st.just("said"), st.sampled_from([Cause.BUYER_NOT_RECEIVED, Cause.BUYER_WANTS_ADDRESS]))
LATE = st.tuples(st.sampled_from(["hear", "settle", "replay", "close", "reopen", "take"]), st.none())
STEPS = st.lists(st.one_of(MOVES, MOVES, SILENCE, DOUBTS, LATE), min_size=1, max_size=14)


class Life:
    """A parcel whose movements, and what is told of it, reach the two rules when the test says so."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.told: list[Trouble] = []

    def live(self, step: str, word: object) -> None:
        self.desk.clock.advance(timedelta(hours=1))
        getattr(self, step)(word)

    def move(self, track: tuple[str, str]) -> None:
        state, kind = track
        self.desk.put(state, kind, direction="back" if state.startswith("return") else "out")

    def silent(self, cause: Cause) -> None:
        """Told late: as things stood an hour ago."""
        self.told.append(self.desk.trouble(cause))

    def said(self, cause: Cause) -> None:
        self.desk.raise_(self.desk.trouble(cause))

    def hear(self, _: object = None) -> None:
        self.run(lambda tx: actions.raise_by_track(tx, {self.desk.parcel_id: "event:1"}))
        if self.told:
            self.desk.raise_(*self.told)

    def settle(self, _: object = None) -> None:
        self.run(lambda tx: actions.settle_by_track(tx, {self.desk.parcel_id: "event:1"}))

    def replay(self, _: object = None) -> None:
        """Everything that was ever told comes again, newest first."""
        self.desk.raise_(*self.told[::-1])

    def take(self, _: object = None) -> None:
        self.by_hand(lambda tx, ids: handling.take(tx, ids, actor="staff:1"))

    def close(self, _: object = None) -> None:
        self.by_hand(lambda tx, ids: handling.close(tx, ids, Ending.SOLVED, actor="staff:1"))

    def reopen(self, _: object = None) -> None:
        self.by_hand(lambda tx, ids: handling.reopen(tx, ids, actor="staff:1"))

    def by_hand(self, deed: Callable[[Tx, list[int]], None]) -> None:
        """With the newest ticket; what cannot be done is refused in a sentence."""
        rows = self.desk.tickets("id")
        if rows:
            with suppress(Conflict):
                self.run(lambda tx: deed(tx, [rows[-1][0]]))

    def run(self, deed: Callable[[Tx], None]) -> None:
        self.desk.world.work.run(deed)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, settle_first=st.booleans())
def test_tickets_are_what_stands(desk: Desk, steps: list[tuple[str, object]], settle_first: bool) -> None:
    with desk.world.work.begin() as tx:
        tx.conn.execute("DELETE FROM ticket")
        tx.conn.execute("UPDATE track SET state = 'in_transit', kind = '', direction = 'out', at = %s", [tx.now])
    life = Life(desk)
    for step, word in steps:
        life.live(step, word)
    for hear in (life.settle, life.hear) if settle_first else (life.hear, life.settle):
        hear()
    after = desk.tickets("id, state, times, version")
    life.hear()
    life.settle()
    assert desk.tickets("id, state, times, version") == after, "hearing it again changes nothing"
    check(desk)


def check(desk: Desk) -> None:
    rows = desk.tickets("about, cause, state, closed_by, closed_at, times")
    live = [(about, cause) for about, cause, state, *_ in rows if state != "closed"]
    assert len(live) == len(set(live)), "one open ticket for one thing and cause"
    with desk.world.work.begin() as tx:
        where = store.list_where(tx.conn, [desk.parcel_id])[desk.parcel_id]
        for ticket in store.hold_open_of_parcels(tx.conn, [desk.parcel_id]):
            assert judge(ticket, where) is None, "what is over is closed"
    for trouble in troubles_of(where, because=""):
        mine = [row for row in rows if row[1] == trouble.cause]
        assert any(state != "closed" or (by and closed_at >= trouble.at) for _, _, state, by, closed_at, _ in mine), (
            "what stands has a ticket, or a person closed it since"
        )
    opened = desk.log("ticket_id, what")
    for ticket_id in {each for each, _ in opened}:
        turns = [what for each, what in opened if each == ticket_id and what in {"opened", "reopened", "closed"}]
        assert turns[0] == "opened" and all((one == "closed") != (two == "closed") for one, two in pairwise(turns)), (
            "it opens and closes in turn"
        )


STATES = st.sampled_from(State)


@given(state=STATES, kind=st.sampled_from(Kind), direction=st.sampled_from(Direction), hours=st.integers(-5, 5))
def test_what_stands_is_not_over(state: State, kind: Kind, direction: Direction, hours: int) -> None:
    """Opening and closing judge alike: a ticket that opens by the track does not close by the same track."""
    where = Where(
        parcel_id=1, shop_id=1, warehouse_id=1, order_id=None, voided=False, state=state, kind=kind,
        direction=direction, at=BUSINESS_TIME, collected_at=None, scanned_at=BUSINESS_TIME + timedelta(hours=hours),
    )  # fmt: skip
    for trouble in troubles_of(where, because=""):
        if state is not State.DELIVERED and state is not State.CANCELLED:
            assert judge(trouble, where) is None
    if state is State.DELIVERED and direction is Direction.OUT:
        assert causes_of(state, kind, direction) == frozenset()


def test_a_parcel_may_arrive_between_our_look_and_our_commit(desk: Desk) -> None:
    """Nobody waits for anybody: the rule hears of the delivery in vain, and closes when it hears of the ticket."""
    with desk.world.work.begin() as tx:
        actions.raise_troubles(tx, [desk.trouble()])
        desk.clock.advance(timedelta(hours=1))
        desk.move("delivered", "in_person")
    assert desk.tickets() == [("stalled", "open", "")]

    with desk.world.work.begin() as tx:
        closes.do(tx, list_recorded(tx.conn, "TicketOpened"))

    assert desk.tickets() == [("stalled", "closed", "delivered")]


def test_an_order_may_be_cancelled_between_our_look_and_our_commit(desk: Desk) -> None:
    late = desk.trouble(Cause.NOT_DISPATCHED, parcel_id=None, order_id=desk.order_id)
    with desk.world.work.begin() as tx:
        tx.conn.execute("UPDATE orders SET dispatch = 'none'")
    with desk.world.work.begin() as tx:
        actions.raise_troubles(tx, [late])
        desk.world.work.run(lambda other: other.conn.execute("UPDATE orders SET cancelled_at = %s", [other.now]))
        desk.world.work.run(lambda other: actions.settle_by_order(other, {desk.order_id: "event:9"}))
    assert desk.tickets() == [("not_dispatched", "open", "")]

    with desk.world.work.begin() as tx:
        told = list_recorded(tx.conn, "TicketOpened")
        assert not any(map(closes.concerns, [each.event for each in told]))
        order_closes.do(tx, told)

    assert desk.tickets() == [("not_dispatched", "closed", "called_off")]


def list_recorded(conn: Connection[Any], name: str) -> list[Recorded]:
    log.sequence(conn)
    return [told for told in log.read(conn, after=0, limit=1_000) if told.name == name]
