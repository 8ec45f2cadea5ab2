"""A bitmap as one ZPL II label.

The dots travel as a graphic field in ZPL's own squeezed hexadecimal, which printers that merely imitate ZPL read as
well (the newer Z64 form is Zebra's alone). 203-dpi labels come to some tens of kilobytes.
"""

import re

from waystream.parts.floor.bitmap import Bitmap

_RUN = re.compile(r"(.)\1{2,418}")
_RUN_MAX = 419
"""20 times 20 and 19: the most that two letters can say, and what `_RUN` takes at once."""


def write(bitmap: Bitmap) -> bytes:
    row_bytes = (bitmap.width + 7) // 8
    total = row_bytes * bitmap.height
    field = f"^GFA,{total},{total},{row_bytes},{_squeeze(bitmap)}"
    return f"^XA^PW{bitmap.width}^LL{bitmap.height}^LH0,0^FO0,0{field}^FS^PQ1^XZ\n".encode("ascii")


def _squeeze(bitmap: Bitmap) -> str:
    rows: list[str] = []
    above: bytes | None = None
    for row in bitmap.rows:
        rows.append(":" if row == above else _squeeze_row(row))
        above = row
    return "".join(rows)


def _squeeze_row(row: bytes) -> str:
    """A comma fills the rest of the row with white; a run is its length in letters and the digit."""
    digits = row.hex().upper()
    drawn = digits.rstrip("0")
    runs = _RUN.sub(lambda run: _count(len(run[0])) + run[1], drawn)
    return runs if len(drawn) == len(digits) else runs + ","


def _count(length: int) -> str:
    """G to Y say 1 to 19, g to z say 20 to 400 in steps of 20."""
    assert length <= _RUN_MAX
    twenties, ones = divmod(length, 20)
    return (chr(ord("g") + twenties - 1) if twenties else "") + (chr(ord("G") + ones - 1) if ones else "")
