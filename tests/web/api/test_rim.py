"""What holds for every route: how often one may ask, what an unknown address answers, what errors look like."""

import json
import re

from tests.parts.world import raw_order
from tests.web.api.desk import Desk, Program, open_client
from waystream.kernel.database import Database
from waystream.web.pace import Pace


def test_who_asks_too_often_is_told_when_to_come_back(desk: Desk, page_database: Database) -> None:
    with open_client(desk.bench, page_database, requests=Pace(per_s=0.01, burst=3)) as client:
        one, other = (Program(client, desk.key().headers) for _ in range(2))
        assert [one.get("/api/me").status_code for _ in range(4)] == [200, 200, 200, 429]
        refused = one.get("/api/me")
        assert refused.headers["content-type"] == "application/problem+json"
        assert int(refused.headers["retry-after"]) > 1
        assert other.get("/api/me").status_code == 200


def test_guessing_keys_is_slowed_down(desk: Desk, page_database: Database) -> None:
    with open_client(desk.bench, page_database, requests=Pace(per_s=0.01, burst=3)) as client:
        guesses = [client.get("/api/me", headers={"Authorization": f"Bearer ws_guess_{n}"}) for n in range(4)]
        assert [guess.status_code for guess in guesses] == [401, 401, 401, 429]


def test_what_is_not_there_is_a_problem_too(desk: Desk) -> None:
    program = desk.key()
    for answer, status in (
        (program.get("/api/nothing"), 404),
        (program.post("/api/orders/tea:A1"), 405),
        (desk.client.get("/api/orders"), 401),
    ):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status


def test_answers_are_kept_by_no_cache_and_name_no_person(desk: Desk) -> None:
    desk.bench.orders("A1")
    answer = desk.key().get("/api/orders/tea:A1")
    assert answer.headers["cache-control"] == "no-store"
    said = re.sub(r'"[0-9]{18,}"', "", answer.text)  # an id is drawn, and may hold any three digits
    for planted in ("罗小明", "15812346021", "478"):
        assert planted not in said


def test_texts_outside_the_domain_of_the_database_do_no_harm(desk: Desk) -> None:
    program = desk.key()
    for path in ("/api/orders?carrier=%00", "/api/orders?q=%00", "/api/orders/tea:%00", "/api/skus/tea/%00"):
        assert program.get(path).status_code == 422, path
    for path in ("/api/orders?q=%ff%fe%ed%a0%80", "/api/orders?carrier=%ed%a0%80", "/api/orders/tea:%ff"):
        assert program.get(path).status_code in (200, 404), path
    for text, status in (("a\0b", 200), ("\ud800", 422), ("\u202e", 200), ("😀" * 60, 200)):
        body = json.dumps(raw_order("A1", buyer_remark=text, seller_remark=text)).encode()
        assert program.client.post("/api/orders", content=body, headers=program.headers).status_code == status
    assert program.post("/api/skus", {"shop": "tea", "skus": [{"code": "S\0", "name": "x\0"}]}).status_code == 200
    keys = {
        "code": "w", "name": "w", "province": "p", "city": "c", "cutoffs": {"Z\0": "17:30"},
        "sender": {"name": "x", "mobile": "13800000000", "address": "y"},
    }  # fmt: skip
    assert program.post("/api/warehouses", keys).status_code == 200


def test_numbers_of_any_size_are_refused_politely(desk: Desk) -> None:
    program = desk.key()
    for number in (2**63, 10**30, -1, 1.5, True):
        answer = program.post("/api/dispatch", {"parcels": ["1"], "weighed_g": number})
        assert answer.status_code == 422, number
    for row_id in ("0", "-1", "9" * 19, "9" * 40, "1.5", "１", ""):
        assert program.post("/api/dispatch", {"parcels": [row_id]}).status_code == 422, row_id
    assert program.post("/api/dispatch", {}).json() == {"parcels": []}
