"""What comes in at the door: bounded, cleaned, and every wrong field named without quoting it."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.parts.world import raw_order
from waystream.core.errors import Invalid, InvalidMany
from waystream.parts.orders.form import clean, is_phone, normal_phone, parse_order, parse_orders

RECEIVER = raw_order()["receiver"]
LINE = raw_order()["lines"][0]


@pytest.mark.parametrize(
    ("given_", "path"),
    [
        ({"number": ""}, "number"), ({"number": "\x00 "}, "number"), ({"number": 5}, "number"),
        ({"shop": "x" * 65}, "shop"), ({"payment": "gold"}, "payment"), ({"refund": "罗小明"}, "refund"),
        ({"payment": "cod"}, "cod_fen"), ({"cod_fen": 5}, "cod_fen"), ({"cod_fen": -1}, "cod_fen"),
        ({"currency": "yuan"}, "currency"), ({"declared_fen": 10**11}, "declared_fen"),
        ({"paid_at": "2026-11-11 08:00"}, "paid_at"), ({"ship_by": "1999-01-01T00:00:00Z"}, "ship_by"),
        ({"lines": []}, "lines"), ({"lines": [LINE] * 201}, "lines"),
        ({"lines": [LINE, LINE | {"quantity": 0}]}, "lines[1].quantity"),
        ({"lines": [LINE | {"quantity": "2"}]}, "lines[0].quantity"),
        ({"lines": [LINE | {"quantity": 100_001}]}, "lines[0].quantity"),
        ({"lines": [LINE | {"sku": ""}]}, "lines[0].sku"),
        ({"lines": [LINE | {"discount_fen": 9801}]}, "lines[0].discount_fen"),
        ({"lines": [LINE | {"colour": "red"}]}, "lines[0]"),
        ({"receiver": None}, "receiver"), ({"sealed": {"platform": "t", "ciphertext": "x"}}, "receiver"),
        ({"receiver": RECEIVER | {"mobile": ""}}, "receiver.mobile"),
        ({"receiver": RECEIVER | {"mobile": "call me"}}, "receiver.mobile"),
        ({"receiver": RECEIVER | {"phone": "12"}}, "receiver.phone"),
        ({"receiver": RECEIVER | {"name": "x" * 65}}, "receiver.name"),
        ({"receiver": RECEIVER | {"address": ""}}, "receiver.address"),
        ({"buyer_remark": "x" * 1001}, "buyer_remark"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_and_not_quoted(given_: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_order(raw_order() | given_)
    assert caught.value.path == path
    assert "罗小明" not in caught.value.sentence


def test_all_wrong_values_are_told_together() -> None:
    with pytest.raises(InvalidMany) as caught:
        parse_orders(
            [raw_order(), raw_order(cod_fen=5, lines=[LINE | {"discount_fen": 10**6}]), raw_order(number=""), 7]
        )
    assert [each.path for each in caught.value.problems] == [
        "[1].cod_fen", "[1].lines[0].discount_fen", "[2].number", "[3]"]  # fmt: skip


def test_an_empty_list_and_one_that_is_too_long() -> None:
    for raw in ([], [raw_order()] * 5_001):
        with pytest.raises(Invalid):
            parse_orders(raw)


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("15812346021", "15812346021"), ("+86 158 1234 6021", "15812346021"), ("86-15812346021", "15812346021"),
        ("１５８１２３４６０２１", "15812346021"), ("13800001111转1234", "13800001111-1234"),
        ("13800001111-1234", "13800001111-1234"), ("13800001111,1234", "13800001111-1234"),
        ("13800001111 ext.12", "13800001111-12"), ("0571-88123456", "0571-88123456"),
        ("+1 212 555 0100", "+12125550100"),
    ],
)  # fmt: skip
def test_phones_as_they_are_typed(typed: str, normal: str) -> None:
    assert normal_phone(typed) == normal
    assert is_phone(normal)
    assert normal_phone(normal) == normal


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1999-12-31T00:00:00Z"])
def test_a_time_out_of_this_world_is_invalid(at: str) -> None:
    with pytest.raises(Invalid, match="year between 2000 and 2100"):
        parse_order(raw_order(paid_at=at))


def test_nothing_unseen_stays_in_a_text() -> None:
    assert clean("a\u202eb\u2066c\u200bd\ufeffe\u200ff\tg") == "abcdef g"
    assert parse_order(raw_order("2611\u202e07")).number == "261107"


@given(st.text())
def test_texts_fit_the_database(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert "\x00" not in cleaned
    assert clean(cleaned) == cleaned


FIELDS = st.sampled_from([*raw_order(), "x"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=12,
)


@given(ANYTHING)
def test_nothing_but_invalid_comes_of_anything(raw: Any) -> None:
    for given_ in (raw, raw_order() | raw if isinstance(raw, dict) else raw):
        with contextlib.suppress(Invalid):
            parse_orders(given_)


def test_the_same_instant_is_the_same_order() -> None:
    one = parse_order(raw_order(paid_at="2026-11-11T08:00:00+08:00"))
    assert parse_order(raw_order(paid_at="2026-11-11T00:00:00Z")) == one
    assert "罗小明" not in repr(one)
