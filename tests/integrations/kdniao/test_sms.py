"""Kdniao's text messages: the published shape, the strict other side, refusals in words, signed receipts."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest

from waystream.core.channels import Handed, Letter, Report, ReportState
from waystream.core.errors import Refused, Unavailable, Unreadable
from waystream.core.ports import HttpAsk, Reply
from waystream.integrations.kdniao.fake import KdniaoSide, Merchant
from waystream.integrations.kdniao.sms import gateway
from waystream.integrations.kdniao.wire import sign

NOW = datetime(2026, 11, 12, 6, 32, tzinfo=UTC)
MERCHANT = Merchant("1237100", "test-key")
REPORTS = "https://ship.example/receipts/5/abcd"
VALUES = {
    "merchant_id": "1237100", "key": "test-key", "sign_name": "茶铺", "templates": "shipped=6(order,carrier)",
    "address": "https://api.kdniao.com",
}  # fmt: skip
LETTER = Letter(
    id="K7Q2XRT4WS", shop="tea", order="A1", language="zh", template="shipped", to="13912345678", subject="",
    text="已发货", variables={"order": "A'1#", "carrier": "顺丰"},
)  # fmt: skip


@pytest.fixture
def side() -> KdniaoSide:
    return KdniaoSide([MERCHANT], book=None, seed=1)  # type: ignore[arg-type]


def ask(letter: Letter = LETTER, **given: str) -> HttpAsk:
    made = gateway.ask_send(VALUES | given, letter, now=NOW, report_url=REPORTS)
    assert isinstance(made, HttpAsk)
    return made


def form(body: bytes) -> dict[str, str]:
    return {name: value[0] for name, value in parse_qs(body.decode()).items()}


def send(side: KdniaoSide, letter: Letter = LETTER, **given: str) -> Handed:
    return gateway.read_send(side.answer(ask(letter, **given).body, at=NOW))


def test_what_travels_is_the_published_shape_signed_like_every_call() -> None:
    made = ask()
    told = form(made.body)
    data: dict[str, Any] = msgspec.json.decode(told["RequestData"])
    assert made.url == "https://api.kdniao.com/Ebusiness/EbusinessOrderHandle.aspx"
    assert (told["RequestType"], told["EBusinessID"], told["DataType"]) == ("8101", "1237100", "2")
    assert told["DataSign"] == sign(told["RequestData"], "test-key")
    assert data["CallBack"] == f"{REPORTS}?letter=K7Q2XRT4WS"
    [receiver] = data["Detail"]
    assert (receiver["ReceiverMobile"], receiver["TemplateType"], receiver["SignName"]) == ("13912345678", "6", "茶铺")
    assert set(receiver["TemplateParam"]) == {"order", "carrier"}
    assert not set("'#\"&+<>%\\") & set(str(receiver["TemplateParam"].values()).replace("'", ""))


def test_the_vendors_sandbox_has_one_address() -> None:
    url = "http://sandboxapi.kdniao.com:8080/kdniaosandbox/gateway/exterfaceInvoke.json"
    assert ask(address=url).url == url


def test_the_other_side_takes_it_and_owes_a_receipt(side: KdniaoSide) -> None:
    assert send(side) == Handed()
    [sent] = side.sms.sent
    assert sent.receiver_mobile == "13912345678"
    receipt = side.sms.take_receipt()
    assert receipt is not None and receipt.url == f"{REPORTS}?letter=K7Q2XRT4WS"
    body = receipt.seal(MERCHANT, at=NOW)
    assert gateway.read_report(VALUES, body) == (Report(ReportState.DELIVERED, letter_id="K7Q2XRT4WS"),)
    assert gateway.read_report(VALUES | {"key": "another"}, body) is None
    assert gateway.read_report(VALUES, body.replace(b"8101", b"8102").replace(b"K7Q2", b"K7Q3")) is None
    assert side.sms.take_receipt() is None


def test_what_never_arrives_is_told_so_without_the_phone(side: KdniaoSide) -> None:
    send(side, replace(LETTER, to="13912340000"))
    receipt = side.sms.take_receipt()
    assert receipt is not None
    [report] = gateway.read_report(VALUES, receipt.seal(MERCHANT, at=NOW)) or ()
    assert (report.state, report.letter_id, report.said) == (ReportState.REFUSED, "K7Q2XRT4WS", "停机")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"key": "wrong"}, "102"),
        ({"merchant_id": "999"}, "104"),
        ({"templates": "shipped=UNKNOWN"}, "403"),
        ({"sign_name": "#"}, "402"),
    ],
)
def test_a_refusal_says_what_to_mend(side: KdniaoSide, given: dict[str, str], code: str) -> None:
    with pytest.raises(Refused) as refused:
        send(side, **given)
    assert refused.value.code == code
    assert gateway.mend_sentence(code, "zh-CN") and gateway.mend_sentence(code, "en")
    assert not side.sms.sent


def test_the_blacklist_is_kept_and_lifted(side: KdniaoSide) -> None:
    def blacken(is_black: bool) -> None:
        asked = gateway.ask_blacklist(VALUES, mobile="13912345678", is_black=is_black)
        assert isinstance(asked, HttpAsk)
        assert form(asked.body)["RequestType"] == "8103"
        assert msgspec.json.decode(form(asked.body)["RequestData"]) == {
            "Detail": [{"Mobile": "13912345678", "IsBlack": int(is_black)}]
        }
        gateway.read_plain(side.answer(asked.body, at=NOW))

    blacken(True)
    with pytest.raises(Refused) as refused:
        send(side)
    assert refused.value.code == "404"
    blacken(False)
    send(side)


def test_a_template_is_handed_in(side: KdniaoSide) -> None:
    asked = gateway.ask_template(VALUES, code="6", words="您的订单已发货", is_open=False)
    assert isinstance(asked, HttpAsk)
    assert msgspec.json.decode(form(asked.body)["RequestData"]) == {
        "Detail": [{"TemplateType": "6", "MessageTemplate": "您的订单已发货", "IsOpen": 0}]
    }
    gateway.read_plain(side.answer(asked.body, at=NOW))
    assert side.sms.templates == {("1237100", "6"): "您的订单已发货"}


@pytest.mark.parametrize("status", [302, 404, 429, 500, 503])
def test_no_answer_is_not_a_refusal(status: int) -> None:
    with pytest.raises(Unavailable) as away:
        gateway.read_send(Reply(status, body=b"{}"))
    assert away.value.sent


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"[" * 100_000])
def test_an_unreadable_answer_is_said_so(body: bytes) -> None:
    with pytest.raises(Unreadable):
        gateway.read_send(Reply(200, body=body))


@pytest.mark.parametrize("body", [b"", b"\xff%%", b"RequestData=%7B%7D&DataSign=x"])
def test_unsigned_receipts_are_nothing(body: bytes) -> None:
    assert gateway.read_report(VALUES, body) is None


def test_nothing_personal_or_secret_shows() -> None:
    assert not any(word in repr(ask()) for word in ("13912345678", "test-key", "顺丰"))
    with pytest.raises(Refused):
        ask(replace(LETTER, to="02812345678"))
