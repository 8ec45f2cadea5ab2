"""Code 128, the barcode every waybill carries: text to bars in modules and back, as ISO/IEC 15417 says.

Code sets B and C: printable ASCII, and pairs of digits at half the width. `bars` gives the dark bars from the left
edge of the quiet zone. Pure and without size: how wide a module is on paper is decided where the label is drawn.
"""

from collections.abc import Sequence
from itertools import accumulate

from waystream.core.errors import Invalid

QUIET_MODULES = 10
"""Light margin that a scanner needs on each side."""

TEXT_MAX_CHARS = 80

_START_B, _START_C, _STOP = 104, 105, 106
_TO_C, _TO_B = 99, 100

_TABLE = (
    "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222"
    "123122123221223211221132221231213212223112312131311222321122321221312212322112322211212123212321"
    "232121111323131123131321112313132113132311211313231113231311112133112331132131113123113321133121"
    "313121211331231131213113213311213131311123311321331121312113312311332111314111221411431111111224"
    "111422121124121421141122141221112214112412122114122411142112142211241211221114413111241112134111"
    "111242121142121241114212124112124211411212421112421211212141214121412121111143111341131141114113"
    "114311411113411311113141114131311141411131211412211214211232"
)
_PATTERNS = (*(_TABLE[at : at + 6] for at in range(0, 636, 6)), "2331112")
"""Widths in modules of bar, space, bar … for each symbol value."""

_VALUES = {pattern: value for value, pattern in enumerate(_PATTERNS)}


def encode(text: str) -> tuple[int, ...]:
    """The symbol values of `text`, from the start symbol to the stop; `Invalid` for what Code 128 B cannot say."""
    if not 0 < len(text) <= TEXT_MAX_CHARS:
        raise Invalid("barcode", f"a barcode holds 1 to {TEXT_MAX_CHARS} characters")
    if any(not " " <= char <= "~" for char in text):
        raise Invalid("barcode", "a barcode holds printable ASCII only")

    start, *data = _data_symbols(text)
    return (start, *data, _sum(start, data), _STOP)


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


def _sum(start: int, data: Sequence[int]) -> int:
    return (start + sum(place * value for place, value in enumerate(data, start=1))) % 103


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


def find_text(runs: Sequence[float]) -> str | None:
    """The text of bars and spaces as measured in any unit, from first to last bar; None if it is no Code 128 of ours.

    Strict on purpose: every symbol must be exact to a third of a module and the checksum right, since a number read
    wrongly sends the parcel elsewhere. Code set A and functions are not read.
    """
    count, rest = divmod(len(runs) - len(_PATTERNS[_STOP]), 6)
    if rest or not 3 <= count <= TEXT_MAX_CHARS + 2 or min(runs) <= 0:
        return None
    module = sum(runs) / (11 * count + 13)
    if any(abs(run / module - round(run / module)) > 1 / 3 for run in runs):
        return None

    digits = "".join(str(round(run / module)) for run in runs)
    words = [digits[at : at + 6] for at in range(0, 6 * count, 6)]
    if digits[6 * count :] != _PATTERNS[_STOP] or any(word not in _VALUES for word in words):
        return None
    start, *data, checksum = (_VALUES[word] for word in words)
    if checksum != _sum(start, data):
        return None
    return _read_data(start, data)


def _read_data(start: int, data: Sequence[int]) -> str | None:
    if start not in (_START_B, _START_C):
        return None
    in_c = start == _START_C
    text: list[str] = []
    for value in data:
        if value == (_TO_B if in_c else _TO_C):
            in_c = not in_c
        elif value >= (_TO_C + 1 if in_c else 95):
            return None
        else:
            text.append(f"{value:02d}" if in_c else chr(value + 32))
    return "".join(text) or None
