"""Code 128, the barcode every waybill carries: text to bars, in modules, as ISO/IEC 15417 says.

Code sets B and C: printable ASCII, and pairs of digits at half the width. `bars` gives the dark bars from the left
edge of the quiet zone. Pure and without size: how wide a module is on paper is decided where the label is drawn.
"""

from itertools import accumulate

from waystream.core.errors import Invalid

QUIET_MODULES = 10
"""Light margin that a scanner needs on each side."""

TEXT_MAX_CHARS = 80

_START_B, _START_C, _STOP = 104, 105, 106
_TO_C, _TO_B = 99, 100

_PATTERNS = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 "
    "123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 "
    "232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 "
    "313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 "
    "111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 "
    "111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 "
    "114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112"
).split()
"""Widths in modules of bar, space, bar … for each symbol value."""


def encode(text: str) -> tuple[int, ...]:
    """The symbol values of `text`, from the start symbol to the stop; `Invalid` for what Code 128 B cannot say."""
    if not 0 < len(text) <= TEXT_MAX_CHARS:
        raise Invalid("barcode", f"a barcode holds 1 to {TEXT_MAX_CHARS} characters")
    if any(not " " <= char <= "~" for char in text):
        raise Invalid("barcode", "a barcode holds printable ASCII only")

    data = _data_symbols(text)
    checksum = (data[0] + sum(place * value for place, value in enumerate(data[1:], start=1))) % 103
    return (*data, checksum, _STOP)


def widths(text: str) -> tuple[int, ...]:
    """Widths in modules, bar and space in turn, without quiet zones; it begins and ends with a bar."""
    return tuple(int(width) for value in encode(text) for width in _PATTERNS[value])


def count_modules(text: str) -> int:
    """The whole width with both quiet zones."""
    return sum(widths(text)) + 2 * QUIET_MODULES


def bars(text: str) -> tuple[tuple[int, int], ...]:
    """The dark bars as (start, width) in modules, counted from the left edge of the quiet zone."""
    runs = widths(text)
    starts = accumulate(runs, initial=QUIET_MODULES)
    return tuple(zip(starts, runs, strict=False))[::2]


def _data_symbols(text: str) -> list[int]:
    """Start symbol and data. Set C pays from four digits at an end of the text and from six in the middle."""
    at = 0
    in_c = _pays_in_c(text, at)
    symbols = [_START_C if in_c else _START_B]
    while at < len(text):
        if in_c and _count_digits(text, at) >= 2:
            symbols.append(int(text[at : at + 2]))
            at += 2
        elif in_c:
            symbols.append(_TO_B)
            in_c = False
        elif _pays_in_c(text, at) and _count_digits(text, at) % 2 == 0:
            symbols.append(_TO_C)
            in_c = True
        else:
            symbols.append(ord(text[at]) - 32)
            at += 1
    return symbols


def _pays_in_c(text: str, at: int) -> bool:
    run = _count_digits(text, at)
    if run == len(text) == 2:
        return True
    at_an_end = at == 0 or at + run == len(text)
    return run >= (4 if at_an_end else 6)


def _count_digits(text: str, at: int) -> int:
    end = at
    while end < len(text) and "0" <= text[end] <= "9":
        end += 1
    return end - at
