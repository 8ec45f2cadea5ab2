"""The aggregator's desk for text messages: 8101, 8102, 8103, and the receipts it owes.

Strict as the other side is: a mobile number, a signature, a template, nobody of the blacklist. A number that ends in
0000 is taken and never arrives. What it remembers lives as long as the process.
"""

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import msgspec

from waystream.core.errors import Unreadable
from waystream.integrations.kdniao import documents
from waystream.integrations.kdniao.fakepush import Merchant, seal_push
from waystream.integrations.kdniao.wire import Envelope, read_request, stamp, text, truth

RECEIPTS_KEPT = 10_000
MESSAGES_KEPT = 1_000
UNKNOWN_TEMPLATE = "UNKNOWN"
T = TypeVar("T")
_MOBILE = re.compile(r"1[3-9]\d{9}")


class SmsRefused(Exception):
    """Said in the answer: ResultCode and Reason."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class SmsReceipt:
    """What is to be told of one message, and where."""

    merchant_id: str
    url: str = field(repr=False)
    told: documents.SmsTold = field(repr=False)

    def seal(self, merchant: Merchant, *, at: datetime) -> bytes:
        """The signed form."""
        document = documents.SmsReceipts(e_business_id=merchant.id, push_time=stamp(at), data=[self.told])
        return seal_push(merchant, "8101", msgspec.json.encode(document).decode())


class SmsDesk:
    def __init__(self) -> None:
        self.sent: deque[documents.SmsReceiver] = deque(maxlen=MESSAGES_KEPT)
        self.templates: dict[tuple[str, str], str] = {}
        self._black: set[tuple[str, str]] = set()
        self._owed: deque[SmsReceipt] = deque(maxlen=RECEIPTS_KEPT)

    @property
    def instructions(self) -> Mapping[str, Callable[[Envelope, datetime], documents.Document | bytes]]:
        return {"8101": self._send, "8102": self._keep_templates, "8103": self._blacken}

    def take_receipt(self) -> SmsReceipt | None:
        """The oldest that is owed; it is the taker's to tell."""
        return self._owed.popleft() if self._owed else None

    def _send(self, envelope: Envelope, at: datetime) -> documents.Document:
        order = _read(envelope, documents.SmsOrder)
        for receiver in order.detail:
            self._check(envelope.merchant_id, receiver)
        for receiver in order.detail:
            self.sent.append(receiver)
            self._owe(envelope.merchant_id, text(order.call_back), receiver)
        return _yes(envelope)

    def _check(self, merchant_id: str, receiver: documents.SmsReceiver) -> None:
        mobile, template = text(receiver.receiver_mobile), text(receiver.template_type)
        if not _MOBILE.fullmatch(mobile):
            raise SmsRefused("401", "手机号码格式错误")
        if not text(receiver.sign_name):
            raise SmsRefused("402", "短信签名不存在")
        if not template or template == UNKNOWN_TEMPLATE:
            raise SmsRefused("403", "短信模板不存在")
        if (merchant_id, mobile) in self._black:
            raise SmsRefused("404", "号码在黑名单中")

    def _owe(self, merchant_id: str, url: str, receiver: documents.SmsReceiver) -> None:
        if not url:
            return
        arrived = not text(receiver.receiver_mobile).endswith("0000")
        told = documents.SmsTold(
            call_back=url,
            receiver_mobile=receiver.receiver_mobile,
            success=arrived,
            reason="" if arrived else "停机",
            result_code="100" if arrived else "MBBLACK",
        )
        self._owed.append(SmsReceipt(merchant_id, url, told))

    def _keep_templates(self, envelope: Envelope, at: datetime) -> documents.Document:
        for row in _read(envelope, documents.SmsTemplates).detail:
            self.templates[envelope.merchant_id, text(row.template_type)] = text(row.message_template)
        return _yes(envelope)

    def _blacken(self, envelope: Envelope, at: datetime) -> documents.Document:
        for row in _read(envelope, documents.SmsBlacklist).detail:
            whom = (envelope.merchant_id, text(row.mobile))
            (self._black.add if truth(row.is_black) else self._black.discard)(whom)
        return _yes(envelope)


def _read(envelope: Envelope, kind: type[T]) -> T:
    try:
        return read_request(envelope.data, kind)
    except Unreadable as error:
        raise SmsRefused("103", "请求内容格式不正确") from error


def _yes(envelope: Envelope) -> documents.Document:
    return documents.PlainReply(e_business_id=envelope.merchant_id, success=True, reason="成功", result_code="100")
