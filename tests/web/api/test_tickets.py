"""Tickets over the API: paging, who may read what is written about buyers, leading, deeds that happen once."""

from typing import Any

import pytest

from tests.parts.world import move_parcel, put_parcel
from tests.web.api.desk import Desk, Program
from waystream.core.care import Cause, Trouble
from waystream.parts.care import actions

DUE = {"high": 0, "normal": 1, "low": 2}


@pytest.fixture
def tickets(desk: Desk) -> list[str]:
    """Five on one parcel, by when they are due."""
    [order_id] = desk.bench.orders("A1")
    with desk.work.begin() as tx:
        put_parcel(tx, order_id, parcel_id=11, state="in_transit")
        causes = (Cause.STALLED, Cause.SUBSCRIPTION_DEAD, Cause.BUYER_DAMAGED, Cause.BUYER_NOT_RECEIVED, Cause.OVERDUE)
        told = {"shop_id": desk.world.tea, "at": tx.now, "because": "event:1", "parcel_id": 11}
        actions.raise_troubles(tx, [Trouble(cause=cause, **told) for cause in causes])
    return [each["id"] for each in listed(desk.key())]


def listed(program: Program, query: str = "") -> list[dict[str, Any]]:
    answer = program.get(f"/api/tickets{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["tickets"]
    return found


def test_pages_follow_each_other_without_gaps(desk: Desk, tickets: list[str]) -> None:
    program, seen, after = desk.key("tickets:read"), [], ""
    while after is not None:
        page = program.get("/api/tickets", params={"limit": 2, "after": after}).json()
        seen += page["tickets"]
        after = page["after"]
    assert [each["id"] for each in seen] == tickets
    assert [DUE[each["priority"]] for each in seen] == sorted(DUE[each["priority"]] for each in seen)
    assert seen[0]["shop"] == "tea" and seen[0]["order_number"] == "A1" and seen[0]["number"] == "YT11"


def test_the_list_is_narrowed_by_words(desk: Desk, tickets: list[str]) -> None:
    program = desk.key()
    assert len(listed(program, "?priority=high&priority=low")) == 3
    assert [each["cause"] for each in listed(program, "?cause=stalled&order=tea:A1&parcel=11")] == ["stalled"]
    assert listed(program, "?state=closed") == listed(program, "?overdue=true") == listed(program, "?assignee=me") == []
    for bad in ("?state=gone", "?cause=none", "?after=x", "?shop=none"):
        assert program.get(f"/api/tickets{bad}").status_code == 422, bad
    assert program.get("/api/tickets?order=tea:none").status_code == 404


def test_a_ticket_is_taken_once_and_says_by_whom(desk: Desk, tickets: list[str]) -> None:
    li, wang = desk.person("care"), desk.person("care", login="wang")
    assert li.post("/api/tickets/take", {"tickets": tickets[:1]}).json()["tickets"][0]["state"] == "taken"
    answer = wang.post("/api/tickets/take", {"tickets": tickets[:2]})
    assert answer.status_code == 409 and answer.json()["detail"].startswith("care")
    assert len(listed(li, "?assignee=me")) == 1 and len(listed(wang, "?assignee=nobody")) == 4
    refused = wang.post("/api/tickets/take", {"tickets": tickets[:1], "lead": True})
    assert refused.status_code == 403
    owner = desk.person("owner")
    assert owner.post("/api/tickets/release", {"tickets": tickets[:1], "lead": True}).status_code == 200
    assert wang.post("/api/tickets/take-next", {}).json()["ticket"]["id"] == tickets[0]
    assert wang.get("/api/tickets/counts").json() == {
        "live": 5, "high": 2, "overdue": 0, "unassigned": 4, "mine": 1,
    }  # fmt: skip


def test_what_a_colleague_changed_is_not_overwritten(desk: Desk, tickets: list[str]) -> None:
    program, first = desk.key(), tickets[0]
    assert program.post("/api/tickets/priority", {"tickets": [first], "priority": "low"}).status_code == 200
    closing = {"tickets": [first], "ending": "solved", "versions": {first: 1}}
    assert program.post("/api/tickets/close", closing).status_code == 409
    closed = program.post("/api/tickets/close", closing | {"versions": {first: 2}}).json()["tickets"][0]
    assert (closed["state"], closed["ending"], closed["version"]) == ("closed", "solved", 3)
    for bad in ({"versions": {"x": 1}}, {"ending": "delivered"}, {"tickets": []}, {"more": 1}):
        assert program.post("/api/tickets/close", closing | bad).status_code == 422, bad


def test_a_note_told_twice_under_one_key_is_written_once(desk: Desk, tickets: list[str]) -> None:
    program, asked = desk.key(), {"tickets": tickets[:1], "text": "罗小明要求改到周六"}
    answers = [program.post("/api/tickets/note", asked, key="note-1") for _ in range(2)]
    assert answers[0].content == answers[1].content
    log = program.get(f"/api/tickets/{tickets[0]}").json()["log"]
    assert [(line["what"], line["text"]) for line in log] == [("opened", ""), ("note", "罗小明要求改到周六")]


def test_who_may_not_see_masks_reads_no_notes(desk: Desk, tickets: list[str]) -> None:
    desk.key().post("/api/tickets/note", {"tickets": tickets[:1], "text": "罗小明 15812346021"})
    answer = desk.key("tickets:read").get(f"/api/tickets/{tickets[0]}")
    assert answer.json()["log"][1]["text"] is None and answer.json()["ticket"]["receiver"] == ""
    assert "罗小明" not in answer.text
    assert desk.key("tickets:read", "person:masked").get(f"/api/tickets/{tickets[0]}").json()["ticket"]["receiver"]


def test_another_warehouses_agent_sees_and_takes_none(desk: Desk, tickets: list[str]) -> None:
    elsewhere = desk.person("care", warehouses=(desk.warehouse("other"),))
    assert listed(elsewhere) == [] and elsewhere.get(f"/api/tickets/{tickets[0]}").status_code == 404
    for deed, more in (
        ("take", {}),
        ("close", {"ending": "solved"}),
        ("note", {"text": "x"}),
        ("merge", {"into": tickets[1]}),
    ):
        assert elsewhere.post(f"/api/tickets/{deed}", {"tickets": tickets[:1]} | more).status_code == 404, deed
    assert elsewhere.post("/api/tickets/take-next", {}).json() == {"ticket": None}
    assert elsewhere.get("/api/tickets/counts").json()["live"] == 0
    here = desk.person("care", warehouses=(desk.world.yh,), login="here")
    assert [each["id"] for each in listed(here)] == tickets


def test_opening_by_hand_keeps_the_one_that_is_open(desk: Desk, tickets: list[str]) -> None:
    program = desk.key()
    opened = program.post("/api/tickets", {"cause": "stalled", "parcel": "11", "text": "again"})
    assert opened.status_code == 201 and opened.json()["ticket"]["id"] in tickets
    assert len(opened.json()["earlier"]) == 4
    for bad in ({"cause": "stalled"}, {"cause": "stalled", "parcel": "11", "order": "tea:A1"}):
        assert program.post("/api/tickets", bad).status_code == 422
    assert program.post("/api/tickets", {"cause": "incident", "parcel": "11"}).status_code == 422
    assert program.post("/api/tickets", {"cause": "stalled", "parcel": "12"}).status_code == 404
    with desk.work.begin() as tx:
        move_parcel(tx, 11, state="delivered")
    assert program.post("/api/tickets", {"cause": "lost", "parcel": "11"}).status_code == 409


def test_what_a_person_wrote_in_lines_is_kept_in_lines(desk: Desk, tickets: list[str]) -> None:
    program, lines = desk.person("owner"), "罗小明\n周六再送"
    desk.person("care")
    colleagues = program.get(f"/api/tickets/{tickets[0]}/colleagues").json()["colleagues"]
    [to] = [each["actor"] for each in colleagues if each["name"] == "care"]
    about, told = {"tickets": tickets[:1]}, {"text": lines}
    wish = {"cause": "buyer_wants_address", "parcel": "11"}
    opened = program.post("/api/tickets", wish | told).json()["ticket"]["id"]
    for deed, more in (
        ("note", {}),
        ("hand-over", {"to": to}),
        ("close", {"ending": "solved", "lead": True}),
        ("reopen", {}),
    ):
        answer = program.post(f"/api/tickets/{deed}", about | told | more)
        assert answer.status_code == 200, (deed, answer.text)
    log = [line for each in (opened, tickets[0]) for line in program.get(f"/api/tickets/{each}").json()["log"]]
    assert [(line["what"], line["text"]) for line in log if line["text"]] == [
        (what, lines) for what in ("note", "note", "handed_over", "closed", "reopened")
    ]
