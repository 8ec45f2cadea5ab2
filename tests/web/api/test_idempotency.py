"""The same request told twice has one effect and one reply."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.parts.world import counts, raw_order
from tests.web.api.desk import Desk, Program
from waystream.web import idempotency
from waystream.web.idempotency import Kept, Repeatable


@pytest.fixture
def program(desk: Desk) -> Program:
    return desk.key()


def test_a_repeated_request_is_answered_byte_for_byte(desk: Desk, program: Program) -> None:
    first = program.post("/api/orders", raw_order("A1"), key="k1")
    again = program.post("/api/orders", raw_order("A1"), key="k1")
    assert first.json()["orders"][0]["outcome"] == "created"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"


def test_the_status_is_kept_too_and_secrets_are_told_again(desk: Desk, program: Program) -> None:
    asked = {"name": "shop", "scopes": ["orders:read"], "every_shop": True}
    first, again = (program.post("/api/api-keys", asked, key="k1") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["secret"] == again.json()["secret"]
    with desk.work.begin() as tx:
        [(sealed,)] = tx.conn.execute("SELECT sealed FROM idempotent_reply").fetchall()
        assert first.json()["secret"].encode() not in bytes(sealed)
        assert counts(tx, "api_key") == {"api_key": 2}


def test_a_key_is_for_one_request(program: Program) -> None:
    program.post("/api/orders", raw_order("A1"), key="k1")
    other_body = program.post("/api/orders", raw_order("A2"), key="k1")
    other_route = program.post("/api/ship", {"orders": ["tea:A1"]}, key="k1")
    for answer in (other_body, other_route):
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["path"] == "Idempotency-Key"
    assert program.get("/api/orders/tea:A2").status_code == 404


def test_a_key_is_its_callers_own(desk: Desk, program: Program) -> None:
    program.post("/api/orders", raw_order("A1"), key="k1")
    other = desk.key().post("/api/orders", raw_order("A1"), key="k1")
    assert other.json()["orders"][0]["outcome"] == "unchanged"


def test_a_key_is_short_and_printable(program: Program) -> None:
    for key in ("a b", "x" * 201, "\x7f"):
        assert program.post("/api/orders", raw_order("A1"), key=key).status_code == 422


def test_nobody_waits_for_ever(desk: Desk, program: Program) -> None:
    """The database's lock time-out ends the waiting: later, under the same key."""
    asked = Repeatable(program.get("/api/me").json()["actor"], "k1", "")
    with desk.work.begin() as tx:
        idempotency.once(tx, asked, lambda tx: Kept(200, b""))
        answer = program.post("/api/orders", raw_order("A1"), key="k1")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert program.get("/api/orders/tea:A1").status_code == 404


def test_what_failed_changed_nothing_and_may_be_tried_again(desk: Desk, program: Program) -> None:
    asked = {"orders": ["tea:A1"], "reason": "x"}
    assert program.post("/api/orders/hold", asked, key="k1").status_code == 404
    program.post("/api/orders", raw_order("A1"))
    assert program.post("/api/orders/hold", asked, key="k1").status_code == 200


def test_a_second_request_waits_for_the_first(desk: Desk, program: Program) -> None:
    """Ten at once, held up in the middle of the first: one effect, ten equal answers."""
    program.post("/api/orders", [raw_order("A1")])
    with desk.work.begin() as tx, ThreadPoolExecutor(10) as pool:
        tx.conn.execute("SELECT FROM orders FOR UPDATE")
        asked = [pool.submit(program.post, "/api/ship", {"orders": ["tea:A1"]}, key="k1") for _ in range(10)]
        waiting = threading.Event()
        waiting.wait(0.5)
        assert not any(each.done() for each in asked)
        tx.conn.commit()
        answers = [each.result() for each in asked]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    with desk.work.begin() as tx:
        assert counts(tx, "parcel", "idempotent_reply") == {"parcel": 1, "idempotent_reply": 1}


def test_replies_are_forgotten_after_a_day(desk: Desk, program: Program) -> None:
    program.post("/api/orders", raw_order("A1"), key="old")
    program.post("/api/orders", raw_order("A2"), key="new")
    with desk.work.begin() as tx:
        tx.conn.execute(
            """UPDATE idempotent_reply SET created_at = clock_timestamp() - interval '25 hours' WHERE key = 'old'"""
        )
    unswept = program.post("/api/orders", raw_order("A1"), key="old")
    assert unswept.json()["orders"][0]["outcome"] == "unchanged"
    with desk.work.begin() as tx:
        tx.conn.execute("UPDATE idempotent_reply SET created_at = created_at - interval '25 hours' WHERE key = 'old'")
        assert idempotency.sweep().do(tx) == 1
        assert tx.conn.execute("SELECT key FROM idempotent_reply").fetchall() == [("new",)]
