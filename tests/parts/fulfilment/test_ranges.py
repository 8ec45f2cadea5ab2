"""Numbers assigned beforehand: read, drawn once each, used up, added again."""

import pytest

from tests.parts.fulfilment.bench import Bench
from waystream.core.errors import Invalid, InvalidMany, Missing, TooLarge
from waystream.parts.fulfilment import actions, ranges, store_ranges
from waystream.parts.fulfilment.ranges import AddedNumbers
from waystream.parts.fulfilment.reserved import NUMBERS_AT_ONCE, read_numbers
from waystream.parts.hub import actions as hub


def add(bench: Bench, told: str) -> AddedNumbers:
    account_id = bench.accounts["YTO"]
    return bench.run(lambda tx: ranges.add_numbers(tx, account_id, told, actor="staff:1"))


def draw(bench: Bench, *, on: bool = True) -> None:
    bench.run(lambda tx: hub.draw_numbers(tx, bench.accounts["YTO"], on=on, actor="staff:1"))


def test_numbers_are_read_as_people_write_them() -> None:
    assert read_numbers("YT0001\n\n yt0001 \n YT0009 - YT0012 \n7300, 7301；7302") == [
        "YT0001", "YT0009", "YT0010", "YT0011", "YT0012", "7300", "7301", "7302",
    ]  # fmt: skip
    assert read_numbers("A9998至A9999") == ["A9998", "A9999"]


@pytest.mark.parametrize(
    ("told", "paths"),
    [
        ("YT0001\nYT0001-ZT0009", ["line 2"]),
        ("YT0009-YT0001\nx\nYT01-YT0001", ["line 1", "line 2", "line 3"]),
        (f"Y0000000-Y{NUMBERS_AT_ONCE:07}", ["line 1"]),
    ],
)
def test_a_wrong_line_is_named(told: str, paths: list[str]) -> None:
    with pytest.raises(InvalidMany) as wrong:
        read_numbers(told)
    assert [each.path for each in wrong.value.problems] == paths


def test_the_bounds_of_what_is_handed_in() -> None:
    with pytest.raises(Invalid):
        read_numbers(" \n")
    with pytest.raises(TooLarge):
        read_numbers("A000000-A099999\nB0001")


def test_takes_draw_in_order_without_a_call_and_are_watched(bench: Bench) -> None:
    added = add(bench, "YT7001-YT7003")
    assert added == AddedNumbers(added.batch_id, 3, 0, 0)
    draw(bench)
    bench.ship(*bench.orders("A1", "A2"))
    bench.drain()
    assert bench.bindings() == [("YT7001", "live"), ("YT7002", "live")]
    assert bench.carrier.asked == []
    assert bench.takes() == [("bound", "YT7001"), ("bound", "YT7002")]
    assert bench.rows("SELECT source FROM label") == [("own",), ("own",)]
    assert bench.rows("SELECT count(*) FROM parcel WHERE stage = 'issued'") == [(2,)]
    assert bench.events("WaybillIssued") == ["WaybillIssued"] * 2
    assert bench.broken() == []
    [(parcel_id,)] = bench.rows("SELECT parcel_id FROM reserved_number WHERE number = 'YT7001'")
    assert bench.rows("SELECT number FROM binding WHERE parcel_id = %s", parcel_id) == [("YT7001",)]


def test_a_number_is_drawn_once_whatever_becomes_of_its_parcel(bench: Bench) -> None:
    add(bench, "YT7001-YT7002")
    draw(bench)
    [order_id] = bench.orders("A1")
    [shipped] = bench.ship(order_id)
    bench.drain()
    bench.run(lambda tx: actions.void(tx, shipped.parcel_ids, reason="wrong", actor="staff:1"))
    bench.ship(order_id)
    bench.drain()
    assert ("YT7002", "live") in bench.bindings()
    assert add(bench, "YT7001-YT7002").added == 0
    assert bench.rows("SELECT state, number FROM waybill_cancel") == [("unsupported", "YT7001")]
    assert bench.broken() == []


