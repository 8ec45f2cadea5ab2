"""Aliyun SMS as a `core.gateways.Reporting`: SendSms, its codes, and the receipts pushed to our door.

A report push carries no signature: that it comes from Aliyun is known by the address, which nobody can guess.
"""

from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec

from waystream.core.channels import Handed, Letter, Report, ReportState, is_mobile
from waystream.core.errors import Refused, Unavailable, Unreadable
from waystream.core.gateways import (
    CODE_MAX_CHARS,
    Reporting,
    Values,
    bounded,
    check_values,
    read_caption,
    read_refusals,
)
from waystream.core.ports import Ask, HttpAsk, Reply
from waystream.core.registered_templates import fill, read_templates
from waystream.integrations.aliyun_sms.wire import Call, Sent, SmsReport, read_stamp, sign

REPORTS_MAX = 1_000
_TIMEOUT_S = 10.0


class AliyunSms:
    """It holds no state, `gateway` below is the one instance."""

    caption = read_caption(files(__package__).joinpath("manifest.toml").read_text("utf-8"))
    refusals = read_refusals("Aliyun", files(__package__).joinpath("refusals.toml").read_text("utf-8"))

    def check(self, values: Values) -> None:
        check_values(self.caption, values)

    def ask_send(self, values: Values, letter: Letter, *, now: datetime, report_url: str) -> Ask:
        if not is_mobile(letter.to):
            raise Refused("This is not a mobile number.", code="isv.MOBILE_NUMBER_ILLEGAL")
        filled = fill(read_templates(values["templates"]), letter)
        parameters = {
            "PhoneNumbers": letter.to.removeprefix("+"),
            "SignName": values["sign_name"],
            "TemplateCode": filled.code,
            "TemplateParam": msgspec.json.encode(dict(filled.variables)).decode(),
            "OutId": letter.id,
        }
        nonce = f"{letter.id}-{int(now.timestamp() * 1_000)}"  # an attempt is at least a millisecond after the last
        signed = sign(
            Call(values["address"], "SendSms", parameters, nonce, now),
            key_id=values["access_key_id"],
            secret=values["access_key_secret"],
        )
        return HttpAsk("POST", signed.url, signed.headers, timeout_s=_TIMEOUT_S)

    def read_send(self, reply: Reply) -> Handed:
        """Aliyun says no with 200 and with 4xx; what is no document of theirs is no answer."""
        try:
            sent = msgspec.json.decode(reply.body, type=Sent)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            if 200 <= reply.status < 300:
                raise Unreadable("Aliyun: the answer cannot be read") from None
            raise Unavailable(f"Aliyun answered {reply.status}", sent=True) from None
        if sent.code == "OK":
            return Handed(bounded_id(sent.biz_id))
        if reply.status >= 500 and sent.code not in self.refusals.rows:
            raise Unavailable(f"Aliyun answered {reply.status}", sent=True, code=bounded(sent.code, CODE_MAX_CHARS))
        raise self.refusals.error(sent.code, sent.message)

    def read_report(self, values: Values, body: bytes) -> tuple[Report, ...] | None:
        try:
            told = msgspec.json.decode(body, type=list[SmsReport])
        except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
            raise Unreadable("Aliyun: the receipts cannot be read") from error
        if len(told) > REPORTS_MAX:
            raise Unreadable(f"Aliyun: more than {REPORTS_MAX} receipts at once")
        return tuple(_report(each) for each in told if each.biz_id or each.out_id)

    def answer_report(self, values: Values, *, accepted: bool, now: datetime) -> Reply:
        """What is answered otherwise is sent again."""
        body = b'{"code":0,"msg":"OK"}' if accepted else b'{"code":1,"msg":"again"}'
        return Reply(200 if accepted else 503, (("content-type", "application/json"),), body)

    def mend_sentence(self, code: str, language: str) -> str:
        return self.refusals.mend_sentence(code, language)


def bounded_id(text: str) -> str:
    """Their number of a message, as it fits the database."""
    return text[:CODE_MAX_CHARS] if text.isprintable() else ""


def _report(told: SmsReport) -> Report:
    return Report(
        state=ReportState.DELIVERED if told.success else ReportState.REFUSED,
        receipt=bounded_id(told.biz_id),
        letter_id=bounded_id(told.out_id or ""),
        said="" if told.success else bounded(told.err_code or "", CODE_MAX_CHARS),
        at=read_stamp(told.report_time),
    )


gateway = AliyunSms()
if TYPE_CHECKING:
    _conforms: Reporting = gateway
