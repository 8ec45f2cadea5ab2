"""What people do with tickets: one at a time has one, what they write is sealed, what they close stays closed."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from tests.parts.care.conftest import Desk, put_order
from tests.parts.world import counts, put_parcel
from waystream.core.care import Cause, Ending, Priority
from waystream.core.errors import Conflict, Invalid, Missing, WaystreamError
from waystream.kernel.database import Database, Shops
from waystream.kernel.tx import Tx, Work
from waystream.parts.care import actions, handling, reading
from waystream.parts.care.store_lists import CLOSED, EVERY, NOBODY, Wanted
from waystream.parts.orders import erasing

HOUR = timedelta(hours=1)
ROLES = ("owner", "care")
LI, WANG = "staff:1", "staff:2"


@pytest.fixture
def open_(desk: Desk) -> Desk:
    """With one open ticket, and two agents."""
    desk.raise_(desk.trouble())
    with desk.world.work.begin() as tx:
        for staff_id, name in ((1, "李姐"), (2, "小王")):
            tx.conn.execute(
                """INSERT INTO staff (id, login, name, password_hash, role, every_shop, created_at)
                   OVERRIDING SYSTEM VALUE VALUES (%s, %s, %s, '', 'care', true, %s)""",
                [staff_id, f"staff{staff_id}", name, tx.now],
            )
    return desk


def the_ticket(desk: Desk) -> int:
    [(ticket_id,)] = desk.tickets("id")
    return int(ticket_id)


def do(desk: Desk, deed: Any, *given: Any, **named: Any) -> Any:
    return desk.world.work.run(lambda tx: deed(tx, *given, **named))


def test_who_takes_it_has_it_and_others_hear_who(open_: Desk) -> None:
    ticket = the_ticket(open_)
    do(open_, handling.take, [ticket], actor=LI)
    do(open_, handling.take, [ticket], actor=LI)
    for deed in (handling.take, handling.release):
        with pytest.raises(Conflict, match="李姐 has this ticket"):
            do(open_, deed, [ticket], actor=WANG)
    with pytest.raises(Conflict, match="李姐 has this ticket"):
        do(open_, handling.close, [ticket], Ending.SOLVED, actor=WANG)
    assert open_.tickets("state, assignee, version") == [("taken", LI, 2)]
    assert open_.told() == ["TicketOpened", "TicketTaken"]
    do(open_, handling.take, [ticket], actor=WANG, lead=True)
    assert open_.tickets("assignee") == [(WANG,)]


def test_a_version_that_is_old_is_refused(open_: Desk) -> None:
    ticket = the_ticket(open_)
    do(open_, handling.take, [ticket], actor=LI, seen={ticket: 1})
    with pytest.raises(Conflict, match="changed meanwhile"):
        do(open_, handling.close, [ticket], Ending.SOLVED, actor=LI, seen={ticket: 1})
    do(open_, handling.close, [ticket], Ending.SOLVED, actor=LI, seen={ticket: 2})
    assert open_.tickets("state, closed_by, assignee, ending") == [("closed", LI, LI, "solved")]


def test_release_and_hand_over(open_: Desk) -> None:
    ticket = the_ticket(open_)
    do(open_, handling.take, [ticket], actor=LI)
    do(open_, handling.hand_over, [ticket], WANG, actor=LI, roles=ROLES, text="买家要下午的电话")
    assert open_.tickets("state, assignee") == [("taken", WANG)]
    do(open_, handling.release, [ticket], actor=WANG)
    assert open_.tickets("state, assignee, taken_at") == [("open", "", None)]
    assert open_.told() == ["TicketOpened", "TicketTaken", "TicketTaken", "TicketReleased"]
    [line] = [line for line in do(open_, reading.list_log, ticket) if line.what == "handed_over"]
    assert (line.actor_name, line.word_name, line.text) == ("李姐", "小王", "买家要下午的电话")


@pytest.mark.parametrize("to", ["staff:9", "key:1", "", "staff:2; --"])
def test_only_colleagues_are_handed_anything(open_: Desk, to: str) -> None:
    with pytest.raises(Invalid):
        do(open_, handling.hand_over, [the_ticket(open_)], to, actor=LI, roles=ROLES)
    with pytest.raises(Invalid):
        do(open_, handling.hand_over, [the_ticket(open_)], WANG, actor=LI, roles=("owner",))


def test_notes_are_sealed_and_go_with_the_buyer(open_: Desk) -> None:
    ticket = the_ticket(open_)
    do(open_, handling.note, [ticket], "罗小明 15812346021 催了两次", actor=LI)
    do(open_, handling.say, [ticket], "sms", "您的包裹今天送到", actor=LI)
    stored = b"".join(sealed for (sealed,) in open_.log("sealed"))
    assert b"15812346021" not in stored and "罗小明".encode() not in stored
    assert [line.text for line in do(open_, reading.list_log, ticket)] == [
        "", "罗小明 15812346021 催了两次", "您的包裹今天送到",
    ]  # fmt: skip
    assert "15812346021" not in repr(do(open_, reading.list_log, ticket))

    do(open_, erasing.erase_receivers, [open_.order_id], actor=LI, reason="the buyer asked")
    assert [line.text for line in do(open_, reading.list_log, ticket)] == ["", None, None]
    do(open_, handling.note, [ticket], "closed at the buyer's wish", actor=LI)
    assert do(open_, reading.list_log, ticket)[-1].text == "closed at the buyer's wish"


def test_what_a_person_closed_opens_again_only_for_what_came_later(open_: Desk) -> None:
    ticket, before = the_ticket(open_), open_.trouble()
    open_.clock.advance(HOUR)
    do(open_, handling.close, [ticket], Ending.NOTHING_TO_DO, actor=LI)
    open_.raise_(before)
    assert open_.tickets("state") == [("closed",)]
    open_.clock.advance(HOUR)
    open_.raise_(open_.trouble())
    assert open_.tickets("state, times") == [("open", 2)]


@pytest.mark.parametrize("ending", [Ending.DELIVERED, Ending.MERGED, Ending.MOVED_ON])
def test_a_person_closes_in_a_persons_ways(open_: Desk, ending: Ending) -> None:
    with pytest.raises(Invalid):
        do(open_, handling.close, [the_ticket(open_)], ending, actor=LI)


def test_reopening_by_hand(open_: Desk) -> None:
    ticket = the_ticket(open_)
    do(open_, handling.close, [ticket], Ending.SOLVED, actor=LI)
    with pytest.raises(Conflict, match="closed"):
        do(open_, handling.take, [ticket], actor=LI)
    do(open_, handling.reopen, [ticket], actor=WANG, text="又问了")
    assert open_.tickets("state, ending, closed_by, times") == [("open", "", "", 1)]
    do(open_, handling.close, [ticket], Ending.SOLVED, actor=LI)
    open_.clock.advance(HOUR)
    open_.move("delivered", "in_person")
    with pytest.raises(Conflict, match="over"):
        do(open_, handling.reopen, [ticket], actor=WANG)


def test_one_ticket_is_open_for_one_thing_whoever_reopens(open_: Desk) -> None:
    first = the_ticket(open_)
    do(open_, handling.close, [first], Ending.SOLVED, actor=LI)
    open_.clock.advance(timedelta(days=20))
    open_.raise_(open_.trouble())
    assert open_.tickets("state") == [("closed",), ("open",)]
    with pytest.raises(Conflict, match="open ticket"):
        do(open_, handling.reopen, [first], actor=LI)


def test_merging_closes_into_another(open_: Desk) -> None:
    first = the_ticket(open_)
    open_.raise_(open_.trouble(Cause.BUYER_NOT_RECEIVED))
    second = open_.tickets("id")[1][0]
    do(open_, handling.merge, [first], second, actor=LI)
    assert open_.tickets("state, ending, merged_into") == [("closed", "merged", second), ("open", "", None)]
    assert open_.log("ticket_id, what, word")[-2:] == [
        (first, "merged", f"into:{second}"),
        (second, "merged", f"from:{first}"),
    ]
    with pytest.raises(Invalid):
        do(open_, handling.merge, [second], second, actor=LI)
    with pytest.raises(Conflict):
        do(open_, handling.merge, [second], first, actor=LI)
    open_.clock.advance(HOUR)
    open_.raise_(open_.trouble())
    assert open_.tickets("cause, state")[2:] == [("stalled", "open")]


def test_shops_are_not_merged(open_: Desk) -> None:
    with open_.world.work.begin() as tx:
        put_parcel(tx, put_order(tx, "B1", "toys"), parcel_id=77, state="in_transit")
    open_.raise_(open_.trouble(shop_id=open_.world.toys, parcel_id=77))
    first, second = (ticket_id for (ticket_id,) in open_.tickets("id"))
    with pytest.raises(Invalid):
        do(open_, handling.merge, [first], second, actor=LI)


def test_a_priority_by_hand_moves_the_time_to_act(open_: Desk) -> None:
    ticket = the_ticket(open_)
    [(due,)] = open_.tickets("due_at")
    do(open_, handling.set_priority, [ticket], Priority.HIGH, actor=LI)
    [(priority, sooner)] = open_.tickets("priority, due_at")
    assert priority == "high" and sooner < due
    do(open_, handling.set_priority, [ticket], Priority.NORMAL, actor=LI)
    assert open_.tickets("priority, due_at") == [("normal", due)]
    assert open_.told() == ["TicketOpened", "TicketRaised"]


def test_several_at_once_or_none(open_: Desk) -> None:
    open_.raise_(open_.trouble(Cause.BUYER_DAMAGED))
    both = [ticket_id for (ticket_id,) in open_.tickets("id")]
    do(open_, handling.take, both[:1], actor=WANG)
    with pytest.raises(Conflict):
        do(open_, handling.close, both, Ending.SOLVED, actor=LI)
    assert open_.tickets("state") == [("taken",), ("open",)]
    with pytest.raises(Missing):
        do(open_, handling.take, [*both, 12345], actor=LI)
    with pytest.raises(Invalid):
        do(open_, handling.take, [], actor=LI)


def test_every_deed_is_in_the_audit(open_: Desk) -> None:
    ticket = the_ticket(open_)
    do(open_, handling.take, [ticket], actor=LI)
    do(open_, handling.close, [ticket], Ending.CLAIMED, actor=LI)
    with open_.world.work.begin() as tx:
        rows = tx.conn.execute("SELECT actor, action, subject FROM audit WHERE subject LIKE 'ticket:%' ORDER BY id")
        assert rows.fetchall() == [(LI, "take", f"ticket:{ticket}"), (LI, "close", f"ticket:{ticket}")]


def test_a_person_opens_one_by_hand(open_: Desk) -> None:
    parcel = {"parcel_id": open_.parcel_id, "actor": LI}
    ticket = do(open_, handling.open_by_hand, Cause.BUYER_WANTS_ADDRESS, text="改到公司", **parcel)
    assert (ticket.cause, ticket.priority, ticket.because) == ("buyer_wants_address", "high", LI)
    assert do(open_, reading.list_log, ticket.id)[-1].text == "改到公司"
    open_.move("delivered", "in_person")
    with pytest.raises(Conflict):
        do(open_, handling.open_by_hand, Cause.BUYER_WANTS_ADDRESS, **parcel)
    with pytest.raises(Invalid):
        do(open_, handling.open_by_hand, Cause.INCIDENT, **parcel)
    with pytest.raises(Missing):
        do(open_, handling.open_by_hand, Cause.NOT_DISPATCHED, order_id=4, actor=LI)


def test_what_a_person_opened_no_scan_closes(open_: Desk) -> None:
    ticket = do(open_, handling.open_by_hand, Cause.PROBLEM, parcel_id=open_.parcel_id, actor=LI)
    open_.clock.advance(HOUR)
    open_.move("out_for_delivery")
    assert (ticket.cause, "open", "") in open_.tickets()
    open_.move("delivered", "in_person")
    assert (ticket.cause, "closed", "delivered") in open_.tickets()


def test_the_queue_is_what_is_due_first(open_: Desk) -> None:
    open_.raise_(open_.trouble(Cause.BUYER_DAMAGED), open_.trouble(Cause.MISROUTED))
    queue = [each.ticket.cause for each in do(open_, reading.list_tickets, Wanted())]
    assert queue == ["buyer_damaged", "stalled"]  # the way it stands it is not misrouted
    page = do(open_, reading.list_tickets, Wanted(), limit=1)
    after = reading.place_of(page[0], Wanted())
    assert [each.ticket.cause for each in do(open_, reading.list_tickets, Wanted(), after=after)] == ["stalled"]
    [line] = page
    assert (line.shop, line.order_number, line.number, line.carrier, line.parcel_state, line.receiver) == (
        "tea", "A1", "YT11", "YTO", "in_transit", "罗**",
    )  # fmt: skip


def test_the_queue_is_narrowed(open_: Desk) -> None:
    open_.raise_(open_.trouble(Cause.BUYER_DAMAGED))
    damaged = next(each[0] for each in open_.tickets("id, cause") if each[1] == "buyer_damaged")
    do(open_, handling.take, [damaged], actor=LI)

    def causes(**given: Any) -> set[str]:
        return {each.ticket.cause.value for each in do(open_, reading.list_tickets, Wanted(**given))}

    assert causes(assignee=LI) == {"buyer_damaged"} == causes(state="taken")
    assert causes(assignee=NOBODY) == {"stalled"} == causes(state="open")
    assert causes(priorities=frozenset({Priority.HIGH})) == {"buyer_damaged"}
    assert causes(causes=frozenset({Cause.STALLED})) == {"stalled"}
    assert causes(order_id=open_.order_id) == {"stalled", "buyer_damaged"} == causes(parcel_id=open_.parcel_id)
    assert causes(warehouses=frozenset({open_.world.yh})) == {"stalled", "buyer_damaged"}
    assert causes(warehouses=frozenset({999})) == set() == causes(order_id=1) == causes(shop_id=open_.world.toys)
    assert causes(due_before=open_.clock.now()) == set() == causes(state=CLOSED)
    with pytest.raises(Invalid):
        causes(state="gone")
    do(open_, handling.close, [damaged], Ending.SOLVED, actor=LI)
    assert causes(state=CLOSED) == {"buyer_damaged"} and causes(state=EVERY) == {"stalled", "buyer_damaged"}
    counted = do(open_, reading.count_tickets, Wanted(), actor=LI)
    assert (counted.live, counted.high, counted.overdue, counted.unassigned, counted.mine) == (1, 0, 0, 1, 0)


def test_earlier_tickets_are_the_buyers(open_: Desk) -> None:
    """Another order to the same phone counts; another shop's does not."""
    with open_.world.work.begin() as tx:
        put_parcel(tx, put_order(tx, "A2"), parcel_id=12, state="in_transit")
        put_parcel(tx, put_order(tx, "B1", "toys"), parcel_id=77, state="in_transit")
    open_.raise_(open_.trouble(parcel_id=12), open_.trouble(shop_id=open_.world.toys, parcel_id=77))
    whole = do(open_, reading.read_whole, the_first(open_))
    assert [each.ticket.parcel_id for each in whole.earlier] == [12]
    assert [line.what for line in whole.log] == ["opened"]


