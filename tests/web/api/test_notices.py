"""Messages over the API: said once for a key, listed in pages, opted out of; masked, and only for who may see that."""

from datetime import datetime

import pytest

from tests.parts.world import put_parcel
from tests.web.api.desk import Desk
from waystream.core.care import Cause, Trouble
from waystream.kernel.tx import Tx
from waystream.parts.care import actions as care


@pytest.fixture
def order(desk: Desk) -> str:
    [order_id] = desk.bench.orders("A1")
    with desk.work.begin() as tx:
        put_parcel(tx, order_id, parcel_id=11, state="in_transit")
    return "tea:A1"


def test_a_message_is_said_once_for_a_key(desk: Desk, order: str) -> None:
    program = desk.key("notices:say", "notices:read", "person:masked")
    sent = {"text": "您好[，{收件人}]：[{运单号} ]已在查。"}
    first = program.post(f"/api/orders/{order}/notices", sent, key="one")
    again = program.post(f"/api/orders/{order}/notices", sent, key="one")
    assert (first.status_code, again.status_code) == (201, 201), first.text
    assert first.json() == again.json()
    told = first.json()
    assert (told["notice"]["kind"], told["notice"]["state"], told["notice"]["order"]) == ("said", "planned", "A1")
    assert told["things"][0]["parcel_id"] is None
    assert datetime.fromisoformat(told["notice"]["planned_at"]).tzinfo is not None
    listed = program.get("/api/notices", params={"order": order}).json()["notices"]
    assert [each["id"] for each in listed] == [told["notice"]["id"]]


def test_what_cannot_be_said_is_refused_with_the_sentence(desk: Desk, order: str) -> None:
    program = desk.key("notices:say")
    for sent, status, sentence in (
        ({}, 422, "give either a text or a kind of notice"),
        ({"text": "a", "kind": "shipped"}, 422, "give either"),
        ({"text": "{ordr}"}, 422, "There is no fact “ordr”: “order” is meant, perhaps."),
        ({"kind": "none"}, 404, "There is no such kind of notice."),
        ({"kind": "delivered"}, 409, "It is not true of any parcel of this order now."),
    ):
        answer = program.post(f"/api/orders/{order}/notices", sent)
        assert answer.status_code == status and sentence in answer.json()["detail"], sent
    assert program.post("/api/orders/tea:none/notices", {"text": "a"}).status_code == 404


def test_an_incident_is_said_once_to_an_order(desk: Desk, order: str) -> None:
    program = desk.key("notices:say", "notices:read")
    told = [program.post(f"/api/orders/{order}/notices", {"text": "爆仓", "once": 7}).json() for _ in range(2)]
    assert told[0]["notice"]["id"] == told[1]["notice"]["id"]


def test_a_list_is_read_in_pages_and_by_words(desk: Desk, order: str) -> None:
    program = desk.key("notices:say", "notices:read")
    said = [program.post(f"/api/orders/{order}/notices", {"text": f"第{n}句"}).json()["notice"]["id"] for n in range(5)]
    program.post(f"/api/notices/{said[0]}/drop", {})
    seen, after = [], ""
    while after is not None:
        page = program.get("/api/notices", params={"limit": 2, "after": after}).json()
        seen += [each["id"] for each in page["notices"]]
        after = page["after"]
    assert seen == list(reversed(said))
    dropped = program.get("/api/notices", params={"state": "dropped"}).json()["notices"]
    assert [(each["id"], each["why"]) for each in dropped] == [(said[0], "taken_back")]
    assert program.get("/api/notices", params={"state": "gone"}).status_code == 422
    assert program.get("/api/notices", params={"after": "x"}).status_code == 422


def test_who_may_not_see_receivers_is_not_shown_what_was_said(desk: Desk, order: str) -> None:
    desk.key("notices:say").post(f"/api/orders/{order}/notices", {"text": "只给看得的人"})
    [row] = desk.key("notices:read").get("/api/notices").json()["notices"]
    assert desk.key("notices:read").get(f"/api/notices/{row['id']}").json()["text"] == ""
    seen = desk.key("notices:read", "person:masked").get(f"/api/notices/{row['id']}").json()
    assert seen["text"] == "只给看得的人"


def test_a_buyer_opts_out_and_in_again(desk: Desk, order: str) -> None:
    program = desk.key("notices:say", "notices:read")
    out = program.post(f"/api/orders/{order}/opt-out", {"kind": ""}).json()["optouts"]
    assert [(each["kind"], each["mask"]) for each in out] == [("", "158****6021")]
    refused = program.post(f"/api/orders/{order}/notices", {"text": "您好"})
    assert refused.status_code == 409 and refused.json()["detail"] == "This buyer wants no messages."
    assert program.post(f"/api/orders/{order}/opt-in", {}).json()["optouts"] == []
    assert program.post(f"/api/orders/{order}/notices", {"text": "您好"}).status_code == 201


def test_a_text_keeps_its_lines_and_loses_control_characters(desk: Desk, order: str) -> None:
    program = desk.key("notices:say", "notices:read", "person:masked")
    sent = {"text": "您好：\r\n  已在查\u0007。\n\n谢谢\u202e", "subject": "两\n行"}
    told = program.post(f"/api/orders/{order}/notices", sent).json()
    assert told["text"] == "您好：\n已在查。\n\n谢谢"
    assert told["subject"] == "两 行", "a subject is one line"


def _incident(desk: Desk) -> int:
    """A ticket about a slow-down that holds the order's parcel."""

    def make(tx: Tx) -> int:
        shop = tx.conn.execute("SELECT shop_id FROM parcel WHERE id = 11").fetchall()[0][0]
        slowdown = tx.conn.execute(
            """INSERT INTO slowdown (carrier, place, began_at, silent, expected) VALUES ('YTO', '杭州', %s, 9, 1)
               RETURNING id""",
            [tx.now],
        ).fetchall()[0][0]
        tx.conn.execute(
            """INSERT INTO silence (parcel_id, shop_id, carrier, place, stage, silent_since, due_at, found_at,
                                    slowdown_id)
               VALUES (11, %s, 'YTO', '杭州', 'in_transit', %s, %s, %s, %s)""",
            [shop, tx.now, tx.now, tx.now, slowdown],
        )
        care.raise_troubles(
            tx, [Trouble(shop_id=shop, cause=Cause.INCIDENT, at=tx.now, because="event:1", slowdown_id=slowdown)]
        )
        return int(tx.conn.execute("SELECT id FROM ticket").fetchall()[0][0])

    return desk.work.run(make)


def test_everybody_in_an_incident_is_written_to_once(desk: Desk, order: str) -> None:
    path, program = f"/api/tickets/{_incident(desk)}/tell", desk.key("notices:say", "notices:read")
    begun = {"open": True, "waiting": 1, "on_the_way": 0, "told": 0, "doubted": 0, "untold": []}
    assert program.get(path).json() == begun | {"open": False}
    for _ in range(2):
        assert program.post(path, {"zh": "会晚到\n抱歉"}).json() == begun
    assert program.get(path).json() == begun
    with desk.work.begin() as tx:
        assert tx.conn.execute("SELECT kind FROM job WHERE kind = 'plan_round'").fetchall() == [("plan_round",)]
    assert program.post(path, {}).status_code == 422
