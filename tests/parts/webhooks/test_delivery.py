"""What an endpoint hears over a real connection, and what its answers do."""

import json
import socket
from dataclasses import replace
from datetime import timedelta

import jsonschema
import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from tests.kernel.wire_server import serve
from tests.parts.webhooks.conftest import FAST, Post
from tests.parts.webhooks.receiver import Answer, Receiver, receiving
from tests.parts.world import happened
from waystream.core.events.orders import OrderReleased
from waystream.core.public_event import public_types, schema_of
from waystream.kernel.clock import FixedClock
from waystream.kernel.exchange import Exchange
from waystream.parts.webhooks import actions
from waystream.parts.webhooks.courier import Courier
from waystream.parts.webhooks.model import SAID_MAX_BYTES, SCHEDULE_S


def test_an_event_is_told_signed_and_once(post: Post, receiver: Receiver) -> None:
    new = post.add(receiver.url)
    post.release(7)
    assert post.send() == 1
    assert post.send() == 0
    [heard] = receiver.heard
    body = heard.verify(new.secret)
    assert {name: body[name] for name in ("type", "version", "shop_id", "subject", "data")} == {
        "type": "order.released", "version": 1, "shop_id": str(post.world.tea), "subject": "order:7",
        "data": {"order_id": "7"},
    }  # fmt: skip
    assert heard.headers["content-type"] == "application/json" and heard.path == "/hook"
    assert post.rows("state, attempts, status, said, message_id") == [("delivered", 1, 200, "ok", heard.message_id)]


def test_bodies_fit_their_published_schemas(post: Post, receiver: Receiver) -> None:
    from tests.core.test_public_event import sample

    new = post.add(receiver.url)
    events = [replace(sample(event), shop_id=post.world.tea) for event in public_types().values()]
    post.happen(*events)
    assert post.send() == len(events)
    bodies = {body["type"]: body for body in (heard.verify(new.secret) for heard in receiver.heard)}
    assert set(bodies) == set(public_types())
    for kind, body in bodies.items():
        jsonschema.validate(body, schema_of(public_types()[kind]))


def test_an_endpoint_hears_what_it_wants_of_its_own_shop(post: Post, receiver: Receiver) -> None:
    post.add(receiver.url, "parcel.*", "order.held")
    post.release(1)
    post.happen(OrderReleased(shop_id=post.world.toys, order_id=2))
    assert post.send() == 0 and post.rows() == []


def test_one_row_for_each_event_and_endpoint_however_often_the_rule_reads_it(post: Post, receiver: Receiver) -> None:
    for _ in range(3):
        post.add(receiver.url)
    post.release(1, 2)
    post.fan_out()
    with post.world.work.begin() as tx:
        tx.conn.execute("UPDATE rule_cursor SET position = 0")
    post.fan_out()
    rows = post.rows("endpoint_id, event_id, state")
    assert len(rows) == len(set(rows)) == 6 and {row[2] for row in rows} == {"waiting"}


def test_what_happened_before_an_endpoint_was_made_is_not_told(
    post: Post, receiver: Receiver, clock: FixedClock
) -> None:
    post.release(1)
    clock.advance(timedelta(seconds=1))
    post.add(receiver.url)
    assert post.send() == 0


def test_a_failure_is_tried_again_under_the_same_id(post: Post, receiver: Receiver) -> None:
    new = post.add(receiver.url)
    receiver.answers = [Answer(500, b"no luck\0today"), Answer(204, b"")]
    post.release(7)
    assert post.send() == 1
    assert post.rows("state, attempts, status, said") == [("waiting", 1, 500, "no luck today")]
    [(due_s,)] = post.rows("extract(epoch FROM due_at - clock_timestamp())::float8")
    assert SCHEDULE_S[0] - 1 < due_s < SCHEDULE_S[0] * 1.3
    assert post.endpoint() == ("", 1)
    assert post.send() == 0
    post.make_due()
    assert post.send() == 1
    first, second = receiver.heard
    assert first.message_id == second.message_id and first.body == second.body
    assert second.verify(new.secret)["type"] == "order.released"
    assert post.rows() == [("delivered", 2, 204)] and post.endpoint() == ("", 0)


def test_after_the_last_wait_it_is_given_up(post: Post, receiver: Receiver) -> None:
    post.add(receiver.url)
    receiver.usual = Answer(500)
    post.release(7)
    for _ in range(len(SCHEDULE_S) + 1):
        post.make_due()
        assert post.send() == 1
    post.make_due()
    assert post.send() == 0
    assert post.rows() == [("given_up", len(SCHEDULE_S) + 1, 500)]


