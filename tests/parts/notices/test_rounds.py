"""An incident: one message of a person to every buyer in it; who was told, who was not, and why."""

from datetime import timedelta

import pytest

from tests.parts.notices.conftest import Desk
from tests.parts.notices.test_slowdowns import slow
from tests.parts.world import raw_order
from waystream.core.errors import Conflict, Invalid
from waystream.core.state import State
from waystream.parts.notices import actions, rounds
from waystream.parts.notices.rounds import Incident, Progress

RECEIVER = raw_order()["receiver"]
TEXT = {"zh": "【{shop}】订单 {order} [因{cause}大雪]晚到。\n抱歉。"}


def tell(desk: Desk, slowdown_id: int, said: dict[str, str] | None = None) -> bool:
    incident = Incident(desk.world.tea, slowdown_id, ticket_id=7)
    begun: bool = desk.do(lambda tx: rounds.begin(tx, incident, said or TEXT, actor="staff:1"))
    desk.runner.drain()
    desk.send()
    return begun


def look(desk: Desk, slowdown_id: int) -> Progress:
    found: Progress = desk.do(lambda tx: rounds.look(tx, desk.world.tea, slowdown_id))
    return found


def waiting(desk: Desk, *orders: int) -> tuple[int, list[int]]:
    """A slow-down that tells nobody by itself, and its parcels, one of each order."""
    desk.speak(kinds_off=frozenset({"slowdown"}))
    parcels = [desk.parcel(order_id, state="in_transit", quantity=1) for order_id in orders]
    slowdown_id = slow(desk, *parcels)
    desk.digest()
    return slowdown_id, parcels


def test_each_order_is_told_once_however_often_one_presses(desk: Desk) -> None:
    first, second = desk.order("A1"), desk.order("A2")
    slowdown_id, _ = waiting(desk, first, first, second)
    assert look(desk, slowdown_id) == Progress(False, False, 2, 0, 0, 0, ())
    assert tell(desk, slowdown_id) and not tell(desk, slowdown_id)
    desk.send()
    assert sorted(letter.text for letter in desk.letters) == [
        f"【tea】订单 {number} 因杭州转运中心大雪晚到。\n抱歉。" for number in ("A1", "A2")
    ]
    assert desk.notices() == [("incident", "handed", "")] * 2
    desk.runner.sweep("told_rounds")
    desk.runner.sweep("told_rounds")
    assert desk.rows("SELECT body->>'told', body->>'untold' FROM event WHERE name = 'IncidentTold'") == [("2", "0")]
    assert look(desk, slowdown_id) == Progress(False, True, 0, 0, 2, 0, ())
    assert tell(desk, slowdown_id), "an ended round begins anew"
    desk.send()
    assert len(desk.letters) == 2, "for those who came to wait meanwhile: nobody did"
    assert desk.broken() == []


def test_an_incident_that_is_over_is_told_to_nobody(desk: Desk) -> None:
    slowdown_id, _ = waiting(desk, desk.order("A1"))
    desk.rows("UPDATE slowdown SET ended_at = began_at WHERE id = %s RETURNING 1", slowdown_id)
    with pytest.raises(Conflict):
        tell(desk, slowdown_id)
    assert look(desk, slowdown_id) == Progress(False, False, 0, 0, 0, 0, ())
    assert desk.rows("SELECT count(*) FROM notice") == [(0,)]


def test_who_is_not_told_and_why(desk: Desk) -> None:
    orders = [
        desk.order(number, receiver=RECEIVER | {"mobile": f"1381234567{nth}"}, email=f"b{nth}@example.com")
        for nth, number in enumerate(("A1", "A2", "A3", "A4"))
    ]
    slowdown_id, parcels = waiting(desk, *orders)
    desk.do(lambda tx: actions.opt_out(tx, orders[1], actor="buyer"))
    incident = Incident(desk.world.tea, slowdown_id, ticket_id=7)
    desk.do(lambda tx: rounds.begin(tx, incident, TEXT, actor="staff:1"))
    desk.runner.drain()
    desk.move(parcels[2], State.DELIVERED)
    desk.rows("UPDATE silence SET state = 'stirred', slowdown_id = NULL WHERE parcel_id = %s RETURNING 1", parcels[3])
    desk.send()
    assert desk.rows("SELECT order_id, state, why FROM notice WHERE kind = 'incident' ORDER BY order_id") == [
        (orders[0], "handed", ""), (orders[1], "dropped", "opted_out"), (orders[2], "dropped", "delivered"),
        (orders[3], "dropped", "moved_on"),
    ]  # fmt: skip
    desk.runner.sweep("told_rounds")
    [(told, untold, whys)] = desk.rows(
        "SELECT body->'told', body->'untold', body->'whys' FROM event WHERE name = 'IncidentTold'"
    )
    assert (told, untold, sorted(whys)) == (1, 3, ["delivered:1", "moved_on:1", "opted_out:1"])


def test_quiet_hours_and_the_daily_cap_hold(desk: Desk) -> None:
    order_id = desk.order("A1")
    slowdown_id, _ = waiting(desk, order_id)
    desk.speak(kinds_off=frozenset({"slowdown"}), quiet_from_min=0, quiet_until_min=1_439)
    tell(desk, slowdown_id)
    assert desk.letters == [] and look(desk, slowdown_id).on_the_way == 1
    desk.speak(kinds_off=frozenset({"slowdown"}), quiet_from_min=0, quiet_until_min=0, per_order_day=1)
    desk.rows(
        """INSERT INTO notice (id, shop_id, order_id, kind, state, planned_at, due_at, composed_at)
           VALUES (1, %s, %s, 'shipped', 'handed', %s, %s, %s) RETURNING 1""",
        desk.world.tea, order_id, *[desk.clock.now() + timedelta(hours=15)] * 3,
    )  # fmt: skip
    desk.clock.advance(timedelta(hours=16))
    desk.send()
    assert desk.letters == []


@pytest.mark.parametrize("said", [{"zh": " "}, {"zh": "没有{这个}"}, {"en": "x" * 2_001}])
def test_words_that_cannot_be_said_begin_nothing(desk: Desk, said: dict[str, str]) -> None:
    slowdown_id, _ = waiting(desk, desk.order())
    with pytest.raises(Invalid):
        tell(desk, slowdown_id, said)
    assert not look(desk, slowdown_id).begun


def test_each_buyer_reads_his_language_where_it_was_written(desk: Desk) -> None:
    slowdown_id, _ = waiting(desk, desk.order("A1"), desk.order("A2", language="en"))
    tell(desk, slowdown_id, {"zh": "晚到 {order}", "en": "late {order}"})
    assert sorted(letter.text for letter in desk.letters) == ["late A2", "晚到 A1"]


def test_many_orders_are_planned_batch_by_batch(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "ORDERS_AT_ONCE", 2)
    slowdown_id, _ = waiting(desk, *(desk.order(f"A{n}") for n in range(5)))
    desk.speak(kinds_off=frozenset({"slowdown"}), per_person_day=20)
    tell(desk, slowdown_id)
    assert look(desk, slowdown_id).told == 5
