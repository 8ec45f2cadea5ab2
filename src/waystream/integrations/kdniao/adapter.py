"""Kdniao as a `core.ports.Network`: our values to its signed documents and back, all pure.

Guaranteed: forbidden characters never leave; what is read fits the database (bounded, no control characters, times of
this century); nothing raised quotes what was sent or told. Bytes move in `kernel.exchange`, the fold is in `core`.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

import msgspec

from waystream.core import text_rules
from waystream.core.errors import Refused, Unavailable, Unreadable
from waystream.core.label import Drawing
from waystream.core.ports import (
    Aggregator,
    Balance,
    CancelAnswer,
    CarrierAccount,
    HttpAsk,
    Lane,
    Network,
    PullRules,
    Push,
    Renewal,
    Reply,
    Routing,
    SubscribeAnswer,
    TakeAnswer,
    TakeDenied,
    Taken,
    TakeRequest,
    TakeUnclear,
    Trace,
)
from waystream.core.state import Meaning
from waystream.integrations.kdniao import documents, pushes, shipments
from waystream.integrations.kdniao.manifest import MANIFEST
from waystream.integrations.kdniao.refusals import cancel_outcome, refusal_of, sentence
from waystream.integrations.kdniao.sms import gateway as gateway
from waystream.integrations.kdniao.statuses import meaning_of
from waystream.integrations.kdniao.template import read_template
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

_ACCEPTED, _REPEATED = "100", "106"
_NUMBER_MAX_CHARS = 64
_JSON = "application/json;charset=utf-8"

Answer = TypeVar("Answer", bound=documents.Document)


class Kdniao:
    """The network; it holds no state, `network` below is the one instance."""

    name = MANIFEST.name
    pull = PullRules(
        per_s=MANIFEST.query_rate_per_s,
        pushed_for_s=60.0 * max(MANIFEST.retry_after_min),
        again_after_s=60.0 * MANIFEST.query_again_min,
    )

    renewal = Renewal(MANIFEST.resubscribe_reasons)

    def ask_take(self, aggregator: Aggregator, request: TakeRequest) -> HttpAsk:
        lane = Lane(f"kdniao 1007 {aggregator.merchant_id}", MANIFEST.take_rate_per_s)
        return replace(_ask(aggregator, "1007", shipments.shipment(request)), lane=lane)

    def read_take(self, reply: Reply) -> TakeAnswer:
        """100 is a number, 106 the first number again; 106 without one needs a person; the rest is a refusal."""
        answer = _answer(reply, documents.ShipmentReply)
        code, reason = text(answer.result_code), _bounded(answer.reason)
        number = text(answer.order.logistic_code) if answer.order else ""
        children = _list(answer.sub_orders)
        accepted = code == _ACCEPTED or (code == "" and truth(answer.success))
        if not accepted and code != _REPEATED:
            return TakeDenied(code=code, mend=refusal_of(code, reason).mend, reason=reason)
        if answer.order is None or not number:
            return TakeUnclear(reason or f"ResultCode {code}")
        if not all(map(_is_number, (number, *children))):
            return TakeUnclear("LogisticCode is no waybill number")
        return Taken(
            number=number,
            routing=_routing(answer.order),
            template=_html(answer.print_template),
            children=children,
            child_templates=_htmls(answer.sub_print_templates),
            network_order=text(answer.order.kdn_order_code),
            again=code == _REPEATED,
        )

    def ask_cancel(self, aggregator: Aggregator, account: CarrierAccount, *, code: str, number: str) -> HttpAsk:
        return _ask(
            aggregator,
            "1147",
            documents.Cancel(
                shipper_code=account.carrier,
                order_code=code,
                exp_no=number,
                customer_name=account.customer_name or None,
                customer_pwd=account.customer_password or None,
                month_code=account.month_code or None,
            ),
        )

    def read_cancel(self, reply: Reply) -> CancelAnswer:
        answer = _answer(reply, documents.PlainReply)
        reason = _bounded(answer.reason)
        if truth(answer.success) or text(answer.result_code) == _ACCEPTED:
            return CancelAnswer("confirmed", reason)
        return CancelAnswer(cancel_outcome(reason), reason)

    def ask_balance(self, aggregator: Aggregator, account: CarrierAccount) -> HttpAsk:
        return _ask(
            aggregator,
            "1127",
            documents.BalanceQuery(
                shipper_code=account.carrier,
                customer_name=account.customer_name,
                customer_pwd=account.customer_password,
                station_code=account.send_site,
                station_name=account.send_site,
            ),
        )

    def read_balance(self, reply: Reply) -> Balance:
        """Raises `Refused` when the network does not tell, with the sentence that says what to mend."""
        answer = _answer(reply, documents.BalanceReply)
        if not truth(answer.success) or answer.eorder_balance is None:
            code = text(answer.result_code)
            refusal = refusal_of(code, _bounded(answer.reason))
            raise Refused(refusal.en, code=code)
        return Balance(
            available=_count(answer.eorder_balance.available_num), total=_count(answer.eorder_balance.total_num)
        )

    def ask_subscribe(self, aggregator: Aggregator, *, carrier: str, number: str, phone_tail: str) -> HttpAsk:
        return _ask(
            aggregator,
            "8008",
            documents.Shipment(shipper_code=carrier, logistic_code=number, customer_name=_tail(carrier, phone_tail)),
        )

    def read_subscribe(self, reply: Reply) -> SubscribeAnswer:
        answer = _answer(reply, documents.SubscribeReply)
        return SubscribeAnswer(accepted=truth(answer.success), reason=_bounded(answer.reason))

    def ask_query(self, aggregator: Aggregator, *, carrier: str, number: str, phone_tail: str) -> HttpAsk:
        """Ask for the trace list itself (8001): the second source when pushes were missed."""
        lane = Lane(f"kdniao query {aggregator.merchant_id}", self.pull.per_s)
        asked = _ask(
            aggregator,
            pushes.QUERY,
            documents.TraceQuery(
                order_code="",
                shipper_code=carrier,
                logistic_code=number,
                customer_name=_tail(carrier, phone_tail),
                sort=0,
            ),
        )
        return replace(asked, lane=lane)

    def read_query(self, aggregator: Aggregator, reply: Reply, *, at: datetime) -> bytes:
        """The answer in its own bytes, in the envelope of a push of that instant; an answer has no time of its own."""
        answer = _answer(reply, documents.Tracked)
        if not text(answer.logistic_code):
            code = text(answer.result_code)
            raise Refused(_bounded(answer.reason) or f"Kdniao refused the query (ResultCode {code}).", code=code)
        return pushes.wrap_query(reply.body, merchant_id=aggregator.merchant_id, at=at)

    def open_push(self, aggregator: Aggregator, body: bytes) -> Push | None:
        envelope = read_envelope(body)
        signed = envelope.data != "" and verify(envelope, aggregator.key)
        return pushes.skim(envelope, kinds=MANIFEST.push_types) if signed else None

    def read_push(self, body: bytes) -> Push:
        return pushes.skim(read_envelope(body), kinds=MANIFEST.push_types | {pushes.QUERY})

    def read_lines(self, lines: Sequence[bytes]) -> tuple[Trace, ...]:
        return pushes.read_lines(lines)

    def answer_push(self, *, merchant_id: str, at: datetime, accepted: bool, reason: str) -> Reply:
        """Kdniao's own words. A refusal is also a 503: only silence and non-answers are surely sent again."""
        body = msgspec.json.encode(
            documents.PushReply(e_business_id=merchant_id, update_time=stamp(at), success=accepted, reason=reason)
        )
        return Reply(status=200 if accepted else 503, headers=(("content-type", _JSON),), body=body)

    def meaning(self, code: str, text: str) -> Meaning:
        """By code; by the words only where there is no code at all."""
        return meaning_of(code) if code else text_rules.meaning_of(text)

    def draw_template(self, template: str) -> Drawing:
        """The carrier's PrintTemplate as a drawing in true millimetres; nothing in it is run or fetched."""
        return read_template(template)

    def mend_sentence(self, mend: str, language: str) -> str:
        """The sentence behind `TakeDenied.mend`, in `zh` or `en`."""
        return sentence(mend, language)


