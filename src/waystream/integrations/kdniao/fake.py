"""The other side of Kdniao's wire: it checks what a strict aggregator checks and answers in its words.

Bytes in, bytes out; what must be remembered is kept in a `Book` that the owner supplies (the sandbox: SQLite). A
`strike` hook lets the owner misbehave on purpose. How parcels move is not known here: that is the sandbox's world.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

import msgspec

from waystream.core.errors import Unreadable
from waystream.core.label import Contact
from waystream.core.ports import Reply, Routing
from waystream.integrations.kdniao import documents, fakeallot
from waystream.integrations.kdniao.fakeallot import Place
from waystream.integrations.kdniao.fakepush import (
    Merchant,
    News,
    TraceNews,
    push_data,
    read_push_answer,
    seal_push,
    tracked,
)
from waystream.integrations.kdniao.fakesms import SmsDesk, SmsReceipt, SmsRefused
from waystream.integrations.kdniao.faketemplate import FakeLabel, render_template
from waystream.integrations.kdniao.manifest import MANIFEST
from waystream.integrations.kdniao.wire import (
    Envelope,
    read_document,
    read_envelope,
    read_request,
    stamp,
    text,
    truth,
    verify,
)

__all__ = [
    "Book",
    "Issued",
    "KdniaoSide",
    "Merchant",
    "News",
    "Place",
    "SmsReceipt",
    "Subscription",
    "TraceNews",
    "push_data",
    "read_push_answer",
    "retry_after_min",
    "seal_push",
    "service_paths",
]

POOL_SIZE = 100_000
QUANTITY_MAX = 50
UNKNOWN_ACCOUNT, EMPTY_ACCOUNT = "UNKNOWN", "EMPTY"  # customer names that are always refused, for trying it out
_SUBSCRIPTION_OF = {"1008": "101", "8008": "102"}


@dataclass(frozen=True, slots=True)
class Issued:
    """One number given to one OrderCode; `answer` is the first answer, told again on a repeat."""

    merchant_id: str
    order_code: str
    carrier: str
    number: str
    at: datetime
    origin: Place
    destination: Place
    customer: str = ""
    answer: bytes = field(default=b"", repr=False)
    cancelled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    merchant_id: str
    carrier: str
    number: str
    order_code: str
    push_type: str
    at: datetime


class Book(Protocol):
    """What the other side remembers. `issue`, `cancel` and `subscribe` are durable when they return."""

    def next_serial(self) -> int: ...

    def find_order(self, merchant_id: str, order_code: str) -> Issued | None: ...

    def find_reusable_number(self, carrier: str, at: datetime) -> str | None: ...

    def count_issued(self, carrier: str, customer: str) -> int: ...

    def issue(self, issued: Issued, subscription: Subscription | None) -> None: ...

    def cancel(self, issued: Issued, at: datetime) -> None: ...

    def is_collected(self, issued: Issued, at: datetime) -> bool: ...

    def subscribe(self, subscription: Subscription) -> None: ...

    def find_news(self, carrier: str, number: str, at: datetime) -> News | None: ...


#: (fault, what it is about) -> whether it strikes. It may also never return: a process that dies on purpose.
Strike = Callable[[str, str], bool]


class _Rejected(Exception):
    """Said in the answer: ResultCode and Reason."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class KdniaoSide:
    """Answers every instruction we use: 1007, 1147, 1127, 1008, 8008, 1002, 8001, 8002, 8101, 8102, 8103."""

    def __init__(
        self, merchants: Sequence[Merchant], *, book: Book, seed: int, strike: Strike = lambda fault, about: False
    ) -> None:
        self._merchants = {merchant.id: merchant for merchant in merchants}
        self._book = book
        self._seed = seed
        self._strike = strike
        self.sms = SmsDesk()
        self._instructions = {
            "1007": self._take,
            "1147": self._cancel,
            "1127": self._balance,
            "1008": self._subscribe,
            "8008": self._subscribe,
            "1002": self._query,
            "8001": self._query,
            "8002": self._query,
            **self.sms.instructions,
        }

    def answer(self, body: bytes, *, at: datetime) -> Reply:
        """The reply to one signed form; a refusal is an ordinary answer with its code and reason."""
        envelope = read_envelope(body)
        try:
            document = self._checked(envelope)(envelope, at)
        except SmsRefused as no:
            document = documents.PlainReply(
                e_business_id=envelope.merchant_id, success=False, reason=str(no), result_code=no.code
            )
        except _Rejected as no:
            document = documents.PlainReply(
                e_business_id=envelope.merchant_id, success=False, reason=no.reason, result_code=no.code
            )
        told = document if isinstance(document, bytes) else msgspec.json.encode(document)
        return Reply(200, (("content-type", "application/json;charset=utf-8"),), told)

    def _checked(self, envelope: Envelope) -> Callable[[Envelope, datetime], documents.Document | bytes]:
        merchant = self._merchants.get(envelope.merchant_id)
        if merchant is None:
            raise _Rejected("104", "用户不存在或未开通")
        if not verify(envelope, merchant.key):
            raise _Rejected("102", "DataSign校验失败")
        if envelope.request_type not in self._instructions:
            raise _Rejected("105", "不支持的接口指令")
        if any(char in words for words in _strings(_read(envelope, object)) for char in MANIFEST.forbidden_characters):
            raise _Rejected("103", "请求内容含有特殊字符")
        return self._instructions[envelope.request_type]

    def _take(self, envelope: Envelope, at: datetime) -> documents.Document | bytes:
        wish = _read(envelope, documents.Shipment)
        _require_shipment(wish)
        known = self._book.find_order(envelope.merchant_id, text(wish.order_code))
        if known is not None:
            return self._again(known)
        self._strike("die_before", text(wish.order_code))
        issued = self._allot(wish, merchant_id=envelope.merchant_id, at=at)
        self._book.issue(issued, None if text(wish.is_subscribe) == "0" else _own_subscription(issued, wish))
        self._strike("die_after", issued.order_code)
        return issued.answer

    def _allot(self, wish: documents.Shipment, *, merchant_id: str, at: datetime) -> Issued:
        carrier, code = text(wish.shipper_code), text(wish.order_code)
        quantity = int(text(wish.quantity))
        reused = self._book.find_reusable_number(carrier, at) if self._strike("number_reuse", code) else None
        numbers = [fakeallot.number(carrier, self._book.next_serial(), seed=self._seed) for _ in range(quantity)]
        issued = Issued(
            merchant_id=merchant_id,
            order_code=code,
            carrier=carrier,
            number=reused or numbers[0],
            at=at,
            origin=_place(wish.sender),
            destination=_place(wish.receiver),
            customer=text(wish.customer_name),
        )
        answer = _shipment_reply(issued, wish, children=numbers[1:])
        return replace(issued, answer=msgspec.json.encode(answer))

    def _again(self, known: Issued) -> documents.Document:
        if known.cancelled_at is not None:
            raise _Rejected("105", "该订单号已取消，不可重复下单")
        if self._strike("bare_106", known.order_code):
            return documents.PlainReply(e_business_id=known.merchant_id, result_code="106")
        first = read_document(known.answer, documents.ShipmentReply)
        first.result_code, first.reason = "106", "该订单号已下单成功"
        return first

    def _cancel(self, envelope: Envelope, at: datetime) -> documents.Document:
        wish = _read(envelope, documents.Cancel)
        _require([("ShipperCode", wish.shipper_code), ("OrderCode", wish.order_code), ("ExpNo", wish.exp_no)])
        issued = self._book.find_order(envelope.merchant_id, text(wish.order_code))
        if issued is None or issued.carrier != text(wish.shipper_code):
            raise _Rejected("105", "未查询到下单成功的记录")
        if issued.number != text(wish.exp_no):
            raise _Rejected("105", "运单号与订单号不一致")
        if issued.carrier not in MANIFEST.cancel_carriers:
            raise _Rejected("105", "该快递公司暂不支持线上取消，请联系网点")
        if issued.cancelled_at is not None:
            raise _Rejected("105", "该订单已取消")
        if self._book.is_collected(issued, at):
            raise _Rejected("105", "快件已揽收，不能取消")
        self._book.cancel(issued, at)
        return documents.PlainReply(
            e_business_id=envelope.merchant_id, success=True, reason="取消成功", result_code="100"
        )

    def _balance(self, envelope: Envelope, at: datetime) -> documents.Document:
        wish = _read(envelope, documents.BalanceQuery)
        _require([("ShipperCode", wish.shipper_code), ("CustomerName", wish.customer_name)])
        customer = text(wish.customer_name)
        _check_account(customer, pool_matters=False)
        used = self._book.count_issued(text(wish.shipper_code), customer)
        available = 0 if customer == EMPTY_ACCOUNT else max(0, POOL_SIZE - used)
        return documents.BalanceReply(
            e_business_id=envelope.merchant_id,
            success=True,
            reason="",
            result_code="100",
            eorder_balance=documents.EorderBalance(available_num=available, total_num=POOL_SIZE),
        )

    def _subscribe(self, envelope: Envelope, at: datetime) -> documents.Document:
        """Accepted without asking whether number and carrier fit, as the aggregator does."""
        wish = _read(envelope, documents.Shipment)
        _require([("ShipperCode", wish.shipper_code), ("LogisticCode", wish.logistic_code)])
        carrier, number = text(wish.shipper_code), text(wish.logistic_code)
        self._book.subscribe(
            Subscription(
                merchant_id=envelope.merchant_id,
                carrier=carrier,
                number=number,
                order_code=text(wish.order_code),
                push_type=_SUBSCRIPTION_OF[envelope.request_type],
                at=at,
            )
        )
        return documents.SubscribeReply(
            e_business_id=envelope.merchant_id,
            update_time=stamp(at),
            success=True,
            reason="",
            shipper_code=carrier,
            logistic_code=number,
        )

    def _query(self, envelope: Envelope, at: datetime) -> documents.Document:
        wish = _read(envelope, documents.TraceQuery)
        _require([("ShipperCode", wish.shipper_code), ("LogisticCode", wish.logistic_code)])
        carrier, number = text(wish.shipper_code), text(wish.logistic_code)
        news = self._book.find_news(carrier, number, at)
        if news is None:
            return documents.Tracked(
                e_business_id=envelope.merchant_id,
                shipper_code=carrier,
                logistic_code=number,
                order_code="",
                success=False,
                traces=[],
                state="0",
                reason="暂无轨迹信息",
            )
        push_type = "101" if envelope.request_type == "1002" else "102"
        item = tracked(news, push_type=push_type, merchant_id=envelope.merchant_id)
        if text(wish.sort) == "1" and item.traces:
            item.traces.reverse()
        return item


