"""The envelope: exact bytes, the published signature, and the looseness of the other side."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystream.core.errors import Unreadable
from waystream.integrations.kdniao import documents
from waystream.integrations.kdniao.wire import (
    Envelope,
    instant,
    read_document,
    read_envelope,
    read_request,
    sign,
    signed_form,
    stamp,
    text,
    truth,
    verify,
    write_envelope,
)

KEY = "00000000-0000-0000-0000-000000000000"
DATA = '{"OrderCode":"","ShipperCode":"SF","LogisticCode":"118461988807"}'
SIGNATURE = "YjUzYjA0Yzc3ZjRmY2UxMjdjOGZmMDBkMGRlMGY0MWY="

any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


def test_the_signature_is_base64_over_the_hex_text() -> None:
    assert sign(DATA, KEY) == SIGNATURE


@given(data=any_text, key=any_text)
def test_an_envelope_survives_its_way(data: str, key: str) -> None:
    envelope = Envelope(data="{" + data, request_type="102", merchant_id="7", signature=sign("{" + data, key))
    told = read_envelope(write_envelope(envelope))
    assert told == envelope
    assert verify(told, key)
    assert not verify(told, key + "x")


def test_what_is_signed_is_what_is_sent() -> None:
    body = signed_form(documents.Cancel(order_code="甲 +乙", exp_no="1"), request_type="1147", merchant_id="7", key=KEY)
    told = read_envelope(body)
    assert told.data == '{"OrderCode":"甲 +乙","ExpNo":"1"}'
    assert told.signature == sign(told.data, KEY)
    assert (told.merchant_id, told.request_type, told.data_type) == ("7", "1147", "2")


@pytest.mark.parametrize(
    "signature", [SIGNATURE, SIGNATURE.replace("=", "%3D"), SIGNATURE.replace("=", "%253D"), f" {SIGNATURE}\n"]
)
def test_a_signature_encoded_once_too_often_still_counts(signature: str) -> None:
    assert verify(Envelope(DATA, "101", signature=signature), KEY)


@pytest.mark.parametrize(
    "signature", ["", "=", SIGNATURE[:-1], SIGNATURE.lower(), "é", SIGNATURE.replace("=", "%25253D")]
)
def test_anything_else_does_not(signature: str) -> None:
    assert not verify(Envelope(DATA, "101", signature=signature), KEY)


@given(st.binary(max_size=300))
def test_any_bytes_have_an_envelope(body: bytes) -> None:
    assert not verify(read_envelope(body), KEY)


def test_single_quoted_pseudo_json_is_read_where_clients_send_it() -> None:
    asked = read_request("{'OrderCode':'','ShipperCode':'YTO','LogisticCode':'884'}", documents.TraceQuery)
    assert (asked.shipper_code, asked.logistic_code) == ("YTO", "884")


@pytest.mark.parametrize(
    "data",
    [
        "",
        "nonsense",
        "{",
        "null",
        "3",
        '{"Traces":{}}',
        '{"Traces":[3]}',
        "[" * 100_000,
        '{"Traces":' + "[" * 100_000,
        '"\\ud800"',
    ],
)
def test_what_is_no_document_is_unreadable(data: str) -> None:
    with pytest.raises(Unreadable):
        read_document(data, documents.Tracked)


def test_misspellings_are_kept() -> None:
    sent = msgspec.json.encode(
        [
            documents.Commodity(goodsquantity=1),
            documents.ShipmentOrder(destinatio_code="1", destinatio_name="2", kdn_order_code="3", qr_code="4"),
            documents.AccountApplication(proivnce_code="1", apply_id="2"),
            documents.Shipment(ware_house_id="1", member_id="2", thr_order_code="3"),
            documents.Tracked(e_business_id="1", station_add="2", delivery_man_tel="3"),
        ]
    ).decode()
    assert sent == (
        '[{"Goodsquantity":1},{"KDNOrderCode":"3","DestinatioCode":"1","DestinatioName":"2","QRCode":"4"},'
        '{"ApplyID":"2","ProivnceCode":"1"},{"MemberID":"2","WareHouseID":"1","ThrOrderCode":"3"},'
        '{"EBusinessID":"1","StationAdd":"2","DeliveryManTel":"3"}]'
    )


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (None, ""),
        ("  甲 ", "甲"),
        ("a\x00b\x1fc\x85", "abc"),
        (3, "3"),
        (3.0, "3"),
        (1.5, "1.5"),
        ("", ""),
        ("全角\u3000空格", "全角\u3000空格"),
        (True, "True"),
    ],
)
def test_loose_fields_become_clean_text(word: documents.Word, expected: str) -> None:
    assert text(word) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (True, True),
        ("true", True),
        ("True", True),
        (1, True),
        ("1", True),
        (False, False),
        (None, False),
        ("", False),
        ("false", False),
        (0, False),
    ],
)
def test_loose_truth(word: documents.Word, expected: bool) -> None:
    assert truth(word) is expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("2019-07-11 12:15:12", datetime(2019, 7, 11, 4, 15, 12, tzinfo=UTC)),
        ("2014/06/25 08:05:37", datetime(2014, 6, 25, 0, 5, 37, tzinfo=UTC)),
        ("2020-08-03 16:58:272", datetime(2020, 8, 3, 8, 58, 27, tzinfo=UTC)),
        ("2020-08-03 16:58:27.123", datetime(2020, 8, 3, 8, 58, 27, tzinfo=UTC)),
        ("2026-3-2 9:05:07", datetime(2026, 3, 2, 1, 5, 7, tzinfo=UTC)),
        ("2026-03-02 09:05", datetime(2026, 3, 2, 1, 5, tzinfo=UTC)),
        ("2026年3月2日 09:05:07", datetime(2026, 3, 2, 1, 5, 7, tzinfo=UTC)),
        ("2026-01-01 00:00:00", datetime(2025, 12, 31, 16, tzinfo=UTC)),
    ],
)
def test_stamps_are_beijing_time_in_any_notation(told: str, expected: datetime) -> None:
    assert instant(told) == expected


@pytest.mark.parametrize(
    "told",
    [
        "",
        "yesterday",
        "2026-13-01 00:00:00",
        "2026-02-30 10:00:00",
        "0001-01-01 00:00:00",
        "9999-12-31 23:59:59",
        "1999-12-31 23:59:59",
        "2026-03-02 25:00:00",
        "٢٠٢٦-03-02",
    ],
)
def test_impossible_stamps_are_unreadable(told: str) -> None:
    with pytest.raises(Unreadable):
        instant(told)


@given(st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001
def test_stamps_survive_their_way(at: datetime) -> None:
    assert instant(stamp(at)) == at.replace(microsecond=0)
