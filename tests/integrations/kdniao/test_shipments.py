"""What leaves for a number: every field the wire wants, none of the characters it rejects."""

import json
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystream.core.ports import Aggregator, CarrierAccount, Contact, Goods, Reply, Taken, TakeRequest, TakeUnclear
from waystream.integrations.kdniao.adapter import network
from waystream.integrations.kdniao.manifest import MANIFEST
from waystream.integrations.kdniao.shipments import clean, shipment
from waystream.integrations.kdniao.wire import read_envelope, verify

AGGREGATOR = Aggregator("1237100", "secret-key", "https://api.example")
SENDER = Contact(
    "发货仓",
    phone="0755-26000000",
    company="甲公司",
    province="广东省",
    city="深圳市",
    district="南山区",
    address="科苑路1号",
    postcode="518000",
)
RECEIVER = Contact("李四", mobile="19900000001", province="北京市", city="北京市", district="朝阳区", address="望京2号")
REQUEST = TakeRequest(
    code="WS7K2QXRT4",
    sender=SENDER,
    receiver=RECEIVER,
    weight_g=1250,
    volume_cm3=6000,
    cod_fen=102005,
    declared_fen=50000,
    remark="小心轻放",
    quantity=2,
    goods=(Goods("杯子", code="SKU1", quantity=2, price_fen=1999, weight_g=350), Goods("碟子")),
    account=CarrierAccount(
        "YTO",
        customer_name="C1",
        customer_password="P1",
        month_code="M1",
        send_site="S1",
        send_staff="T1",
        warehouse_code="W1",
        template_size="180",
    ),
)


def test_every_field_is_sent_as_the_wire_wants_it() -> None:
    assert msgspec.to_builtins(shipment(REQUEST)) == {
        "OrderCode": "WS7K2QXRT4",
        "ShipperCode": "YTO",
        "PayType": 3,
        "ExpType": "1",
        "CustomerName": "C1",
        "CustomerPwd": "P1",
        "MonthCode": "M1",
        "SendSite": "S1",
        "SendStaff": "T1",
        "WareHouseID": "W1",
        "TemplateSize": "180",
        "IsNotice": 1,
        "IsReturnPrintTemplate": 1,
        "IsSubscribe": "1",
        "Quantity": 2,
        "Weight": 1.25,
        "Volume": 0.006,
        "Remark": "小心轻放",
        "Sender": {
            "Company": "甲公司",
            "Name": "发货仓",
            "Tel": "0755-26000000",
            "PostCode": "518000",
            "ProvinceName": "广东省",
            "CityName": "深圳市",
            "ExpAreaName": "南山区",
            "Address": "科苑路1号",
        },
        "Receiver": {
            "Name": "李四",
            "Mobile": "19900000001",
            "ProvinceName": "北京",
            "CityName": "北京市",
            "ExpAreaName": "朝阳区",
            "Address": "望京2号",
        },
        "Commodity": [
            {"GoodsName": "杯子", "GoodsCode": "SKU1", "Goodsquantity": 2, "GoodsPrice": 19.99, "GoodsWeight": 0.35},
            {"GoodsName": "碟子", "Goodsquantity": 1},
        ],
        "AddService": [{"Name": "COD", "Value": "1020.05"}, {"Name": "INSURE", "Value": "500.00"}],
    }


def test_the_form_is_signed_and_goes_to_the_instructions_path() -> None:
    ask = network.ask_take(AGGREGATOR, REQUEST)
    envelope = read_envelope(ask.body)
    assert (ask.method, ask.url, ask.trusted) == ("POST", "https://api.example/api/EOrderService", True)
    assert dict(ask.headers)["content-type"] == "application/x-www-form-urlencoded;charset=utf-8"
    assert (envelope.request_type, envelope.merchant_id) == ("1007", "1237100")
    assert verify(envelope, "secret-key")


def test_the_vendors_sandbox_has_one_address_for_all() -> None:
    ask = network.ask_take(replace(AGGREGATOR, base_url=MANIFEST.sandbox_url), REQUEST)
    assert ask.url == MANIFEST.sandbox_url


def test_carriers_that_want_a_postcode_get_one() -> None:
    ems = shipment(replace(REQUEST, account=CarrierAccount("EMS")))
    assert ems.sender is not None
    assert ems.receiver is not None
    assert (ems.sender.post_code, ems.receiver.post_code) == ("518000", "000000")


def test_nothing_is_promised_that_was_not_asked() -> None:
    plain = shipment(replace(REQUEST, cod_fen=0, declared_fen=0, weight_g=0, volume_cm3=0, remark=""))
    assert (plain.add_service, plain.weight, plain.volume, plain.remark) == (None, None, None, None)


@given(st.text(max_size=60))
def test_no_forbidden_character_leaves(words: str) -> None:
    contact = Contact(
        words,
        mobile=words,
        phone=words,
        company=words,
        province=words,
        city=words,
        district=words,
        address=words,
        postcode=words,
    )
    wish = shipment(replace(REQUEST, sender=contact, receiver=contact, goods=(Goods(words, code=words),), remark=words))
    sent = "".join(_texts(msgspec.to_builtins(wish)))
    assert not set(sent) & set(MANIFEST.forbidden_characters)
    assert clean(words) == clean(clean(words))


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [word for item in value.values() for word in _texts(item)]
    if isinstance(value, list):
        return [word for item in value for word in _texts(item)]
    return [value] if isinstance(value, str) else []


def test_a_phone_tail_goes_only_where_it_is_needed() -> None:
    def sent(carrier: str) -> str:
        ask = network.ask_subscribe(AGGREGATOR, carrier=carrier, number="N1", phone_tail="0001")
        return read_envelope(ask.body).data

    assert sent("SF") == '{"ShipperCode":"SF","LogisticCode":"N1","CustomerName":"0001"}'
    assert sent("ZTO") == '{"ShipperCode":"ZTO","LogisticCode":"N1"}'


def test_a_cancel_names_order_and_number() -> None:
    ask = network.ask_cancel(AGGREGATOR, REQUEST.account, code="WS7K2QXRT4", number="YT1")
    assert read_envelope(ask.body).data == (
        '{"ShipperCode":"YTO","OrderCode":"WS7K2QXRT4","ExpNo":"YT1",'
        '"CustomerName":"C1","CustomerPwd":"P1","MonthCode":"M1"}'
    )


def test_a_balance_names_the_outlet() -> None:
    ask = network.ask_balance(AGGREGATOR, REQUEST.account)
    assert read_envelope(ask.body).data == (
        '{"ShipperCode":"YTO","CustomerName":"C1","CustomerPwd":"P1","StationCode":"S1","StationName":"S1"}'
    )


@pytest.mark.parametrize("number", ["单号", "A" * 65, "YT 1"])
@pytest.mark.parametrize("child", [False, True])
def test_what_is_no_waybill_number_is_never_bound(number: str, child: bool) -> None:
    order = {"LogisticCode": "YT1" if child else number}
    reply = {"Success": True, "ResultCode": "100", "Order": order, "SubOrders": [number] if child else []}
    answer = network.read_take(Reply(200, body=json.dumps(reply).encode()))
    assert answer == TakeUnclear("LogisticCode is no waybill number")


def test_routing_marks_are_bounded() -> None:
    reply = {"ResultCode": "100", "Order": {"LogisticCode": "YT1", "MarkDestination": "x" * 100_000}}
    answer = network.read_take(Reply(200, body=json.dumps(reply).encode()))
    assert isinstance(answer, Taken) and len(answer.routing.mark) == 500
