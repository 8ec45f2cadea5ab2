"""Leaving the warehouse, numbers made elsewhere, and what pages read."""

import pytest

from tests.parts.fulfilment.bench import Bench
from tests.parts.fulfilment.test_numbers import hold, issued, release
from tests.parts.world import happened, raw_order
from waystream.core.errors import Conflict, Invalid, Missing
from waystream.kernel.database import Shops
from waystream.kernel.tx import Work
from waystream.parts.fulfilment import actions, lists
from waystream.parts.fulfilment.lists import Cursor
from waystream.parts.fulfilment.store_lists import Filters
from waystream.parts.hub import actions as hub


def scan(bench: Bench, *numbers: str, weighed_g: int | None = None) -> list[actions.Dispatched]:
    return bench.run(lambda tx: actions.dispatch(
        tx, by="weigh" if weighed_g else "scan", actor="staff:1", scanned=numbers, weighed_g=weighed_g))  # fmt: skip


def put_print(bench: Bench, dispatch_by: str) -> int:
    """A print of the only label, as the floor leaves it when it came out of the printer."""
    with bench.work.begin() as tx:
        tx.conn.execute("UPDATE warehouse SET dispatch_by = %s", [dispatch_by])
        row = tx.conn.execute(
            """WITH there AS (INSERT INTO printer (name, uri) VALUES ('p', 'folder:///x') RETURNING id)
               INSERT INTO print (label_id, parcel_id, shop_id, printer_id, state, queued_at)
               SELECT label.id, parcel_id, shop_id, there.id, 'printed', %s FROM label, there RETURNING id""",
            [tx.now],
        ).fetchone()
        assert row is not None
        return int(row[0])


def print_and_follow(bench: Bench, print_id: int) -> None:
    """What the rule does."""

    def do(tx: object) -> None:
        actions.dispatch_printed(tx, actions.mark_printed(tx, [print_id]))  # type: ignore[arg-type]

    bench.run(do)


def test_a_scan_at_the_gate_dispatches_once(bench: Bench) -> None:
    order_id, parcel_id = issued(bench)

    [first] = scan(bench, "yt0001")
    [again] = scan(bench, "YT0001")
    [unknown] = scan(bench, "YT9999")

    assert (first.parcel_id, first.outcome, first.number) == (parcel_id, "dispatched", "YT0001")
    assert (again.parcel_id, again.outcome) == (parcel_id, "already")
    assert (unknown.outcome, unknown.why) == ("refused", "unknown")
    with bench.work.begin() as tx:
        told = [said for name, _, said in happened(tx) if name == "ParcelDispatched"]
    assert told == [
        {
            "parcel_id": parcel_id,
            "order_ids": [order_id],
            "by": "scan",
            "at": bench.clock.now().isoformat().replace("+00:00", "Z"),
        }
    ]
    assert bench.rows("SELECT stage, dispatched_at, dispatched_by FROM parcel") == [
        ("dispatched", bench.clock.now(), "scan")]  # fmt: skip


def test_a_weighed_parcel_keeps_its_weight(bench: Bench) -> None:
    issued(bench)
    scan(bench, "YT0001", weighed_g=612)
    assert bench.rows("SELECT weighed_g, dispatched_by FROM parcel") == [(612, "weigh")]
    with pytest.raises(Invalid):
        scan(bench, "YT0001", weighed_g=5_000_000)


def test_what_may_not_leave_is_refused_alone_even_before_a_rule_has_run(bench: Bench) -> None:
    ids = bench.orders("D1", "D2", "D3", "D4")
    parcels = [answer.parcel_ids[0] for answer in bench.ship(*ids)]
    bench.carrier.faults = ["", "", "", "denied"]
    bench.drain()
    bench.orders("D1", refund="asked")
    bench.orders("D2", receiver=raw_order()["receiver"] | {"address": "新地址9号"})

    answers = bench.run(lambda tx: actions.dispatch(tx, parcels, by="scan", actor="staff:1"))

    assert [(answer.outcome, answer.why) for answer in answers] == [
        ("refused", "refund"), ("refused", "changed"), ("dispatched", ""), ("refused", "refused")]  # fmt: skip


