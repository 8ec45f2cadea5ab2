"""A black and white GIF, the form in which Kdniao's labels carry their barcodes.

Written without compression: with 7-bit pixels every LZW code is exactly one byte as long as the table is cleared
before it grows a ninth bit. Pure.
"""

import struct
from collections.abc import Sequence

_PIXEL_BITS = 7
_CLEAR, _END = 1 << _PIXEL_BITS, (1 << _PIXEL_BITS) + 1
_RUN_MAX = 120
_BLOCK_MAX = 255


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
