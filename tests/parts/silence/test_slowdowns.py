"""A hub that stands still is one slow-down for each shop in it: told once, taking in who comes later, till it flows."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.parts.silence.conftest import WAIT
from tests.parts.tracking.conftest import Push, Rows
from tests.parts.tracking.given import Shop, at, bind_parcels, told, trace
from waystream.invariants import slowdown_is_told_to_its_shops
from waystream.kernel.clock import FixedClock
from waystream.kernel.tx import Work
from waystream.parts.silence import actions, slowdowns
from waystream.parts.silence.slowness import Rules

RULES = Rules(parcels_least=5, chance=0.5)
HUB = "快件离开【杭州转运中心】，已发往【成都转运中心】"
NUMBERS = [f"S{n}" for n in range(8)]
EVENTS = """SELECT name, body - 'shop_id' - 'parcel_id' - 'silent_since' - 'due_at' - 'slowdown_id' FROM event
            WHERE name IN ('SlowdownBegan', 'SlowdownEnded', 'ParcelStalled') ORDER BY id"""


@pytest.fixture
def look(work: Work) -> Callable[[], int]:
    return lambda: work.run(lambda tx: actions.watch(tx, wait=WAIT, rules=RULES))


@pytest.fixture
def storm(work: Work, shop: Shop, push: Push, clock: FixedClock) -> list[int]:
    """Eight parcels left for Chengdu within four hours; the first five are overdue."""
    bound = work.run(lambda tx: bind_parcels(tx.conn, shop, NUMBERS))
    for hour, number in enumerate(NUMBERS):
        push(told(number, 20, trace(8 + hour / 2, "2", HUB)))
    clock.jump(at(8 + 48 + 2.1))
    return [each.parcel_id for each in bound]


def test_many_at_one_hub_are_one_slowdown(storm: list[int], look: Callable[[], int], work: Work, rows: Rows) -> None:
    assert look() == 5 + 1 + 5
    assert rows("SELECT carrier, place, silent, ended_at FROM slowdown") == [("YTO", "成都转运中心", 5, None)]
    assert rows("SELECT DISTINCT state, slowdown_id IS NOT NULL FROM silence") == [("asked", True)]
    told_of = {"carrier": "YTO", "place": "成都转运中心", "parcels": 5}
    assert rows(EVENTS) == [("SlowdownBegan", told_of)]
    with work.begin() as tx:
        [slowdown_id] = {*actions.list_slowed(tx, storm).values()}
        assert slowdowns.list_parcels(tx, slowdown_id) == sorted(storm)[:5]


def test_who_comes_later_is_taken_in_and_nobody_is_told_twice(
    storm: list[int], look: Callable[[], int], clock: FixedClock, work: Work, rows: Rows
) -> None:
    look()
    clock.advance(timedelta(hours=3))
    look()
    assert rows("SELECT count(*) FROM silence WHERE slowdown_id IS NOT NULL") == [8]
    assert [name for name, _ in rows(EVENTS)] == ["SlowdownBegan", *["ParcelStalled"] * 5]
    with work.begin() as tx:
        assert set(actions.list_slowed(tx, storm)) == set(storm)


def test_when_it_flows_again_it_is_over_and_who_is_left_behind_is_stalled(
    storm: list[int], look: Callable[[], int], push: Push, clock: FixedClock, work: Work, rows: Rows
) -> None:
    look()
    clock.advance(timedelta(hours=3))
    look()
    clock.advance(WAIT)
    look()
    push(*(told(number, 64, trace(8 + nth / 2, "2", HUB), trace(63, "201")) for nth, number in enumerate(NUMBERS[:6])))
    look()
    assert rows("SELECT ended_at FROM slowdown") == [None]  # some came in a moment ago
    clock.advance(timedelta(hours=12))
    before = len(rows(EVENTS))
    look()
    told_of = {"carrier": "YTO", "place": "成都转运中心", "parcels": 8}
    assert rows(EVENTS)[before:] == [("SlowdownEnded", told_of), ("ParcelStalled", {}), ("ParcelStalled", {})]
    assert rows("SELECT ended_at FROM slowdown") == [clock.now()]
    with work.begin() as tx:
        assert actions.list_slowed(tx, storm) == {}
    look()
    assert len(rows(EVENTS)) == before + 3


def test_who_is_silent_for_far_longer_stands_alone(
    storm: list[int], look: Callable[[], int], push: Push, clock: FixedClock, work: Work, rows: Rows
) -> None:
    """The table allows 48 h: after 72 h the slow-down no longer explains the first, after 73 h the third."""
    look()
    clock.advance(WAIT)
    look()
    before = len(rows(EVENTS))
    clock.jump(at(8 + 72 - 0.1))
    look()
    assert [name for name, _ in rows(EVENTS)[before:]] == ["ParcelStalled"] * 3  # the three that came later
    before += 3
    clock.jump(at(8 + 72))
    assert look() == 1
    assert rows(EVENTS)[before:] == [("ParcelStalled", {})]
    assert rows("SELECT parcel_id, slowdown_id, alone_at FROM silence WHERE alone_at IS NOT NULL") == [
        (storm[0], None, clock.now())
    ]
    assert look() == 0
    with work.begin() as tx:
        assert set(actions.list_slowed(tx, storm)) == set(storm[1:])
    clock.jump(at(8 + 73))
    look()
    assert rows("SELECT parcel_id FROM silence WHERE alone_at IS NOT NULL ORDER BY 1") == storm[:3]
    push(told(NUMBERS[0], 82, trace(8, "2", HUB), trace(81, "201")))
    look()
    assert rows("SELECT DISTINCT state FROM silence WHERE alone_at IS NOT NULL") == ["stalled", "stirred"]


def test_a_slowdown_whose_parcels_all_stand_alone_is_told_to_be_over(
    storm: list[int], look: Callable[[], int], clock: FixedClock, work: Work, rows: Rows
) -> None:
    look()
    clock.advance(WAIT)
    look()
    clock.advance(WAIT)
    look()
    clock.jump(at(8 + 3.5 + 72))
    look()
    assert rows("SELECT count(*) FROM silence WHERE alone_at IS NOT NULL") == [len(storm)]
    before = len(rows(EVENTS))
    look()
    ended = {"carrier": "YTO", "place": "成都转运中心", "parcels": 0}
    assert rows(EVENTS)[before:] == [("SlowdownEnded", ended)]
    assert rows("SELECT ended_at FROM slowdown") == [clock.now()]
    assert rows(slowdown_is_told_to_its_shops.SQL) == []


def test_a_few_are_none(storm: list[int], work: Work, rows: Rows) -> None:
    work.run(lambda tx: actions.watch(tx, wait=WAIT, rules=Rules(parcels_least=6, chance=0.5)))
    assert rows("SELECT count(*) FROM slowdown") == [0]


def test_each_shop_is_told_of_its_own(storm: list[int], look: Callable[[], int], work: Work, rows: Rows) -> None:
    def move(tx: object) -> None:
        conn = tx.conn  # type: ignore[attr-defined]
        other = conn.execute("INSERT INTO shop (code, name, created_at) VALUES ('o', 'o', %s) RETURNING id", [at(0)])
        conn.execute("UPDATE track SET shop_id = %s WHERE parcel_id = %s", [other.fetchone()[0], storm[0]])

    work.run(move)
    look()
    assert sorted(body["parcels"] for _, body in rows(EVENTS)) == [1, 4]


def test_old_silences_that_are_found_at_once_are_none(
    storm: list[int], look: Callable[[], int], clock: FixedClock, rows: Rows
) -> None:
    """After a long pause, or when Waystream is new here: they fell silent one by one."""
    clock.jump(at(300))
    assert look() == 8
    assert rows("SELECT count(*) FROM slowdown") == [0]