def service_paths() -> tuple[str, ...]:
    """Every HTTP path the aggregator listens on, its one-address sandbox included."""
    sandbox = "/" + MANIFEST.sandbox_url.split("/", 3)[3]
    return tuple(sorted({path for _, path in MANIFEST.paths.of} | {sandbox}))


def retry_after_min() -> tuple[int, ...]:
    """Minutes until each retry of a push that was not accepted; then silence until the next change."""
    return MANIFEST.retry_after_min


def _read(envelope: Envelope, kind: type[Any]) -> Any:
    try:
        return read_request(envelope.data, kind)
    except Unreadable as error:
        raise _Rejected("103", "RequestData格式有误") from error


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _require(fields: Sequence[tuple[str, documents.Word]]) -> None:
    for name, value in fields:
        if not text(value):
            raise _Rejected("101", f"缺少参数[{name}]")


def _require_shipment(wish: documents.Shipment) -> None:
    _require(
        [
            ("OrderCode", wish.order_code),
            ("ShipperCode", wish.shipper_code),
            ("PayType", wish.pay_type),
            ("ExpType", wish.exp_type),
            ("Quantity", wish.quantity),
        ]
    )
    if not text(wish.quantity).isdecimal() or not 1 <= int(text(wish.quantity)) <= QUANTITY_MAX:
        raise _Rejected("103", f"Quantity须为1到{QUANTITY_MAX}")
    if not wish.commodity or not all(text(goods.goods_name) for goods in wish.commodity):
        raise _Rejected("101", "缺少参数[缺少货物信息]")
    for who, party in (("寄件人", wish.sender), ("收件人", wish.receiver)):
        _require_party(who, party or documents.Party(), carrier=text(wish.shipper_code))
    _check_account(text(wish.customer_name), pool_matters=True)


