"""Kdniao's text messages: 8101 sends, 8102 hands in a template, 8103 is the blacklist; receipts come by CallBack.

A `core.gateways.Reporting`. Signed like every other call. The letter's id travels in CallBack and comes back in the
receipt, which is a signed form itself; a receipt whose signature does not hold is nothing.
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
from waystream.integrations.kdniao import documents
from waystream.integrations.kdniao.manifest import MANIFEST
from waystream.integrations.kdniao.shipments import clean
from waystream.integrations.kdniao.wire import (
    FORM,
    read_document,
    read_envelope,
    signed_form,
    stamp,
    text,
    truth,
    verify,
)

SEND, TEMPLATE, BLACKLIST = "8101", "8102", "8103"
RECEIPTS_MAX = 1_000
_LETTER = "?letter="
_JSON = "application/json;charset=utf-8"


class KdniaoSms:
    """It holds no state, `gateway` below is the one instance."""

    caption = read_caption(files(__package__).joinpath("manifest.toml").read_text("utf-8"))
    refusals = read_refusals("Kdniao", files(__package__).joinpath("sms.toml").read_text("utf-8"))

    def check(self, values: Values) -> None:
        check_values(self.caption, values)

    def ask_send(self, values: Values, letter: Letter, *, now: datetime, report_url: str) -> Ask:
        if not is_mobile(letter.to):
            raise Refused("This is not a mobile number.", code="401")
        filled = fill(read_templates(values["templates"]), letter)
        receiver = documents.SmsReceiver(
            receiver_name="收件人",  # the real name is not needed for a message, so it does not travel
            receiver_mobile=letter.to.removeprefix("+86").removeprefix("+"),
            sign_name=clean(values["sign_name"]),
            template_type=filled.code,
            template_param={name: clean(value) for name, value in filled.variables.items()},
        )
        return _ask(values, SEND, documents.SmsOrder(detail=[receiver], call_back=f"{report_url}{_LETTER}{letter.id}"))

    def read_send(self, reply: Reply) -> Handed:
        self.read_plain(reply)
        return Handed()

    def ask_template(self, values: Values, *, code: str, words: str, is_open: bool) -> Ask:
        """Hand in the words of a template (8102); they count once a person there approved them."""
        row = documents.SmsTemplate(template_type=code, message_template=clean(words), is_open=int(is_open))
        return _ask(values, TEMPLATE, documents.SmsTemplates(detail=[row]))

    def ask_blacklist(self, values: Values, *, mobile: str, is_black: bool) -> Ask:
        """Put a number on the blacklist or take it off (8103)."""
        row = documents.SmsBlack(mobile=mobile, is_black=int(is_black))
        return _ask(values, BLACKLIST, documents.SmsBlacklist(detail=[row]))

    def read_plain(self, reply: Reply) -> None:
        """Taken, or `Refused` or `Unavailable` with the ResultCode."""
        if not 200 <= reply.status < 300:
            raise Unavailable(f"Kdniao answered {reply.status}", sent=True)
        answer = read_document(reply.body, documents.PlainReply)
        if not truth(answer.success):
            raise self.refusals.error(text(answer.result_code), text(answer.reason))

    def read_report(self, values: Values, body: bytes) -> tuple[Report, ...] | None:
        envelope = read_envelope(body)
        if not envelope.data or not verify(envelope, values["key"]):
            return None
        told = read_document(envelope.data, documents.SmsReceipts).data or []
        if len(told) > RECEIPTS_MAX:
            raise Unreadable(f"Kdniao: more than {RECEIPTS_MAX} receipts at once")
        return tuple(report for row in told if (report := _report(row)) is not None)

    def answer_report(self, values: Values, *, accepted: bool, now: datetime) -> Reply:
        body = msgspec.json.encode(
            documents.PushReply(e_business_id=values["merchant_id"], update_time=stamp(now), success=accepted)
        )
        return Reply(200 if accepted else 503, (("content-type", _JSON),), body)

    def mend_sentence(self, code: str, language: str) -> str:
        return self.refusals.mend_sentence(code, language)


def _ask(values: Values, instruction: str, document: documents.Document) -> HttpAsk:
    """The vendor's sandbox has one address for everything (…invoke.json); elsewhere each instruction has a path."""
    base = values["address"].rstrip("/")
    url = base if base.endswith(".json") else base + MANIFEST.paths.get(instruction)
    body = signed_form(document, request_type=instruction, merchant_id=values["merchant_id"], key=values["key"])
    return HttpAsk("POST", url, (("content-type", FORM),), body, timeout_s=MANIFEST.timeout_s)


def _report(row: documents.SmsTold) -> Report | None:
    letter_id = text(row.call_back).rpartition(_LETTER)[2]
    if not letter_id or len(letter_id) > CODE_MAX_CHARS:
        return None
    if truth(row.success):
        return Report(ReportState.DELIVERED, letter_id=letter_id)
    said = bounded(text(row.reason) or text(row.result_code), CODE_MAX_CHARS)
    return Report(ReportState.REFUSED, letter_id=letter_id, said=said)


gateway = KdniaoSms()
if TYPE_CHECKING:
    _conforms: Reporting = gateway
