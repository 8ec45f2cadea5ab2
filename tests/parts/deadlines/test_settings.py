"""A shop's own hours: what stands follows them, whatever else happens meanwhile."""

from datetime import timedelta
from typing import Any

from tests.parts.deadlines.given import accept, dispatch, due, fire, move, rows, said
from tests.parts.world import World
from waystream.core.deadline import DeadlineKind
from waystream.kernel.clock import FixedClock
from waystream.kernel.runner import Pace, Runner
from waystream.parts.deadlines import settings
from waystream.parts.deadlines.jobs import FollowDeadlines
from waystream.parts.deadlines.model import Settings

HOUR = timedelta(hours=1)
PAID = "2026-11-12T14:32:00+08:00"


def change(world: World, **said: Any) -> None:
    """And what follows from it by the job."""
    world.work.run(lambda tx: settings.set_settings(tx, world.tea, Settings(**said), actor="staff:1"))
    Runner(world.work, [FollowDeadlines()], pace=Pace(first_retry_s=0.0, longest_retry_s=0.0)).drain()


def test_open_deadlines_move_and_what_is_late_by_now_is_told(world: World, clock: FixedClock, monkeypatch: Any) -> None:
    monkeypatch.setattr(settings, "FOLLOWED_AT_ONCE", 2)
    paid = clock.now()
    for n in range(5):
        accept(world, f"A{n}", paid_at=PAID)
    dispatch(world, accept(world, "B", paid_at=PAID))
    clock.advance(10 * HOUR)
    change(world, ship_by_h=8, collection_h=12)
    assert due(world, "ship_by") == paid + 8 * HOUR
    assert due(world, "collection") == paid + 12 * HOUR
    fire(world)
    assert [name for name, _ in said(world)] == ["ShipByMissed"] * 5
    change(world, ship_by_h=9, collection_h=12)
    assert [name for name, _ in said(world)] == ["ShipByMissed"] * 5, "late is late"
    change(world, ship_by_h=96, collection_h=12)
    assert [name for name, _ in said(world)][5:] == ["OrderCaughtUp"] * 5
    assert ("ship_by", "open") in rows(world)


def test_what_is_watched_no_longer_has_no_deadline_and_comes_back(world: World, clock: FixedClock) -> None:
    dispatch(world, accept(world, paid_at=PAID))
    accept(world, "A2", paid_at=PAID)
    clock.advance(100 * HOUR)
    fire(world)
    change(world, off=frozenset({DeadlineKind.COLLECTION, DeadlineKind.SHIP_BY}))
    assert rows(world) == [("collection", "lifted"), ("ship_by", "lifted")]
    move(world, "awaiting_collection")
    assert fire(world) == 0
    change(world)
    fire(world)
    assert [name for name, _ in said(world)].count("CollectionMissed") == 2


def test_another_shop_keeps_its_hours(world: World, clock: FixedClock) -> None:
    accept(world, "A1", paid_at=PAID, shop="toys")
    change(world, ship_by_h=1)
    assert due(world, "ship_by") == clock.now() + 48 * HOUR


def test_the_same_settings_again_are_no_change(world: World) -> None:
    change(world)
    with world.work.begin() as tx:
        assert tx.conn.execute("SELECT count(*) FROM job").fetchone() == (0,)
        assert tx.conn.execute("SELECT count(*) FROM deadline_setting").fetchone() == (0,)
