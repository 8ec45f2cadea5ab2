"""Many orders come into a database that nobody has analysed yet: each costs a look at its own rows.

The planner may walk one table once for all of them, but none for each.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.parts.world import World, build, order, put_parcel
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.tx import Tx
from waystream.kernel.vault import Keys
from waystream.parts.deadlines import store as deadlines
from waystream.parts.fulfilment import store as fulfilment
from waystream.parts.orders import actions as orders
from waystream.parts.orders import store

ORDERS, ASKED = 5_000, 100

#: The one order with its parcel again and again, with other ids.
COPIES = """
WITH copy AS (SELECT generate_series(1, %(n)s) AS n),
sold AS (INSERT INTO orders SELECT (jsonb_populate_record(o, jsonb_build_object('id', n, 'number', 'B' || n))).*
         FROM orders o, copy),
line AS (INSERT INTO order_line SELECT (jsonb_populate_record(l, jsonb_build_object('id', n, 'order_id', n))).*
         FROM order_line l, copy WHERE line_no = 1),
box AS (INSERT INTO parcel SELECT (jsonb_populate_record(p, jsonb_build_object('id', n))).* FROM parcel p, copy),
content AS (INSERT INTO parcel_order SELECT n, n, shop_id, cod_fen FROM parcel_order, copy)
INSERT INTO parcel_line SELECT n, n, shop_id, 1 FROM parcel_order, copy
"""


@pytest.fixture
def world(database: Database, clock: FixedClock, keys: Keys) -> World:
    return build(database, clock, keys)


@pytest.mark.parametrize(
    "ask",
    [deadlines.list_orders, deadlines.list_parcels, store.list_standings, fulfilment.lock_families],
)
def test_no_table_is_walked_for_each_order(world: World, ask: Callable[[Any, list[int]], object]) -> None:
    with world.work.begin() as tx:
        [answer] = orders.accept(tx, (order(),))
        put_parcel(tx, answer.order_id, parcel_id=999_999, state="")
        tx.conn.execute(COPIES, {"n": ORDERS})
        before = count_read(tx)
        ask(tx.conn, list(range(1, ASKED + 1)))
        assert count_read(tx) - before < 2 * ORDERS


def count_read(tx: Tx) -> int:
    """Rows that this transaction has read by walking whole tables."""
    row = tx.conn.execute(
        """SELECT sum(seq_tup_read)::bigint FROM pg_stat_xact_user_tables
           WHERE relname IN ('orders', 'order_line', 'parcel', 'parcel_order', 'parcel_line', 'track')"""
    ).fetchone()
    assert row is not None
    return int(row[0])
