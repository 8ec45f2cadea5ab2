"""With fifty thousand parcels stored no page reads a big table from end to end, every page is quick, lists are whole.

The figures for a million parcels are `benchmarks/pages.py`'s; here the machine may be busy, so the bound is wide.
"""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest

from benchmarks.crowd.stock import Stored
from benchmarks.pages import Asked, ask_all, filled
from waystream.invariants import tally_counts_every_row
from waystream.kernel.database import Shops
from waystream.web.context import WebContext
from waystream.web.pages.orders import store as orders
from waystream.web.pages.overview.fresh import FRESH_S, Fresh
from waystream.web.pages.parcels import store as parcels

PARCELS = 50_000
BOUND_MS = 250.0
WALKED_ROWS = 500


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WebContext, Stored]]:
    with filled(tmp_path_factory.mktemp("crowd"), parcels=PARCELS) as made:
        yield made


@pytest.fixture(scope="module")
def asked(crowd: tuple[WebContext, Stored]) -> list[Asked]:
    return list(ask_all(*crowd, times=2))


def test_no_page_reads_a_big_table_from_end_to_end(asked: list[Asked]) -> None:
    assert not [(each.who, each.path, each.faults) for each in asked if each.faults]


def test_every_page_answers_quickly(asked: list[Asked]) -> None:
    assert not [(each.who, each.path, each.status) for each in asked if each.status >= 500]
    assert not [(each.who, each.path, each.best_ms) for each in asked if each.best_ms > BOUND_MS]


def test_the_tally_is_what_the_rows_are(crowd: tuple[WebContext, Stored]) -> None:
    with crowd[0].machine.begin(read_only=True) as tx:
        assert tx.conn.execute(tally_counts_every_row.SQL).fetchall() == []


ORDERS: dict[str, tuple[dict[str, object], str]] = {
    "word": ({"word": "closed"}, "o.word = 'closed'"),
    "shop and word": ({"shop_id": 6, "word": "delivered"}, "o.shop_id = 6 AND o.word = 'delivered'"),
    "warehouse": ({"warehouse_id": 3, "word": "in_transit"}, "o.warehouse_id = 3 AND o.word = 'in_transit'"),
    "the caller's warehouses": ({"warehouses": (3,), "shop_id": 6}, "o.warehouse_id = 3 AND o.shop_id = 6"),
    "a rare carrier": ({"carrier": "EMS"}, "p.carrier = 'EMS'"),
    "a rare carrier and a word": (
        {"carrier": "EMS", "word": "completed"}, "p.carrier = 'EMS' AND o.word = 'completed'",
    ),
    "a common carrier and a word": ({"carrier": "SF", "word": "closed"}, "p.carrier = 'SF' AND o.word = 'closed'"),
    "trouble": ({"view": "trouble", "shop_id": 6}, "o.shop_id = 6 AND (t.state IN ('exception', 'lost') "
                "OR p.stage = 'refused')"),
    "held": ({"view": "held"}, "o.held_at IS NOT NULL"),
}  # fmt: skip


@pytest.mark.parametrize("shops", [Shops.every(), Shops.of([1, 6])], ids=["every shop", "two shops"])
@pytest.mark.parametrize("name", ORDERS)
def test_orders_page_by_page_are_all_there_are(crowd: tuple[WebContext, Stored], name: str, shops: Shops) -> None:
    """What the ranges of the index give is what a plain query gives, in the same order."""
    given, condition = ORDERS[name]
    with crowd[0].work.begin(shops=shops, read_only=True) as tx:
        wanted, seen = orders.Wanted(now=tx.now, **given), list[int]()  # type: ignore[arg-type]
        while len(seen) < WALKED_ROWS and (rows := orders.list_orders(tx.conn, wanted, limit=100)):
            seen += [row.id for row in rows]
            wanted = replace(wanted, before=(rows[-1].moved_at, rows[-1].id))
        expected = tx.conn.execute(
            f"""SELECT o.id FROM orders o LEFT JOIN parcel_order po ON po.order_id = o.id
                LEFT JOIN parcel p ON p.id = po.parcel_id LEFT JOIN track t ON t.parcel_id = p.id
                WHERE {condition} ORDER BY o.moved_at DESC, o.id DESC LIMIT %s""".encode(),
            [WALKED_ROWS],
        ).fetchall()
    assert expected
    assert seen[:WALKED_ROWS] == [row[0] for row in expected]


