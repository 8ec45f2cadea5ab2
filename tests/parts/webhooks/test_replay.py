"""What was missed or is wanted again: by delivery, by time; and what is forgotten."""

from datetime import datetime, timedelta

import pytest

from tests.parts.webhooks.conftest import Post
from tests.parts.webhooks.receiver import Answer, Receiver
from waystream.core.errors import Conflict, Invalid, Missing
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Shops
from waystream.kernel.tx import Work
from waystream.parts.webhooks import actions
from waystream.parts.webhooks.store_deliveries import Again


def replay(post: Post, endpoint_id: int, since: datetime, until: datetime, **given: object) -> Again:
    with post.world.work.begin() as tx:
        return actions.replay(tx, endpoint_id, since=since, until=until, actor="staff:1", **given)  # type: ignore[arg-type]


def subjects(receiver: Receiver) -> list[str]:
    import json

    return [json.loads(heard.body)["subject"] for heard in receiver.heard]


def test_what_happened_before_the_endpoint_is_sent_when_asked_for(
    post: Post, receiver: Receiver, clock: FixedClock
) -> None:
    first = clock.now()
    post.release(1)
    clock.advance(timedelta(hours=1))
    post.release(2)
    clock.advance(timedelta(hours=1))
    new = post.add(receiver.url)
    post.release(3)
    assert post.send() == 1
    again = replay(post, new.endpoint.id, first, first + timedelta(hours=1))
    assert (again.queued, again.more) == (1, False)
    assert post.send() == 1
    assert subjects(receiver) == ["order:3", "order:1"]
    assert replay(post, new.endpoint.id, first, first + timedelta(days=1)).queued == 1
    assert post.send() == 1
    assert subjects(receiver)[2:] == ["order:2"]
    assert replay(post, new.endpoint.id, first, first + timedelta(days=1)).queued == 0


def test_all_of_it_again_keeps_the_ids(post: Post, receiver: Receiver, clock: FixedClock) -> None:
    new = post.add(receiver.url)
    post.release(1, 2)
    post.send()
    hour = timedelta(hours=1)
    assert replay(post, new.endpoint.id, clock.now() - hour, clock.now() + hour, delivered_too=True).queued == 2
    assert post.send() == 2
    ids = [heard.message_id for heard in receiver.heard]
    assert sorted(ids[:2]) == sorted(ids[2:]) and len(post.rows()) == 2


def test_a_span_is_queued_in_steps(post: Post, receiver: Receiver, clock: FixedClock) -> None:
    post.release(*range(5))
    clock.advance(timedelta(minutes=1))
    new = post.add(receiver.url)
    since, until, after, steps = clock.now() - timedelta(hours=1), clock.now(), 0, []
    while True:
        again = replay(post, new.endpoint.id, since, until, after=after, limit=2)
        steps.append(again.queued)
        after = again.last
        if not again.more:
            break
    assert steps == [2, 2, 1]
    assert post.send() == 5


def test_only_its_own_shop_and_what_it_wants(post: Post, receiver: Receiver, clock: FixedClock) -> None:
    post.release(1)
    clock.advance(timedelta(minutes=1))
    toys = post.add(receiver.url, shop_id=post.world.toys)
    lost = post.add(receiver.url, "parcel.lost")
    since, until = clock.now() - timedelta(hours=1), clock.now() + timedelta(hours=1)
    for new in (toys, lost):
        assert replay(post, new.endpoint.id, since, until).queued == 0
    with pytest.raises(Invalid):
        replay(post, toys.endpoint.id, until, since)


