"""Events out on a real stream: CloudEvents as the specification has them, every public event once, in order."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from nats.js import api

from benchmarks.pushes.nats_servers import Servers
from tests.kernel.machine import AT, eventually, held, released, tell
from waystream.core.cloud_event import cloud_schema_of
from waystream.core.events.orders import OrderHeld
from waystream.core.public_event import public_types
from waystream.kernel import log, rule_cursor
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.event_feed import EventFeed, event_stream, forget_feed
from waystream.kernel.jetstream import JetStream
from waystream.kernel.tx import Work
from waystream.kernel.vault import Keys

EVENTS = replace(event_stream(keep_days=7, max_gb=1), max_bytes=10_000_000)  # the server reserves it


@pytest.fixture
def feed(database: Database, clock: FixedClock, keys: Keys, jetstream: JetStream) -> Iterator[EventFeed]:
    feed = EventFeed(Work(database, clock, keys), jetstream, EVENTS, batch=10)
    feed.start()
    yield feed
    feed.stop()


def stored(jetstream: JetStream) -> list[api.RawStreamMsg]:
    """Every message of the stream, in its order."""
    info = jetstream.find_stream("events")
    assert info is not None
    numbers = range(max(1, info.state.first_seq), info.state.last_seq + 1)
    name = jetstream.name_of("events")
    return [jetstream.run(jetstream.context.get_msg(name, seq=n), within_s=5) for n in numbers]


def bodies(jetstream: JetStream) -> list[dict[str, Any]]:
    return [json.loads(message.data or b"") for message in stored(jetstream)]


def test_an_event_is_a_cloud_event(database: Database, feed: EventFeed, jetstream: JetStream) -> None:
    tell(database, held(5, reason="buyer 13800000000 called"))
    eventually(lambda: stored(jetstream))
    (message,) = stored(jetstream)
    prefix = jetstream.place.prefix
    body = json.loads(message.data or b"")
    jsonschema.validate(body, cloud_schema_of(OrderHeld), cls=jsonschema.Draft202012Validator)
    assert message.subject == f"{prefix}.events.order.held"
    assert message.headers == {"Content-Type": "application/cloudevents+json", "Nats-Msg-Id": body["id"]}
    assert body.pop("id").startswith("evt_")
    assert body.pop("time") == AT.isoformat().replace("+00:00", "Z")
    assert body == {
        "specversion": "1.0",
        "source": f"/{prefix}",
        "type": "order.held",
        "subject": "order:5",
        "datacontenttype": "application/json",
        "shopid": "7",
        "eventversion": 1,
        "data": {"order_id": "5"},
    }


def test_each_event_once_in_the_order_of_its_subject(database: Database, feed: EventFeed, jetstream: JetStream) -> None:
    for round_ in range(12):
        tell(database, *[(held if round_ % 2 else released)(order) for order in range(5)])
    eventually(lambda: len(stored(jetstream)) == 60)
    told = bodies(jetstream)
    assert len({event["id"] for event in told}) == 60
    for order in range(5):
        own = [event["type"] for event in told if event["subject"] == f"order:{order}"]
        assert own == ["order.released", "order.held"] * 6


def test_what_was_published_and_not_noted_is_not_stored_twice(
    database: Database, feed: EventFeed, jetstream: JetStream
) -> None:
    tell(database, *[held(order) for order in range(25)])
    eventually(lambda: len(stored(jetstream)) == 25)
    with database.tx() as conn:
        conn.execute("UPDATE rule_cursor SET position = 0 WHERE rule = 'cloud_events'")
    assert feed.drain() == 25
    assert len(stored(jetstream)) == 25


def test_two_feeds_publish_every_event_once(
    database: Database, clock: FixedClock, keys: Keys, feed: EventFeed, jetstream: JetStream
) -> None:
    other = EventFeed(Work(database, clock, keys), jetstream, EVENTS, batch=10)
    other.start()
    for order in range(50):
        tell(database, held(order))
    eventually(lambda: len(stored(jetstream)) >= 50)
    other.stop()
    assert sorted(int(event["data"]["order_id"]) for event in bodies(jetstream)) == list(range(50))


def test_a_feed_that_is_switched_off_is_not_behind(
    database: Database, feed: EventFeed, clock: FixedClock, keys: Keys
) -> None:
    work = Work(database, clock, keys)
    assert [standing.rule for standing in work.run(lambda tx: rule_cursor.list_standings(tx.conn))] == ["cloud_events"]
    work.run(forget_feed)
    assert work.run(lambda tx: rule_cursor.list_standings(tx.conn)) == []


def test_what_stays_inside_is_not_told(database: Database, feed: EventFeed, jetstream: JetStream) -> None:
    inside = [name for name in log.events.registry() if name not in {cls.__name__ for cls in public_types().values()}]
    assert inside, "some events are for us alone"
    tell(database, held(1))
    with database.tx() as conn:
        row = conn.execute(
            "INSERT INTO event (at, shop_id, name, subject, body, cause) "
            "SELECT at, shop_id, %s, subject, body, cause FROM event LIMIT 1 RETURNING id",
            [inside[0]],
        )
        conn.execute("INSERT INTO event_new (event_id) VALUES (%s)", row.fetchone())  # fmt: skip
    tell(database, held(2))
    eventually(lambda: len(stored(jetstream)) == 2)
    assert [event["data"]["order_id"] for event in bodies(jetstream)] == ["1", "2"]


def test_the_feed_waits_for_a_stream_that_is_away(
    database: Database, feed: EventFeed, jetstream: JetStream, nats: Servers
) -> None:
    node = nats.nodes[0]
    node.kill()
    tell(database, held(1))
    node.start()
    nats.wait()
    eventually(lambda: len(stored(jetstream)) == 1, within_s=30)
