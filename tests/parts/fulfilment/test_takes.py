"""The call for a number: silence, repetition, refusal, and answers that nobody wants any more."""

from datetime import timedelta

import pytest

from tests.parts.fulfilment.bench import Bench
from tests.parts.world import raw_order
from waystream.core.errors import Conflict
from waystream.kernel.vault import open_sealed
from waystream.parts.fulfilment import actions, takes
from waystream.parts.orders import actions as orders

HALF_HOUR = timedelta(minutes=30)


def shipped(bench: Bench, number: str = "A1") -> tuple[int, int]:
    """An order and its parcel, whose number is not asked yet."""
    [order_id] = bench.orders(number)
    [answer] = bench.ship(order_id)
    return order_id, answer.parcel_ids[0]


def test_a_lost_answer_is_doubt_and_the_same_code_is_asked_again(bench: Bench) -> None:
    _, parcel_id = shipped(bench)
    bench.carrier.faults = ["lost after"]

    bench.run_once()
    assert bench.takes() == [("doubt", "")]
    assert bench.stage(parcel_id) == ("doubt", "")
    bench.drain()

    assert bench.takes() == [("bound", "YT0001")]
    assert bench.stage(parcel_id) == ("issued", "")
    assert len({request.code for request in bench.carrier.asked}) == 1
    assert bench.events() == ["TakeInDoubt", "WaybillIssued"]
    assert bench.carrier.alive() == {"YT0001"}


def test_doubt_is_said_once_however_long_the_silence(bench: Bench) -> None:
    shipped(bench)
    bench.carrier.faults = ["lost before", "lost before", "lost after", "unreachable"]
    bench.drain()
    assert bench.events() == ["TakeInDoubt", "WaybillIssued"]
    assert bench.takes() == [("bound", "YT0001")]


def test_a_call_that_never_left_leaves_no_doubt(bench: Bench) -> None:
    _, parcel_id = shipped(bench)
    bench.carrier.faults = ["unreachable"]

    bench.run_once()
    assert bench.rows("SELECT state, attempts, asked_at, said FROM take") == [("planned", 0, None, "cannot be reached")]
    assert bench.stage(parcel_id) == ("asked", "")
    bench.drain()

    assert bench.events() == ["WaybillIssued"]


def test_a_number_told_again_is_taken_only_from_an_unanswered_attempt(bench: Bench) -> None:
    _, parcel_id = shipped(bench)
    bench.carrier.faults = ["unreachable", "again"]

    bench.drain()

    assert bench.takes() == [("conflict", "YT0001")]
    assert bench.stage(parcel_id) == ("conflict", "")
    assert bench.events() == ["TakeConflicted"]
    assert bench.rows("SELECT count(*) FROM binding") == [(0,)]


def test_a_process_that_died_during_the_call_may_take_the_number_told_again(bench: Bench) -> None:
    shipped(bench)
    [(take_id, code)] = bench.rows("SELECT id, code FROM take")
    asking = bench.run(lambda tx: takes.begin(tx, take_id))
    bench.carrier.take(asking.request)  # the answer dies with the process

    bench.drain()

    assert [request.code for request in bench.carrier.asked] == [code, code]
    assert bench.takes() == [("bound", "YT0001")]


def test_a_refusal_says_what_to_mend_and_shipping_again_asks_again(bench: Bench) -> None:
    order_id, parcel_id = shipped(bench)
    bench.carrier.faults = ["denied"]

    bench.drain()
    assert bench.takes() == [("refused", "")]
    assert bench.rows("SELECT stage, mend FROM parcel") == [("refused", "number_pool_empty")]
    assert bench.events() == ["WaybillRefused"]
    [again] = bench.ship(order_id, carrier="ZTO")
    bench.drain()

    assert (again.outcome, again.parcel_ids) == ("asked", (parcel_id,))
    assert bench.takes() == [("refused", ""), ("bound", "YT0001")]
    assert bench.rows("SELECT stage, mend, carrier FROM parcel") == [("issued", "", "ZTO")]
    assert len({request.code for request in bench.carrier.asked}) == 2


def test_an_unclear_answer_goes_to_a_person(bench: Bench) -> None:
    _, parcel_id = shipped(bench)
    bench.carrier.faults = ["unclear"]
    bench.drain()
    assert (bench.takes(), bench.stage(parcel_id)) == ([("conflict", "")], ("conflict", ""))
    assert bench.rows("SELECT said FROM take") == [("unclear",)]

    bench.run(lambda tx: actions.reissue(tx, parcel_id, reason="looked", actor="staff:1"))
    bench.drain()
    assert bench.takes() == [("conflict", ""), ("bound", "YT0001")]


