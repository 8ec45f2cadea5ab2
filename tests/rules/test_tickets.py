"""From a carrier's push to a ticket and back, with every rule: opened, reopened, closed; the invariants hold and can
tell when they do not."""

from datetime import timedelta

import pytest

from tests.rules.side import Whole
from tests.rules.test_carrier_says import push, ship
from waystream import rules
from waystream.invariants import every_exception_has_its_ticket, no_ticket_outlives_its_trouble
from waystream.kernel import open_list
from waystream.kernel.dispatcher import list_rules
from waystream.parts.orders import actions as orders

DAY = timedelta(days=1)


@pytest.fixture
def parcel(whole: Whole) -> int:
    _, parcel_id = ship(whole)
    says(whole, "1", "已揽收")
    return parcel_id


def says(whole: Whole, code: str, text: str) -> None:
    """A scan an hour later; with what only care wants to know settled."""
    whole.work.clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]
    [(number,)] = whole.rows("SELECT number FROM binding WHERE state = 'live'")
    push(whole, number, code=code, text=text, says=code)


def tickets(whole: Whole) -> list[tuple[str, str, str, int]]:
    return whole.rows(
        """SELECT cause, state, ending, times FROM ticket
           WHERE cause NOT IN ('not_dispatched', 'not_collected') ORDER BY id"""
    )


def test_a_failed_attempt_opens_a_ticket_that_closes_and_comes_back(whole: Whole, parcel: int) -> None:
    says(whole, "416", "无法联系收件人")
    assert tickets(whole) == [("attempt_failed", "open", "", 1)]
    says(whole, "202", "正在派件")
    assert tickets(whole) == [("attempt_failed", "closed", "moved_on", 1)]
    says(whole, "416", "又无法联系收件人")
    assert tickets(whole) == [("attempt_failed", "open", "", 2)]
    says(whole, "301", "已签收")
    assert tickets(whole) == [("attempt_failed", "closed", "delivered", 2)]
    names = "SELECT name FROM event WHERE name LIKE 'Ticket%%' AND body ->> 'cause' = 'attempt_failed' ORDER BY id"
    assert [name for (name,) in whole.rows(names)] == [
        "TicketOpened", "TicketClosed", "TicketReopened", "TicketClosed",
    ]  # fmt: skip
    assert whole.rows("SELECT * FROM parked") == [] and whole.broken() == []


def test_why_leads_to_the_event_and_the_push(whole: Whole, parcel: int) -> None:
    says(whole, "414", "外包装破损")
    [(because,)] = whole.rows("SELECT because FROM ticket WHERE cause = 'damaged'")
    [(name, cause)] = whole.rows("SELECT name, cause FROM event WHERE 'event:' || id = %s", because)
    assert name == "ExceptionRaised" and cause.startswith("inbox:")
    [(follows,)] = whole.rows("SELECT cause FROM event WHERE name = 'TicketOpened' AND body ->> 'cause' = 'damaged'")
    assert follows.startswith(f"{because}/")


def test_a_damaged_parcel_stays_a_matter_after_its_delivery(whole: Whole, parcel: int) -> None:
    says(whole, "414", "外包装破损")
    says(whole, "301", "已签收")
    assert tickets(whole) == [("damaged", "open", "", 1)]
    assert whole.broken() == []


def test_a_return_stays_open_until_a_person_is_done_with_it(whole: Whole, parcel: int) -> None:
    says(whole, "404", "收件人拒收，退回")
    says(whole, "406", "退件已签收")
    assert whole.rows("SELECT cause, state, priority FROM ticket WHERE cause = 'returning'") == [
        ("returning", "open", "high")
    ]
    assert whole.broken() == []


def test_a_voided_parcel_leaves_no_ticket(whole: Whole) -> None:
    order_id, _ = ship(whole)
    whole.rows(
        """INSERT INTO ticket (id, shop_id, cause, priority, severity, parcel_id, because, trouble_at, opened_at,
                               clock_at, due_at)
           SELECT 7, shop_id, 'subscription_dead', 'low', 1, id, '', moved_at, moved_at, moved_at, moved_at
           FROM parcel RETURNING 1"""
    )
    whole.work.run(lambda tx: orders.cancel(tx, [order_id], reason="mistake", actor="staff:1"))
    whole.settle()
    assert whole.rows("SELECT state, ending FROM ticket WHERE id = 7") == [("closed", "called_off")]
    assert whole.broken() == []


def test_a_replay_of_the_rules_changes_nothing(whole: Whole, parcel: int) -> None:
    says(whole, "416", "无法联系收件人")
    says(whole, "202", "正在派件")
    says(whole, "414", "外包装破损")
    before = whole.rows("SELECT id, state, times, version FROM ticket ORDER BY id")
    ours = [name for name in list_rules(open_list.load(rules)) if "ticket" in name]  # type: ignore[arg-type]
    assert len(ours) >= 3
    whole.rows("UPDATE rule_cursor SET position = 0 WHERE rule LIKE '%%ticket%%' AND rule = ANY (%s) RETURNING 1", [
        "trouble_on_the_way_opens_ticket", "parcel_that_moves_on_closes_its_tickets",
        "order_that_moves_on_closes_its_tickets",
    ])  # fmt: skip
    whole.settle()
    assert whole.rows("SELECT id, state, times, version FROM ticket ORDER BY id") == before


def test_the_invariants_tell_what_is_missing_and_what_outlived(whole: Whole, parcel: int) -> None:
    says(whole, "414", "外包装破损")
    whole.rows("DELETE FROM ticket WHERE cause = 'damaged' RETURNING 1")
    with whole.work.begin() as tx:
        assert every_exception_has_its_ticket.broken(tx) == [f"parcel:{parcel} has no ticket for damaged"]
    says(whole, "416", "无法联系收件人")
    [(ticket,)] = whole.rows("SELECT id FROM ticket WHERE cause = 'attempt_failed'")
    whole.rows("UPDATE track SET state = 'delivered' RETURNING 1")
    with whole.work.begin() as tx:
        assert no_ticket_outlives_its_trouble.broken(tx) == [
            f"ticket {ticket} for attempt_failed of parcel:{parcel} is open though it is over"
        ]