PARCEL_LISTS: dict[str, tuple[dict[str, object], str, str]] = {
    "state": ({"state": "returned"}, "t.state = 'returned'", "t.changed_at"),
    "state and kind": (
        {"state": "delivered", "kind": "locker"}, "t.state = 'delivered' AND t.kind = 'locker'", "t.changed_at",
    ),
    "state and carrier": (
        {"state": "delivered", "carrier": "EMS"}, "t.state = 'delivered' AND p.carrier = 'EMS'", "t.changed_at",
    ),
    "stage": ({"stage": "issued"}, "p.stage = 'issued'", "p.moved_at"),
    "all of a carrier": ({"carrier": "EMS"}, "p.carrier = 'EMS'", "p.moved_at"),
    "the caller's warehouses": ({"warehouses": (3,)}, "p.warehouse_id = 3", "p.moved_at"),
    "trouble": (
        {"trouble": True}, "t.state IN ('exception', 'lost') OR p.stage = 'refused'",
        "CASE WHEN p.stage = 'refused' THEN p.moved_at ELSE t.changed_at END",
    ),
}  # fmt: skip


@pytest.mark.parametrize("shops", [Shops.every(), Shops.of([1, 6])], ids=["every shop", "two shops"])
@pytest.mark.parametrize("name", PARCEL_LISTS)
def test_parcels_page_by_page_are_all_there_are(crowd: tuple[WebContext, Stored], name: str, shops: Shops) -> None:
    given, condition, at = PARCEL_LISTS[name]
    with crowd[0].work.begin(shops=shops, read_only=True) as tx:
        wanted, seen = parcels.Wanted(**given), list[tuple[datetime, int]]()  # type: ignore[arg-type]
        while len(seen) < WALKED_ROWS and (rows := parcels.list_parcels(tx.conn, wanted, limit=100)):
            seen += [(row.at, row.id) for row in rows]
            wanted = replace(wanted, before=seen[-1])
        expected = tx.conn.execute(
            f"""SELECT {at} AS at, p.id FROM parcel p LEFT JOIN track t ON t.parcel_id = p.id
                WHERE {condition} ORDER BY at DESC, p.id DESC LIMIT %s""".encode(),
            [WALKED_ROWS],
        ).fetchall()
    assert expected
    assert seen[:WALKED_ROWS] == expected


def test_a_reading_serves_until_something_happens_or_a_second_is_over() -> None:
    now_s = [100.0]
    fresh, readings = Fresh[int](lambda: now_s[0]), iter(range(100))

    def read() -> int:
        return next(readings)

    assert [fresh.get("a", read, position=7) for _ in range(3)] == [0, 0, 0]
    now_s[0] += FRESH_S / 2
    assert fresh.get("a", read, position=7) == 0
    assert fresh.get("a", read, position=8) == 1
    assert fresh.get("b", read, position=8) == 2
    now_s[0] += FRESH_S
    assert fresh.get("a", read, position=8) == 3


def test_of_many_at_once_one_reads() -> None:
    fresh, begun, go_on = Fresh[int](), threading.Event(), threading.Event()
    readings: list[int] = []

    def read() -> int:
        readings.append(1)
        begun.set()
        go_on.wait(10)
        return len(readings)

    threads = [threading.Thread(target=fresh.get, args=("a", read), kwargs={"position": 1}) for _ in range(8)]
    threads[0].start()
    begun.wait(10)
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert len(readings) == 1
