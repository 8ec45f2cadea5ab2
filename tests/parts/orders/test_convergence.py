"""However an order came to say what it says now, it is stored like one that said so at once (property)."""

from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.parts.world import World, order, raw_order
from waystream.kernel.tx import Tx
from waystream.parts.orders import actions
from waystream.parts.orders.people import open_person

LINES = st.lists(
    st.fixed_dictionaries(
        {
            "sku": st.sampled_from("AB"),
            "name": st.just("x"),
            "quantity": st.integers(1, 3),
            "price_fen": st.integers(9, 11),
        }
    ),
    min_size=1,
    max_size=4,
)
TELLING = st.fixed_dictionaries(
    {"lines": LINES},
    optional={
        "refund": st.sampled_from(["none", "asked", "full"]),
        "buyer_remark": st.sampled_from(["", "门口", "快点"]),
        "carrier": st.sampled_from(["", "SF"]),
        "declared_fen": st.integers(0, 2),
        "receiver": st.sampled_from([raw_order()["receiver"] | {"address": f"{n}号"} for n in range(3)]),
    },
)
_numbers = count()


def content(tx: Tx, order_id: int) -> tuple[Any, ...]:
    row = tx.conn.execute(
        """SELECT warehouse_id, payment, refund, declared_fen, total_fen, carrier, word, person_id
           FROM orders WHERE id = %s""",
        [order_id],
    ).fetchone()
    lines = tx.conn.execute(
        """SELECT sku, name, quantity, price_fen, discount_fen FROM order_line
           WHERE order_id = %s AND quantity > 0 ORDER BY 1, 2, 3, 4, 5""",
        [order_id],
    ).fetchall()
    return (*row[:-1], lines, open_person(tx, row[-1]))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TELLING, min_size=1, max_size=5))
def test_the_last_telling_is_what_is_stored(world: World, tellings: list[dict[str, Any]]) -> None:
    number = f"H{next(_numbers)}"
    with world.work.begin() as tx:
        for telling in tellings:
            [told] = actions.accept(tx, [order(number, **telling)])
        [fresh] = actions.accept(tx, [order(number + "x", **tellings[-1])])
        assert content(tx, told.order_id) == content(tx, fresh.order_id)
        assert actions.accept(tx, [order(number, **tellings[-1])])[0].outcome == "unchanged"
