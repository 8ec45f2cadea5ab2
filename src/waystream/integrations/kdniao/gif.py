"""GIFs in black and white, the form in which Kdniao's labels carry their barcodes, written and read.

Written without compression: with 7-bit pixels every LZW code is exactly one byte as long as the table is cleared
before it grows a ninth bit. Read so that a barcode can be drawn afresh, sharp at any size. Pure and bounded.
"""

import struct
from collections.abc import Sequence

_PIXEL_BITS = 7
_CLEAR, _END = 1 << _PIXEL_BITS, (1 << _PIXEL_BITS) + 1
_RUN_MAX = 120
_BLOCK_MAX = 255
_TABLE_MAX = 4096
_EXTENSION, _FRAME = 0x21, 0x2C
_HAS_COLOURS, _INTERLACED = 0x80, 0x40


def write_gif(rows: Sequence[Sequence[bool]]) -> bytes:
    """A picture from its rows, true is black; all rows are equally long."""
    width, height = len(rows[0]), len(rows)
    pixels = bytes(int(black) for row in rows for black in row)
    colours = b"\xff\xff\xff\x00\x00\x00"
    screen = struct.pack("<6sHHBBB", b"GIF89a", width, height, 0x80, 0, 0) + colours
    frame = struct.pack("<BHHHHBB", 0x2C, 0, 0, width, height, 0, _PIXEL_BITS)
    return screen + frame + _pack_blocks(_write_codes(pixels)) + b"\x3b"


def _write_codes(pixels: bytes) -> bytes:
    runs = (pixels[at : at + _RUN_MAX] for at in range(0, len(pixels), _RUN_MAX))
    return b"".join(bytes((_CLEAR,)) + run for run in runs) + bytes((_END,))


def _pack_blocks(codes: bytes) -> bytes:
    blocks = (codes[at : at + _BLOCK_MAX] for at in range(0, len(codes), _BLOCK_MAX))
    return b"".join(bytes((len(block),)) + block for block in blocks) + b"\x00"


def read_gif(data: bytes) -> tuple[bytes, ...] | None:
    """The rows of a still picture, one byte a pixel, 1 where it is darker than half; None for what is not plain.

    Plain is: one frame as large as the canvas, not interlaced. The size was checked by `core.picture` before.
    """
    try:
        return _read_frame(data)
    except (struct.error, IndexError):
        return None


def _read_frame(data: bytes) -> tuple[bytes, ...] | None:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at, dark = _read_colours(data, 13, flags)
    while data[at] == _EXTENSION:
        at = _take_blocks(data, at + 2)[0]
    left, top, frame_width, frame_height, flags = struct.unpack_from("<xHHHHB", data, at)
    if data[at] != _FRAME or (left, top, frame_width, frame_height) != (0, 0, width, height) or flags & _INTERLACED:
        return None
    at, own = _read_colours(data, at + 10, flags)
    _, codes = _take_blocks(data, at + 1)
    pixels = _expand(codes, data[at], width * height)
    if len(pixels) != width * height:
        return None
    pixels = pixels.translate(own if flags & _HAS_COLOURS else dark)
    return tuple(pixels[start : start + width] for start in range(0, len(pixels), width))


def _read_colours(data: bytes, at: int, flags: int) -> tuple[int, bytes]:
    """Where the table ends, and for each colour whether it is dark; colours that are not there are light."""
    if not flags & _HAS_COLOURS:
        return at, bytes(256)
    count = 2 << (flags & 7)
    table = data[at : at + 3 * count]
    levels = zip(table[0::3], table[1::3], table[2::3], strict=False)
    return at + 3 * count, bytes(77 * r + 150 * g + 29 * b < 128 * 256 for r, g, b in levels).ljust(256, b"\0")


def _take_blocks(data: bytes, at: int) -> tuple[int, bytes]:
    blocks: list[bytes] = []
    while data[at]:
        blocks.append(data[at + 1 : at + 1 + data[at]])
        at += data[at] + 1
    return at + 1, b"".join(blocks)


def _expand(codes: bytes, pixel_bits: int, pixels_max: int) -> bytes:
    """LZW as GIF has it: codes grow from `pixel_bits` + 1 to 12 bits; never more than `pixels_max` bytes come out."""
    if not 1 <= pixel_bits <= 8:
        return b""
    clear, end = 1 << pixel_bits, (1 << pixel_bits) + 1
    table = _start_table(clear)
    last, out = b"", bytearray()
    bits = held = at = 0
    while len(out) < pixels_max:
        size = min((len(table) if last else len(table) - 1).bit_length(), 12)
        while held < size:
            if at == len(codes):
                return bytes(out)
            bits, held, at = bits | codes[at] << held, held + 8, at + 1
        code, bits, held = bits & ((1 << size) - 1), bits >> size, held - size
        if code == clear:
            table, last = _start_table(clear), b""
            continue
        if code == end or code > len(table) or (code == len(table) and not last):
            break
        now = table[code] if code < len(table) else last + last[:1]
        if last and len(table) < _TABLE_MAX:
            table.append(last + now[:1])
        out += now
        last = now
    return bytes(out[:pixels_max])


def _start_table(clear: int) -> list[bytes]:
    return [bytes((value,)) for value in range(clear)] + [b"", b""]
