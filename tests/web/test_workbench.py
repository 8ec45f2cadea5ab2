"""The workbench over HTTP: the queue, one ticket, what is done with it, and what two people at once may not do."""

import io
import re
import zipfile

import httpx
import pytest

from tests.web.conftest import HTML, Office, Person
from tests.web.sample_tickets import make_tickets
from waystream.core.care import Cause, Trouble
from waystream.core.events.incidents import IncidentTold
from waystream.core.events.tracking import Delivered, ParcelReturning
from waystream.core.person import Term
from waystream.core.state import Direction, Kind, State
from waystream.invariants import no_line_is_shipped_twice
from waystream.kernel.log import Recorded
from waystream.kernel.tx import Tx
from waystream.parts.care import actions as care
from waystream.parts.orders import actions as orders
from waystream.parts.orders import people, store_persons
from waystream.parts.orders.store_persons import IndexRow
from waystream.parts.people.model import ROLES, Role
from waystream.rules import movement_settles_interception, told_incident_is_written_on_its_ticket


@pytest.fixture
def tickets(office: Office) -> list[int]:
    return office.context.machine.run(lambda tx: make_tickets(tx, office.world))


def _queued(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'id="k(\d+)"', page)]


def _standing(office: Office, ticket: int) -> tuple[object, ...]:
    [row] = office.rows("SELECT state, assignee, ending FROM ticket WHERE id = %s", ticket)
    return row


def _of(office: Office, cause: str) -> int:
    [(ticket, *_), *_] = office.rows("SELECT id FROM ticket WHERE cause = %s AND state <> 'closed' ORDER BY id", cause)
    return int(ticket)


def _back(ticket: int) -> str:
    return f"/workbench?t={ticket}"


