"""A PNG as the black and white dots of a thermal print head.

Reads what Typst writes (8-bit RGBA, opaque, not interlaced) with the standard library alone. Darker than half grey
is black. The work is done on whole rows of one channel, and once for all three where a row is grey.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from waystream.core.errors import Unreadable

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGBA = 6
_BITS = bytes(ord("1") if level < 128 else ord("0") for level in range(256))

_Planes = tuple[bytes, ...]
"""Red, green and blue of one row, or a single plane where they are the same."""


@dataclass(frozen=True, slots=True)
class Bitmap:
    """Rows from the top, each packed to whole bytes, the leftmost dot in the highest bit, 1 is black."""

    width: int
    height: int
    rows: tuple[bytes, ...]


def read_png(png: bytes) -> Bitmap:
    width, height, pixels = _unpack(png)
    return Bitmap(width, height, tuple(_pack(planes, width) for planes in _unfilter(pixels, width)))


def _unpack(png: bytes) -> tuple[int, int, bytes]:
    if not png.startswith(_SIGNATURE):
        raise Unreadable("not a PNG")
    chunks = tuple(_list_chunks(png))
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", chunks[0][1])
    if (depth, colour, interlace) != (8, _RGBA, 0):
        raise Unreadable("only plain 8-bit RGBA is read here")
    return width, height, zlib.decompress(b"".join(data for name, data in chunks if name == b"IDAT"))


def _list_chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(png):
        length, name = struct.unpack_from(">I4s", png, at)
        yield name, png[at + 8 : at + 8 + length]
        at += 12 + length


def _unfilter(pixels: bytes, width: int) -> Iterator[_Planes]:
    """Undo the PNG filters; the four channels never mix, so each is a row of bytes of its own."""
    above: _Planes = (bytes(width),)
    stride = 4 * width + 1
    for start in range(0, len(pixels), stride):
        row = pixels[start + 1 : start + stride]
        line: _Planes = (row[0::4], row[1::4], row[2::4])
        if len(above) == 1 and line[0] == line[1] == line[2]:
            line = line[:1]
        elif len(above) == 1:
            above *= 3
        restore = _FILTERS[pixels[start]]
        above = tuple(restore(plane, upper) for plane, upper in zip(line, above, strict=True))
        yield above
        if len(above) == 3 and above[0] == above[1] == above[2]:
            above = above[:1]


def _add_left(line: bytes, _: bytes) -> bytes:
    return bytes(level & 255 for level in accumulate(line))


def _add_above(line: bytes, above: bytes) -> bytes:
    if not any(line):
        return above
    return bytes((level + up) & 255 for level, up in zip(line, above, strict=True))


def _add_average(line: bytes, above: bytes) -> bytes:
    levels = accumulate(
        zip(line, above, strict=True), lambda left, now: (now[0] + (left + now[1]) // 2) & 255, initial=0
    )
    return bytes(levels)[1:]


def _add_paeth(line: bytes, above: bytes) -> bytes:
    out = bytearray()
    left = corner = 0
    for level, up in zip(line, above, strict=True):
        left = (level + _guess(left, up, corner)) & 255
        corner = up
        out.append(left)
    return bytes(out)


def _guess(left: int, up: int, corner: int) -> int:
    """The neighbour nearest to left + up - corner, in that order."""
    from_left, from_up, from_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
    if from_left <= from_up and from_left <= from_corner:
        return left
    return up if from_up <= from_corner else corner


_FILTERS: tuple[Callable[[bytes, bytes], bytes], ...] = (
    lambda line, _: line,
    _add_left,
    _add_above,
    _add_average,
    _add_paeth,
)


def _pack(planes: _Planes, width: int) -> bytes:
    grey = planes[0] if len(planes) == 1 else _mix(planes)
    spare = -width % 8
    return (int(grey.translate(_BITS), 2) << spare).to_bytes((width + spare) // 8)


def _mix(planes: _Planes) -> bytes:
    """Perceived brightness, so that a red logo is not lost."""
    return bytes((77 * red + 150 * green + 29 * blue) >> 8 for red, green, blue in zip(*planes, strict=True))
