"""Adapter and fake meet on the wire: every instruction there and back, and what a strict aggregator refuses."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from waystream.core.errors import Refused
from waystream.core.ports import (
    Aggregator,
    CarrierAccount,
    Contact,
    Goods,
    HttpAsk,
    Reply,
    TakeAnswer,
    TakeDenied,
    Taken,
    TakeRequest,
    TakeUnclear,
)
from waystream.integrations.kdniao import documents, fake
from waystream.integrations.kdniao.adapter import network
from waystream.integrations.kdniao.fake import Issued, KdniaoSide, Merchant
from waystream.integrations.kdniao.wire import Envelope, sign, signed_form, write_envelope
from waystream.sandbox.book import SandboxBook
from waystream.sandbox.world import Happening

AT = datetime(2026, 3, 1, 2, tzinfo=UTC)
AGGREGATOR = Aggregator("7", "key", "https://api.example")
REQUEST = TakeRequest(
    code="WS7K2QXRT4",
    account=CarrierAccount("YTO", customer_name="C1"),
    sender=Contact(
        "发货仓", mobile="19900000000", province="广东省", city="深圳市", district="南山区", address="科苑路1号"
    ),
    receiver=Contact(
        "李四", mobile="19900000001", province="北京市", city="北京市", district="朝阳区", address="望京2号"
    ),
    goods=(Goods("杯子"),),
    cod_fen=3998,
)


class Network:
    """The fake behind a counter that keeps time."""

    def __init__(self, folder: Path, strike: fake.Strike = lambda fault, about: False) -> None:
        self.book = SandboxBook(folder / "book.sqlite3", plan=collected_after_four_hours)
        self.side = KdniaoSide([Merchant("7", "key")], book=self.book, seed=1, strike=strike)
        self.at = AT

    def ask(self, ask: HttpAsk) -> Reply:
        return self.side.answer(ask.body, at=self.at)

    def take(self, request: TakeRequest = REQUEST) -> TakeAnswer:
        return network.read_take(self.ask(network.ask_take(AGGREGATOR, request)))

    def cancel(self, *, carrier: str = "YTO", code: str = REQUEST.code, number: str) -> tuple[str, str]:
        ask = network.ask_cancel(AGGREGATOR, CarrierAccount(carrier), code=code, number=number)
        answer = network.read_cancel(self.ask(ask))
        return answer.outcome, answer.reason


def collected_after_four_hours(issued: Issued) -> tuple[Happening, ...]:
    return (
        Happening(issued.at + timedelta(hours=4), "1", "已揽收", "深圳市"),
        Happening(issued.at + timedelta(hours=40), "301", "已签收，签收人：本人", "北京市"),
    )


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Network]:
    other = Network(tmp_path)
    yield other
    other.book.close()


def taken(answer: TakeAnswer) -> Taken:
    assert isinstance(answer, Taken), answer
    return answer


def test_a_number_is_given_with_its_label_and_routing(other: Network) -> None:
    answer = taken(other.take())
    assert answer.number.startswith("YT")
    assert len(answer.number) == 15
    assert not answer.again
    assert answer.network_order.startswith("KDN20260301")
    assert answer.routing.package_name == "北京转运中心集包"
    assert answer.routing.destination_name == "北京市朝阳区"
    assert answer.routing.mark
    assert network.draw_template(answer.template).items
    assert "19900000001" not in answer.template


@pytest.mark.parametrize(
    ("carrier", "beginning", "length"),
    [("SF", "SF", 15), ("ZTO", "78", 14), ("YTO", "YT", 15), ("STO", "773", 15), ("JD", "JDVA", 15), ("XX", "XX9", 15)],
)
def test_numbers_look_like_the_carriers(other: Network, carrier: str, beginning: str, length: int) -> None:
    number = taken(other.take(replace(REQUEST, account=CarrierAccount(carrier)))).number
    assert number.startswith(beginning)
    assert len(number) == length


def test_the_same_order_code_gets_the_same_number(other: Network) -> None:
    first, again = taken(other.take()), taken(other.take(replace(REQUEST, remark="另一次")))
    assert again == replace(first, again=True)
    assert len(other.book.list_issued()) == 1
    assert taken(other.take(replace(REQUEST, code="ANOTHER"))).number != first.number


def test_a_repeat_may_come_without_its_number(tmp_path: Path) -> None:
    other = Network(tmp_path, strike=lambda fault, about: fault == "bare_106")
    taken(other.take())
    assert isinstance(other.take(), TakeUnclear)
    other.book.close()


def test_a_shipment_of_several_parcels_has_children(other: Network) -> None:
    answer = taken(other.take(replace(REQUEST, quantity=3)))
    assert len({answer.number, *answer.children}) == 3
    assert len(answer.child_templates) == 2


@pytest.mark.parametrize(
    ("change", "mend"),
    [
        ({"goods": ()}, "goods_name_missing"),
        ({"goods": (Goods("'"),)}, "goods_name_missing"),
        ({"receiver": replace(REQUEST.receiver, mobile="")}, "receiver_phone_missing"),
        ({"receiver": replace(REQUEST.receiver, name="#")}, "receiver_name_missing"),
        ({"receiver": replace(REQUEST.receiver, address="")}, "receiver_address_incomplete"),
        ({"sender": replace(REQUEST.sender, district="")}, "sender_incomplete"),
        ({"account": CarrierAccount("YTO", customer_name="UNKNOWN")}, "account_unknown"),
        ({"account": CarrierAccount("YTO", customer_name="EMPTY")}, "number_pool_empty"),
    ],
)
def test_a_refusal_says_what_to_mend(other: Network, change: dict[str, Any], mend: str) -> None:
    answer = other.take(replace(REQUEST, **change))
    assert isinstance(answer, TakeDenied)
    assert answer.mend == mend
    assert other.book.list_issued() == []


def test_a_refused_code_may_be_used_again(other: Network) -> None:
    assert isinstance(other.take(replace(REQUEST, goods=())), TakeDenied)
    assert not taken(other.take()).again


def test_strangers_and_forgers_are_refused(other: Network) -> None:
    for stranger, mend in (
        (replace(AGGREGATOR, merchant_id="8"), "merchant_unknown"),
        (replace(AGGREGATOR, key="other"), "signature_wrong"),
    ):
        answer = network.read_take(other.ask(network.ask_take(stranger, REQUEST)))
        assert isinstance(answer, TakeDenied)
        assert answer.mend == mend


def _raw(other: Network, data: str, instruction: str) -> dict[str, Any]:
    body = write_envelope(Envelope(data, instruction, merchant_id="7", signature=sign(data, "key")))
    told: dict[str, Any] = json.loads(other.side.answer(body, at=other.at).body)
    return told


def test_forbidden_characters_are_seen(other: Network) -> None:
    answer = _raw(other, '{"ShipperCode":"YTO","LogisticCode":"A&B"}', "8008")
    assert (answer["Success"], answer["ResultCode"]) == (False, "103")


def test_what_cannot_be_read_is_refused(other: Network) -> None:
    assert _raw(other, '{"ShipperCode"', "8008")["ResultCode"] == "103"
    assert _raw(other, '{"ShipperCode":{}}', "8008")["ResultCode"] == "103"
    assert _raw(other, "{}", "4711")["ResultCode"] == "105"
    assert json.loads(other.side.answer(b"", at=AT).body)["ResultCode"] == "104"


def test_the_vendors_single_quotes_are_understood(other: Network) -> None:
    assert _raw(other, "{'ShipperCode':'YTO','LogisticCode':'YT1'}", "1008")["Success"] is True


def test_a_cancel_holds_before_collection_only(other: Network) -> None:
    number = taken(other.take()).number
    assert other.cancel(number="YT0")[0] == "refused"
    assert other.cancel(code="NOBODY", number=number)[0] == "refused"
    other.at = AT + timedelta(hours=4)
    assert other.cancel(number=number) == ("refused", "快件已揽收，不能取消")
    other.at = AT + timedelta(hours=3)
    assert other.cancel(number=number)[0] == "confirmed"
    assert other.cancel(number=number)[0] == "confirmed"


def test_a_cancelled_number_never_moves_and_its_code_stays_used(other: Network) -> None:
    number = taken(other.take()).number
    other.cancel(number=number)
    assert isinstance(other.take(), TakeDenied)
    other.at = AT + timedelta(days=9)
    assert other.book.find_news("YTO", number, other.at) is None
    assert other.book.list_due(other.at, limit=9) == []


def test_some_carriers_cannot_cancel(other: Network) -> None:
    number = taken(other.take(replace(REQUEST, account=CarrierAccount("SF")))).number
    assert other.cancel(carrier="SF", number=number)[0] == "unsupported"


def test_the_balance_goes_down(other: Network) -> None:
    def available(account: CarrierAccount) -> int:
        return network.read_balance(other.ask(network.ask_balance(AGGREGATOR, account))).available

    before = available(REQUEST.account)
    other.take()
    assert available(REQUEST.account) == before - 1
    assert available(CarrierAccount("YTO", customer_name="EMPTY")) == 0


def test_a_subscription_is_accepted_whatever_its_number(other: Network) -> None:
    ask = network.ask_subscribe(AGGREGATOR, carrier="SF", number="no such number", phone_tail="0001")
    assert network.read_subscribe(other.ask(ask)).accepted


def test_a_query_tells_the_history(other: Network) -> None:
    number = taken(other.take()).number
    ask = network.ask_query(AGGREGATOR, carrier="YTO", number=number, phone_tail="")
    [before] = network.read_push(network.read_query(AGGREGATOR, other.ask(ask), at=AT)).told
    assert (before.state_code, before.traces, before.complete) == ("0", (), False)
    other.at = AT + timedelta(days=2)
    [after] = network.read_push(network.read_query(AGGREGATOR, other.ask(ask), at=other.at)).told
    assert [trace.code for trace in after.traces] == ["1", "301"]
    assert (after.state_code, after.complete, after.push_time) == ("301", True, other.at)


def test_both_query_instructions_are_answered_alike(other: Network) -> None:
    number = taken(other.take()).number
    other.at = AT + timedelta(days=2)
    document = documents.TraceQuery(order_code="", shipper_code="YTO", logistic_code=number, sort=0)
    answers = [
        other.ask(HttpAsk("POST", "", body=signed_form(document, request_type=kind, merchant_id="7", key="key")))
        for kind in ("8001", "8002")
    ]
    assert answers[0].body == answers[1].body


def test_a_refused_query_is_a_refusal(other: Network) -> None:
    wrong = replace(AGGREGATOR, key="wrong")
    ask = network.ask_query(wrong, carrier="YTO", number="YT1", phone_tail="")
    with pytest.raises(Refused, match="DataSign"):
        network.read_query(wrong, other.ask(ask), at=AT)


def test_a_push_arrives_as_it_was_meant(other: Network) -> None:
    number = taken(other.take()).number
    news = other.book.news_of("YTO", number, AT + timedelta(hours=5), order_code=REQUEST.code)
    for push_type, codes in (("101", ["", ""][:1]), ("102", ["1"])):
        data = fake.push_data("7", push_type, [news], at=AT + timedelta(hours=5))
        body = fake.seal_push(Merchant("7", "key"), push_type, data)
        push = network.open_push(AGGREGATOR, body)
        assert push is not None
        assert (push.merchant_id, push.request_type, push.pushed_at) == ("7", push_type, AT + timedelta(hours=5))
        assert [trace.code for trace in push.told[0].traces] == codes
        assert push.told[0].traces[0].at == AT + timedelta(hours=4)
        assert (push.told[0].number, push.told[0].our_code, push.told[0].state_code) == (number, REQUEST.code, "1")
        assert network.open_push(AGGREGATOR, fake.seal_push(Merchant("7", "key"), push_type, data, forged=True)) is None


def test_only_their_own_words_count_as_an_answer() -> None:
    for accepted in (True, False):
        reply = network.answer_push(merchant_id="7", at=AT, accepted=accepted, reason="")
        assert fake.read_push_answer(reply) is accepted
    assert not fake.read_push_answer(Reply(200, body=b"ok"))
    assert not fake.read_push_answer(Reply(204))