def test_a_number_of_a_parcel_under_way_is_not_given_to_another(bench: Bench) -> None:
    _, first = shipped(bench, "A1")
    bench.drain()
    _, second = shipped(bench, "A2")
    bench.carrier.next_numbers = ["YT0001"]

    bench.drain()

    assert bench.bindings() == [("YT0001", "live")]
    assert bench.stage(first) == ("issued", "")
    assert bench.stage(second) == ("conflict", "")
    assert bench.rows("SELECT said FROM take WHERE state = 'conflict'") == [
        (f"the number YT0001 belongs to parcel {first}",)]  # fmt: skip


def test_a_number_used_again_after_its_journey_belongs_to_each_in_its_time(bench: Bench) -> None:
    _, first = shipped(bench, "A1")
    bench.drain()
    bench.run(lambda tx: actions.end_journeys(tx, [first]))
    bench.clock.advance(timedelta(days=40))
    _, second = shipped(bench, "A2")
    bench.carrier.next_numbers = ["YT0001"]

    bench.drain()

    now = bench.clock.now()
    assert bench.rows("SELECT parcel_id, owns_from, owns_until FROM binding ORDER BY id") == [
        (first, now - timedelta(days=41), now - timedelta(days=10)),
        (second, now - timedelta(days=1), None),
    ]
    assert bench.stage(second) == ("issued", "")


def test_a_number_of_a_delivered_parcel_is_free_though_the_rule_is_behind(bench: Bench) -> None:
    _, first = shipped(bench, "A1")
    bench.drain()
    with bench.work.begin() as tx:
        tx.conn.execute(
            """INSERT INTO track (parcel_id, shop_id, binding_id, state, changed_at)
                           SELECT parcel_id, shop_id, id, 'delivered', %s FROM binding""",
            [tx.now],
        )
    _, second = shipped(bench, "A2")
    bench.carrier.next_numbers = ["YT0001"]

    bench.drain()
    bench.run(lambda tx: actions.end_journeys(tx, [first]))

    begins = bench.clock.now() - timedelta(days=1)
    assert bench.rows("SELECT parcel_id, owns_until FROM binding ORDER BY id") == [(first, begins), (second, None)]


@pytest.mark.parametrize("change", ["cancel", "refund", "hold", "address"])
def test_what_changes_during_the_call_gives_the_number_back(bench: Bench, change: str) -> None:
    """Before any rule has told fulfilment: the settling transaction looks itself."""
    order_id, parcel_id = shipped(bench)
    bench.carrier.during = lambda: turn(bench, order_id, change)

    bench.drain()

    assert bench.takes()[0] == ("orphan", "YT0001")
    assert bench.carrier.cancelled == ["YT0001"]
    assert bench.rows("SELECT state, binding_id FROM waybill_cancel") == [("confirmed", None)]
    if change == "address":
        assert bench.takes()[1:] == [("bound", "YT0002")]
        assert bench.stage(parcel_id) == ("issued", "")
        assert bench.carrier.asked[-1].receiver.address == "新地址9号"
        assert bench.carrier.alive() == {"YT0002"}
    else:
        held = {"cancel": "", "refund": "refund", "hold": "held"}[change]
        assert bench.stage(parcel_id) == ("voided", held)
        assert (bench.bindings(), bench.carrier.alive()) == ([], set())


def turn(bench: Bench, order_id: int, change: str) -> None:
    """The order changes as its shop or a person tells it."""
    if change == "cancel":
        bench.run(lambda tx: orders.cancel(tx, [order_id], reason="mistake", actor="staff:1"))
    elif change == "hold":
        bench.run(lambda tx: orders.hold(tx, [order_id], reason="check", actor="staff:1"))
    elif change == "refund":
        bench.orders("A1", refund="asked")
    else:
        bench.orders("A1", receiver=raw_order()["receiver"] | {"address": "新地址9号"})


def test_a_hold_told_by_the_rule_during_the_call_and_a_release_before_the_answer(bench: Bench) -> None:
    """The label under way may be of the old address: its number is given back, and another is asked."""
    order_id, parcel_id = shipped(bench)

    def during() -> None:
        turn(bench, order_id, "hold")
        bench.follow(order_id)
        assert bench.stage(parcel_id) == ("voided", "held")
        bench.run(lambda tx: orders.release(tx, [order_id], reason="fine", actor="staff:1"))
        bench.follow(order_id)
        assert bench.stage(parcel_id) == ("asked", "")

    bench.carrier.during = during
    bench.drain()

    assert bench.takes() == [("orphan", "YT0001"), ("bound", "YT0002")]
    assert bench.stage(parcel_id) == ("issued", "")
    assert bench.carrier.alive() == {"YT0002"}


