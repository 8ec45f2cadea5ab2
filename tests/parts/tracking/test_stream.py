"""Pushes by way of a real stream: sealed on it, applied once, poison laid aside, nothing taken from strangers."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.pushes.nats_servers import Servers
from tests.engine import Engine
from tests.kernel.machine import eventually, frail, kill_frail
from tests.parts.tracking.conftest import Rows
from tests.parts.tracking.given import Bound, Shop, at, bind_parcels
from waystream.core.errors import Unavailable
from waystream.core.ports import Network
from waystream.core.state import Meaning
from waystream.integrations.kdniao.adapter import Kdniao
from waystream.integrations.kdniao.adapter import network as kdniao
from waystream.integrations.kdniao.fakepush import Merchant, News, TraceNews, push_data, seal_push
from waystream.kernel.clock import FixedClock
from waystream.kernel.ids import mint_ids
from waystream.kernel.jetstream import JetStream, Message
from waystream.kernel.jetstream_pull import Taken
from waystream.kernel.tx import Work
from waystream.parts.tracking import stream
from waystream.parts.tracking.door import Door
from waystream.parts.tracking.model import Received
from waystream.parts.tracking.stream import StreamApplier, StreamDoor, push_stream

PUSHES = replace(push_stream(max_gb=1), max_bytes=10_000_000)  # the server reserves it
MERCHANT = Merchant("1237100", "key")
WAIT_S = 20


def a_push(work: Work, shop: Shop, number: str, hour: float, text: str = "已揽收") -> Received:
    news = News("YTO", number, "", "1", (TraceNews(at(hour), "1", text),))
    body = seal_push(MERCHANT, "102", push_data(MERCHANT.id, "102", [news], at=at(hour + 1)))
    now = work.clock.now()
    (inbox_id,) = mint_ids(1, at_ms=int(now.timestamp() * 1000))
    digest = hashlib.blake2b(body, digest_size=32).digest()
    return Received(inbox_id, shop.aggregator_id, kdniao, body, kdniao.read_push(body), digest, now)


@pytest.fixture
def door(work: Work, jetstream: JetStream) -> Iterator[StreamDoor]:
    door = StreamDoor(work, jetstream, PUSHES, body_limit_bytes=1_000_000)
    door.start()
    yield door
    door.stop()


def an_applier(work: Work, jetstream: JetStream, *, network: Network = kdniao) -> StreamApplier:
    return StreamApplier(work, jetstream, PUSHES, networks={"kdniao": network}, door=Door(work), room=50)


@pytest.fixture
def applier(work: Work, jetstream: JetStream) -> Iterator[StreamApplier]:
    applier = an_applier(work, jetstream)
    applier.start()
    yield applier
    applier.stop()


def waiting(jetstream: JetStream) -> int:
    info = jetstream.find_stream(stream.STREAM)
    assert info is not None
    return int(info.state.messages)


def test_what_was_acknowledged_is_applied_and_leaves_the_stream(
    work: Work, shop: Shop, door: StreamDoor, applier: StreamApplier, jetstream: JetStream, rows: Rows
) -> None:
    work.run(lambda tx: bind_parcels(tx.conn, shop, [f"YT{n}" for n in range(40)]))
    pushes = [a_push(work, shop, f"YT{n}", 8) for n in range(40)]
    assert [door.submit(push).result(WAIT_S) for push in pushes] == [None] * 40
    eventually(lambda: waiting(jetstream) == 0)
    assert rows("SELECT count(*) FROM track WHERE state = 'collected'") == [40]
    assert {*rows("SELECT digest FROM inbox")} == {push.digest for push in pushes}
    assert rows("SELECT DISTINCT received_at FROM inbox") == [work.clock.now()]


def test_the_same_push_is_applied_once_however_often_it_comes(
    work: Work, shop: Shop, parcel: Bound, door: StreamDoor, jetstream: JetStream, rows: Rows
) -> None:
    push = a_push(work, shop, "YT1", 8)
    for _ in range(3):
        door.submit(push).result(WAIT_S)
    assert waiting(jetstream) == 1
    message = door._seal(push)
    settled: list[float | None] = []
    again = Taken(message.body, {**message.headers, stream.DIGEST: message.id}, settled.append)
    appliers = [an_applier(work, jetstream) for _ in range(2)]
    for applier in appliers:
        applier.start()
        applier.take([again, again])  # as when an ack was lost
    eventually(lambda: waiting(jetstream) == 0 and len(settled) == 4)
    for applier in appliers:
        applier.stop()
    assert settled == [None] * 4
    assert rows("SELECT count(*) FROM inbox") == rows("SELECT count(*) FROM scan") == [1]
    assert rows("SELECT count(*) FROM event") == [1]


class Broken(Kdniao):
    """A network with a fault of ours in its table."""

    def meaning(self, code: str, text: str) -> Meaning:
        if text == "poison":
            raise ZeroDivisionError
        return super().meaning(code, text)


def test_a_poison_push_is_laid_aside_and_leaves_the_stream(
    work: Work, shop: Shop, parcel: Bound, door: StreamDoor, jetstream: JetStream, rows: Rows
) -> None:
    unreadable = replace(a_push(work, shop, "YT1", 8), body=b"RequestData=%7B&RequestType=102")
    poison = a_push(work, shop, "YT1", 9, "poison")
    good = [a_push(work, shop, "YT1", 10 + n) for n in range(5)]
    for push in [unreadable, good[0], poison, *good[1:]]:
        door.submit(push).result(WAIT_S)
    applier = an_applier(work, jetstream, network=Broken())
    applier.start()
    eventually(lambda: waiting(jetstream) == 0)
    applier.stop()
    assert {*rows("SELECT digest FROM quarantine")} == {unreadable.digest, poison.digest}
    assert {*rows("SELECT digest FROM inbox")} == {push.digest for push in good}


def test_nobody_reads_the_stream_or_adds_to_it(
    work: Work, shop: Shop, parcel: Bound, door: StreamDoor, jetstream: JetStream, nats: Servers, rows: Rows
) -> None:
    push = a_push(work, shop, "YT1", 8, "【成都市】快递员李雷 13987654321 已揽收")
    door.submit(push).result(WAIT_S)
    stored = b"".join(file.read_bytes() for file in _files(nats.nodes[0].folder))
    assert push.digest.hex().encode() in stored
    assert not any(word in stored for word in (b"13987654321", "李雷".encode(), b"RequestData", b"YT1"))
    sealed = door._seal(push)
    forged = [
        replace(sealed, id="ab" * 32),
        replace(sealed, id="cd" * 32, headers={**sealed.headers, stream.ACCOUNT: "999"}),
        Message("pushes", "7", "ef" * 32, b"\x01made up", {stream.KEY: "x"}),
        Message("pushes", "7", "00" * 32, b"", {}),
    ]
    for message in forged:
        jetstream.publish(message, within_s=5).result(WAIT_S)
    applier = an_applier(work, jetstream)
    applier.start()
    eventually(lambda: waiting(jetstream) == 0)
    applier.stop()
    assert rows("SELECT digest FROM inbox") == [push.digest]
    assert rows("SELECT count(*) FROM quarantine") == [0]


def _files(folder: Path) -> list[Path]:
    return [path for path in (folder / "store").rglob("*") if path.is_file()]


def test_pushes_are_taken_while_the_database_is_away(
    engine: Engine, work: Work, shop: Shop, parcel: Bound, clock: FixedClock, jetstream: JetStream, rows: Rows
) -> None:
    with frail(engine) as database:
        door = StreamDoor(Work(database, clock, work.keys), jetstream, PUSHES, body_limit_bytes=1_000_000)
        door.start()
        kill_frail(engine)
        database.close()
        assert door.submit(a_push(work, shop, "YT1", 8)).result(WAIT_S) is None
        door.stop()
    assert (waiting(jetstream), rows("SELECT count(*) FROM inbox")) == (1, [0])
    applier = an_applier(work, jetstream)
    applier.start()
    eventually(lambda: waiting(jetstream) == 0)
    applier.stop()
    assert rows("SELECT count(*) FROM inbox") == [1]


def test_an_applier_without_a_database_leaves_everything_on_the_stream(
    engine: Engine, work: Work, shop: Shop, parcel: Bound, clock: FixedClock, door: StreamDoor, jetstream: JetStream,
    rows: Rows,
) -> None:  # fmt: skip
    with frail(engine) as database:
        helpless = an_applier(Work(database, clock, work.keys), jetstream)
        helpless.start()
        database.close()
        door.submit(a_push(work, shop, "YT1", 8)).result(WAIT_S)
        helpless.stop()
    assert waiting(jetstream) == 1
    able = an_applier(work, jetstream)
    able.start()
    eventually(lambda: waiting(jetstream) == 0, within_s=30)
    able.stop()
    assert rows("SELECT count(*) FROM scan") == [1]


def test_a_full_door_and_a_full_stream_say_again_later(work: Work, shop: Shop, jetstream: JetStream) -> None:
    tight = replace(PUSHES, max_bytes=3_000)
    door = StreamDoor(work, jetstream, tight, body_limit_bytes=1_000_000, waiting_max_pushes=50)
    door.start()
    refused = 0
    for n in range(60):
        published = door.submit(a_push(work, shop, "YT1", 8 + n / 10))
        if isinstance(published.exception(WAIT_S), Unavailable):
            refused += 1
            break
    assert refused == 1
    door.stop()
    with pytest.raises(Unavailable):
        door.submit(a_push(work, shop, "YT1", 20))
