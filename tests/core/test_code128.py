"""Code 128: what we encode is what an independent reader reads."""

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from waystream.core import code128
from waystream.core.errors import Invalid

PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=24)
WAYBILLS = st.from_regex(r"[A-Z]{0,3}[0-9]{8,20}", fullmatch=True)


def read_back(text: str) -> str:
    width = code128.count_modules(text)
    row = bytearray(b"\xff" * width * 3)
    for start, bar in code128.bars(text):
        row[start * 3 : (start + bar) * 3] = bytes(bar * 3)
    image = Image.frombytes("L", (width * 3, 60), bytes(row) * 60)
    (found,) = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.Code128, text_mode=zxingcpp.TextMode.Plain)
    return found.text


@settings(max_examples=150, deadline=None)
@given(st.one_of(WAYBILLS, PRINTABLE))
def test_a_reader_reads_what_was_written(text: str) -> None:
    assert read_back(text) == text


@given(st.one_of(WAYBILLS, PRINTABLE), st.floats(0.5, 7))
def test_measured_bars_say_the_text_again_in_any_unit(text: str, unit: float) -> None:
    assert code128.find_text([width * unit for width in code128.widths(text)]) == text


@given(WAYBILLS, st.data())
def test_one_bar_a_module_off_is_never_read_as_another_number(text: str, data: st.DataObject) -> None:
    runs = [3 * width for width in code128.widths(text)]
    at = data.draw(st.integers(0, len(runs) - 2))
    runs[at] += 3
    runs[at + 1] -= 3
    assert code128.find_text(runs) in (None, text)


@given(st.lists(st.integers(0, 9), max_size=200))
def test_any_runs_at_all_are_text_or_nothing(runs: list[int]) -> None:
    found = code128.find_text(runs)
    assert found is None or code128.encode(found)


def test_every_symbol_of_set_b_and_every_pair_of_set_c_reads_back() -> None:
    letters = "".join(map(chr, range(32, 127)))
    pairs = "".join(f"{pair:02d}" for pair in range(100))
    for text in (letters[:48], letters[48:], pairs[:60], pairs[60:120], pairs[120:180], pairs[180:]):
        assert read_back(text) == text


def test_the_standards_own_example() -> None:
    # "PJJ123C" is the worked checksum of the symbology's usual description: 879 mod 103 = 54 (with start B).
    assert code128.encode("PJJ123C") == (104, 48, 42, 42, 17, 18, 19, 35, 55, 106)


def test_digits_travel_in_pairs() -> None:
    assert code128.encode("1234") == (105, 12, 34, (105 + 12 + 2 * 34) % 103, 106)
    assert len(code128.encode("YT8812409633175")) == 13


def test_every_symbol_is_eleven_modules_and_the_stop_thirteen() -> None:
    assert [sum(map(int, pattern)) for pattern in code128._PATTERNS] == [11] * 106 + [13]
    assert len(set(code128._PATTERNS)) == 107


@pytest.mark.parametrize("text", ["", "运单", "a\tb", "x" * 81])
def test_what_cannot_be_a_barcode_is_invalid(text: str) -> None:
    with pytest.raises(Invalid):
        code128.encode(text)
