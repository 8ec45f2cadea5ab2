"""A letter to staff through the exchange to a real HTTP server that answers as the three robots do."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from tests.parts.webhooks.receiver import Answer, Heard, Receiver, receiving
from waystream.core.channels import Handed, Letter
from waystream.core.errors import Invalid, Refused, Unavailable, Unreadable
from waystream.core.gateways import Gateway
from waystream.core.ports import Reply
from waystream.integrations.dingtalk import wire as dingtalk_wire
from waystream.integrations.dingtalk.adapter import gateway as dingtalk
from waystream.integrations.feishu import wire as feishu_wire
from waystream.integrations.feishu.adapter import gateway as feishu
from waystream.integrations.wecom import wire as wecom_wire
from waystream.integrations.wecom.adapter import gateway as wecom
from waystream.kernel.exchange import Exchange

NOW = datetime.fromtimestamp(1_762_929_120.5, UTC)
LETTER = Letter(
    id="K7Q2XRT4WS", shop="tea", order="", language="zh", template="tickets", to="",
    subject="Waystream", text="3 张工单要今天处理",
)  # fmt: skip
OK = {"dingtalk": b'{"errcode":0,"errmsg":"ok"}', "wecom": b'{"errcode":0,"errmsg":"ok"}',
      "feishu": b'{"code":0,"msg":"success","data":{}}'}  # fmt: skip
SETTINGS = {
    "dingtalk": {"token": "t0k3n", "secret": "SEC0123456789abcdef"},
    "wecom": {"key": "693a-key"},
    "feishu": {"token": "f-t0k3n", "secret": "feishu-secret"},
}
ROBOTS: list[Gateway] = [dingtalk, wecom, feishu]
each_robot = pytest.mark.parametrize("robot", ROBOTS, ids=lambda robot: robot.caption.name)


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with Exchange(lambda host: host == "127.0.0.1") as exchange:
        yield exchange


def send(robot: Gateway, receiver: Receiver, exchange: Exchange, letter: Letter = LETTER) -> Handed:
    values = settings(robot) | {"address": receiver.url.removesuffix("/hook")}
    robot.check(values)
    return robot.read_send(exchange.send(robot.ask_send(values, letter, now=NOW, report_url="")))


def settings(robot: Gateway) -> dict[str, str]:
    return SETTINGS[robot.caption.name] | {"address": "https://robot.example.com"}


def spoken(robot: Gateway, heard: Heard) -> str:
    body: dict[str, Any] = msgspec.json.decode(heard.body)
    return str(body["text"]["content"] if robot is not feishu else body["content"]["text"])


@each_robot
def test_a_robot_says_the_words(robot: Gateway, exchange: Exchange) -> None:
    with receiving() as receiver:
        receiver.usual = Answer(200, OK[robot.caption.name])
        assert send(robot, receiver, exchange) == Handed()
        [heard] = receiver.heard
    assert spoken(robot, heard) == "Waystream\n3 张工单要今天处理"
    assert heard.headers["content-type"].startswith("application/json")


def test_dingtalk_is_called_by_token_and_signature(exchange: Exchange) -> None:
    with receiving() as receiver:
        receiver.usual = Answer(200, OK["dingtalk"])
        send(dingtalk, receiver, exchange)
        parts = urlsplit(receiver.heard[0].path)
    # the signature is what Apprise 2.3.0 computes for the same time and secret
    assert (parts.path, dict(parse_qsl(parts.query))) == (
        "/robot/send",
        {"access_token": "t0k3n", "timestamp": "1762929120500", "sign": "Tj+WiZZg8PYkfdJQQg/mKGoX5VdOf3gxBA29eaTbTVQ="},
    )


def test_wecom_is_called_by_key(exchange: Exchange) -> None:
    with receiving() as receiver:
        receiver.usual = Answer(200, OK["wecom"])
        send(wecom, receiver, exchange)
        assert receiver.heard[0].path == "/cgi-bin/webhook/send?key=693a-key"


def test_feishu_signs_in_its_body(exchange: Exchange) -> None:
    with receiving() as receiver:
        receiver.usual = Answer(200, OK["feishu"])
        send(feishu, receiver, exchange)
        [heard] = receiver.heard
    body = msgspec.json.decode(heard.body)
    assert heard.path == "/open-apis/bot/v2/hook/f-t0k3n"
    # openssl dgst -sha256 -hmac "TIME\nSECRET" over nothing
    assert (body["timestamp"], body["sign"]) == ("1762929120", "EXqHokMKhTJyOqSjUzqgVsTDAC6u6oQehVfNjY0jEg0=")


def test_without_a_secret_nothing_is_signed() -> None:
    assert dingtalk_wire.write_query("t", "", now=NOW) == "access_token=t"
    assert set(msgspec.json.decode(feishu_wire.write_body("x", "", now=NOW))) == {"msg_type", "content"}


REFUSALS = [
    (dingtalk, b'{"errcode":310000,"errmsg":"sign not match, more: [https://...]"}', "310000 sign"),
    (dingtalk, b'{"errcode":310000,"errmsg":"keywords not in content"}', "310000 keyword"),
    (dingtalk, b'{"errcode":310000,"errmsg":"not in ip whitelist"}', "310000 ip"),
    (dingtalk, b'{"errcode":310000,"errmsg":"?"}', "310000"),
    (dingtalk, b'{"errcode":300001,"errmsg":"token is not exist"}', "300001"),
    (wecom, b'{"errcode":93000,"errmsg":"invalid webhook url"}', "93000"),
    (feishu, b'{"code":19021,"msg":"sign match fail or timestamp is not within one hour"}', "19021"),
    (feishu, b'{"code":19024,"msg":"Key Words Not Found"}', "19024"),
]


@pytest.mark.parametrize(("robot", "body", "code"), REFUSALS)
def test_a_refusal_with_status_200_is_no_yes(robot: Gateway, body: bytes, code: str, exchange: Exchange) -> None:
    with receiving() as receiver:
        receiver.usual = Answer(200, body)
        with pytest.raises(Refused) as refused:
            send(robot, receiver, exchange)
    assert refused.value.code == code
    assert robot.mend_sentence(code, "zh-CN") and robot.mend_sentence(code, "en")


@pytest.mark.parametrize(
    ("robot", "body"),
    [
        (dingtalk, b'{"errcode":410100,"errmsg":"send too fast"}'),
        (wecom, b'{"errcode":45009,"errmsg":"api freq out of limit"}'),
        (feishu, b'{"code":11232,"msg":"frequency limited"}'),
    ],
)
def test_too_fast_is_for_later(robot: Gateway, body: bytes) -> None:
    with pytest.raises(Unavailable) as later:
        robot.read_send(Reply(200, body=body))
    assert later.value.code


@each_robot
def test_an_unknown_code_is_a_refusal_with_its_words(robot: Gateway) -> None:
    with pytest.raises(Refused) as refused:
        robot.read_send(Reply(200, body=b'{"errcode":777,"errmsg":"what","code":777,"msg":"what"}'))
    assert refused.value.sentence.endswith("what (777)")


@each_robot
@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000, b'{"errcode":"x","code":"x"}', b"\xff"])
def test_what_is_no_answer_is_not_read_as_one(robot: Gateway, body: bytes) -> None:
    with pytest.raises(Unreadable):
        robot.read_send(Reply(200, body=body))
    with pytest.raises(Unavailable) as away:
        robot.read_send(Reply(502, body=body))
    assert away.value.sent


@each_robot
def test_a_text_is_cut_at_the_robots_limit_between_characters(robot: Gateway) -> None:
    limits = {"dingtalk": dingtalk_wire, "wecom": wecom_wire, "feishu": feishu_wire}
    long = Letter(LETTER.id, "tea", "", "zh", "tickets", "", "Waystream", "长" * 30_000)
    ask = robot.ask_send(settings(robot), long, now=NOW, report_url="")
    said = spoken(robot, Heard("", {}, ask.body))  # type: ignore[union-attr]
    assert len(said.encode()) <= limits[robot.caption.name].TEXT_MAX_BYTES
    assert said.endswith("长…")


@each_robot
def test_tokens_are_shown_nowhere(robot: Gateway) -> None:
    ask = robot.ask_send(settings(robot), LETTER, now=NOW, report_url="")
    assert not any(value in repr(ask) for key, value in settings(robot).items() if key != "address")
    assert {setting.name for setting in robot.caption.settings if not setting.secret} == {
        "address",
        "language",
        "quiet",
    }


@each_robot
def test_a_private_address_needs_the_operators_word(robot: Gateway) -> None:
    with receiving() as receiver, Exchange() as exchange:
        with pytest.raises(Invalid):
            send(robot, receiver, exchange)
        assert not receiver.heard


@each_robot
@pytest.mark.parametrize("address", ["http://robot.example.com", "ftp://x.example.com", "https://u:p@x.example.com",
                                     "https://", "https://x example", "x"])  # fmt: skip
def test_an_address_is_checked(robot: Gateway, address: str) -> None:
    with pytest.raises(Invalid) as wrong:
        robot.check(settings(robot) | {"address": address})
    assert wrong.value.path == "address"
