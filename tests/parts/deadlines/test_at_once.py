"""The sweep and the fact that lifts a deadline at the same moment: whoever commits second sees the first."""

import threading
import time
from datetime import timedelta

import pytest

from tests.parts.deadlines.given import PARCEL, accept, dispatch, fire, put_track, rows, said
from tests.parts.world import World, put_parcel
from waystream.kernel.clock import FixedClock
from waystream.kernel.tx import Tx
from waystream.parts.deadlines import actions as deadlines
from waystream.parts.orders import actions as orders
from waystream.parts.tracking import applying

WAIT_S = 10
LATE = timedelta(hours=100)
PAID = "2026-11-12T14:32:00+08:00"


def wait_for_waiting(world: World) -> None:
    """Until a session waits for a lock of another."""
    ends_s = time.monotonic() + WAIT_S
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    while time.monotonic() < ends_s:
        with world.work.begin(read_only=True) as tx:
            if tx.conn.execute(waits).fetchone()[0]:
                return
    raise AssertionError("nobody waits")


def swept_meanwhile(world: World, tx: Tx) -> threading.Thread:
    """A sweep that has to wait for this transaction."""
    sweep = threading.Thread(target=fire, args=[world])
    sweep.start()
    wait_for_waiting(world)
    return sweep


def test_a_push_that_commits_while_the_sweep_waits_for_it_lifts_the_deadline(world: World, clock: FixedClock) -> None:
    dispatch(world, accept(world, paid_at=PAID))
    with world.work.begin() as tx:
        put_track(tx, PARCEL, "awaiting_collection")
    clock.advance(LATE)
    with world.work.begin() as tx:
        applying.hold_tracks(tx, {PARCEL})
        put_track(tx, PARCEL, "collected")
        sweep = swept_meanwhile(world, tx)
    sweep.join(WAIT_S)
    assert rows(world) == [] and said(world) == []


def test_a_cancel_that_commits_while_the_sweep_waits_for_it_lifts_the_deadline(world: World, clock: FixedClock) -> None:
    order_id = accept(world, paid_at=PAID)
    clock.advance(LATE)
    with world.work.begin() as tx:
        orders.cancel(tx, [order_id], reason="x", actor="staff:1")
        sweep = swept_meanwhile(world, tx)
    sweep.join(WAIT_S)
    assert rows(world) == [] and said(world) == []


@pytest.mark.parametrize("sweeps", [2, 4])
def test_sweeps_at_once_tell_each_miss_once(world: World, clock: FixedClock, sweeps: int) -> None:
    ids = [accept(world, f"A{n}", paid_at=PAID) for n in range(20)]
    for n, order_id in enumerate(ids):
        with world.work.begin() as tx:
            put_parcel(tx, order_id, parcel_id=n + 1)
            tx.conn.execute("UPDATE parcel SET dispatched_at = %s", [tx.now])
            tx.conn.execute("UPDATE parcel SET stage = 'printed' WHERE id % 2 = 0")
            deadlines.follow_contents(tx, parcel_ids=[n + 1])
    clock.advance(LATE)
    threads = [threading.Thread(target=fire, args=[world]) for _ in range(sweeps)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    told = said(world)
    assert len(told) == len(set(told)) == 20
    assert sorted({name for name, _ in told}) == ["CollectionMissed", "ShipByMissed"]


def test_a_rule_that_moves_a_deadline_while_the_sweep_fires_loses_no_miss(world: World, clock: FixedClock) -> None:
    """The rule read that it is open; the sweep told it missed meanwhile: the rule waits, and takes the miss back."""
    order_id = accept(world, paid_at=PAID, ship_by="2026-11-12T18:00:00+08:00")
    clock.advance(LATE)
    with world.work.begin() as tx:
        assert deadlines.fire_due(tx) == 1
        tx.conn.execute("UPDATE orders SET ship_by = %s", [tx.now + LATE])
        rule = threading.Thread(
            target=world.work.run, args=[lambda other: deadlines.follow(other, order_ids=[order_id])]
        )
        rule.start()
        wait_for_waiting(world)
    rule.join(WAIT_S)
    assert rows(world) == [("ship_by", "open")]
    assert [name for name, _ in said(world)] == ["ShipByMissed", "OrderCaughtUp"]