network = Kdniao()
if TYPE_CHECKING:
    _conforms: Network = network


def _ask(aggregator: Aggregator, instruction: str, document: documents.Document) -> HttpAsk:
    """The vendor's sandbox has one address for everything (…invoke.json); elsewhere each instruction has a path."""
    base = aggregator.base_url.rstrip("/")
    url = base if base.endswith(".json") else base + MANIFEST.paths.get(instruction)
    body = signed_form(document, request_type=instruction, merchant_id=aggregator.merchant_id, key=aggregator.key)
    return HttpAsk(
        "POST", url, headers=(("content-type", FORM),), body=body, timeout_s=MANIFEST.timeout_s, trusted=True
    )


def _answer(reply: Reply, kind: type[Answer]) -> Answer:
    if not 200 <= reply.status < 300:
        raise Unavailable(f"Kdniao answered {reply.status}", sent=True)
    if not reply.body:
        raise Unreadable("Kdniao answered nothing")
    return read_document(reply.body, kind)


def _routing(order: documents.ShipmentOrder) -> Routing:
    return Routing(
        mark=_bounded(order.mark_destination),
        package_name=_bounded(order.package_name),
        package_code=_bounded(order.package_code),
        sorting_code=_bounded(order.sorting_code),
        origin_name=_bounded(order.origin_name),
        destination_name=_bounded(order.destinatio_name),
    )


def _is_number(number: str) -> bool:
    """What a label can carry as a barcode and a push can name again."""
    return len(number) <= _NUMBER_MAX_CHARS and number.isascii() and number.isprintable() and " " not in number


def _tail(carrier: str, phone_tail: str) -> str | None:
    return phone_tail if phone_tail and carrier in MANIFEST.phone_tail_carriers else None


def _bounded(word: documents.Word) -> str:
    return text(word)[: MANIFEST.text_max_chars]


def _html(word: documents.Word) -> str:
    return word.replace("\x00", "") if isinstance(word, str) else ""


def _list(words: documents.Words) -> tuple[str, ...]:
    """Child numbers come as an array or as one comma-separated string."""
    told = words.split(",") if isinstance(words, str) else words or []
    return tuple(number for number in map(text, told) if number)


def _htmls(words: documents.Words) -> tuple[str, ...]:
    told = [words] if isinstance(words, str) else words or []
    return tuple(page for page in map(_html, told) if page)


def _count(word: documents.Word) -> int:
    told = text(word)
    if not told.isdecimal():
        raise Unreadable("Kdniao: a balance is not a number")
    return int(told)