def test_used_up_is_a_task_and_new_numbers_ask_again(bench: Bench) -> None:
    draw(bench)
    bench.ship(*bench.orders("A1", carrier="YTO"))
    bench.drain()
    assert bench.rows("SELECT stage, mend FROM parcel") == [("refused", "none_reserved")]
    assert bench.events("WaybillRefused") == ["WaybillRefused"]
    assert add(bench, "YT7001").asked == 1
    bench.drain()
    assert bench.bindings() == [("YT7001", "live")]
    assert bench.broken() == []


def test_an_account_without_numbers_comes_after_another(bench: Bench) -> None:
    draw(bench)
    bench.ship(*bench.orders("A1"))
    bench.drain()
    assert bench.rows("SELECT carrier FROM parcel") == [("ZTO",)]


def test_a_mother_and_its_children_are_drawn_together_or_not_at_all(bench: Bench) -> None:
    add(bench, "YT7001-YT7004")
    draw(bench)
    bench.ship(*bench.orders("A1"), pieces=3)
    bench.drain()
    assert [number for number, _ in bench.bindings()] == ["YT7001", "YT7002", "YT7003"]
    bench.ship(*bench.orders("A2", carrier="YTO"), pieces=2)
    bench.drain()
    assert bench.rows("SELECT count(*) FROM reserved_number WHERE drawn_at IS NULL") == [(1,)]
    assert bench.rows("SELECT DISTINCT mend FROM parcel WHERE stage = 'refused'") == [("none_reserved",)]
    assert bench.broken() == []


def test_what_is_bound_by_hand_is_neither_added_nor_drawn(bench: Bench) -> None:
    add(bench, "YT7001-YT7002")
    draw(bench)
    first, second = bench.orders("A1", "A2")
    bench.run(lambda tx: actions.ship_with_number(tx, first, carrier="YTO", number="YT7001", actor="staff:1"))
    bench.run(lambda tx: actions.ship_with_number(tx, second, carrier="YTO", number="YT7009", actor="staff:1"))
    assert add(bench, "YT7009-YT7010").added == 1
    bench.ship(*bench.orders("A3"))
    bench.drain()
    assert ("YT7002", "live") in bench.bindings()
    assert bench.broken() == []


def test_two_draw_at_once_and_get_two(bench: Bench) -> None:
    add(bench, "YT7001-YT7002")
    with bench.work.begin() as one, bench.work.begin() as other:
        account = bench.accounts["YTO"]
        assert store_ranges.draw(one.conn, account, parcel_id=None, n=1, at=one.now) == ["YT7001"]
        assert store_ranges.draw(other.conn, account, parcel_id=None, n=1, at=other.now) == ["YT7002"]


def test_low_is_seen_before_it_is_empty_and_the_unused_can_be_dropped(bench: Bench) -> None:
    batch_id = add(bench, "YT7001-YT7999").batch_id
    draw(bench)
    with bench.work.begin() as tx:
        account = hub.get_account(tx, bench.accounts["YTO"])
        assert (account.draws, account.available, account.low) == (True, 999, False)
        tx.conn.execute("UPDATE carrier_account SET low_mark = 1000")
        assert hub.get_account(tx, bench.accounts["YTO"]).low
        assert ranges.drop_batch(tx, batch_id, actor="staff:1") == 999
        assert [(batch.size, batch.free) for batch in ranges.list_batches(tx)] == [(999, 0)]
        with pytest.raises(Missing):
            ranges.drop_batch(tx, batch_id + 1, actor="staff:1")
        with pytest.raises(Missing):
            ranges.add_numbers(tx, 10**9, "YT7001", actor="staff:1")


def test_a_call_already_under_way_is_repeated_not_drawn(bench: Bench) -> None:
    bench.carrier.faults = ["lost after"]
    bench.ship(*bench.orders("A1"))
    bench.run_once()
    add(bench, "YT7001")
    draw(bench)
    bench.drain()
    assert bench.bindings() == [("YT0001", "live")]
    assert bench.rows("SELECT count(*) FROM reserved_number WHERE drawn_at IS NULL") == [(1,)]