def test_an_order_stopped_before_the_call_is_never_asked_for(bench: Bench) -> None:
    order_id, parcel_id = shipped(bench)
    turn(bench, order_id, "refund")

    bench.drain()

    assert bench.carrier.asked == []
    assert bench.takes() == [("abandoned", "")]
    assert bench.stage(parcel_id) == ("voided", "refund")
    bench.orders("A1", refund="none")
    bench.follow(order_id)
    bench.drain()
    assert bench.takes() == [("abandoned", ""), ("bound", "YT0001")]


def test_doubt_stays_with_its_issuer_for_a_time(bench: Bench) -> None:
    _, parcel_id = shipped(bench)
    bench.carrier.faults = ["lost after"]
    bench.run_once()

    with pytest.raises(Conflict, match="wait 30 min"):
        bench.run(lambda tx: actions.reissue(tx, parcel_id, reason="slow", actor="staff:1", carrier="ZTO"))
    bench.clock.advance(HALF_HOUR)
    bench.run(lambda tx: actions.reissue(tx, parcel_id, reason="slow", actor="staff:1", carrier="ZTO"))
    assert bench.takes() == [("abandoned", ""), ("planned", "")]
    bench.drain()

    assert sorted(bench.takes()) == [("bound", "YT0002"), ("orphan", "YT0001")]
    assert bench.carrier.cancelled == ["YT0001"]
    assert bench.rows("SELECT number, carrier FROM binding WHERE state = 'live'") == [("YT0002", "ZTO")]


def test_an_orphan_named_by_a_push_is_claimed_and_given_back(bench: Bench) -> None:
    _, parcel_id = shipped(bench)
    bench.carrier.faults = ["lost after"]
    bench.run_once()
    bench.clock.advance(HALF_HOUR)
    bench.run(lambda tx: actions.reissue(tx, parcel_id, reason="slow", actor="staff:1"))
    [(take_id,)] = bench.rows("SELECT id FROM take WHERE state = 'abandoned'")

    assert bench.run(lambda tx: takes.claim(tx, take_id, "YT0001")) is True
    assert bench.run(lambda tx: takes.claim(tx, take_id, "YT0001")) is False
    bench.drain()

    assert bench.carrier.cancelled == ["YT0001"]
    assert bench.carrier.alive() == {number for number, state in bench.bindings() if state == "live"}


def test_an_unwanted_attempt_without_answer_keeps_nobody_waiting_for_ever(bench: Bench) -> None:
    order_id, parcel_id = shipped(bench)
    bench.carrier.faults = ["lost after"]
    bench.run_once()
    turn(bench, order_id, "address")
    bench.follow(order_id)
    assert (bench.stage(parcel_id), bench.takes()) == (("asked", ""), [("doubt", "")])

    assert bench.runner.sweep("ask_behind_doubt") == 0
    bench.clock.advance(HALF_HOUR + timedelta(seconds=1))
    assert bench.runner.sweep("ask_behind_doubt") == 1
    assert bench.takes() == [("abandoned", ""), ("planned", "")]
    bench.drain()

    assert sorted(bench.takes()) == [("bound", "YT0002"), ("orphan", "YT0001")]
    assert bench.carrier.alive() == {"YT0002"}
    assert bench.stage(parcel_id) == ("issued", "")


def test_giving_up_is_a_refusal_if_nothing_left_and_a_conflict_if_something_may_have(bench: Bench) -> None:
    _, never_left = shipped(bench, "A1")
    [(first,)] = bench.rows("SELECT id FROM take")
    bench.run(lambda tx: takes.give_up(tx, first))
    assert bench.rows("SELECT stage, mend FROM parcel WHERE id = %s", never_left) == [("refused", "unreachable")]

    _, in_doubt = shipped(bench, "A2")
    bench.carrier.faults = ["lost before"]
    bench.run_once()
    [(second,)] = bench.rows("SELECT id FROM take WHERE state = 'doubt'")
    bench.run(lambda tx: takes.give_up(tx, second))

    assert bench.stage(in_doubt) == ("conflict", "")
    assert bench.events() == ["WaybillRefused", "TakeInDoubt", "TakeConflicted"]


def test_the_carriers_reply_is_kept_sealed(bench: Bench) -> None:
    shipped(bench)
    bench.drain()
    [(take_id, key_id, sealed)] = bench.rows("SELECT id, reply_key, reply_sealed FROM take")
    with bench.work.begin() as tx:
        key = tx.keys.load(tx.conn, [key_id])[key_id]
    assert open_sealed(key, sealed, aad=takes.reply_aad(take_id)) == b"{}"