def test_one_delivery_again(post: Post, receiver: Receiver) -> None:
    new = post.add(receiver.url)
    receiver.answers = [Answer(410)]
    post.release(1)
    post.send()
    [(delivery_id,)] = post.rows("id")
    with post.world.work.begin() as tx:
        actions.switch_endpoint(tx, new.endpoint.id, on=True, actor="staff:1")
        again = actions.send_again(tx, new.endpoint.id, int(str(delivery_id)), actor="staff:1")
        assert (again.state, again.attempts) == ("waiting", 1)
    assert post.courier().drain() == 1
    assert post.rows("state, attempts, attempts_before") == [("delivered", 2, 1)]
    with post.world.work.begin() as tx, pytest.raises(Missing):
        actions.send_again(tx, new.endpoint.id, int(str(delivery_id)) + 1, actor="staff:1")
    with post.world.work.begin() as tx:
        tx.conn.execute("UPDATE webhook_delivery SET state = 'sending'")
    with post.world.work.begin() as tx, pytest.raises(Conflict):
        actions.send_again(tx, new.endpoint.id, int(str(delivery_id)), actor="staff:1")


def test_the_log_is_read_by_key_and_by_state(post: Post, receiver: Receiver, clock: FixedClock) -> None:
    new = post.add(receiver.url)
    for order_id in range(5):
        clock.advance(timedelta(seconds=1))
        post.release(order_id)
    receiver.answers = [Answer(500)]
    post.send()
    seen, before = [], None
    with post.world.work.begin() as tx:
        while page := actions.list_deliveries(tx, new.endpoint.id, before=before, limit=2):
            seen += [row.id for row in page]
            before = (page[-1].at, page[-1].id)
        assert seen == sorted(seen, reverse=True) and len(seen) == 5
        [failed] = actions.list_deliveries(tx, new.endpoint.id, state="waiting")
        assert failed.status == 500 and failed.due_in_s > 3


def test_the_log_is_forgotten_after_its_time_but_never_what_waits(
    post: Post, receiver: Receiver, clock: FixedClock
) -> None:
    new = post.add(receiver.url)
    receiver.answers = [Answer(500)]
    post.release(1, 2)
    post.send()
    clock.advance(timedelta(days=31))
    with post.world.work.begin() as tx:
        assert actions.tidy_up(tx) == 1
    assert post.rows("state") == [("waiting",)]
    with post.world.work.begin() as tx:
        actions.switch_endpoint(tx, new.endpoint.id, on=False, actor="staff:1")
    clock.advance(timedelta(days=31))
    with post.world.work.begin() as tx:
        assert actions.tidy_up(tx) == 1
    assert post.rows() == []


def test_removing_an_endpoint_takes_its_log_along(post: Post, receiver: Receiver) -> None:
    new = post.add(receiver.url)
    post.release(1)
    post.send()
    with post.world.work.begin() as tx:
        actions.remove_endpoint(tx, new.endpoint.id, actor="staff:1")
        assert actions.list_endpoints(tx) == []
        with pytest.raises(Missing):
            actions.get_endpoint(tx, new.endpoint.id)
    assert post.endpoint("secret_sealed, disabled_why") == (b"", "person")
    post.release(2)
    assert post.send() == 0
    with post.world.work.begin() as tx:
        assert actions.tidy_up(tx) == 2  # the delivery, the endpoint
        assert tx.conn.execute("SELECT count(*) FROM webhook_endpoint").fetchone() == (0,)
    assert post.rows() == []


def test_another_shops_page_sees_neither_endpoint_nor_delivery(
    post: Post, receiver: Receiver, page_database: object
) -> None:
    new = post.add(receiver.url)
    post.release(1)
    post.send()
    page = Work(page_database, post.world.work.clock, post.world.work.keys)  # type: ignore[arg-type]
    with page.begin(shops=Shops.of([post.world.toys])) as tx:
        assert actions.list_endpoints(tx) == []
        with pytest.raises(Missing):
            actions.list_deliveries(tx, new.endpoint.id)
        assert tx.conn.execute("SELECT count(*) FROM webhook_delivery").fetchone() == (0,)
    with page.begin(shops=Shops.of([post.world.tea])) as tx:
        assert [each.id for each in actions.list_endpoints(tx)] == [new.endpoint.id]
        assert len(actions.list_deliveries(tx, new.endpoint.id)) == 1
