"""Orders over the interface: in, out, and what is refused with its path."""

from typing import Any

import pytest

from tests.parts.world import counts, raw_order
from tests.web.api.desk import Desk, Program, open_client
from waystream.kernel.database import Database
from waystream.web.pace import Pace


@pytest.fixture
def program(desk: Desk) -> Program:
    return desk.key()


def paths(answer: Any) -> list[str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return [each["path"] for each in answer.json()["errors"]]


def test_one_order_or_a_list_is_taken_in(program: Program) -> None:
    one = program.post("/api/orders", raw_order("A1"))
    assert one.status_code == 200
    [told] = one.json()["orders"]
    assert (told["number"], told["outcome"]) == ("A1", "created")
    assert isinstance(told["order_id"], str)

    many = program.post("/api/orders", [raw_order("A1"), raw_order("A2")])
    assert [each["outcome"] for each in many.json()["orders"]] == ["unchanged", "created"]


def test_a_wrong_field_is_named_and_nothing_is_half_taken_in(desk: Desk, program: Program) -> None:
    wrong = raw_order("A4")
    wrong["lines"][0]["quantity"] = 0
    answer = program.post("/api/orders", [raw_order("A1"), raw_order("A2"), raw_order("A3"), wrong])
    assert answer.status_code == 422
    assert paths(answer) == ["orders[3].lines[0].quantity"]
    with desk.work.begin() as tx:
        assert counts(tx, "orders", "person") == {"orders": 0, "person": 0}


WRONG_ORDERS: tuple[tuple[Any, ...], ...] = (
    ({"colour": "red"}, "orders[0]"),
    ({"shop": "nowhere"}, "orders[0].shop"),
    ({"warehouse": "nowhere"}, "orders[0].warehouse"),
    ({"payment": "barter"}, "orders[0].payment"),
    ({"paid_at": "2026-11-11T08:00:00"}, "orders[0].paid_at"),
    ({"receiver": {"name": "x"}}, "orders[0].receiver"),
    ({"lines": []}, "orders[0].lines"),
)


def test_a_wrong_order_says_where(program: Program) -> None:
    for given, path in WRONG_ORDERS:
        answer = program.post("/api/orders", raw_order("A1", **given))
        assert answer.status_code == 422
        assert paths(answer) == [path]


def test_what_is_no_order_is_refused(program: Program) -> None:
    for body in (b"", b"{", b"[]", b"null", b'"x"', b"[" * 20_000, b"\xff\xfe", b"[1]"):
        answer = program.client.post("/api/orders", content=body, headers=program.headers)
        assert answer.status_code == 422, body


def test_a_list_is_bounded_and_so_is_a_body(desk: Desk, program: Program) -> None:
    assert program.post("/api/orders", [raw_order("A1")] * 5001).status_code in (413, 422)
    huge = program.client.post("/api/orders", content=b" " * (5 * 1024 * 1024), headers=program.headers)
    assert huge.status_code == 413


def test_an_order_is_found_by_id_and_by_shop_and_number(program: Program) -> None:
    [told] = program.post("/api/orders", raw_order("A1")).json()["orders"]
    by_id = program.get(f"/api/orders/{told['order_id']}").json()
    by_number = program.get("/api/orders/tea:A1").json()
    assert by_id == by_number
    assert (by_id["id"], by_id["word"], by_id["shop_code"]) == (told["order_id"], "to_ship", "tea")
    assert by_id["name_mask"] == "罗**"
    assert by_id["lines"][0]["quantity"] == 2
    assert "罗小明" not in program.get("/api/orders/tea:A1").text
    for unknown in ("tea:A9", "nowhere:A1", "99", "x", "0", "9" * 30):
        assert program.get(f"/api/orders/{unknown}").status_code == 404


def test_lists_go_by_key(program: Program) -> None:
    program.post("/api/orders", [raw_order(f"A{n}") for n in range(5)])
    seen, after = [], ""
    for _ in range(3):
        page = program.get("/api/orders", params={"limit": 2, "after": after}).json()
        seen += [row["number"] for row in page["orders"]]
        after = page["after"]
    assert sorted(seen) == [f"A{n}" for n in range(5)]
    assert after is None


def test_lists_are_filtered(program: Program) -> None:
    program.post("/api/orders", [raw_order("A1"), raw_order("A2"), raw_order("A3", shop="toys")])
    program.post("/api/orders/hold", {"orders": ["tea:A2"], "reason": "stock"})

    def numbers(**given: Any) -> list[str]:
        answer = program.get("/api/orders", params=given)
        assert answer.status_code == 200, answer.text
        return sorted(row["number"] for row in answer.json()["orders"])

    assert numbers(shop="toys") == ["A3"]
    assert numbers(held=True) == ["A2"]
    assert numbers(word="to_ship", warehouse="yh") == ["A1", "A2", "A3"]
    assert numbers(word=["delivered", "completed"]) == []
    assert numbers(q="罗小明", shop="tea") == ["A1", "A2"]
    assert numbers(since="2027-01-01T00:00:00Z") == []
    assert program.get("/api/orders/counts").json()["words"]["to_ship"] == 3


WRONG_FILTERS: tuple[tuple[Any, ...], ...] = (
    ({"limit": 0}, "limit"),
    ({"limit": 501}, "limit"),
    ({"after": "x"}, "after"),
    ({"word": "x"}, "word.0"),
    ({"shop": "x"}, "shop"),
    ({"warehouse": "x"}, "warehouse"),
    ({"since": "2026-01-01T00:00:00"}, "since"),
)


def test_a_wrong_filter_is_named(program: Program) -> None:
    for given, path in WRONG_FILTERS:
        answer = program.get("/api/orders", params=given)
        assert answer.status_code == 422
        assert paths(answer) == [path]


def test_orders_are_held_released_and_cancelled_in_bulk(desk: Desk, program: Program) -> None:
    ids = [
        each["order_id"] for each in program.post("/api/orders", [raw_order("A1"), raw_order("A2")]).json()["orders"]
    ]
    held = program.post("/api/orders/hold", {"orders": [ids[0], "tea:A2"], "reason": "stock"})
    assert held.json() == {"orders": ids}
    assert program.post("/api/orders/hold", {"orders": ids, "reason": "again"}).json() == {"orders": []}
    assert program.post("/api/orders/release", {"orders": ids, "reason": "came in"}).json() == {"orders": ids}
    assert program.post("/api/orders/cancel", {"orders": ids, "reason": "sold out"}).json() == {"orders": ids}
    assert program.get("/api/orders/tea:A1").json()["word"] == "closed"


def test_deeds_on_orders_are_all_or_none(program: Program) -> None:
    program.post("/api/orders", [raw_order("A1")])
    answer = program.post("/api/orders/cancel", {"orders": ["tea:A1", "tea:A9"], "reason": "sold out"})
    assert answer.status_code == 404
    assert paths(answer) == ["orders[1]"]
    assert program.get("/api/orders/tea:A1").json()["word"] == "to_ship"


WRONG_DEEDS: tuple[tuple[Any, ...], ...] = (
    ({"orders": ["tea:A1"]}, "reason"),
    ({"orders": ["tea:A1"], "reason": ""}, "reason"),
    ({"orders": [], "reason": "x"}, "orders"),
    ({"orders": ["x"] * 501, "reason": "x"}, "orders"),
    ({"orders": [7], "reason": "x"}, "orders[0]"),
    ({"orders": ["tea:A1"], "reason": "x" * 201}, "reason"),
    ({"orders": ["tea:A1"], "reason": "x", "colour": "red"}, "colour"),
)


def test_a_wrong_deed_says_where(program: Program) -> None:
    for body, path in WRONG_DEEDS:
        program.post("/api/orders", raw_order("A1"))
        answer = program.post("/api/orders/cancel", body)
        assert answer.status_code == 422
        assert paths(answer) == [path]


def test_an_order_that_left_is_confirmed_and_not_cancelled(desk: Desk, program: Program) -> None:
    [order_id] = desk.bench.orders("A1")
    assert program.post("/api/orders/confirm", {"orders": [str(order_id)]}).status_code == 409
    desk.bench.ship(order_id)
    desk.bench.drain()
    [parcel] = program.get("/api/parcels").json()["parcels"]
    program.post("/api/dispatch", {"parcels": [parcel["id"]]})
    assert program.post("/api/orders/cancel", {"orders": [str(order_id)], "reason": "x"}).status_code == 409


def test_a_receiver_is_seen_in_the_clear_with_a_reason_and_by_people_only(desk: Desk) -> None:
    [order_id] = desk.bench.orders("A1")
    care = desk.person("care")
    seen = care.post(f"/api/orders/{order_id}/unmask", {"reason": "the buyer called"}, key="k1")
    assert seen.json()["name"] == "罗小明"
    assert care.post(f"/api/orders/{order_id}/unmask", {"reason": ""}).status_code == 422
    assert desk.key().post(f"/api/orders/{order_id}/unmask", {"reason": "x"}).status_code == 403
    with desk.work.begin() as tx:
        assert counts(tx, "idempotent_reply") == {"idempotent_reply": 0}
        noted = tx.conn.execute("SELECT actor, reason FROM audit WHERE action = 'unmask'").fetchall()
    assert [reason for _, reason in noted] == ["the buyer called"]


def test_who_may_not_see_masks_is_shown_none_and_finds_by_number_only(desk: Desk) -> None:
    desk.bench.orders("A1001")
    analyst = desk.person("analyst")
    assert analyst.get("/api/orders", params={"q": "罗小明"}).json()["orders"] == []
    [row] = analyst.get("/api/orders", params={"q": "A1001"}).json()["orders"]
    assert (row["name_mask"], row["phone_mask"]) == ("", "")
    whole = analyst.get("/api/orders/tea:A1001").json()
    assert (whole["name_mask"], whole["phone_mask"], whole["address_mask"]) == ("", "", "")


def test_somebody_of_one_warehouse_sees_no_other(desk: Desk) -> None:
    desk.bench.orders("A1")
    elsewhere = desk.person("warehouse", warehouses=(desk.warehouse("other"),))
    assert elsewhere.get("/api/orders").json()["orders"] == []
    assert elsewhere.get("/api/orders", params={"warehouse": "yh"}).json()["orders"] == []
    assert elsewhere.get("/api/orders/tea:A1").status_code == 404
    assert elsewhere.post("/api/ship", {"orders": ["tea:A1"]}).status_code == 404
    here = desk.person("warehouse", warehouses=(desk.world.yh,))
    assert here.get("/api/orders/tea:A1").status_code == 200


def test_searching_people_is_slowed_down(desk: Desk, page_database: Database) -> None:
    with open_client(desk.bench, page_database, searches=Pace(per_s=0.01, burst=2)) as client:
        program = Program(client, desk.key().headers)
        for _ in range(2):
            assert program.get("/api/orders", params={"q": "13800000000"}).status_code == 200
        refused = program.get("/api/orders", params={"q": "13800000001"})
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 30
        assert program.get("/api/orders").status_code == 200


def test_the_timeline_tells_what_happened(desk: Desk, program: Program) -> None:
    [order_id] = desk.bench.orders("A1")
    desk.bench.ship(order_id)
    desk.bench.drain()
    names = [entry["name"] for entry in program.get("/api/orders/tea:A1/timeline").json()["entries"]]
    assert {"OrderReceived", "WaybillIssued"} <= set(names)
