"""The streams on real NATS servers: one for what one can show, three where one of them is killed."""

import threading
import time
from pathlib import Path

import pytest

from benchmarks.pushes.nats_servers import Servers, running_servers
from tests.kernel.machine import eventually
from waystream.core.errors import Conflict, Invalid, Unavailable
from waystream.kernel.jetstream import JetStream, Message, Place, Stream, require_room
from waystream.kernel.jetstream_figures import StreamCollector
from waystream.kernel.jetstream_pull import Pull, Taken

QUEUE = Stream("pushes", queue=True, max_bytes=10_000_000)


def place(servers: Servers, *, replicas: int = 1, prefix: str = "test") -> Place:
    return Place(tuple(servers.url.split(",")), None, prefix, replicas)


def message(n: int, body: bytes = b"x") -> Message:
    return Message("pushes", "7", f"id-{n}", body, {"N": str(n)})


@pytest.fixture(autouse=True)
def queue(jetstream: JetStream) -> None:
    jetstream.ensure(QUEUE)


def stored(jetstream: JetStream) -> int:
    info = jetstream.find_stream("pushes")
    assert info is not None
    return int(info.state.messages)


class Taker:
    """Keeps what it is handed; settles it as told."""

    def __init__(self, jetstream: JetStream, *, room: int = 10, settle: bool = True) -> None:
        self.settle = settle
        self.taken: list[Taken] = []
        self.pull = Pull(jetstream, "pushes", consumer="apply", hand=self.take, room=room, room_bytes=1_000_000)

    def take(self, batch: list[Taken]) -> None:
        self.taken += batch
        if self.settle:
            for each in batch:
                each.done()

    @property
    def numbers(self) -> list[int]:
        return [int(each.headers["N"]) for each in self.taken]

    def __enter__(self) -> "Taker":
        self.pull.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.pull.close()
        self.pull.stop()


def test_the_same_id_is_stored_once(jetstream: JetStream) -> None:
    for n in (1, 2, 1, 1):
        jetstream.publish(message(n), within_s=5).result(10)
    assert stored(jetstream) == 2


def test_what_was_settled_leaves_the_queue_and_is_not_stored_again(jetstream: JetStream) -> None:
    for n in range(25):
        jetstream.publish(message(n), within_s=5).result(10)
    with Taker(jetstream) as taker:
        eventually(lambda: stored(jetstream) == 0)
        assert taker.numbers == list(range(25))
    jetstream.publish(message(3), within_s=5).result(10)
    assert stored(jetstream) == 0


def test_never_more_is_taken_than_there_is_room(jetstream: JetStream) -> None:
    for n in range(25):
        jetstream.publish(message(n), within_s=5).result(10)
    with Taker(jetstream, room=4, settle=False) as taker:
        eventually(lambda: len(taker.taken) == 4)
        for each in taker.taken[:3]:
            each.done()
        eventually(lambda: len(taker.taken) == 7)
        assert taker.numbers == list(range(7))
        assert stored(jetstream) == 22


def test_what_could_not_be_done_comes_again(jetstream: JetStream) -> None:
    jetstream.publish(message(1), within_s=5).result(10)
    with Taker(jetstream, settle=False) as taker:
        eventually(lambda: len(taker.taken) == 1)
        taker.taken[0].again(after_s=0.05)
        taker.taken[0].done()  # only the first word counts
        eventually(lambda: len(taker.taken) == 2)
        taker.taken[1].done()
        eventually(lambda: stored(jetstream) == 0)


def test_what_a_dead_one_took_is_handed_to_another(jetstream: JetStream) -> None:
    jetstream.publish(message(1), within_s=5).result(10)
    with Taker(jetstream, settle=False) as dead:
        eventually(lambda: len(dead.taken) == 1)
    with Taker(jetstream) as heir:
        eventually(lambda: heir.numbers == [1], within_s=20)


def test_a_taker_that_fails_meets_the_messages_again(jetstream: JetStream) -> None:
    jetstream.publish(message(1), within_s=5).result(10)
    calls: list[int] = []

    def hand(batch: list[Taken]) -> None:
        calls.append(len(batch))
        if len(calls) == 1:
            raise ZeroDivisionError
        batch[0].done()

    pull = Pull(jetstream, "pushes", consumer="apply", hand=hand, room=5, room_bytes=1_000_000)
    pull.start()
    eventually(lambda: stored(jetstream) == 0)
    pull.close()
    pull.stop()
    assert calls == [1, 1]


def test_a_full_queue_takes_nothing(jetstream: JetStream) -> None:
    for n in range(12):
        publishing = jetstream.publish(message(n, b"x" * 900_000), within_s=1)
        if publishing.exception(10) is not None:
            break
    assert isinstance(publishing.exception(10), Unavailable)
    assert 10 <= stored(jetstream) <= 11


def test_more_replicas_than_servers_is_a_sentence(nats: Servers) -> None:
    with JetStream(place(nats, replicas=3, prefix="three")) as jetstream, pytest.raises(Conflict, match="3 replicas"):
        jetstream.ensure(QUEUE)


def test_a_server_that_takes_less_than_a_push_is_a_sentence(jetstream: JetStream) -> None:
    require_room(jetstream, body_bytes=4 * 1024 * 1024)
    with pytest.raises(Invalid, match="max_payload"):
        require_room(jetstream, body_bytes=16 * 1024 * 1024)


def test_what_waits_is_a_figure(jetstream: JetStream) -> None:
    jetstream.publish(message(1), within_s=5).result(10)
    collector = StreamCollector(jetstream, ("pushes", "events"))
    told = {sample.name: (sample.labels, sample.value) for metric in collector.collect() for sample in metric.samples}
    assert told["waystream_stream_up"] == ({}, 1.0)
    assert told["waystream_stream_messages"] == ({"stream": "pushes"}, 1.0)
    assert told["waystream_stream_bytes"][1] > 0


def test_no_server_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waystream.kernel.jetstream.CONNECT_S", 0.5)
    with pytest.raises(Unavailable, match="JetStream"):
        JetStream(Place(("nats://127.0.0.1:9",), None, "none", 1)).start()


@pytest.mark.timeout(120)
def test_the_leader_is_killed_while_messages_come(tmp_path: Path) -> None:
    with running_servers(tmp_path / "three") as servers, JetStream(place(servers, replicas=3)) as jetstream:
        jetstream.ensure(QUEUE)
        published: list[int] = []
        ended = threading.Event()

        def publish_on() -> None:
            for n in range(100_000):
                if ended.is_set():
                    return
                if jetstream.publish(message(n), within_s=4).exception(60) is None:
                    published.append(n)

        thread = threading.Thread(target=publish_on)
        with Taker(jetstream) as taker:
            thread.start()
            eventually(lambda: len(taker.taken) > 100, within_s=30)
            info = jetstream.find_stream("pushes")
            assert info is not None
            servers.node(info.cluster.leader).kill()
            before, killed_s = len(published), time.monotonic()
            eventually(lambda: len(published) > before + 100, within_s=30)
            assert time.monotonic() - killed_s < 20
            ended.set()
            thread.join()
            eventually(lambda: set(published) <= set(taker.numbers), within_s=30)
