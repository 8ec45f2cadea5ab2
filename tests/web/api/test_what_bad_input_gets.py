"""What bad input gets, sentence by sentence, of the whole web with its door for pushes; each asks for the exact answer.

With processes that lose their real disk or database it is `tests/crash/test_pushes.py`.
"""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from starlette.testclient import TestClient

from tests.parts.fulfilment.bench import Bench
from tests.parts.tracking.given import at
from tests.parts.world import raw_order
from tests.web.api.desk import Desk, Program, open_client
from tests.web.api.test_orders import paths
from waystream.core.errors import Unavailable
from waystream.integrations.kdniao import adapter
from waystream.integrations.kdniao.fakepush import Merchant, News, TraceNews, push_data, seal_push
from waystream.kernel.database import Database
from waystream.parts.tracking import actions as tracking
from waystream.parts.tracking.door import Door
from waystream.web.context import BODY_LIMIT_BYTES
from waystream.web.push import PushDesk

MERCHANT = Merchant("1237100", "secret")
ADDRESS = "/push/kdniao/main"
LIMIT_BYTES = 100_000
WRITTEN = ("inbox", "quarantine", "scan", "track", "stranger", "unread_line", "disputed_scan", "event")


@pytest.fixture
def push_desk(bench: Bench) -> Iterator[PushDesk]:
    door = Door(bench.work)
    push_desk = PushDesk(work=bench.work, networks={"kdniao": adapter.network}, door=door, body_limit_bytes=LIMIT_BYTES)
    push_desk.start()
    yield push_desk
    push_desk.stop()


@pytest.fixture
def desk(bench: Bench, page_database: Database, push_desk: PushDesk) -> Iterator[Desk]:
    with open_client(bench, page_database, pushes=push_desk) as client:
        yield Desk(bench, client)


@pytest.fixture
def program(desk: Desk) -> Program:
    return desk.key()


def push(client: TestClient, number: str, *, forged: bool = False, more: bytes = b"") -> Any:
    news = News("YTO", number, "", "1", (TraceNews(at(8), "1", "已揽收"),))
    body = seal_push(MERCHANT, "102", push_data(MERCHANT.id, "102", [news], at=at(9)), forged=forged)
    return client.post(ADDRESS, content=body + more)


def written(bench: Bench) -> dict[str, int]:
    counts = {table: bench.rows(f"SELECT count(*) FROM {table}")[0][0] for table in WRITTEN}
    return {table: n for table, n in counts.items() if n}


def test_a_wrong_field_is_422_with_its_path(desk: Desk, program: Program) -> None:
    wrong = raw_order("A1")
    wrong["lines"][0]["quantity"] = "two"
    answer = program.post("/api/orders", [raw_order("A2"), wrong])
    assert answer.status_code == 422
    assert paths(answer) == ["orders[1].lines[0].quantity"]
    assert desk.bench.rows("SELECT count(*) FROM orders") == [(0,)]
    assert written(desk.bench) == {}


@pytest.mark.parametrize(
    "path", ["/api/orders/tea:none", "/api/orders/77", "/api/parcels/77", "/api/parcels/77/label.pdf"]
)
def test_an_unknown_order_or_waybill_is_404(program: Program, path: str) -> None:
    assert program.get(path).status_code == 404


def test_shipping_an_unknown_order_is_404_and_ships_no_other(desk: Desk, program: Program) -> None:
    desk.bench.orders("A1")
    answer = program.post("/api/ship", {"orders": ["tea:A1", "tea:none"]})
    assert (answer.status_code, paths(answer)) == (404, ["orders[1]"])
    assert desk.bench.rows("SELECT count(*) FROM parcel") == [(0,)]


def test_shipping_what_is_shipped_is_the_first_answer_again(desk: Desk, program: Program) -> None:
    desk.bench.orders("A1")
    asked = {"orders": ["tea:A1"]}
    first = program.post("/api/ship", asked, key="once").json()
    again = program.post("/api/ship", asked, key="once")
    assert (again.json(), again.headers["idempotent-replayed"]) == (first, "true")
    desk.bench.drain()
    [later] = program.post("/api/ship", asked).json()["orders"]
    assert (later["outcome"], later["parcel_ids"]) == ("already", first["orders"][0]["parcel_ids"])
    assert desk.bench.bindings() == [("YT0001", "live")]
    assert desk.bench.takes() == [("bound", "YT0001")]


def test_a_bad_signature_is_401_and_a_count_and_never_a_write(desk: Desk, push_desk: PushDesk) -> None:
    for n in range(3):
        answer = push(desk.client, f"YT{n}", forged=True)
        assert (answer.status_code, answer.json()["Success"]) == (401, False)
    push_desk.refresh()
    assert desk.bench.rows("SELECT bad_signatures FROM aggregator") == [(3,)]
    assert written(desk.bench) == {}


def test_a_push_for_a_waybill_that_is_not_ours_is_accepted_and_kept(desk: Desk) -> None:
    answer = push(desk.client, "YT9")
    assert (answer.status_code, answer.json()["Success"]) == (200, True)
    assert written(desk.bench) == {"inbox": 1, "stranger": 1}
    assert desk.bench.rows("SELECT carrier, number, state FROM stranger") == [("YTO", "YT9", "waiting")]


def test_a_body_over_the_limit_is_413(desk: Desk, program: Program) -> None:
    assert push(desk.client, "YT1", more=b"&x=" + b"x" * LIMIT_BYTES).status_code == 413
    large = raw_order("A1") | {"remark": "x" * BODY_LIMIT_BYTES}
    assert program.post("/api/orders", large).status_code == 413
    assert desk.bench.rows("SELECT count(*) FROM orders") == [(0,)]
    assert written(desk.bench) == {}


@pytest.mark.parametrize(
    "trouble",
    [psycopg.errors.DiskFull(), psycopg.errors.AdminShutdown(), psycopg.OperationalError(), Unavailable("gone")],
    ids=["a full disk", "a database that stops", "a lost database", "no connection"],
)
def test_what_cannot_be_kept_is_answered_with_failure_and_taken_when_sent_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    def fail(*_: Any) -> None:
        raise trouble

    with monkeypatch.context() as broken:
        broken.setattr(tracking, "apply", fail)
        answer = push(desk.client, "YT9")
    assert (answer.status_code, answer.json()["Success"], answer.json()["Reason"]) == (503, False, "again later")
    assert written(desk.bench) == {}
    assert push(desk.client, "YT9").json()["Success"] is True
    assert written(desk.bench) == {"inbox": 1, "stranger": 1}
