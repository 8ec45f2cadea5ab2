"""A letter to the shop's own system: signed as the standard's library verifies it, 2xx is handed."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from tests.parts.webhooks.receiver import Answer, Receiver, receiving
from waystream.core.channels import Handed, Letter
from waystream.core.errors import Invalid, Refused, Unavailable
from waystream.core.ports import HttpAsk
from waystream.integrations.shop_message.adapter import gateway
from waystream.integrations.shop_message.fake import Heard, ShopSide
from waystream.integrations.shop_message.wire import sign
from waystream.kernel.exchange import Exchange

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
LETTER = Letter(
    id="K7Q2XRT4WS", shop="tea", order="A1", language="zh", template="shipped", to="", subject="已发货",
    text="您的订单 A1 已发货", variables={"carrier": "顺丰"},
)  # fmt: skip


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with Exchange(lambda host: host == "127.0.0.1") as exchange:
        yield exchange


def send(receiver: Receiver, exchange: Exchange) -> Handed:
    values = {"url": receiver.url, "secret": SECRET}
    gateway.check(values)
    ask = gateway.ask_send(values, LETTER, now=datetime.now(UTC), report_url="")
    return gateway.read_send(exchange.send(ask))


def test_a_letter_is_signed_and_told_whole(exchange: Exchange) -> None:
    with receiving() as receiver:
        assert send(receiver, exchange) == Handed()
        [heard] = receiver.heard
    told = heard.verify(SECRET)
    assert told["type"] == "buyer.letter"
    assert told["data"] == {
        "letter_id": "K7Q2XRT4WS", "shop": "tea", "order": "A1", "template": "shipped", "language": "zh",
        "subject": "已发货", "text": "您的订单 A1 已发货", "variables": {"carrier": "顺丰"},
    }  # fmt: skip
    assert heard.message_id == LETTER.id
    other = "whsec_" + base64.b64encode(bytes(32)).decode()
    with pytest.raises(WebhookVerificationError):
        heard.verify(other)


def test_every_attempt_has_the_letters_id(exchange: Exchange) -> None:
    assert gateway.caption.repeatable
    with receiving() as receiver:
        send(receiver, exchange)
        send(receiver, exchange)
        assert {heard.message_id for heard in receiver.heard} == {LETTER.id}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418, 422])
def test_a_no_is_a_refusal(exchange: Exchange, status: int) -> None:
    with receiving() as receiver:
        receiver.usual = Answer(status, b"no")
        with pytest.raises(Refused) as refused:
            send(receiver, exchange)
    assert refused.value.code == str(status)


@pytest.mark.parametrize("status", [302, 408, 429, 500, 503])
def test_everything_else_is_for_later(exchange: Exchange, status: int) -> None:
    with receiving() as receiver:
        receiver.usual = Answer(status, b"later")
        with pytest.raises(Unavailable) as later:
            send(receiver, exchange)
    assert later.value.code == str(status)


def test_a_private_address_is_not_called() -> None:
    with receiving() as receiver, Exchange() as exchange:
        with pytest.raises(Invalid):
            send(receiver, exchange)
        assert not receiver.heard


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"url": "http://shop.example.com/hook"}, "url"),
        ({"url": "https://user:pass@shop.example.com"}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "https://shop.example.com:port"}, "url"),
        ({"secret": "whsec_short"}, "secret"),
        ({"secret": "whsec_" + "ü" * 40}, "secret"),
        ({"secret": base64.b64encode(bytes(32)).decode()}, "secret"),
    ],
)
def test_settings_are_checked(given: dict[str, str], path: str) -> None:
    with pytest.raises(Invalid) as wrong:
        gateway.check({"url": "https://shop.example.com/hook", "secret": SECRET} | given)
    assert wrong.value.path == path


def test_nothing_personal_shows() -> None:
    values = {"url": "https://shop.example.com/hook", "secret": SECRET}
    ask = gateway.ask_send(values, LETTER, now=datetime.now(UTC), report_url="")
    assert SECRET not in repr(ask) and "已发货" not in repr(ask)


class Shelf:
    """Keeps in memory what a port heard."""

    def __init__(self) -> None:
        self.kept: list[Heard] = []

    def keep(self, heard: Heard) -> None:
        self.kept.append(heard)


def told(letter: Letter = LETTER, *, secret: str = SECRET, **headers: str) -> tuple[bytes, dict[str, str]]:
    ask = gateway.ask_send(
        {"url": "https://shop.example/", "secret": secret}, letter, now=datetime.now(UTC), report_url=""
    )
    assert isinstance(ask, HttpAsk)
    return ask.body, dict(ask.headers) | headers


def test_our_other_side_hears_what_is_signed_and_nothing_else() -> None:
    shelf = Shelf()
    side = ShopSide(SECRET, shelf)
    other = "whsec_" + base64.b64encode(bytes(32)).decode()
    body, headers = told()
    assert side.answer(*told(secret=other)).status == 401
    assert side.answer(body + b" ", headers).status == 401
    assert side.answer(body, {}).status == 401
    assert side.answer(*told(**{"webhook-signature": "nonsense"})).status == 400
    named = dict(sign(SECRET, message_id="another", at=datetime.now(UTC), body=body))
    assert side.answer(body, named).status == 400
    assert shelf.kept == []
    assert side.answer(body, headers).status == 204
    assert shelf.kept == [Heard(LETTER.id, "tea", "A1", "shipped")]


def test_our_other_side_takes_letters_only() -> None:
    shelf, at = Shelf(), datetime.now(UTC)
    for body in (b"{}", b"[]", b'{"type": "order.shipped", "timestamp": "", "data": {}}', b"\xff"):
        signed = dict(sign(SECRET, message_id="1", at=at, body=body)) if body != b"\xff" else {}
        assert ShopSide(SECRET, shelf).answer(body, signed).status in (400, 401)
    assert shelf.kept == []
