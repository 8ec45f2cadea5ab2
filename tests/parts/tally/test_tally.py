"""The tally is what the rows are, whoever changes them, however often it is summed up."""

from datetime import timedelta

import pytest

from tests.parts.world import World, build, move_parcel, order, put_parcel
from waystream.invariants import tally_counts_every_row as invariant
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database, Shops
from waystream.kernel.tx import Tx, Work
from waystream.kernel.vault import Keys
from waystream.parts.orders import actions as orders
from waystream.parts.tally import actions as tally


@pytest.fixture
def world(database: Database, clock: FixedClock, keys: Keys) -> World:
    return build(database, clock, keys)


def standing(tx: Tx, what: str) -> dict[str, int]:
    rows = tx.conn.execute("SELECT word, sum(n)::bigint FROM standing WHERE what = %s GROUP BY word", [what]).fetchall()
    return dict(rows)


def passed(tx: Tx) -> dict[str, int]:
    rows = tx.conn.execute("SELECT word, sum(n)::bigint FROM tally WHERE what = 'passed' GROUP BY word").fetchall()
    return {word: count for word, count in rows if count}


def broken(tx: Tx) -> list[str]:
    return [row[0] for row in tx.conn.execute(invariant.SQL).fetchall()]


def accept(tx: Tx, *numbers: str, shop: str = "tea") -> list[int]:
    return [each.order_id for each in orders.accept(tx, tuple(order(number, shop=shop) for number in numbers))]


def test_it_follows_every_change_of_a_row(world: World) -> None:
    with world.work.begin() as tx:
        first, second, third = accept(tx, "A", "B", "C")
        put_parcel(tx, first, parcel_id=1, state="in_transit")
        put_parcel(tx, second, parcel_id=2, state="in_transit")
        put_parcel(tx, second, parcel_id=3, stage="voided")
        move_parcel(tx, 2, state="delivered", kind="locker")
        orders.cancel(tx, [third], reason="x", actor="system")
        assert standing(tx, "state") == {"in_transit": 1, "delivered": 1}
        assert standing(tx, "stage") == {"dispatched": 2, "voided": 1}
        assert standing(tx, "order") == {"to_ship": 2, "closed": 1}
        assert passed(tx) == {"received": 3, "delivered": 1}
        tx.conn.execute("DELETE FROM track WHERE parcel_id = 1")
        assert standing(tx, "state") == {"delivered": 1}
        assert broken(tx) == []


def test_summing_up_changes_no_count_and_forgets_what_passed_long_ago(world: World, clock: FixedClock) -> None:
    with world.work.begin() as tx:
        for number in "ABC":
            [order_id] = accept(tx, number)
            put_parcel(tx, order_id, parcel_id=order_id, state="in_transit")
            move_parcel(tx, order_id, state="delivered")
        before = (standing(tx, "order"), standing(tx, "state"), passed(tx))
        assert tally.sum_up(tx) > 0
        assert (standing(tx, "order"), standing(tx, "state"), passed(tx)) == before
        assert tally.sum_up(tx) == 0
    clock.advance(timedelta(days=4))
    with world.work.begin() as tx:
        tally.sum_up(tx)
        assert passed(tx) == {}
        assert standing(tx, "state") == {"delivered": 3}
        assert broken(tx) == []


def test_what_is_undone_is_taken_back(world: World) -> None:
    with world.work.begin() as tx:
        [order_id] = accept(tx, "A")
        put_parcel(tx, order_id, parcel_id=1, state="delivered")
        assert passed(tx)["delivered"] == 1
        move_parcel(tx, 1, state="in_transit")
        assert "delivered" not in passed(tx)


def test_changes_at_once_wait_for_nobody_and_all_count(world: World) -> None:
    with world.work.begin() as tx:
        first, second = accept(tx, "A", "B")
        put_parcel(tx, first, parcel_id=1, state="in_transit")
        put_parcel(tx, second, parcel_id=2, state="in_transit")
    with world.work.begin() as one:
        move_parcel(one, 1, state="delivered")
        with world.work.begin() as other:
            move_parcel(other, 2, state="delivered")
            tally.sum_up(other)
    with world.work.begin() as tx:
        assert standing(tx, "state") == {"delivered": 2}
        tally.sum_up(tx)
        assert standing(tx, "state") == {"delivered": 2}
        assert broken(tx) == []


def test_a_shop_counts_its_own_only(world: World, page_database: Database) -> None:
    with world.work.begin() as tx:
        accept(tx, "A", "B")
        accept(tx, "C", shop="toys")
    page = Work(page_database, world.work.clock, world.work.keys)
    with page.begin(shops=Shops.of([world.toys]), read_only=True) as tx:
        assert standing(tx, "order") == {"to_ship": 1}
    with page.begin(shops=Shops.every(), read_only=True) as tx:
        assert standing(tx, "order") == {"to_ship": 3}


def test_a_track_knows_the_carrier_and_the_warehouse_of_its_number(world: World) -> None:
    with world.work.begin() as tx:
        [order_id] = accept(tx, "A")
        put_parcel(tx, order_id, parcel_id=1, state="in_transit")
        assert tx.conn.execute("SELECT warehouse_id, carrier FROM track").fetchall() == [(world.yh, "YTO")]
        tx.conn.execute(
            """INSERT INTO binding (id, parcel_id, shop_id, aggregator_id, carrier, number, state, owns_from, bound_at)
               SELECT 9, 1, shop_id, aggregator_id, 'SF', 'SF9', 'cancelled', owns_from, bound_at FROM binding"""
        )
        tx.conn.execute("UPDATE track SET binding_id = 9")
        assert tx.conn.execute("SELECT carrier FROM track").fetchall() == [("SF",)]
        assert broken(tx) == []


def test_a_wrong_count_is_said(world: World) -> None:
    with world.work.begin() as tx:
        accept(tx, "A")
        tx.conn.execute("UPDATE tally SET n = 3 WHERE what = 'order'")
        assert broken(tx) == [f"order to_ship of shop {world.tea} is told 3, there are 1"]