def test_a_receiver_erased_before_the_call_is_a_refusal(bench: Bench) -> None:
    shipped(bench)
    with bench.work.begin() as tx:
        [(key_id,)] = tx.conn.execute("SELECT key_id FROM person").fetchall()
        tx.keys.destroy(tx.conn, [key_id], tx.now)
    bench.drain()
    assert bench.rows("SELECT stage, mend FROM parcel") == [("refused", "receiver_erased")]
    assert bench.carrier.asked == []


def conflicting(bench: Bench) -> tuple[int, int, int]:
    """An order, its parcel in conflict, and the attempt."""
    order_id, parcel_id = shipped(bench)
    bench.carrier.faults = ["again"]
    bench.drain()
    [(take_id,)] = bench.rows("SELECT id FROM take")
    return order_id, parcel_id, take_id


def decide(bench: Bench, take_id: int, verdict: takes.Verdict) -> None:
    bench.run(lambda tx: takes.decide(tx, take_id, verdict, reason="looked", actor="staff:1"))
    bench.drain()


def test_a_person_may_say_that_the_number_is_ours(bench: Bench) -> None:
    _, parcel_id, take_id = conflicting(bench)
    decide(bench, take_id, "bind")
    assert (bench.takes(), bench.bindings()) == ([("bound", "YT0001")], [("YT0001", "live")])
    assert bench.stage(parcel_id) == ("issued", "")
    with pytest.raises(Conflict, match="settled already"):
        decide(bench, take_id, "dismiss")


def test_a_person_may_give_a_number_in_conflict_back(bench: Bench) -> None:
    order_id, parcel_id, take_id = conflicting(bench)
    turn(bench, order_id, "address")
    with pytest.raises(Conflict, match="changed meanwhile"):
        decide(bench, take_id, "bind")
    decide(bench, take_id, "give_back")
    assert bench.takes() == [("orphan", "YT0001"), ("bound", "YT0002")]
    assert bench.carrier.alive() == {"YT0002"}
    assert bench.stage(parcel_id) == ("issued", "")


def test_a_person_may_dismiss_an_unclear_answer(bench: Bench) -> None:
    shipped(bench)
    bench.carrier.faults = ["unclear"]
    bench.drain()
    [(take_id,)] = bench.rows("SELECT id FROM take")
    with pytest.raises(Conflict, match="named no number"):
        decide(bench, take_id, "bind")
    decide(bench, take_id, "dismiss")
    assert bench.takes() == [("refused", ""), ("bound", "YT0001")]


def test_wrong_settings_are_a_refusal_and_leave_no_doubt(bench: Bench) -> None:
    shipped(bench)
    bench.rows("UPDATE aggregator SET integration = 'nobody' RETURNING 1")
    bench.drain()
    assert bench.rows("SELECT stage, mend FROM parcel") == [("refused", "unreachable")]
    assert bench.rows("SELECT state, attempts FROM take") == [("refused", 0)]
    assert bench.rows("SELECT state FROM job") == [("given_up",)]


def test_a_refusal_after_silence_is_not_believed_while_the_number_may_exist(bench: Bench) -> None:
    """The first call gave a number and its answer was lost; the pool ran empty before the second."""
    _, parcel_id = shipped(bench)
    bench.carrier.faults = ["lost after", "no to all"]
    bench.run_once()
    bench.run_once()
    assert (bench.takes(), bench.stage(parcel_id)) == ([("doubt", "")], ("doubt", ""))
    assert bench.ship(*order_ids_of(bench))[0].outcome == "already"
    bench.drain()
    assert (bench.takes(), bench.bindings()) == ([("bound", "YT0001")], [("YT0001", "live")])
    assert bench.events("TakeInDoubt", "WaybillRefused", "WaybillIssued") == ["TakeInDoubt", "WaybillIssued"]


def test_a_refusal_after_the_time_of_doubt_is_a_refusal(bench: Bench) -> None:
    _, parcel_id = shipped(bench)
    bench.carrier.faults = ["lost before", "denied", "denied"]
    bench.run_once()
    bench.run_once()
    assert bench.stage(parcel_id) == ("doubt", "")
    bench.clock.advance(HALF_HOUR + timedelta(seconds=1))
    bench.run_once()
    assert (bench.takes(), bench.stage(parcel_id)) == ([("refused", "")], ("refused", ""))


def order_ids_of(bench: Bench) -> list[int]:
    return [order_id for (order_id,) in bench.rows("SELECT id FROM orders")]