def _require_party(who: str, party: documents.Party, *, carrier: str) -> None:
    needed = [
        ("姓名", party.name),
        ("电话", text(party.mobile) or party.tel),
        ("省份", party.province_name),
        ("城市", party.city_name),
        ("区县", party.exp_area_name),
        ("详细地址", party.address),
    ]
    if carrier in MANIFEST.postcode_carriers:
        needed.append(("邮编", party.post_code))
    for what, value in needed:
        if not text(value):
            raise _Rejected("101", f"缺少参数[{who}{what}]")


def _check_account(customer: str, *, pool_matters: bool) -> None:
    if customer == UNKNOWN_ACCOUNT:
        raise _Rejected("105", "电子面单客户号不存在或密码错误")
    if customer == EMPTY_ACCOUNT and pool_matters:
        raise _Rejected("105", "电子面单单号余额不足，请充值")


def _place(party: documents.Party | None) -> Place:
    assert party is not None, "required before"
    return Place(text(party.province_name), text(party.city_name), text(party.exp_area_name))


def _own_subscription(issued: Issued, wish: documents.Shipment) -> Subscription:
    """1007 subscribes by itself, to the monitor edition."""
    return Subscription(
        merchant_id=issued.merchant_id,
        carrier=issued.carrier,
        number=issued.number,
        order_code=issued.order_code,
        push_type="102",
        at=issued.at,
    )