def test_nothing_is_undone_after_dispatch(bench: Bench) -> None:
    order_id, parcel_id = issued(bench)
    scan(bench, "YT0001")
    bench.orders("A1", refund="asked")
    bench.follow(order_id)

    assert bench.stage(parcel_id) == ("dispatched", "")
    assert bench.bindings() == [("YT0001", "live")]
    with pytest.raises(Conflict, match="intercept"):
        bench.run(lambda tx: actions.void(tx, [parcel_id], reason="", actor="staff:1"))
    with pytest.raises(Conflict, match="intercept"):
        bench.run(lambda tx: actions.reissue(tx, parcel_id, reason="", actor="staff:1"))
    assert bench.bindings() == [("YT0001", "live")]


def test_printing_dispatches_where_the_warehouse_says_so(bench: Bench) -> None:
    issued(bench)
    print_id = put_print(bench, "print")
    print_and_follow(bench, print_id)
    print_and_follow(bench, print_id)
    assert bench.rows("SELECT stage, printed_at, dispatched_by FROM parcel") == [
        ("dispatched", bench.clock.now(), "print")]  # fmt: skip
    assert bench.events("ParcelDispatched") == ["ParcelDispatched"]


def test_printing_alone_is_no_dispatch(bench: Bench) -> None:
    _, parcel_id = issued(bench)
    print_and_follow(bench, put_print(bench, "scan"))
    assert bench.stage(parcel_id) == ("printed", "")
    assert bench.events("ParcelDispatched") == []


def test_a_print_of_a_void_label_says_nothing_of_the_parcel(bench: Bench) -> None:
    order_id, parcel_id = issued(bench)
    print_id = put_print(bench, "print")
    hold(bench, order_id)
    print_and_follow(bench, print_id)
    assert bench.stage(parcel_id) == ("voided", "held")


def test_a_number_made_elsewhere_is_an_ordinary_binding(bench: Bench) -> None:
    [order_id] = bench.orders("A1")

    ship = lambda tx: actions.ship_with_number(  # noqa: E731
        tx, order_id, carrier="SF", number=" sf100200300 ", actor="staff:1"
    )
    parcel_id = bench.run(ship)
    assert bench.run(ship) == parcel_id

    assert bench.rows("SELECT carrier, number, state, take_id FROM binding") == [("SF", "SF100200300", "live", None)]
    assert bench.stage(parcel_id) == ("issued", "")
    assert bench.rows("SELECT source FROM label") == [("own",)]
    assert bench.events() == ["WaybillIssued"]
    [answer] = scan(bench, "SF100200300")
    assert answer.outcome == "dispatched"


def test_a_foreign_number_replaces_the_attempt_under_way(bench: Bench) -> None:
    [order_id] = bench.orders("A1")
    [answer] = bench.ship(order_id)
    [parcel_id] = answer.parcel_ids
    bench.carrier.during = lambda: bench.run(lambda tx: actions.bind_foreign(
        tx, parcel_id, carrier="SF", number="SF100200300", actor="staff:1"))  # fmt: skip

    bench.drain()

    assert bench.takes() == [("orphan", "YT0001")]
    assert bench.bindings() == [("SF100200300", "live")]
    assert bench.carrier.alive() == set()
    with pytest.raises(Conflict, match="has a number"):
        bench.run(lambda tx: actions.bind_foreign(tx, parcel_id, carrier="SF", number="SF9999", actor="staff:1"))


def test_giving_a_foreign_number_back_is_a_task_for_a_person(bench: Bench) -> None:
    [order_id] = bench.orders("A1")
    parcel_id = bench.run(lambda tx: actions.ship_with_number(
        tx, order_id, carrier="SF", number="SF100200300", actor="staff:1"))  # fmt: skip
    bench.run(lambda tx: actions.void(tx, [parcel_id], reason="wrong", actor="staff:1"))
    [task] = bench.run(lists.list_tasks)
    assert (task.number, task.state, task.reason) == ("SF100200300", "unsupported", "wrong")
    assert bench.rows("SELECT count(*) FROM job WHERE kind = 'cancel_waybill'") == [(0,)]


def test_two_parcels_cannot_have_one_foreign_number(bench: Bench) -> None:
    a, b = bench.orders("A1", "A2")
    bench.run(lambda tx: actions.ship_with_number(tx, a, carrier="SF", number="SF1234", actor="staff:1"))
    with pytest.raises(Conflict, match="belongs to parcel"):
        bench.run(lambda tx: actions.ship_with_number(tx, b, carrier="SF", number="SF1234", actor="staff:1"))
    assert bench.rows("SELECT count(*) FROM parcel") == [(1,)]


