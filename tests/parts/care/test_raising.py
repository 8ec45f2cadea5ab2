"""Troubles become tickets: opened once, raised when worse, opened again when back; what is over opens nothing."""

from datetime import timedelta

import pytest

from tests.parts.care.conftest import GRAVE, Desk
from tests.parts.world import happened, put_parcel
from waystream.core.care import Cause, Ending, Trouble
from waystream.parts.care import actions

HOUR = timedelta(hours=1)


def test_a_trouble_opens_one_ticket_and_says_so(desk: Desk) -> None:
    desk.raise_(desk.trouble())
    desk.raise_(desk.trouble(), desk.trouble())

    [ticket] = desk.tickets("cause, state, priority, severity, times, parcel_id, order_id, about, because, version")
    assert ticket == ("stalled", "open", "normal", 2, 1, 11, desk.order_id, "parcel:11", "event:7", 1)
    assert desk.log("what, actor, word, because") == [("opened", "", "", "event:7")]
    with desk.world.work.begin() as tx:
        [(name, subject, says)] = [each for each in happened(tx) if each[0].startswith("Ticket")]
    assert (name, subject) == ("TicketOpened", "parcel:11")
    assert says["cause"] == "stalled" and says["priority"] == "normal" and says["parcel_id"] == 11


def test_one_ticket_for_each_cause_and_thing(desk: Desk) -> None:
    with desk.world.work.begin() as tx:
        put_parcel(tx, desk.order_id, parcel_id=12, state="in_transit", quantity=1)
    desk.raise_(
        desk.trouble(),
        desk.trouble(Cause.BUYER_DAMAGED),
        desk.trouble(parcel_id=12),
        desk.trouble(Cause.NOT_DISPATCHED, parcel_id=None, order_id=desk.order_id),
        desk.trouble(Cause.INCIDENT, parcel_id=None, slowdown_id=5),
    )
    assert sorted(desk.tickets("cause, about")) == [
        ("buyer_damaged", "parcel:11"),
        ("incident", "slowdown:5"),
        ("not_dispatched", f"order:{desk.order_id}"),
        ("stalled", "parcel:11"),
        ("stalled", "parcel:12"),
    ]


def test_worse_raises_and_brings_the_time_to_act_nearer(desk: Desk) -> None:
    desk.raise_(desk.trouble())
    [(due,)] = desk.tickets("due_at")
    desk.raise_(desk.trouble(severity=GRAVE, kind="delayed"))
    desk.raise_(desk.trouble(severity=GRAVE))

    [(priority, severity, kind, sooner, raised)] = desk.tickets("priority, severity, kind, due_at, raised_at")
    assert (priority, severity, kind, raised) == ("high", 3, "delayed", desk.clock.now())
    assert sooner < due
    assert desk.log() == [("opened", ""), ("raised", "delayed")]
    assert desk.told() == ["TicketOpened", "TicketRaised"]


def test_a_parcel_that_moves_on_closes_its_ticket(desk: Desk) -> None:
    desk.raise_(desk.trouble())
    desk.clock.advance(HOUR)
    desk.move("out_for_delivery")
    assert desk.tickets("state, ending, closed_by, closed_at") == [("closed", "moved_on", "", desk.clock.now())]
    assert desk.told() == ["TicketOpened", "TicketClosed"]


def test_what_stalls_again_within_days_is_the_same_ticket_and_graver(desk: Desk) -> None:
    desk.raise_(desk.trouble())
    desk.clock.advance(HOUR)
    desk.move("arrived_at_outlet")
    desk.clock.advance(timedelta(days=6))
    desk.raise_(desk.trouble())
    assert desk.tickets("state, times, severity, priority, ending, closed_at, clock_at") == [
        ("open", 2, 3, "high", "", None, desk.clock.now())
    ]
    assert desk.told() == ["TicketOpened", "TicketClosed", "TicketReopened"]


def test_what_stalls_again_after_weeks_is_another_ticket(desk: Desk) -> None:
    desk.raise_(desk.trouble())
    desk.clock.advance(HOUR)
    desk.move("arrived_at_outlet")
    desk.clock.advance(timedelta(days=8))
    desk.raise_(desk.trouble())
    assert desk.tickets("state, times") == [("closed", 1), ("open", 1)]


def test_a_trouble_told_after_its_end_opens_nothing(desk: Desk) -> None:
    late = desk.trouble()
    desk.clock.advance(HOUR)
    desk.move("out_for_delivery")
    desk.raise_(late)
    desk.move("delivered", "in_person")
    desk.raise_(desk.trouble(), desk.trouble(Cause.NOT_COLLECTED), desk.trouble(Cause.ATTEMPT_FAILED))
    assert desk.tickets() == []


