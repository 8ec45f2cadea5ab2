"""The aggregator's pushes: a waybill's whole history as signed 101 and 102 forms, and how an answer is judged."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from waystream.core.errors import Unreadable
from waystream.core.ports import Reply
from waystream.integrations.kdniao import documents
from waystream.integrations.kdniao.wire import Envelope, read_document, sign, stamp, truth, write_envelope


@dataclass(frozen=True, slots=True)
class Merchant:
    id: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TraceNews:
    at: datetime
    code: str
    text: str
    location: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """Everything there is to say of one waybill: the whole history, oldest first, and the state by its code."""

    carrier: str
    number: str
    order_code: str
    state_ex: str
    traces: tuple[TraceNews, ...]
    success: bool = True
    reason: str = ""
    expected_at: str = ""


def push_data(merchant_id: str, push_type: str, news: Sequence[News], *, at: datetime) -> str:
    """RequestData of a 101 or 102 push: the complete history of each waybill."""
    return msgspec.json.encode(
        documents.PushDocument(
            e_business_id=merchant_id,
            push_time=stamp(at),
            count=str(len(news)),
            data=[tracked(item, push_type=push_type, merchant_id=merchant_id) for item in news],
        )
    ).decode()


def seal_push(merchant: Merchant, push_type: str, data: str, *, forged: bool = False) -> bytes:
    """The signed form that goes to the merchant's address; `forged` signs with another key."""
    key = merchant.key + "x" if forged else merchant.key
    return write_envelope(
        Envelope(data=data, request_type=push_type, merchant_id=merchant.id, signature=sign(data, key))
    )


def read_push_answer(reply: Reply) -> bool:
    """Whether the merchant took the push: anything but 200 with Success true is sent again."""
    try:
        return reply.status == 200 and truth(read_document(reply.body, documents.PlainReply).success)
    except Unreadable:
        return False


def tracked(news: News, *, push_type: str, merchant_id: str) -> documents.Tracked:
    """101 carries State and plain traces; 102 adds StateEx, Location and a code per trace."""
    rich = push_type == "102"
    rows = [
        documents.TraceRow(
            accept_time=stamp(trace.at),
            accept_station=trace.text,
            remark="",
            location=trace.location if rich else None,
            action=trace.code if rich and trace.code else None,
        )
        for trace in news.traces
    ]
    return documents.Tracked(
        e_business_id=merchant_id,
        order_code=news.order_code,
        shipper_code=news.carrier,
        logistic_code=news.number,
        success=news.success,
        reason=news.reason,
        state=_state(news.state_ex),
        state_ex=news.state_ex if rich else None,
        location=news.traces[-1].location if rich and news.traces else None,
        traces=rows,
        estimated_delivery_time=news.expected_at or None,
    )


def _state(state_ex: str) -> str:
    """The group a StateEx belongs to is its first digit (10 belongs to 1)."""
    return state_ex[:1] or "0"