def _shipment_reply(issued: Issued, wish: documents.Shipment, *, children: list[str]) -> documents.ShipmentReply:
    routing = fakeallot.routing(issued.origin, issued.destination)
    wanted = truth(wish.is_return_print_template)
    pages = (
        [render_template(_label(number, routing, wish, at=issued.at)) for number in (issued.number, *children)]
        if wanted
        else []
    )
    unique = uuid.uuid5(uuid.NAMESPACE_OID, f"{issued.merchant_id}/{issued.order_code}")
    return documents.ShipmentReply(
        e_business_id=issued.merchant_id,
        success=True,
        result_code="100",
        reason="已接收",
        uniquer_request_number=str(unique),
        print_template=pages[0] if pages else None,
        callback=text(wish.call_back) or None,
        sub_count=len(children) or None,
        sub_orders=list(children) or None,
        sub_print_templates=list(pages[1:]) or None,
        order=documents.ShipmentOrder(
            order_code=issued.order_code,
            shipper_code=issued.carrier,
            logistic_code=issued.number,
            kdn_order_code=f"KDN{stamp(issued.at)[:10].replace('-', '')}{unique.int % 10**10:010d}",
            mark_destination=routing.mark + " ",
            package_code=routing.package_code,
            package_name=routing.package_name + " ",
            sorting_code=routing.sorting_code,
            origin_name=routing.origin_name,
            destinatio_name=routing.destination_name,
        ),
    )


def _label(number: str, routing: Routing, wish: documents.Shipment, *, at: datetime) -> FakeLabel:
    goods = "、".join(text(item.goods_name) for item in wish.commodity or ())
    return FakeLabel(
        carrier=text(wish.shipper_code),
        number=number,
        mark=routing.mark,
        package=routing.package_name,
        receiver=_contact(wish.receiver),
        sender=_contact(wish.sender),
        order_number=text(wish.order_code),
        goods=goods,
        remark=text(wish.remark),
        printed_at=stamp(at),
    )


def _contact(party: documents.Party | None) -> Contact:
    """A party as carriers print it: the name's first character, the phone's ends."""
    assert party is not None, "required before"
    name, phone = text(party.name), text(party.mobile) or text(party.tel)
    address = (party.province_name, party.city_name, party.exp_area_name, party.address)
    return Contact(name=name[:1] + "**", phone=f"{phone[:3]}****{phone[-4:]}", address="".join(map(text, address)))
