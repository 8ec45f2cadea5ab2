"""A push may name what a call never told: the number of an attempt of ours, whatever became of the attempt."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.parts.fulfilment.bench import Bench
from tests.parts.tracking.given import Shop, received, told, trace
from waystream.core.errors import Conflict
from waystream.core.ports import TakeUnclear
from waystream.parts.fulfilment import actions, takes
from waystream.parts.tracking.actions import apply


def in_conflict(bench: Bench) -> tuple[int, int]:
    """(take, parcel): the network knew the code and told no number."""
    [order_id] = bench.orders("A1")
    [shipped] = bench.ship(order_id)
    [(take_id,)] = bench.rows("SELECT id FROM take")
    bench.run(lambda tx: takes.begin(tx, take_id))
    bench.run(lambda tx: takes.settle(tx, take_id, TakeUnclear("106")))
    assert bench.takes() == [("conflict", "")]
    return take_id, shipped.parcel_ids[0]


def name(bench: Bench, take_id: int, number: str) -> bool:
    settled: bool = bench.run(lambda tx: takes.claim(tx, take_id, number))
    return settled


def test_a_conflict_learns_its_number_and_a_person_may_use_it(bench: Bench) -> None:
    take_id, parcel_id = in_conflict(bench)
    assert name(bench, take_id, "YT0009") is False
    assert bench.takes() == [("conflict", "YT0009")]
    bench.run(lambda tx: takes.decide(tx, take_id, "bind", reason="looked it up", actor="staff:1"))
    assert (bench.bindings(), bench.stage(parcel_id)) == ([("YT0009", "live")], ("issued", ""))
    assert bench.broken() == []


def test_a_dismissed_attempt_that_has_a_number_after_all_gives_it_back(bench: Bench) -> None:
    take_id, parcel_id = in_conflict(bench)
    bench.run(lambda tx: takes.decide(tx, take_id, "dismiss", reason="they know nothing", actor="staff:1"))
    bench.drain()
    [(live, _)] = bench.bindings()
    assert name(bench, take_id, "YT0009") is True
    assert name(bench, take_id, "YT0009") is False
    assert bench.rows("SELECT number, state FROM waybill_cancel") == [("YT0009", "asked")]
    assert (bench.bindings(), bench.stage(parcel_id)) == ([(live, "live")], ("issued", ""))
    assert bench.broken() == []


def test_a_number_named_while_in_doubt_is_known_to_whoever_looks_in_the_end(bench: Bench) -> None:
    [order_id] = bench.orders("A1")
    bench.ship(order_id)
    bench.carrier.faults = ["lost after"]
    bench.run_once()
    [(take_id,)] = bench.rows("SELECT id FROM take")
    assert name(bench, take_id, "YT0001") is False
    assert bench.takes() == [("doubt", "YT0001")]
    bench.run(lambda tx: takes.give_up(tx, take_id))
    assert bench.takes() == [("conflict", "YT0001")]
    bench.run(lambda tx: takes.decide(tx, take_id, "give_back", reason="another way", actor="staff:1"))
    bench.drain()
    assert bench.carrier.cancelled == ["YT0001"]
    assert bench.carrier.alive() == {number for number, state in bench.bindings() if state == "live"}
    assert bench.broken() == []


def test_what_the_carrier_tells_itself_counts_more_than_a_push(bench: Bench) -> None:
    [order_id] = bench.orders("A1")
    bench.ship(order_id)
    bench.carrier.faults = ["lost after"]
    bench.run_once()
    [(take_id,)] = bench.rows("SELECT id FROM take")
    name(bench, take_id, "YT7777")
    bench.drain()
    assert (bench.takes(), bench.bindings()) == ([("bound", "YT0001")], [("YT0001", "live")])


def test_a_number_of_another_parcel_is_never_given_back_because_a_push_named_it(bench: Bench) -> None:
    take_id, _ = in_conflict(bench)
    [order_id] = bench.orders("A2")
    bench.ship(order_id)
    bench.drain()
    [(number, _)] = bench.bindings()
    bench.run(lambda tx: takes.decide(tx, take_id, "dismiss", reason="x", actor="staff:1"))
    assert name(bench, take_id, number) is False
    assert bench.rows("SELECT count(*) FROM waybill_cancel") == [(0,)]


def test_one_number_for_a_shipment_of_several_pieces_is_no_number_for_all(bench: Bench) -> None:
    [order_id] = bench.orders("A1")
    bench.ship(order_id, pieces=3)
    bench.carrier.faults = ["lost after"]
    bench.run_once()
    [(take_id,)] = bench.rows("SELECT id FROM take")
    name(bench, take_id, "YT0001")
    bench.run(lambda tx: takes.give_up(tx, take_id))
    with pytest.raises(Conflict, match="give the number back"):
        bench.run(lambda tx: takes.decide(tx, take_id, "bind", reason="x", actor="staff:1"))
    bench.run(lambda tx: takes.decide(tx, take_id, "give_back", reason="x", actor="staff:1"))
    bench.drain()
    assert bench.carrier.cancelled == ["YT0001"]
    assert bench.broken() == []


def test_an_abandoned_shipment_of_several_pieces_is_given_back_by_its_mother(bench: Bench) -> None:
    [order_id] = bench.orders("A1")
    [shipped] = bench.ship(order_id, pieces=3)
    bench.carrier.faults = ["lost after"]
    bench.run_once()
    bench.clock.advance(timedelta(minutes=31))
    bench.run(lambda tx: actions.reissue(tx, shipped.parcel_ids[0], reason="slow", actor="staff:1"))
    [(take_id,)] = bench.rows("SELECT id FROM take WHERE state = 'abandoned'")
    assert name(bench, take_id, "YT0001") is True
    bench.drain()
    assert bench.carrier.cancelled == ["YT0001"]
    assert bench.broken() == []


def test_a_push_names_what_has_no_number_and_nothing_else(bench: Bench) -> None:
    """The door says `StrangerNamedTake` for an attempt in conflict; once its number is known, no more."""
    take_id, _ = in_conflict(bench)
    [(code, aggregator)] = bench.rows("SELECT take.code, aggregator.id FROM take, aggregator")
    shop = Shop(bench.world.tea, 0, 0, aggregator)

    def push(hour: int) -> None:
        item = replace(told("YT0009", hour, trace(9, "1")), our_code=code)
        bench.run(lambda tx: apply(tx, [received(tx, shop, item)]))

    push(10)
    named = "SELECT (body->>'take_id')::bigint, body->>'number' FROM event WHERE name = 'StrangerNamedTake'"
    assert bench.rows(named) == [(take_id, "YT0009")]
    name(bench, take_id, "YT0009")
    push(11)
    assert len(bench.rows(named)) == 1
