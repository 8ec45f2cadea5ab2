"""The doctor on the streams: silent where what is acknowledged is safe, a sentence for everything that is not."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.pushes.nats_servers import Servers, running_servers
from waystream.kernel.exchange import Exchange
from waystream.kernel.jetstream import JetStream, Place, Stream
from waystream.kernel.jetstream_check import Complaint, complain

QUEUE = Stream("pushes", queue=True, max_bytes=10_000_000)


def ask(servers: Servers, jetstream: JetStream, *, urls: str | None = None, body_bytes: int = 4_000_000) -> list[str]:
    monitor_urls = [url for url in (servers.monitor_urls if urls is None else urls).split(",") if url]
    with Exchange() as exchange:
        found = complain(
            jetstream, exchange, monitor_urls=monitor_urls, streams=("pushes", "events"), body_bytes=body_bytes
        )
    assert all(isinstance(one, Complaint) for one in found)
    return [one.sentence for one in found]


def test_one_server_that_writes_at_once_is_well(nats: Servers, jetstream: JetStream) -> None:
    jetstream.ensure(QUEUE)
    assert ask(nats, jetstream) == []


def test_what_cannot_be_seen_is_not_believed(nats: Servers, jetstream: JetStream) -> None:
    assert [sentence.partition(":")[2] for sentence in ask(nats, jetstream, urls="")] == [
        " set nats_monitor_urls to all of them."
    ]
    assert "does not say" in ask(nats, jetstream, urls="http://127.0.0.1:9")[0]


def test_too_small_a_message_is_named(nats: Servers, jetstream: JetStream) -> None:
    assert "max_payload: 8MB" in ask(nats, jetstream, body_bytes=20_000_000)[0]


def test_a_server_that_writes_later_is_named(tmp_path: Path) -> None:
    with (
        running_servers(tmp_path / "late", count=1, sync='"2m"') as servers,
        JetStream(Place((servers.url,), None, "late", 1)) as jetstream,
    ):
        assert ask(servers, jetstream) == [
            "n1 acknowledges messages before they are on disk: set sync_interval: always."
        ]


@pytest.mark.timeout(60)
def test_a_cluster_whose_streams_lie_on_one_server_is_named(tmp_path: Path) -> None:
    with running_servers(tmp_path / "three") as servers:
        place = Place(tuple(servers.url.split(",")), None, "three", 1)
        with JetStream(place) as jetstream:
            jetstream.ensure(QUEUE)
            assert ask(servers, jetstream) == ["The stream three-pushes lies on 1 servers only: give it 3 replicas."]
        with JetStream(replace(place, prefix="good", replicas=3)) as jetstream:
            jetstream.ensure(QUEUE)
            assert ask(servers, jetstream) == []
