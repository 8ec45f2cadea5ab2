"""The sandbox as the shop that talks to its buyers: each letter once, over a restart, only where it was asked for."""

import base64
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.sandbox.merchant import listening
from tests.sandbox.test_server import Sandbox
from waystream.core.channels import Letter
from waystream.core.ports import HttpAsk, Reply
from waystream.integrations.shop_message.adapter import gateway
from waystream.sandbox.message_port import PATH

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Sandbox]:
    with listening() as merchant:
        sandbox = Sandbox(tmp_path / "sandbox", merchant, message_secret=SECRET)
        yield sandbox
        sandbox.stop()


def say(shop: Sandbox, letter_id: str, *, secret: str = SECRET) -> Reply:
    letter = Letter(
        id=letter_id, shop="tea", order="A1", language="zh", template="shipped", to="", subject="", text="已发货"
    )
    values = {"url": shop.url + PATH, "secret": secret}
    gateway.check(values)
    ask = gateway.ask_send(values, letter, now=datetime.now(UTC), report_url="")
    assert isinstance(ask, HttpAsk)
    asked = urllib.request.Request(ask.url, ask.body, dict(ask.headers))
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return Reply(answer.status, (), answer.read())


def refused(shop: Sandbox, letter_id: str, *, secret: str) -> int:
    with pytest.raises(urllib.error.HTTPError) as raised:
        say(shop, letter_id, secret=secret)
    with raised.value as answer:
        return answer.code


def test_a_letter_that_comes_twice_is_said_once_over_a_restart(shop: Sandbox) -> None:
    assert gateway.read_send(say(shop, "first")).receipt == ""
    shop.stop()
    shop.start()
    say(shop, "first")
    say(shop, "second")
    one = {"shop": "tea", "order": "A1", "template": "shipped"}
    assert shop.get("/sandbox/messages") == [
        {"letter_id": "first", **one, "times": 2}, {"letter_id": "second", **one, "times": 1}
    ]  # fmt: skip
    assert shop.get("/sandbox/state")["counts"]["message"] == 2


def test_what_somebody_else_signed_is_not_heard(shop: Sandbox) -> None:
    assert refused(shop, "first", secret="whsec_" + base64.b64encode(bytes(32)).decode()) == 401
    assert shop.get("/sandbox/messages") == []


def test_without_a_secret_there_is_no_port(tmp_path: Path) -> None:
    with listening() as merchant:
        sandbox = Sandbox(tmp_path / "sandbox", merchant)
        try:
            assert refused(sandbox, "first", secret=SECRET) == 404
        finally:
            sandbox.stop()