@pytest.mark.parametrize(
    ("state", "kind", "direction", "cause", "priority"),
    [
        ("attempt_failed", "unreachable", "out", "attempt_failed", "normal"),
        ("attempt_failed", "refused", "out", "refused", "high"),
        ("attempt_failed", "bad_address", "out", "wrong_address", "high"),
        ("attempt_failed", "wrong_phone", "out", "wrong_address", "high"),
        ("exception", "damaged", "out", "damaged", "high"),
        ("exception", "stalled", "out", "stalled", "normal"),
        ("exception", "locker_overdue", "out", "locker_overdue", "low"),
        ("exception", "customs_held", "out", "customs", "normal"),
        ("exception", "overdue", "out", "overdue", "normal"),
        ("exception", "delayed", "out", "overdue", "normal"),
        ("exception", "misrouted", "out", "misrouted", "low"),
        ("exception", "problem", "out", "problem", "normal"),
        ("exception", "", "out", "problem", "normal"),
        ("lost", "", "out", "lost", "high"),
        ("returning", "", "back", "returning", "normal"),
        ("in_transit", "", "back", "returning", "normal"),
        ("returned", "", "back", "returning", "high"),
    ],
)
def test_what_the_carrier_says_opens_its_ticket(
    desk: Desk, state: str, kind: str, direction: str, cause: str, priority: str
) -> None:
    desk.move(state, kind, direction=direction)
    desk.move(state, kind, direction=direction)
    assert desk.tickets("cause, priority, state") == [(cause, priority, "open")]


def test_no_ticket_for_a_healthy_way(desk: Desk) -> None:
    for state in ("collected", "in_transit", "arrived_at_outlet", "out_for_delivery", "ready_for_pickup", "customs",
                  "intercepted", "forwarded", "delivered", "cancelled"):  # fmt: skip
        desk.clock.advance(HOUR)
        desk.move(state)
    assert desk.tickets() == []


def test_a_delivery_closes_all_but_what_survives_it(desk: Desk) -> None:
    desk.move("exception", "damaged")
    desk.raise_(desk.trouble(), desk.trouble(Cause.BUYER_NOT_RECEIVED), desk.trouble(Cause.BUYER_WANTS_ADDRESS))
    desk.clock.advance(HOUR)
    desk.move("delivered", "in_person")
    assert sorted(desk.tickets()) == [
        ("buyer_not_received", "open", ""),
        ("buyer_wants_address", "closed", "delivered"),
        ("damaged", "open", ""),
        ("stalled", "closed", "delivered"),
    ]


def test_a_delivery_taken_back_opens_what_was_wrong_before(desk: Desk) -> None:
    desk.move("attempt_failed", "failed")
    failed_at = desk.clock.now()
    desk.clock.advance(HOUR)
    desk.move("delivered", "in_person")
    assert desk.tickets("state, ending") == [("closed", "delivered")]
    desk.move("attempt_failed", "failed", at=failed_at)
    assert desk.tickets("state, ending") == [("open", "")]


def test_a_doubt_ends_with_the_delivery_it_doubts(desk: Desk) -> None:
    desk.move("delivered", "locker")
    desk.raise_(desk.trouble(Cause.SIGNED_ELSEWHERE))
    assert desk.tickets("state") == [("open",)]
    desk.clock.advance(HOUR)
    desk.move("out_for_delivery")
    assert desk.tickets() == [("signed_elsewhere", "closed", "retracted")]


def test_a_ticket_of_an_order_ends_with_the_order(desk: Desk) -> None:
    about = {"parcel_id": None, "order_id": desk.order_id}
    desk.raise_(desk.trouble(Cause.NOT_DISPATCHED, **about))
    with desk.world.work.begin() as tx:
        tx.conn.execute("UPDATE orders SET dispatch = 'all', word = 'shipped'")
        actions.settle_by_order(tx, {desk.order_id: "event:9"})
    assert desk.tickets() == [("not_dispatched", "closed", "dispatched")]
    desk.raise_(desk.trouble(Cause.NOT_DISPATCHED, **about))
    assert desk.tickets("state") == [("closed",)]


def test_settle_closes_what_began_by_then(desk: Desk) -> None:
    desk.raise_(desk.trouble(), desk.trouble(Cause.BUYER_DAMAGED), desk.trouble(Cause.BUYER_NOT_RECEIVED))
    with desk.world.work.begin() as tx:
        actions.settle(tx, [desk.parcel_id], {Cause.STALLED}, at=tx.now - HOUR)
        actions.settle(tx, [desk.parcel_id], {Cause.BUYER_NOT_RECEIVED}, at=tx.now, reason=Ending.CONFIRMED)
    assert sorted(desk.tickets()) == [
        ("buyer_damaged", "open", ""),
        ("buyer_not_received", "closed", "confirmed"),
        ("stalled", "open", ""),
    ]


def test_an_incident_ends_with_its_slowdown(desk: Desk) -> None:
    for shop_id in (desk.world.tea, desk.world.toys):
        desk.raise_(desk.trouble(Cause.INCIDENT, shop_id=shop_id, parcel_id=None, slowdown_id=5))
    assert desk.tickets("state") == [("open",), ("open",)]
    with desk.world.work.begin() as tx:
        actions.settle_slowdowns(tx, [5], at=tx.now)
    assert desk.tickets("state, ending") == [("closed", "cleared")] * 2


def test_what_is_not_there_opens_nothing(desk: Desk) -> None:
    desk.raise_(desk.trouble(parcel_id=999), desk.trouble(Cause.NOT_DISPATCHED, parcel_id=None, order_id=998))
    assert desk.tickets() == []


def test_a_trouble_is_about_something(desk: Desk) -> None:
    with pytest.raises(AssertionError):
        Trouble(shop_id=1, cause=Cause.LOST, at=desk.clock.now(), because="")