def the_first(desk: Desk) -> int:
    return int(desk.tickets("id")[0][0])


def test_another_shops_person_finds_nothing(open_: Desk, page_database: Database) -> None:
    ticket = the_ticket(open_)
    page = Work(page_database, open_.clock, open_.world.work.keys)
    others = Shops.of([open_.world.toys])
    with page.begin(shops=others) as tx:
        assert reading.list_tickets(tx, Wanted(state=EVERY)) == []
        for deed in (reading.read_whole, lambda tx, each: handling.take(tx, [each], actor=LI)):
            with pytest.raises(Missing):
                deed(tx, ticket)
        actions.raise_troubles(tx, [open_.trouble(Cause.BUYER_DAMAGED)])
    with page.begin(shops=Shops.of([open_.world.tea])) as tx:
        assert [each.ticket.id for each in reading.list_tickets(tx, Wanted(state=EVERY))] == [ticket]
    with open_.world.work.begin() as tx:
        assert counts(tx, "ticket", "ticket_entry") == {"ticket": 1, "ticket_entry": 1}


def test_two_agents_never_take_the_same_ticket(open_: Desk) -> None:
    """At the same moment, many times: one has it, the other hears who."""
    with open_.world.work.begin() as tx:
        for parcel_id in range(100, 120):
            put_parcel(tx, open_.order_id, parcel_id=parcel_id, state="in_transit", quantity=1)
    open_.raise_(*(open_.trouble(parcel_id=parcel_id) for parcel_id in range(100, 120)))
    tickets = [ticket_id for (ticket_id,) in open_.tickets("id")]
    had: dict[str, list[int]] = {LI: [], WANG: []}
    refused: list[str] = []
    ready = threading.Barrier(2)

    def agent(actor: str) -> None:
        for ticket in tickets:
            ready.wait(10)
            try:
                do(open_, handling.take, [ticket], actor=actor)
                had[actor].append(ticket)
            except WaystreamError as error:
                refused.append(error.sentence)

    together(lambda: agent(LI), lambda: agent(WANG))
    assert sorted(had[LI] + had[WANG]) == sorted(tickets)
    assert len(refused) == len(tickets) and set(refused) <= {"李姐 has this ticket.", "小王 has this ticket."}
    assert {actor: len(each) for actor, each in had.items()} == {
        actor: sum(1 for (has,) in open_.tickets("assignee") if has == actor) for actor in had
    }


