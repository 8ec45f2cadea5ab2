"""What carriers tell that nobody here said: a parcel was collected, a number exists."""

from collections.abc import Callable

from tests.parts.world import order
from tests.rules.side import ID, KEY, Memory, Whole
from waystream.core.facts import Verdict
from waystream.integrations.kdniao.adapter import network
from waystream.integrations.kdniao.fakepush import Merchant, News, TraceNews, push_data, seal_push
from waystream.kernel.ids import mint_ids
from waystream.kernel.tx import Tx
from waystream.parts.fulfilment import actions as fulfilment
from waystream.parts.fulfilment.model import ShipOrders
from waystream.parts.orders import actions as orders
from waystream.parts.tracking import actions as tracking
from waystream.parts.tracking import applying
from waystream.parts.tracking.model import Received


def ship(whole: Whole) -> tuple[int, int]:
    """An order and its parcel, printed and waiting to leave."""
    with whole.work.begin() as tx:
        [order_id] = [answer.order_id for answer in orders.accept(tx, [order("A1")])]
    whole.work.run(lambda tx: fulfilment.ship(tx, ShipOrders((order_id,)), actor="staff:1"))
    whole.settle()
    [(parcel_id,)] = whole.rows("SELECT id FROM parcel")
    return order_id, parcel_id


def push(whole: Whole, number: str, *, code: str = "", text: str = "已揽收", says: str = "1") -> None:
    """A push with one scan of a number comes in; `says` is its code, by default the first one's."""
    push_list(whole, number, TraceNews(whole.work.clock.now(), says, text), code=code)


def push_list(whole: Whole, number: str, *traces: TraceNews, code: str = "") -> None:
    """A push with a whole list of scans comes in; the last speaks for the waybill."""

    def take_in(tx: Tx) -> None:
        [(aggregator_id,)] = tx.conn.execute("SELECT id FROM aggregator").fetchall()
        news = News("YTO", number, code, traces[-1].code, traces)
        body = seal_push(Merchant(ID, KEY), "102", push_data(ID, "102", [news], at=tx.now))
        [push_id] = mint_ids(1, at_ms=int(tx.now.timestamp() * 1000))
        digest = f"{tx.now} {traces}".encode()
        received = Received(push_id, aggregator_id, network, body, network.read_push(body), digest, tx.now)
        applying.apply(tx, [received])

    whole.work.run(take_in)
    whole.settle()


def collect(whole: Whole, text: str = "已揽收") -> None:
    [(number,)] = whole.rows("SELECT number FROM binding")
    push(whole, number, text=text)


def alarms(whole: Whole) -> list[tuple[str]]:
    return whole.rows("SELECT body ->> 'why' FROM event WHERE name = 'HeldParcelCollected'")


def test_a_collected_parcel_has_left_whoever_forgot_to_say_so(whole: Whole) -> None:
    ship(whole)
    collect(whole)
    assert whole.rows("SELECT stage, dispatched_by FROM parcel") == [("dispatched", "carrier")]
    assert whole.rows("SELECT body ->> 'by' FROM event WHERE name = 'ParcelDispatched'") == [("carrier",)]
    assert whole.rows("SELECT dispatch FROM orders") == [("all",)]
    assert alarms(whole) == []
    collect(whole, "已揽收，谢谢")
    assert len(whole.rows("SELECT FROM event WHERE name = 'ParcelDispatched'")) == 1


def test_a_held_parcel_that_is_collected_is_an_alarm_and_leaves_when_it_is_released(
    whole: Whole, memory: Memory
) -> None:
    order_id, _ = ship(whole)
    memory.collected = memory.alive()
    whole.work.run(lambda tx: orders.hold(tx, [order_id], reason="check", actor="staff:1"))
    whole.settle()
    collect(whole)
    assert whole.rows("SELECT stage, held_reason FROM parcel") == [("issued", "held")]
    assert alarms(whole) == [("held",)]

    whole.work.run(lambda tx: orders.release(tx, [order_id], reason="let it go", actor="staff:1"))
    whole.settle()
    assert whole.rows("SELECT stage, held_reason, dispatched_by FROM parcel") == [("dispatched", "", "carrier")]
    assert whole.rows("SELECT state FROM binding") == [("live",)]
    assert whole.broken() == []


def test_a_parcel_that_was_lost_and_moves_again_is_watched_again(whole: Whole) -> None:
    _, parcel_id = ship(whole)

    def watched_after(decide: Callable[[Tx], object]) -> list[tuple[str]]:
        whole.work.run(decide)
        whole.settle()
        return whole.rows("SELECT state FROM subscription")

    lost = {"verdict": Verdict.LOST, "actor": "staff:1", "reason": "they say so"}
    assert watched_after(lambda tx: tracking.decide(tx, parcel_id, **lost)) == [("ended",)]
    [(decision,)] = whole.rows("SELECT id FROM decision")
    found = {"actor": "staff:1", "reason": "found"}
    assert watched_after(lambda tx: tracking.withdraw_decision(tx, decision, **found)) == [("live",)]


def test_a_number_that_a_push_names_is_given_back_when_nobody_waits_for_it(whole: Whole, memory: Memory) -> None:
    """The answer to the first attempt never came; another was asked meanwhile."""
    ship(whole)
    [(code,)] = whole.rows("SELECT code FROM take")
    [lost] = memory.alive()

    def forget(tx: Tx) -> None:
        for table in ("subscription", "telling", "track", "print", "label", "binding"):
            tx.conn.execute(f"DELETE FROM {table}")
        tx.conn.execute("UPDATE take SET state = 'abandoned', unwanted = true, number = '', answered_at = NULL")
        tx.conn.execute("UPDATE parcel SET stage = 'asked'")

    whole.work.run(forget)
    push(whole, lost, code=code)
    assert whole.rows("SELECT state, number FROM take ORDER BY id LIMIT 1") == [("orphan", lost)]
    assert lost not in memory.alive()
    assert {number for (number,) in whole.rows("SELECT number FROM binding WHERE state = 'live'")} == memory.alive()
    assert whole.broken() == []
