"""Cells and headers as people write them."""

import contextlib
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystream.core import sheet
from waystream.core.errors import Invalid
from waystream.core.sheet import Column, Row, lay_out, read_row

COLUMNS = (
    Column("number", ("订单号", "order no"), sheet.identifier, required=True),
    Column("price_fen", ("单价", "price"), sheet.yuan),
    Column("price_fen", ("单价分", "price_fen"), sheet.whole),
)


@pytest.mark.parametrize(
    ("read", "cell", "value"),
    [
        (sheet.yuan, "49", 4900), (sheet.yuan, "¥1,234.50", 123450), (sheet.yuan, "0.1", 10),
        (sheet.yuan, "9.9元", 990),
        (sheet.whole, "2", 2), (sheet.whole, "2.0", 2), (sheet.whole, "1,000", 1000),
        (sheet.kilograms, "1.25kg", 1250), (sheet.centimetres, "12.5", 125), (sheet.percent, "13%", 1300),
        (sheet.yes, "是", True), (sheet.yes, "No", False),
        (sheet.instant, "2026-11-11 08:00:00", datetime(2026, 11, 11, tzinfo=UTC)),
        (sheet.instant, "2026/11/11 8:00", datetime(2026, 11, 11, tzinfo=UTC)),
        (sheet.instant, "2026年11月11日 8时00分", datetime(2026, 11, 11, tzinfo=UTC)),
        (sheet.instant, "2026/11/11", datetime(2026, 11, 10, 16, tzinfo=UTC)),
        (sheet.instant, "2026-11-11T00:00:00Z", datetime(2026, 11, 11, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_cells(read: sheet.Read, cell: str, value: object) -> None:
    assert read(cell) == value


@pytest.mark.parametrize(
    ("read", "cell"),
    [
        (sheet.yuan, "0.001"), (sheet.yuan, "x"), (sheet.yuan, "NaN"), (sheet.yuan, "1e99"), (sheet.whole, "1.5"),
        (sheet.yes, "perhaps"), (sheet.instant, "2026-02-30"), (sheet.instant, "yesterday"),
        (sheet.identifier, "2.61111E+11"),
    ],
)  # fmt: skip
def test_cells_that_cannot_be_read(read: sheet.Read, cell: str) -> None:
    with pytest.raises(ValueError):
        read(cell)


@given(st.integers(0, 10**12))
def test_money_is_exact(fen: int) -> None:
    assert sheet.yuan(f"{Decimal(fen) / 100:,.2f}") == fen


@given(st.text())
def test_a_cell_is_read_or_refused(cell: str) -> None:
    for read in (sheet.yuan, sheet.whole, sheet.instant, sheet.yes, sheet.percent, sheet.identifier):
        with contextlib.suppress(ValueError):
            read(cell)


@pytest.mark.parametrize(
    "headers", [("订单号", "单价(元)"), (" 订单 号*", "Price"), ("Order_No.", "单价分"), ("number", "x")]
)
def test_headers_are_known_however_they_are_written(headers: tuple[str, ...]) -> None:
    assert lay_out(headers, COLUMNS, {}).fills("number")


def test_what_is_chosen_wins_and_what_means_nothing_is_said() -> None:
    layout = lay_out(("订单号", "备用号", "单价"), COLUMNS, {"备用号": "number", "订单号": "", "单价": ""})
    assert layout.header_of("number") == "备用号"
    assert layout.ignored == ("订单号", "单价")
    assert lay_out(("订单号", "?"), COLUMNS, {}).ignored == ("?",)


@pytest.mark.parametrize(
    ("headers", "chosen"),
    [
        (("单价",), {}),
        (("订单号", "order no"), {}),
        (("订单号", "x"), {"x": "nothing"}),
        (("订单号", "单价", "单价分"), {}),
    ],
)
def test_headers_that_lack_or_repeat(headers: tuple[str, ...], chosen: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        lay_out(headers, COLUMNS, chosen)


def test_a_bad_cell_is_named_by_line_and_header() -> None:
    layout = lay_out(("订单号", "单价"), COLUMNS, {})
    values, problems = read_row(layout, Row(17, ("A", "x")))
    assert values == {"number": "A"}
    assert [(each.path, each.sentence) for each in problems] == [("line 17, 单价", "not a number")]
    assert read_row(layout, Row(18, ("A",))) == ({"number": "A"}, [])
