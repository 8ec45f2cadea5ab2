"""Aliyun SMS: the published signature example, what travels, every kind of answer, receipts."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from tests.parts.webhooks.receiver import Answer, Receiver, receiving
from waystream.core.channels import Handed, Letter, Report, ReportState
from waystream.core.errors import Invalid, Refused, Unavailable, Unreadable
from waystream.core.ports import HttpAsk, Reply
from waystream.integrations.aliyun_sms.adapter import gateway
from waystream.integrations.aliyun_sms.wire import Call, read_stamp, sign
from waystream.kernel.exchange import Exchange

NOW = datetime(2026, 11, 12, 6, 32, tzinfo=UTC)
VALUES = {
    "access_key_id": "LTAI-test",
    "access_key_secret": "s3cret",
    "sign_name": "茶铺",
    "templates": "shipped=SMS_71390007(order,carrier); shipped.en=SMS_2; said=SMS_3(text)",
    "address": "https://dysmsapi.aliyuncs.com",
}
LETTER = Letter(
    id="K7Q2XRT4WS", shop="tea", order="A1", language="zh", template="shipped", to="13912345678", subject="",
    text="您的订单已发货", variables={"order": "A1", "carrier": "顺丰", "link": "https://x.example"},
)  # fmt: skip


def ask(letter: Letter = LETTER, **given: str) -> HttpAsk:
    made = gateway.ask_send(VALUES | given, letter, now=NOW, report_url="")
    assert isinstance(made, HttpAsk)
    return made


def test_the_signature_is_the_one_aliyun_publishes() -> None:
    """The fixed example of "V3 request structure and signature", with its key `YourAccessKeySecret`."""
    call = Call(
        "https://ecs.cn-shanghai.aliyuncs.com",
        "RunInstances",
        {"ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", "RegionId": "cn-shanghai"},
        "3156853299f313e23d1673dc12e1703d",
        datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
        "2014-05-26",
    )
    signed = sign(call, key_id="YourAccessKeyId", secret="YourAccessKeySecret")
    assert dict(signed.headers)["Authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;"
        "x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_what_travels() -> None:
    made = ask()
    parameters = dict(parse_qsl(urlsplit(made.url).query))
    assert parameters == {
        "PhoneNumbers": "13912345678", "SignName": "茶铺", "TemplateCode": "SMS_71390007",
        "TemplateParam": '{"order":"A1","carrier":"顺丰"}', "OutId": "K7Q2XRT4WS",
    }  # fmt: skip
    headers = dict(made.headers)
    assert (headers["x-acs-action"], headers["x-acs-version"]) == ("SendSms", "2017-05-25")
    assert headers["x-acs-date"] == "2026-11-12T06:32:00Z"
    assert "+" not in urlsplit(made.url).query, "a blank is %20, else the signature does not fit"


@pytest.mark.parametrize(
    ("language", "kind", "code", "names"),
    [
        ("zh", "shipped", "SMS_71390007", {"order", "carrier"}),
        ("en", "shipped", "SMS_2", {"order", "carrier", "link"}),
        ("en", "said", "SMS_3", {"text"}),
        ("zh", "test", "SMS_71390007", {"order", "carrier"}),
    ],
)
def test_the_template_of_kind_and_language(language: str, kind: str, code: str, names: set[str]) -> None:
    parameters = dict(parse_qsl(urlsplit(ask(replace(LETTER, language=language, template=kind)).url).query))
    assert parameters["TemplateCode"] == code
    assert set(msgspec.json.decode(parameters["TemplateParam"])) == names


def test_a_kind_without_a_template_is_refused_before_anything_leaves() -> None:
    with pytest.raises(Refused) as refused:
        ask(replace(LETTER, template="delayed"))
    assert refused.value.code == "no_template"
    assert gateway.mend_sentence("no_template", "en")


@pytest.mark.parametrize("to", ["", "02812345678", "13912345678,13900000000", "13912345678&x=1", "buyer@example.com"])
def test_what_is_no_mobile_number_never_leaves(to: str) -> None:
    with pytest.raises(Refused):
        ask(replace(LETTER, to=to))


def test_nothing_personal_or_secret_shows() -> None:
    assert not any(word in repr(ask()) for word in ("13912345678", "s3cret", "顺丰"))


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with Exchange(lambda host: host == "127.0.0.1") as exchange:
        yield exchange


def send(receiver: Receiver, exchange: Exchange) -> Handed:
    made = ask(address=receiver.url.removesuffix("/hook"))
    return gateway.read_send(exchange.send(made))


def test_over_the_wire(exchange: Exchange) -> None:
    with receiving() as receiver:
        receiver.usual = Answer(200, b'{"Code":"OK","Message":"OK","BizId":"900619746936498440^0","RequestId":"F655"}')
        assert send(receiver, exchange) == Handed("900619746936498440^0")
        [heard] = receiver.heard
    assert heard.headers["host"] == f"127.0.0.1:{receiver.server.server_port}"
    assert heard.headers["authorization"].startswith("ACS3-HMAC-SHA256 Credential=LTAI-test,")


def refusal(code: str, status: int = 200) -> Reply:
    return Reply(status, body=msgspec.json.encode({"Code": code, "Message": "13912345678 no", "RequestId": "R"}))


@pytest.mark.parametrize(
    "code",
    ["isv.AMOUNT_NOT_ENOUGH", "isv.SMS_SIGNATURE_ILLEGAL", "isv.SMS_TEMPLATE_ILLEGAL", "isv.MOBILE_NUMBER_ILLEGAL",
     "isv.OUT_OF_SERVICE", "isp.RAM_PERMISSION_DENY", "isv.PARAM_NOT_SUPPORT_URL"],
)  # fmt: skip
def test_a_refusal_says_what_to_mend(code: str) -> None:
    with pytest.raises(Refused) as refused:
        gateway.read_send(refusal(code))
    assert refused.value.code == code
    assert gateway.mend_sentence(code, "zh") and gateway.mend_sentence(code, "en")
    assert "1391" not in refused.value.sentence


@pytest.mark.parametrize(
    "reply",
    [refusal("isv.BUSINESS_LIMIT_CONTROL"), refusal("isp.SYSTEM_ERROR"), refusal("Throttling.User", 400),
     refusal("ServiceUnavailable", 503), refusal("Strange", 500), Reply(502, body=b"<html>")],
)  # fmt: skip
def test_not_now_is_for_later(reply: Reply) -> None:
    with pytest.raises(Unavailable):
        gateway.read_send(reply)


def test_a_code_nobody_knows_is_a_refusal() -> None:
    for reply in (refusal("isv.NEW_RULE"), refusal("SignatureDoesNotMatch", 400)):
        with pytest.raises(Refused):
            gateway.read_send(reply)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"[" * 100_000, b"\xff"])
def test_an_unreadable_answer_is_neither(body: bytes) -> None:
    with pytest.raises(Unreadable):
        gateway.read_send(Reply(200, body=body))


REPORT = b"""[{"phone_number":"13811110000","send_time":"2017-01-01 00:00:00","report_time":"2017-01-01 08:00:00",
  "success":true,"err_code":"DELIVERED","err_msg":"x","sms_size":"1","biz_id":"12345","out_id":"67890"},
 {"phone_number":"13811110001","report_time":"soon","success":false,"err_code":"MOBILE_NOT_ON_SERVICE",
  "biz_id":"12346","out_id":null},
 {"success":true}]"""


def test_receipts_are_read_as_published_without_phones() -> None:
    assert gateway.read_report(VALUES, REPORT) == (
        Report(ReportState.DELIVERED, "12345", "67890", "", datetime(2017, 1, 1, tzinfo=UTC)),
        Report(ReportState.REFUSED, "12346", "", "MOBILE_NOT_ON_SERVICE", None),
    )


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'[{"success":"yes"}]', b"[" * 100_000, b"\xff"])
def test_unreadable_receipts_are_said_so(body: bytes) -> None:
    with pytest.raises(Unreadable):
        gateway.read_report(VALUES, body)


def test_receipts_are_bounded() -> None:
    with pytest.raises(Unreadable):
        gateway.read_report(VALUES, b"[" + b",".join([b'{"success":true,"biz_id":"1"}'] * 1_001) + b"]")


def test_receipts_are_answered() -> None:
    assert gateway.answer_report(VALUES, accepted=True, now=NOW).body == b'{"code":0,"msg":"OK"}'
    assert gateway.answer_report(VALUES, accepted=False, now=NOW).status == 503


def test_a_stamp_is_beijing_time() -> None:
    assert read_stamp("2026-01-01 08:00:00") == datetime(2026, 1, 1, tzinfo=UTC)
    assert read_stamp(None) is None


@pytest.mark.parametrize(
    "templates",
    ["", "shipped", "shipped=", "SHIPPED=SMS_1", "shipped=SMS_1(order", "shipped=SMS 1", "shipped=SMS_1(o'r)", ";" * 9,
     ";".join(["a=b"] * 51)],
)  # fmt: skip
def test_templates_are_checked(templates: str) -> None:
    with pytest.raises(Invalid) as wrong:
        gateway.check(VALUES | {"templates": templates})
    assert wrong.value.path == "templates"
