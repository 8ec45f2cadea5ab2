"""Pushes over HTTP: what carriers send, byte for byte, and what they are answered, after what was committed."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from typing import Any

import httpx
import psycopg
import pytest
from starlette.responses import PlainTextResponse

from tests.engine import Engine
from tests.parts.tracking.given import CARRIER, Shop, at, bind_parcels, open_shop
from waystream.core import account as sealing
from waystream.core.ports import Reply
from waystream.integrations.kdniao import adapter
from waystream.integrations.kdniao.fakepush import Merchant, News, TraceNews, push_data, read_push_answer, seal_push
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.figures import Figures
from waystream.kernel.observers import Observers
from waystream.kernel.tx import Work
from waystream.kernel.vault import Keys
from waystream.parts.tracking.door import Door
from waystream.web.doorway import Doorway
from waystream.web.push import PushDesk

MERCHANT = Merchant("1237100", "the shared key")
ADDRESS = "/push/kdniao/main"
LIMIT_BYTES = 100_000

Ask = Callable[[httpx.AsyncClient], Awaitable[Any]]


@pytest.fixture
def work(database: Database, clock: FixedClock, keys: Keys) -> Work:
    return Work(database, clock, keys)


@pytest.fixture
def shop(work: Work) -> Shop:
    """One bound parcel, YT1; pushes are signed with the account's key."""
    shop = work.run(lambda tx: open_shop(tx.conn))
    sealed = work.keys.vault.seal_secret(MERCHANT.key, aad=sealing.aggregator_aad("main"))
    work.run(lambda tx: tx.conn.execute("UPDATE aggregator SET key_sealed = %s", [sealed]))
    work.run(lambda tx: bind_parcels(tx.conn, shop, ["YT1"]))
    return shop


@pytest.fixture
def desk(work: Work, shop: Shop) -> Iterator[PushDesk]:
    desk = PushDesk(work=work, networks={"kdniao": adapter.network}, door=Door(work), body_limit_bytes=LIMIT_BYTES)
    desk.start()
    yield desk
    desk.stop()


def ask(desk: PushDesk, do: Ask) -> Any:
    app = Doorway(PlainTextResponse("the web", 404), desk)

    async def run() -> Any:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await do(client)

    return asyncio.run(run())


def post(desk: PushDesk, body: bytes, address: str = ADDRESS) -> httpx.Response:
    return ask(desk, lambda client: client.post(address, content=body))


def rows(work: Work, query: str) -> list[Any]:
    with work.begin() as tx:
        found = tx.conn.execute(query).fetchall()
    return [row[0] if len(row) == 1 else row for row in found]


def signed(
    number: str,
    *hours: float,
    code: str = "204",
    forged: bool = False,
    push_type: str = "102",
    pushed: datetime | None = None,
) -> bytes:
    news = News(CARRIER, number, "", code, tuple(TraceNews(at(hour), code, f"hub {hour}") for hour in hours))
    data = push_data(MERCHANT.id, push_type, [news], at=pushed or at(max(hours) + 1))
    return seal_push(MERCHANT, push_type, data, forged=forged)


def test_a_push_is_answered_in_the_networks_words_after_the_commit(desk: PushDesk, work: Work) -> None:
    answer = post(desk, signed("YT1", 8, 9))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json;charset=utf-8")
    assert answer.json() == {
        "EBusinessID": "1237100",
        "UpdateTime": "2026-11-12 14:32:00",
        "Success": True,
        "Reason": "",
    }
    assert read_push_answer(Reply(200, body=answer.content))
    assert rows(work, "SELECT state FROM track") == ["in_transit"]


def test_the_same_push_again_is_answered_yes(desk: PushDesk, work: Work) -> None:
    assert [post(desk, signed("YT1", 8)).json()["Success"] for _ in range(2)] == [True, True]
    assert rows(work, "SELECT count(*) FROM inbox") == [1]


def test_101_tells_by_words_and_state(desk: PushDesk, work: Work) -> None:
    news = News(CARRIER, "YT1", "", "3", (TraceNews(at(8), "", "快件已揽收"), TraceNews(at(9), "", "快件已到达武汉")))
    post(desk, seal_push(MERCHANT, "101", push_data(MERCHANT.id, "101", [news], at=at(10))))
    assert rows(work, "SELECT state, because FROM track") == [("delivered", "claim:kdniao")]


def test_a_bad_signature_is_401_a_count_and_nothing_else(desk: PushDesk, work: Work) -> None:
    answer = post(desk, signed("YT1", 8, forged=True))
    assert (answer.status_code, answer.json()["Success"]) == (401, False)
    assert post(desk, b"not a form at all \xff").status_code == 401
    assert post(desk, b"").status_code == 401
    desk.refresh()
    assert rows(work, "SELECT bad_signatures, first_push_at FROM aggregator") == [(3, None)]
    for table in ("inbox", "quarantine", "scan", "track", "stranger", "event"):
        assert rows(work, f"SELECT count(*) FROM {table}") == [0]


def test_the_first_push_lights_the_light(desk: PushDesk, work: Work, clock: FixedClock) -> None:
    post(desk, signed("YT1", 8))
    desk.refresh()
    assert rows(work, "SELECT first_push_at, bad_signatures FROM aggregator") == [(clock.now(), 0)]


@pytest.mark.parametrize("address", ["/push/kdniao/other", "/push/kuaidi100/main"])
def test_an_unknown_account_is_404(desk: PushDesk, address: str) -> None:
    assert post(desk, signed("YT1", 8), address).status_code == 404


