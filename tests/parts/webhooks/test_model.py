"""Addresses at the door, the schedule, how endpoints fare: pure."""

from datetime import UTC, datetime, timedelta

import pytest

from waystream.core.errors import Invalid
from waystream.parts.webhooks.model import (
    LONGEST_REST_S,
    LONGEST_WAIT_ASKED_S,
    SCHEDULE_S,
    EndpointIn,
    Mood,
    Outcome,
    checked,
    judge,
    read_retry_after,
    settle,
)  # fmt: skip
from waystream.parts.webhooks.signing import sign

NOW = datetime(2026, 11, 12, 6, 32, tzinfo=UTC)
PRIVATE = {"erp.lan", "10.0.0.7"}


def outcome(status: int | None, *, tries: int = 1, endpoint_id: int = 1, after_s: float | None = None) -> Outcome:
    return Outcome(1, endpoint_id, tries, tries, status=status, said="", retry_after_s=after_s)


@pytest.mark.parametrize(
    "url",
    ["https://erp.example.com/hook?a=1", "https://erp.example.com:8443/", "http://erp.lan/x", "http://10.0.0.7:8080/",
     "https://xn--fiq228c.example/", "https://[2001:db8::1]/"],
)  # fmt: skip
def test_addresses_that_are_taken(url: str) -> None:
    assert checked(EndpointIn(f" {url} ", ("*",)), private_hosts=PRIVATE).url == url


@pytest.mark.parametrize(
    "url",
    ["", "erp.example.com", "http://erp.example.com/", "ftp://erp.example.com/", "https://", "https://a b/",
     "https://user:pw@erp.example.com/", "https://erp.example.com/#x", "https://erp.example.com:99999/",
     "https://中文.example/", "https://erp.example.com/\0", "https://erp.example.com/\r\nx: y", "https://-x/",
     "https://" + "a" * 64 + ".example/", "https://[::1/", "javascript:alert(1)", "https://e.example/" + "x" * 2000,
     "https://a..b/"],
)  # fmt: skip
def test_addresses_that_are_not(url: str) -> None:
    with pytest.raises(Invalid):
        checked(EndpointIn(url, ("*",)), private_hosts=PRIVATE)


def test_wants_are_known_each_once_and_everything_is_everything() -> None:
    def want(*wanted: str) -> tuple[str, ...]:
        return checked(EndpointIn("https://e.example/", wanted), private_hosts=()).wanted

    assert want("parcel.*", "order.held", "order.held") == ("order.held", "parcel.*")
    assert want("*", "order.held") == ("*",)
    for wrong in ((), ("order",), ("nothing.*",), ("OrderHeld",)):
        with pytest.raises(Invalid):
            want(*wrong)


def test_the_schedule_lasts_three_days() -> None:
    waits = [settle(outcome(500, tries=tries), jitter=0) for tries in range(1, len(SCHEDULE_S) + 2)]
    assert [each.state for each in waits] == ["waiting"] * len(SCHEDULE_S) + ["given_up"]
    assert tuple(each.delay_s for each in waits[:-1]) == SCHEDULE_S
    assert timedelta(days=3) < timedelta(seconds=sum(SCHEDULE_S)) < timedelta(days=4)
    assert settle(outcome(500), jitter=1).delay_s == SCHEDULE_S[0] * 1.2


@pytest.mark.parametrize(
    ("status", "state"),
    [(200, "delivered"), (204, "delivered"), (299, "delivered"), (300, "waiting"), (400, "waiting"), (410, "given_up"),
     (None, "waiting")],
)  # fmt: skip
def test_answers(status: int | None, state: str) -> None:
    assert settle(outcome(status), jitter=0).state == state


def test_an_asked_wait_is_honoured_up_to_a_day() -> None:
    assert settle(outcome(429, after_s=600), jitter=0).delay_s == 600
    assert settle(outcome(429, after_s=10**9), jitter=0).delay_s == LONGEST_WAIT_ASKED_S
    assert settle(outcome(429, after_s=1), jitter=0).delay_s == SCHEDULE_S[0]


def test_an_endpoint_that_fails_rests_longer_each_time_and_is_well_at_once() -> None:
    moods, rests = {1: Mood(1, 7, 0, 0)}, []
    for _ in range(12):
        [mood] = judge(moods, [outcome(500)], failing_at_most_s=1000)
        moods, _ = {1: mood}, rests.append(mood.rest_s)
    assert rests == sorted(rests) and rests[0] == 1 and rests[-1] == LONGEST_REST_S
    assert judge(moods, [outcome(200)], failing_at_most_s=1000) == [Mood(1, 7, 0, 0)]


def test_it_is_switched_off_when_gone_or_failing_for_too_long() -> None:
    def why(status: int, failing_s: float) -> str:
        return judge({1: Mood(1, 7, 3, failing_s)}, [outcome(status)], failing_at_most_s=1000)[0].disabled_why

    assert why(410, 0) == "gone" and why(500, 1001) == "failing" and why(500, 999) == "" and why(200, 5000) == ""


def test_what_ended_at_an_endpoint_that_is_off_changes_nothing() -> None:
    assert judge({}, [outcome(500)], failing_at_most_s=1000) == []


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120), ("Thu, 12 Nov 2026 06:33:00 GMT", 60), ("Thu, 12 Nov 2026 06:00:00 GMT", 0), ("", None),
     ("soon", None), ("-5", None), ("9" * 12, None), ("１２", None)],
)  # fmt: skip
def test_retry_after_in_both_its_forms(header: str, seconds: float | None) -> None:
    assert read_retry_after(header, now=NOW) == seconds


def test_the_signature_of_the_published_vector() -> None:
    headers = sign(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        at=datetime.fromtimestamp(1614265330, UTC),
        body=b'{"test": 2432232314}',
    )
    assert dict(headers) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