def test_lists_go_on_where_they_ended_and_filter(bench: Bench) -> None:
    ids = bench.orders(*(f"L{i}" for i in range(7)))
    bench.ship(*ids)
    bench.drain()
    scan(bench, "YT0003")

    seen: list[int] = []
    after: Cursor | None = None
    while True:
        page = bench.run(lambda tx, position=after: lists.list_parcels(tx, after=position, limit=3))
        seen += [parcel.id for parcel in page.parcels]
        after = page.after
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 7
    assert bench.run(lists.count_stages) == {"issued": 6, "dispatched": 1}

    def found(filters: Filters) -> list[str | None]:
        return sorted(str(p.number) for p in bench.run(lambda tx: lists.list_parcels(tx, filters)).parcels)

    assert found(Filters(stages=("dispatched",))) == ["YT0003"]
    assert found(Filters(number="yt000")) == [f"YT000{i}" for i in range(1, 8)]
    assert found(Filters(number="YT_")) == []
    assert found(Filters(order_id=ids[0], carriers=("YTO",), held=False)) == ["YT0001"]
    assert found(Filters(warehouse_ids=(999,))) == []


def test_one_parcel_shows_all_that_happened_to_its_number(bench: Bench) -> None:
    order_id, parcel_id = issued(bench)
    bench.run(lambda tx: actions.reissue(tx, parcel_id, reason="torn", actor="staff:1"))
    bench.drain()

    found = bench.run(lambda tx: lists.get_parcel(tx, parcel_id))

    assert (found.parcel.number, found.parcel.order_ids, found.parcel.orders) == ("YT0002", [order_id], ["A1"])
    assert [take.state for take in found.takes] == ["bound", "bound"]
    assert [(row.number, row.state) for row in found.bindings] == [("YT0001", "cancelled"), ("YT0002", "live")]
    assert [label.voided_at is None for label in found.labels] == [False, True]
    assert [(cancel.state, cancel.reason) for cancel in found.cancels] == [("confirmed", "torn")]
    assert [(item.sku, item.quantity) for item in found.contents] == [("T1", 2)]
    with pytest.raises(Missing):
        bench.run(lambda tx: lists.get_parcel(tx, 1))


def test_numbers_never_collected_are_a_report(bench: Bench) -> None:
    _, parcel_id = issued(bench)
    assert bench.run(lists.list_unused_numbers) == []
    bench.clock.advance(lists.COLLECTED_WITHIN * 2)
    [unused] = bench.run(lists.list_unused_numbers)
    assert (unused.parcel_id, unused.number, unused.state) == (parcel_id, "YT0001", "live")


def test_a_page_of_another_shop_sees_and_ships_nothing(bench: Bench, page_database: object) -> None:
    [order_id] = bench.orders("A1")
    page = Work(page_database, bench.clock, bench.work.keys)  # type: ignore[arg-type]
    theirs, ours = Shops.of([bench.world.toys]), Shops.of([bench.world.tea])

    def ship(tx: object) -> object:
        return actions.ship(tx, actions.ShipOrders((order_id,)), actor="staff:2")  # type: ignore[arg-type]

    with pytest.raises(Missing):
        page.run(ship, shops=theirs)
    [answer] = page.run(ship, shops=ours)
    assert answer.outcome == "asked"
    bench.drain()
    assert page.run(lambda tx: lists.list_parcels(tx), shops=theirs).parcels == ()
    [parcel] = page.run(lambda tx: lists.list_parcels(tx), shops=ours).parcels
    assert parcel.stage == "issued"
    [gone] = page.run(lambda tx: actions.dispatch(tx, by="scan", actor="s", scanned=["YT0001"]), shops=theirs)
    assert gone.why == "unknown"


def test_an_account_that_is_switched_off_is_replaced_when_a_number_is_asked_anew(bench: Bench) -> None:
    order_id, _ = issued(bench)
    hold(bench, order_id)
    bench.drain()
    bench.run(lambda tx: hub.switch_account(tx, bench.accounts["YTO"], on=False, actor="staff:1"))
    release(bench, order_id)
    assert bench.rows("SELECT stage, mend FROM parcel") == [("refused", "no_account")]
    bench.ship(order_id)
    bench.drain()
    assert bench.rows("SELECT stage, carrier FROM parcel") == [("issued", "ZTO")]