def test_agents_who_ask_for_the_next_get_different_ones(open_: Desk) -> None:
    open_.raise_(open_.trouble(Cause.BUYER_DAMAGED))

    def first(tx: Tx) -> int:
        ticket = handling.take_next(tx, Wanted(), actor=LI)
        assert ticket is not None
        with open_.world.work.begin() as other:
            second = handling.take_next(other, Wanted(), actor=WANG)
            assert second is not None and second.id != ticket.id
            assert handling.take_next(other, Wanted(), actor=WANG) is None
        return ticket.id

    open_.world.work.run(first)
    assert open_.tickets("cause, assignee") == [("stalled", WANG), ("buyer_damaged", LI)]


def test_rules_at_the_same_moment_open_one_ticket(desk: Desk) -> None:
    """Each sees no ticket, both insert: the database keeps one, the other looks again and raises it."""
    for parcel_id in range(200, 220):
        with desk.world.work.begin() as tx:
            put_parcel(tx, desk.order_id, parcel_id=parcel_id, state="in_transit", quantity=1)
    ready = threading.Barrier(2)

    def rule() -> None:
        for parcel_id in range(200, 220):
            ready.wait(10)
            desk.raise_(desk.trouble(parcel_id=parcel_id))

    together(rule, rule)
    assert desk.tickets("state, times") == [("open", 1)] * 20
    assert desk.told() == ["TicketOpened"] * 20


def together(*runs: Callable[[], None]) -> None:
    with ThreadPoolExecutor(len(runs)) as pool:
        for run in [pool.submit(run) for run in runs]:
            run.result(60)