def test_a_new_account_is_known_soon(desk: PushDesk, work: Work) -> None:
    sealed = work.keys.vault.seal_secret(MERCHANT.key, aad=sealing.aggregator_aad("second"))
    work.run(
        lambda tx: tx.conn.execute(
            """INSERT INTO aggregator (code, integration, merchant_id, key_sealed, base_url, created_at)
           VALUES ('second', 'kdniao', '1237100', %s, 'http://localhost', %s)""",
            [sealed, tx.now],
        )
    )
    desk.refresh()
    assert post(desk, signed("YT1", 8), "/push/kdniao/second").status_code == 200


def test_a_body_over_the_limit_is_413_announced_or_not(desk: PushDesk, work: Work) -> None:
    body = signed("YT1", 8) + b"&More=" + b"x" * LIMIT_BYTES

    async def in_pieces() -> Any:
        for start in range(0, len(body), 1000):
            yield body[start : start + 1000]

    assert post(desk, body).status_code == 413
    assert ask(desk, lambda client: client.post(ADDRESS, content=in_pieces())).status_code == 413
    assert rows(work, "SELECT count(*) FROM inbox") == [0]


def test_signed_but_unreadable_is_kept_and_accepted(desk: PushDesk, work: Work) -> None:
    for data in ('{"PushTime":"yesterday"}', "[", '{"PushTime":"2026-11-11 09:00:00","Data":[{}'):
        answer = post(desk, seal_push(MERCHANT, "102", data))
        assert (answer.status_code, answer.json()["Success"]) == (200, True)
    assert rows(work, "SELECT count(*), count(healed_at) FROM quarantine") == [(3, 0)]
    assert rows(work, "SELECT count(*) FROM inbox") == [0]


def test_a_waybill_that_is_not_ours_is_accepted(desk: PushDesk, work: Work) -> None:
    assert post(desk, signed("SF9", 8)).json()["Success"] is True
    assert rows(work, "SELECT number FROM stranger") == ["SF9"]


def test_forty_pushes_at_once_keep_all_forty_scans(desk: PushDesk, work: Work) -> None:
    bodies = [signed("YT1", *[8 + m / 10 for m in range(n + 1)]) for n in range(40)]

    async def all_at_once(client: httpx.AsyncClient) -> list[httpx.Response]:
        return await asyncio.gather(*[client.post(ADDRESS, content=body) for body in bodies])

    assert [answer.status_code for answer in ask(desk, all_at_once)] == [200] * 40
    assert rows(work, "SELECT count(*) FROM scan") == [40]
    assert rows(work, "SELECT count(*) FROM scan WHERE withdrawn_at IS NULL") == [40]


def test_a_lost_database_is_answered_with_failure_and_the_retry_is_taken(
    engine: Engine, desk: PushDesk, work: Work
) -> None:
    body = signed("YT1", 8)
    with psycopg.connect(engine.admin_url, autocommit=True) as other:
        other.execute("BEGIN; LOCK TABLE scan")
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid <> %s"

        async def lose(client: httpx.AsyncClient) -> httpx.Response:
            answer = asyncio.ensure_future(client.post(ADDRESS, content=body))
            while not answer.done():
                other.execute(cut, [other.info.backend_pid])
                await asyncio.sleep(0)
            return await answer

        answer = ask(desk, lose)
        other.execute("COMMIT")
    assert (answer.status_code, answer.json()["Success"], answer.json()["Reason"]) == (503, False, "again later")
    assert not read_push_answer(Reply(answer.status_code, body=answer.content))
    assert rows(work, "SELECT count(*) FROM inbox") == [0]
    assert post(desk, body).json()["Success"] is True
    assert rows(work, "SELECT count(*) FROM scan") == [1]


def test_a_full_door_is_answered_with_failure(work: Work, shop: Shop) -> None:
    desk = PushDesk(work=work, networks={"kdniao": adapter.network}, door=Door(work, waiting_max_pushes=0))
    desk.start()
    answer = post(desk, signed("YT1", 8))
    desk.stop()
    assert (answer.status_code, json.loads(answer.content)["Success"]) == (503, False)
    assert rows(work, "SELECT count(*) FROM inbox") == [0]


def test_an_outage_is_one_line_of_the_log_not_one_for_each_push(
    work: Work, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    full = Door(work, waiting_max_pushes=0)
    desk = PushDesk(work=work, networks={"kdniao": adapter.network}, door=full)
    desk.refresh()
    for hour in range(5):
        assert post(desk, signed("YT1", 1, 2 + hour)).status_code == 503
    desk.start()
    desk.stop()
    said = [record.getMessage() for record in caplog.records if record.name == "waystream.push"]
    assert said == [
        "5 pushes were answered with failure: Unavailable: Too many pushes are waiting: send it again later"
    ]


def test_every_push_is_observed_and_its_carrier_heard(work: Work, shop: Shop) -> None:
    figures = Figures()
    observers = Observers(figures)
    door = Door(work, observe=observers.saw_commit)
    networks = {"kdniao": adapter.network}
    desk = PushDesk(work=work, networks=networks, door=door, observe=observers.saw_push)
    desk.start()
    post(desk, signed("YT1", 8))
    post(desk, signed("YT1", 8, forged=True))
    desk.stop()
    assert post(desk, signed("YT1", 9)).json()["Success"] is False, "the door is closed: again later"
    desk.refresh()

    text = figures.render().decode()
    for outcome in ("taken", "unsigned", "again"):
        assert f'waystream_pushes_total{{integration="kdniao",outcome="{outcome}"}} 1.0' in text
    assert "waystream_push_commit_seconds_count 1.0" in text
    assert 'waystream_push_group_size_bucket{le="1.0"} 1.0' in text
    assert rows(work, "SELECT carrier, pushes, longest_gap_s FROM carrier_heard") == [(CARRIER, 2, 0.0)]
