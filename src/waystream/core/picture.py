"""What a picture file is, from its first bytes: kind and size in pixels, without decoding it.

Believed is the file, never what somebody says about it. A size stands here before any pixel is unpacked, so that a
few bytes cannot ask for gigabytes.
"""

import struct
from dataclasses import dataclass

from waystream.core.errors import Unreadable
from waystream.core.label import Mime

_PNG, _JPEG, _GIF = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", (b"GIF87a", b"GIF89a")
_JPEG_SEGMENTS_MAX = 200
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_GIF_BLOCKS_MAX = 64


@dataclass(frozen=True, slots=True)
class Picture:
    mime: Mime
    width: int
    height: int


def read_picture(data: bytes) -> Picture:
    """`Unreadable` for anything but a PNG, JPEG or GIF that states its size."""
    try:
        if data.startswith(_PNG):
            width, height = struct.unpack_from(">II", data, 16)
            return Picture("image/png", width, height)
        if data.startswith(_JPEG):
            return Picture("image/jpeg", *_read_jpeg(data))
        if data.startswith(_GIF):
            return Picture("image/gif", *_read_gif(data))
    except (struct.error, IndexError) as error:
        raise Unreadable("a picture ends before it says its size") from error
    raise Unreadable("a picture is neither PNG nor JPEG nor GIF")


def _read_jpeg(data: bytes) -> tuple[int, int]:
    at = 2
    for _ in range(_JPEG_SEGMENTS_MAX):
        mark, kind, length = struct.unpack_from(">BBH", data, at)
        if mark != 0xFF:
            break
        if kind in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + length
    raise Unreadable("a JPEG says no size")


def _read_gif(data: bytes) -> tuple[int, int]:
    """The canvas, once the first frame is known to lie inside it."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + _count_colour_bytes(flags)
    for _ in range(_GIF_BLOCKS_MAX):
        if data[at] == 0x2C:
            left, top, frame_width, frame_height = struct.unpack_from("<HHHH", data, at + 1)
            if left + frame_width > width or top + frame_height > height:
                raise Unreadable("a GIF draws outside itself")
            return width, height
        if data[at] != 0x21:
            break
        at = _skip_blocks(data, at + 2)
    raise Unreadable("a GIF has no picture")


def _count_colour_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _skip_blocks(data: bytes, at: int) -> int:
    while data[at]:
        at += data[at] + 1
    return at + 1