def test_gone_switches_the_endpoint_off_and_says_so(post: Post, receiver: Receiver) -> None:
    post.add(receiver.url)
    receiver.usual = Answer(410, b"bye")
    post.release(1)
    assert post.send() == 1
    assert post.endpoint() == ("gone", 1)
    with post.world.work.begin() as tx:
        [(name, _, says)] = [each for each in happened(tx) if each[0] == "WebhookDisabled"]
        assert (name, says["why"]) == ("WebhookDisabled", "gone")
    post.release(2)
    assert post.send() == 0 and len(post.rows()) == 1


def test_days_of_failure_switch_it_off_and_nothing_is_lost(post: Post, receiver: Receiver) -> None:
    new = post.add(receiver.url, "order.*")
    receiver.usual = Answer(503)
    post.release(1)
    post.send()
    with post.world.work.begin() as tx:
        tx.conn.execute("UPDATE webhook_endpoint SET failing_since = clock_timestamp() - interval '6 days'")
    post.make_due()
    assert post.send() == 1
    assert post.endpoint() == ("failing", 2)
    receiver.usual = Answer(200)
    with post.world.work.begin() as tx:
        actions.switch_endpoint(tx, new.endpoint.id, on=True, actor="staff:1")
    post.make_due()
    assert post.send() == 1 and post.endpoint() == ("", 0)
    with post.world.work.begin() as tx:
        assert [each[2]["why"] for each in happened(tx) if each[0] == "WebhookDisabled"] == ["failing"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_to_a_private_address_is_not_followed(post: Post, receiver: Receiver, status: int) -> None:
    with receiving() as inside:
        post.add(receiver.url)
        receiver.usual = Answer(status, b"", {"location": inside.url})
        post.release(1)
        assert post.send() == 1
        assert post.rows() == [("waiting", 1, status)]
        assert inside.heard == []


@pytest.mark.parametrize(
    "url",
    [
        "https://localhost:1/", "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data", "https://[::1]/",
        "https://[::ffff:127.0.0.1]/", "https://0x7f000001/", "https://100.64.0.1/",
    ],
)  # fmt: skip
def test_a_private_address_is_not_called(post: Post, url: str) -> None:
    post.add(url)
    post.release(1)
    assert post.send() == 1
    [(state, status, said)] = post.rows("state, status, said")
    assert (state, status) == ("waiting", None)
    assert "only public addresses" in str(said) or "cannot be reached" in str(said)


def test_a_name_that_turns_private_is_not_called(
    post: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is checked is the address that is connected to, at each attempt."""
    real, port = socket.getaddrinfo, receiver.server.server_port
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **more: real("127.0.0.1", *rest, **more) if host == "erp.example"
        else real(host, *rest, **more),
    )  # fmt: skip
    post.add(f"https://erp.example:{port}/")
    post.release(1)
    post.send()
    [(status, said)] = post.rows("status, said")
    assert status is None and "private network" in str(said) and receiver.heard == []


def test_silence_ends_with_the_time_out(post: Post, receiver: Receiver) -> None:
    post.pace = replace(FAST, timeout_s=0.3)
    post.add(receiver.url)
    receiver.held.clear()
    post.release(1)
    assert post.send() == 1
    [(state, status, said)] = post.rows("state, status, said")
    assert (state, status) == ("waiting", None) and "did not answer" in str(said)
    assert post.endpoint() == ("", 1)


def test_an_answer_without_end_is_cut(post: Post) -> None:
    def pour(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with serve(pour) as server:
        post.add(server.url)
        post.release(1)
        assert post.send() == 1
    assert post.rows("state, status, length(said)") == [("delivered", 200, SAID_MAX_BYTES)]


def test_retry_after_is_honoured_for_the_whole_endpoint(post: Post, receiver: Receiver) -> None:
    post.add(receiver.url)
    receiver.answers = [Answer(429, b"", {"retry-after": "3600"})]
    post.release(1, 2)
    assert post.send() == 2  # both were claimed before the first was answered
    [(rests_s,)] = [post.endpoint("extract(epoch FROM rests_until - clock_timestamp())::float8")]
    assert rests_s is None  # the second was taken: the endpoint is well
    receiver.answers = [Answer(429, b"", {"retry-after": "3600"})]
    post.release(3)
    post.send()
    [(rests_s,)] = [post.endpoint("extract(epoch FROM rests_until - clock_timestamp())::float8")]
    assert 3500 < float(str(rests_s)) <= 3600
    post.release(4)
    assert post.send() == 0
    due = [row[0] for row in post.rows("due_at - clock_timestamp() > interval '50 minutes'")]
    assert due == [True, False, True, False]


def test_both_secrets_sign_for_a_day(post: Post, receiver: Receiver, clock: FixedClock) -> None:
    old = post.add(receiver.url)
    with post.world.work.begin() as tx:
        new = actions.rotate_secret(tx, old.endpoint.id, actor="staff:1")
    assert new.secret != old.secret and new.endpoint.two_secrets_until == clock.now() + timedelta(hours=24)
    post.release(1)
    post.send()
    assert receiver.heard[-1].verify(old.secret) == receiver.heard[-1].verify(new.secret)
    clock.advance(timedelta(hours=25))
    post.release(2)
    post.send()
    assert receiver.heard[-1].verify(new.secret)["subject"] == "order:2"
    with pytest.raises(WebhookVerificationError):
        receiver.heard[-1].verify(old.secret)
    with post.world.work.begin() as tx:
        assert actions.tidy_up(tx) == 1
    assert post.endpoint("old_secret_sealed, old_secret_until") == (None, None)


def test_the_test_button(post: Post, receiver: Receiver) -> None:
    new = post.add(receiver.url, "parcel.lost")
    with post.world.work.begin() as tx:
        actions.test_endpoint(tx, new.endpoint.id, actor="staff:1")
    assert post.courier().drain() == 1
    body = receiver.heard[0].verify(new.secret)
    assert (body["type"], body["data"]) == ("webhook.test", {"endpoint_id": str(new.endpoint.id)})


def test_a_slow_endpoint_holds_nobody_back(post: Post, receiver: Receiver) -> None:
    """Forty things wait for one that does not answer; what the other is told arrives meanwhile."""
    with receiving() as slow:
        slow.held.clear()
        post.add(slow.url, "order.*")
        post.add(receiver.url, "order.*")
        post.release(*range(40))
        post.fan_out()
        courier = post.courier(replace(FAST, timeout_s=20, lease_s=30))
        courier.start()
        try:
            subjects = {json.loads(receiver.arrivals.get(timeout=10).body)["subject"] for _ in range(40)}
            assert subjects == {f"order:{order_id}" for order_id in range(40)}
            assert 1 <= len(slow.heard) <= FAST.each
            slow.held.set()
            for _ in range(40):
                slow.arrivals.get(timeout=10)
        finally:
            slow.held.set()
            courier.stop()
        assert {row[0] for row in post.rows("state")} == {"delivered"}


def test_a_courier_that_died_is_followed_by_another(post: Post, receiver: Receiver) -> None:
    """Its lease ends, the delivery is sent again under the same id; what the dead one still says changes nothing."""
    from waystream.parts.webhooks import courier as couriers
    from waystream.parts.webhooks.model import Outcome

    post.add(receiver.url)
    post.release(1)
    post.fan_out()
    with post.world.work.begin() as tx:
        [claimed] = couriers.claim(tx, idle=1, pace=FAST)
    assert post.courier().drain() == 0
    with post.world.work.begin() as tx:
        tx.conn.execute("UPDATE webhook_delivery SET leased_until = clock_timestamp() - interval '1 s'")
    assert post.courier().drain() == 1
    assert receiver.heard[0].message_id == claimed.message_id
    late = Outcome(claimed.id, claimed.endpoint_id, claimed.attempt, claimed.tries, status=500, said="late")
    with post.world.work.begin() as tx:
        couriers.settle(tx, [late], pace=FAST)
    assert post.rows() == [("delivered", 2, 200)]


def test_a_secret_that_does_not_open_is_an_outcome(post: Post, receiver: Receiver) -> None:
    post.add(receiver.url)
    post.release(1)
    post.fan_out()
    with post.world.work.begin() as tx:
        tx.conn.execute("UPDATE webhook_endpoint SET secret_sealed = 'x'")
    assert Courier(post.world.work, Exchange(), pace=FAST).drain() == 1
    [(state, said)] = post.rows("state, said")
    assert state == "waiting" and "sealed" in str(said) and receiver.heard == []