def _leads_to(answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text[:500]
    return answer.headers["location"]


# ------------------------------------------------------------------ the queue


def test_the_queue_is_what_is_open_in_the_order_it_is_due(office: Office, tickets: list[int]) -> None:
    page = office.hire(Role.CARE).get("/workbench")
    assert page.status_code == 200
    assert _queued(page.text) == tickets
    assert f'id="k{tickets[0]}" aria-current="true"' in page.text


def test_filters_stand_in_the_address(office: Office, tickets: list[int]) -> None:
    agent = office.hire(Role.CARE)
    by_cause = agent.get("/workbench?cause=stalled")
    expected = office.rows("SELECT id FROM ticket WHERE cause = 'stalled' AND state <> 'closed' ORDER BY due_at, id")
    assert _queued(by_cause.text) == [row[0] for row in expected]

    by_carrier = agent.get("/workbench/queue?carrier=SF")
    expected = office.rows(
        """SELECT t.id FROM ticket t JOIN parcel p ON p.id = t.parcel_id WHERE p.carrier = 'SF' AND t.state <> 'closed'
           ORDER BY t.due_at, t.id"""
    )
    assert _queued(by_carrier.text) == [row[0] for row in expected]

    _leads_to(agent.post("/workbench/take", id=tickets[3], back=_back(tickets[3])))
    assert _queued(agent.get("/workbench?mine=1").text) == [tickets[3]]


def test_a_search_finds_closed_tickets_too(office: Office, tickets: list[int]) -> None:
    agent = office.hire(Role.CARE)
    agent.post("/workbench/close", id=tickets[0], back=_back(tickets[0]))
    [(number,)] = office.rows("SELECT number FROM orders WHERE id = (SELECT order_id FROM ticket WHERE id = %s)",
                              tickets[0])  # fmt: skip
    assert tickets[0] in _queued(agent.get(f"/workbench?q={number}").text)
    _make_findable(office, tickets[2])
    assert _queued(agent.get("/workbench?q=6021").text) == [tickets[2]]
    open_number = f"T-{tickets[1] % 1_000_000:06d}"
    assert _queued(agent.get(f"/workbench?q={open_number}").text) == [tickets[1]]


def _make_findable(office: Office, ticket: int) -> None:
    """By the last four digits, as orders that came in by themselves are."""

    def index(tx: Tx) -> None:
        rows = tx.conn.execute(
            "SELECT o.shop_id, o.person_id FROM orders o JOIN ticket t ON t.order_id = o.id WHERE t.id = %s", [ticket]
        ).fetchall()
        [(shop_id, person_id)] = rows
        digest = people.blind(tx, shop_id, term=Term.LAST_FOUR, value="6021")
        store_persons.insert_index(tx.conn, [IndexRow(shop_id, Term.LAST_FOUR, digest, person_id)])

    office.context.machine.run(index)


def test_the_queue_goes_on_where_its_page_ended(
    office: Office, tickets: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from waystream.web.pages.workbench import store

    monkeypatch.setattr(store, "QUEUE_ROWS", 4)
    agent, walked = office.hire(Role.CARE), list[int]()
    address = "/workbench"
    while address:
        page = agent.get(address).text
        walked += _queued(page)
        found = re.search(r'href="([^"]*)" rel="next"', page)
        address = found[1].replace("&amp;", "&") if found else ""
    assert walked == tickets


def test_the_navigation_counts_what_nobody_has_taken(office: Office, tickets: list[int]) -> None:
    page = office.hire(Role.CARE).get("/orders").text
    assert f'<span class="n">{len(tickets)}</span>' in page
    assert '<span class="n">' not in office.hire(Role.ANALYST).get("/orders").text


def test_views_are_a_persons_own(office: Office, tickets: list[int]) -> None:
    agent, other = office.hire(Role.CARE), office.hire(Role.CARE)
    kept = agent.post("/workbench/keep", name="Silent ones", back="/workbench?cause=stalled&t=5")
    assert _leads_to(kept) == "/workbench?cause=stalled"
    assert "Silent ones" in agent.get("/workbench").text
    assert "Silent ones" not in other.get("/workbench").text

    [(view,)] = office.rows("SELECT id FROM care_view")
    other.post("/workbench/forget", id=view)
    assert office.rows("SELECT count(*) FROM care_view") == [(1,)]
    agent.post("/workbench/forget", id=view)
    assert office.rows("SELECT count(*) FROM care_view") == [(0,)]


# ------------------------------------------------------------------ a ticket


def test_one_screen_shows_what_a_person_needs(office: Office, tickets: list[int]) -> None:
    ticket = _of(office, "lost")
    page = office.hire(Role.CARE).get(_back(ticket)).text
    for said in (
        "The carrier has lost it", "唐*", "158****6021", "快件已从【宜兴丁蜀公司】发出", "The raw bytes…",
        "Opened by a rule.", "The buyer has not got it", 'data-key="t"', "山止家居",
    ):  # fmt: skip
        assert said in page, said
    assert "唐测" not in page


def test_a_ticket_that_is_not_there_says_so(office: Office, tickets: list[int]) -> None:
    other = office.hire(Role.CARE, shops=(office.world.shop_ids[1],))
    [(ticket,), *_] = office.rows("SELECT id FROM ticket WHERE shop_id = %s", office.world.shop_ids[0])
    page = other.get(_back(ticket))
    assert page.status_code == 200
    assert "This ticket is not here" in page.text
    assert other.post("/workbench/take", id=ticket).status_code == 404


def test_unmasking_asks_a_reason_and_is_audited(office: Office, tickets: list[int]) -> None:
    agent, ticket = office.hire(Role.CARE), _of(office, "lost")
    assert agent.post("/workbench/unmask", id=ticket, reason=" ", back=_back(ticket)).status_code == 422
    page = agent.post("/workbench/unmask", id=ticket, reason="buyer on the phone", back=_back(ticket))
    assert "唐测" in page.text
    assert "15812346021" in page.text
    assert office.rows("SELECT reason FROM audit WHERE action = 'unmask'") == [("buyer on the phone",)]


# ------------------------------------------------------------------ what is done with it


def test_two_people_never_take_the_same_ticket(office: Office, tickets: list[int]) -> None:
    first, second = office.hire(Role.CARE), office.hire(Role.CARE)
    _leads_to(first.post("/workbench/take", id=tickets[0], back=_back(tickets[0])))
    refused = second.post("/workbench/take", id=tickets[0], back=_back(tickets[0]))
    assert refused.status_code == 409
    assert "has this ticket." in refused.text
    assert _standing(office, tickets[0]) == ("taken", f"staff:{first.staff_id}", "")


def test_after_a_close_the_next_free_ticket_opens(office: Office, tickets: list[int]) -> None:
    agent, other = office.hire(Role.CARE), office.hire(Role.CARE)
    other.post("/workbench/take", id=tickets[1], back=_back(tickets[1]))
    led = _leads_to(agent.post("/workbench/close", id=tickets[0], back=_back(tickets[0])))
    assert led == f"/workbench?t={tickets[2]}&undo={tickets[0]}"
    assert _standing(office, tickets[0])[::2] == ("closed", "solved")
    page = agent.get(led).text
    assert 'data-key="z"' in page

    back = _leads_to(agent.post("/workbench/reopen", id=tickets[0], back=led))
    assert back == _back(tickets[0])
    assert _standing(office, tickets[0])[0] == "open"


def test_the_next_ticket_is_of_the_same_filters(office: Office, tickets: list[int]) -> None:
    agent = office.hire(Role.CARE)
    stalled = [row[0] for row in office.rows(
        "SELECT id FROM ticket WHERE cause = 'stalled' AND state <> 'closed' ORDER BY due_at, id")]  # fmt: skip
    address = f"/workbench?cause=stalled&t={stalled[0]}"
    led = _leads_to(agent.post("/workbench/close_as", id=stalled[0], ending="nothing_to_do", back=address))
    assert led == f"/workbench?cause=stalled&t={stalled[1]}&undo={stalled[0]}"
    assert _standing(office, stalled[0])[2] == "nothing_to_do"


def test_a_note_is_sealed_and_told_in_the_log(office: Office, tickets: list[int]) -> None:
    agent, ticket = office.hire(Role.CARE), tickets[0]
    agent.post("/workbench/note", id=ticket, text="rang 13912345678, nobody there", back=_back(ticket))
    assert "rang 13912345678, nobody there" in agent.get(_back(ticket)).text
    [(sealed,)] = office.rows("SELECT sealed FROM ticket_entry WHERE what = 'note'")
    assert b"13912345678" not in sealed

    led = _leads_to(agent.post("/workbench/note", id=ticket, text="done", then="close", back=_back(ticket)))
    assert f"undo={ticket}" in led
    assert _standing(office, ticket)[0] == "closed"


def test_a_ticket_is_handed_to_a_colleague_of_its_shop(office: Office, tickets: list[int]) -> None:
    agent, colleague = office.hire(Role.CARE), office.hire(Role.CARE)
    analyst = office.hire(Role.ANALYST)
    dialog = agent.get(f"/workbench/ask?do=hand_over&id={tickets[0]}").text
    assert f'value="staff:{colleague.staff_id}"' in dialog
    assert f'value="staff:{analyst.staff_id}"' not in dialog
    agent.post("/workbench/hand_over", id=tickets[0], to=f"staff:{colleague.staff_id}", back=_back(tickets[0]))
    assert _standing(office, tickets[0])[:2] == ("taken", f"staff:{colleague.staff_id}")


def test_tickets_of_one_order_are_merged(office: Office, tickets: list[int]) -> None:
    agent = office.hire(Role.CARE)
    [(order,), *_] = office.rows("SELECT order_id FROM ticket GROUP BY 1 HAVING count(*) > 1 ORDER BY 1")
    one, other = (row[0] for row in office.rows("SELECT id FROM ticket WHERE order_id = %s ORDER BY id", order))
    assert f'value="{other}"' in agent.get(f"/workbench/ask?do=merge&id={one}").text
    assert _leads_to(agent.post("/workbench/merge", id=one, into=other, back=_back(one))) == _back(other)
    assert _standing(office, one)[2] == "merged"
    assert agent.post("/workbench/merge", id=one, back=_back(one)).status_code == 422


def test_the_carrier_is_urged_once_and_asked_for_scans(office: Office, tickets: list[int]) -> None:
    agent, ticket = office.hire(Role.CARE), _of(office, "lost")
    dialog = agent.get(f"/workbench/ask?do=urge&id={ticket}").text
    assert "95311" in dialog  # ZTO
    assert "请核实包裹位置" in dialog
    _leads_to(agent.post("/workbench/urge", id=ticket, text="请催派", back=_back(ticket)))
    assert office.rows("SELECT kind, state FROM care_wish") == [("urge", "asked")]
    assert office.rows("SELECT kind FROM job WHERE kind = 'ask_carrier'") == [("ask_carrier",)]
    again = agent.post("/workbench/urge", id=ticket, text="请催派", back=_back(ticket))
    assert again.status_code == 409
    page = agent.get(_back(ticket)).text
    assert "请催派" in page

    [(wish,)] = office.rows("SELECT id FROM care_wish")
    _leads_to(agent.post("/workbench/confirm", id=ticket, wish=wish, back=_back(ticket)))
    assert office.rows("SELECT state, settled_by FROM care_wish") == [("confirmed", f"staff:{agent.staff_id}")]


def test_a_parcel_with_its_courier_is_not_intercepted(office: Office, tickets: list[int]) -> None:
    agent = office.hire(Role.CARE)
    rows = dict(office.rows("SELECT t.state, ticket.id FROM ticket JOIN track t ON t.parcel_id = ticket.parcel_id"))
    late = agent.post("/workbench/intercept", id=rows["out_for_delivery"], text="x", back="/workbench")
    assert late.status_code == 409
    _leads_to(agent.post("/workbench/intercept", id=rows["in_transit"], text="请拦截", back="/workbench"))
    assert office.rows("SELECT name FROM event WHERE name LIKE 'Interception%%'") == [("InterceptionAsked",)]


@pytest.mark.parametrize(("after", "state"), [(State.RETURNING, "confirmed"), (State.DELIVERED, "refused")])
def test_what_the_carrier_scans_settles_an_interception(
    office: Office, tickets: list[int], after: State, state: str
) -> None:
    agent = office.hire(Role.CARE)
    [(ticket, parcel, shop), *_] = office.rows(
        """SELECT ticket.id, ticket.parcel_id, ticket.shop_id FROM ticket JOIN track t ON t.parcel_id = ticket.parcel_id
           WHERE t.state = 'in_transit' ORDER BY 1"""
    )
    _leads_to(agent.post("/workbench/intercept", id=ticket, text="请拦截", back="/workbench"))

    def scan(tx: Tx) -> None:
        kind = ParcelReturning if after is State.RETURNING else Delivered
        event = kind(
            shop_id=shop, parcel_id=parcel, before=State.IN_TRANSIT, after=after, kind=Kind.NONE,
            direction=Direction.BACK if after is State.RETURNING else Direction.OUT, at=tx.now, because="scan:1",
        )  # fmt: skip
        movement_settles_interception.do(tx, [Recorded(1, 1, tx.now, event, "")])

    office.context.machine.run(scan)
    assert office.rows("SELECT state, settled_by FROM care_wish") == [(state, "")]
    told = office.rows("SELECT body -> 'confirmed' FROM event WHERE name = 'InterceptionSettled'")
    assert told == [(state == "confirmed",)]


def test_a_new_address_is_kept_sealed(office: Office, tickets: list[int]) -> None:
    agent, ticket = office.hire(Role.CARE), _of(office, "buyer_wants_address")
    _leads_to(agent.post("/workbench/readdress", id=ticket, address="武侯区新街 8 号 李四", back=_back(ticket)))
    [(sealed, key)] = office.rows("SELECT sealed, key_id FROM care_wish")
    assert "新街".encode() not in sealed
    assert office.rows("SELECT count(*) FROM person WHERE key_id = %s", key) == [(1,)]
    assert "武侯区新街 8 号 李四" in agent.get(_back(ticket)).text


def test_a_refund_is_asked_of_the_shop_by_an_event(office: Office, tickets: list[int]) -> None:
    agent, ticket = office.hire(Role.CARE), _of(office, "lost")
    too_much = agent.post("/workbench/refund", id=ticket, amount="486.01", text="lost", back=_back(ticket))
    assert too_much.status_code == 422
    _leads_to(agent.post("/workbench/refund", id=ticket, amount="486", text="lost", back=_back(ticket)))
    [(amount, told)] = office.rows(
        "SELECT body -> 'amount_fen', body -> 'ticket_id' FROM event WHERE name = 'RefundRequested'"
    )
    assert (amount, told) == (48600, ticket)


@pytest.mark.parametrize("amount", ["", "x", "1.234", "-5", "1e3", "99999999999", "٣"])
def test_an_amount_that_is_none_is_refused(office: Office, tickets: list[int], amount: str) -> None:
    agent: Person = office.hire(Role.CARE)
    assert agent.post("/workbench/refund", id=tickets[0], amount=amount, text="x", back="/workbench").status_code == 422


def test_who_only_reads_is_offered_no_deed(office: Office, tickets: list[int]) -> None:
    readers = [role for role in Role if {"tickets:read"} <= ROLES[role] and "tickets:write" not in ROLES[role]]
    for role in readers:
        reader = office.hire(role)
        page = reader.get("/workbench").text
        assert "Your role reads tickets" in page
        assert 'data-key="t"' not in page
        assert reader.post("/workbench/take", id=tickets[0]).status_code == 403
    assert readers


def test_lost_goods_are_sent_again_once(office: Office, tickets: list[int]) -> None:
    agent, ticket = office.hire(Role.CARE), _of(office, "lost")
    [(lost, order)] = office.rows("SELECT parcel_id, order_id FROM ticket WHERE id = %s", ticket)
    held = office.rows("SELECT order_line_id, quantity FROM parcel_line WHERE parcel_id = %s", lost)
    _leads_to(agent.post("/workbench/reship", id=ticket, back=_back(ticket)))

    [(new,)] = office.rows("SELECT replaced_by FROM parcel WHERE id = %s", lost)
    assert office.rows("SELECT order_line_id, quantity FROM parcel_line WHERE parcel_id = %s", new) == held
    assert office.rows("SELECT order_line_id, quantity FROM replaced_line WHERE parcel_id = %s", lost) == held
    assert office.rows("SELECT stage, carrier FROM parcel WHERE id = %s", new) == [("asked", "SF")]
    assert office.rows("SELECT count(*) FROM take WHERE parcel_id = %s", new) == [(1,)]
    assert office.rows("SELECT kind, state FROM care_wish") == [("reship", "confirmed")]
    assert office.rows("SELECT subject FROM event WHERE name = 'ParcelReplaced'") == [(f"parcel:{lost}",)]

    office.context.machine.run(lambda tx: orders.derive_of_parcels(tx, {lost: "test"}))
    assert office.rows("SELECT word FROM orders WHERE id = %s", order) == [("to_ship",)]
    with office.context.machine.begin() as tx:
        assert tx.conn.execute(no_line_is_shipped_twice.SQL).fetchall() == []
    assert agent.post("/workbench/reship", id=ticket, back=_back(ticket)).status_code == 409
    assert "旅行茶具套装" in agent.get(_back(ticket)).text


def test_a_claim_carries_its_evidence(office: Office, tickets: list[int]) -> None:
    agent, ticket = office.hire(Role.CARE), _of(office, "lost")
    _leads_to(agent.post("/workbench/claim", id=ticket, amount="486.00", text="丢件", back=_back(ticket)))
    assert "申请理赔 486.00 元" in agent.get(_back(ticket)).text
    assert agent.post("/workbench/evidence", id=ticket, reason="").status_code == 422

    packed = agent.post("/workbench/evidence", id=ticket, reason="claim against ZTO")
    archive = zipfile.ZipFile(io.BytesIO(packed.content))
    pushes = [name for name in archive.namelist() if name.startswith("pushes/")]
    assert {"claim.txt", "timeline.txt"} < set(archive.namelist())
    assert archive.read(pushes[0]) == b"{}"
    assert "实付：486.00 元" in archive.read("claim.txt").decode()
    assert "快件已从【宜兴丁蜀公司】发出" in archive.read("timeline.txt").decode()
    told = office.rows("SELECT reason FROM audit WHERE action = 'open_push'")
    assert told == [("claim against ZTO",)] * len(pushes)
    assert office.hire(Role.FINANCE).post("/workbench/evidence", id=ticket, reason="x").status_code == 403


def _slow_down(office: Office) -> int:
    """The ticket of an incident with one parcel of the first shop."""
    shop, parcel = office.world.shop_ids[0], office.world.parcel_ids[0]

    def slow(tx: Tx) -> None:
        [(slowdown,)] = tx.conn.execute(
            """INSERT INTO slowdown (carrier, place, began_at, silent, expected)
               VALUES ('YTO', '杭州转运中心', %s, 183, 4) RETURNING id""",
            [tx.now],
        ).fetchall()
        tx.conn.execute(
            """INSERT INTO silence (parcel_id, shop_id, carrier, place, stage, silent_since, due_at, found_at,
                                    slowdown_id)
               VALUES (%s, %s, 'YTO', '杭州转运中心', 'in_transit', %s, %s, %s, %s)""",
            [parcel, shop, tx.now, tx.now, tx.now, slowdown],
        )
        incident = Trouble(shop_id=shop, cause=Cause.INCIDENT, at=tx.now, because="event:1", slowdown_id=slowdown)
        care.raise_troubles(tx, [incident])

    office.context.machine.run(slow)
    return _of(office, "incident")


def test_an_incident_is_one_ticket_with_its_parcels(office: Office, tickets: list[int]) -> None:
    ticket, agent = _slow_down(office), office.hire(Role.CARE)
    page = agent.get(_back(ticket)).text
    assert "YTO is slow at 杭州转运中心 since 14:32. 1 parcel of this shop waits" in page
    _leads_to(agent.post("/workbench/close", id=ticket, back=_back(ticket)))
    assert _standing(office, ticket)[2] == "solved"


def test_the_buyers_of_an_incident_are_told_from_its_ticket_once(office: Office, tickets: list[int]) -> None:
    ticket, agent = _slow_down(office), office.hire(Role.CARE)
    page = agent.get(_back(ticket)).text
    assert "1 buyer was not told yet" in page and "Tell them all and close" in page
    read = agent.post("/workbench/tell/preview", id=ticket, zh="", en="{shop}: late[ at {cause}]")
    assert "late at 杭州转运中心" in read.text
    for _ in range(2):
        _leads_to(agent.post("/workbench/tell", id=ticket, zh="会晚到", en="", back=_back(ticket)))
    assert office.rows("SELECT ticket_id FROM notice_round") == [(ticket,)]
    assert office.rows("SELECT count(*) FROM job WHERE kind = 'plan_round'") == [(1,)]
    page = agent.get(_back(ticket)).text
    assert "Buyers told: 0; waiting for their turn: 1; not told: 0." in page and "Tell them all" not in page
    _leads_to(agent.post("/workbench/tell", id=ticket, zh="会晚到", then="close", back=_back(ticket)))
    assert _standing(office, ticket)[2] == "solved"


def test_what_became_of_the_telling_stands_in_the_log_of_the_incident(office: Office, tickets: list[int]) -> None:
    ticket, agent = _slow_down(office), office.hire(Role.CARE)

    def end(tx: Tx) -> None:
        [(shop, slowdown)] = tx.conn.execute("SELECT shop_id, slowdown_id FROM ticket WHERE id = %s", [ticket])
        event = IncidentTold(shop_id=shop, slowdown_id=slowdown, ticket_id=ticket, told=812, untold=31, doubted=0,
                             whys=("opted_out:20", "delivered:11"))  # fmt: skip
        recorded = Recorded(1, 1, tx.now, event, "")
        told_incident_is_written_on_its_ticket.do(tx, [recorded])

    office.context.machine.run(end)
    page = agent.get(_back(ticket)).text
    said = "812 buyers were told, 31 not (20: the buyer does not want it; 11: the parcel was delivered first)."
    assert said in page


@pytest.mark.parametrize("path", ["/workbench/tell", "/workbench/tell/preview"])
def test_an_incident_is_told_by_whoever_works_on_it_only(office: Office, tickets: list[int], path: str) -> None:
    ticket = _slow_down(office)
    stranger = office.hire(Role.CARE, shops=(office.world.shop_ids[1],))
    nobody = office.stranger().post(path, data={"id": ticket, "zh": "晚到"}, headers=HTML, follow_redirects=False)
    assert nobody.status_code == 303 and nobody.headers["location"].startswith("/sign-in")
    assert stranger.post(path, id=ticket, zh="晚到").status_code == 404
    assert office.hire(Role.FINANCE).post(path, id=ticket, zh="晚到").status_code == 403
    assert office.hire(Role.CARE).post(path, id=tickets[0], zh="晚到").status_code == 409
    assert office.rows("SELECT 1 FROM notice_round") == []
