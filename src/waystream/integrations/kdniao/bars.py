"""Barcodes that arrive as pictures become true ones.

A GIF of one pixel to the module, scaled to the dots of a print head, has bars of uneven width, and an uneven bar can
be read as another number whose checksum happens to fit (seen with a real reader). Drawn afresh it is exact, and the
number on the label is known to us. What is anything but bars stays the picture it is.
"""

from itertools import groupby, pairwise

from waystream.core import code128
from waystream.core.label import Barcode, Image
from waystream.integrations.kdniao.gif import read_gif

_BARS_MAX_PIXELS = 300_000


def redraw(image: Image) -> Image | Barcode:
    """The barcode in the picture, over the very place of its bars; the picture itself where there is none."""
    rows = read_gif(image.data) if _is_small(image.data) else None
    dark = [at for at, row in enumerate(rows or ()) if any(row)]
    if not rows or not dark or any(one != other for one, other in pairwise(rows[dark[0] : dark[-1] + 1])):
        return image
    row = rows[dark[0]]
    first, last = row.index(1), row.rindex(1) + 1
    text = code128.find_text([len(list(run)) for _, run in groupby(row[first:last])])
    if text is None:
        return image

    across, down = image.w / len(row), image.h / len(rows)
    width = (last - first) * across
    quiet = code128.QUIET_MODULES * width / sum(code128.widths(text))
    return Barcode(
        image.x + first * across - quiet,
        image.y + dark[0] * down,
        width + 2 * quiet,
        (dark[-1] + 1 - dark[0]) * down,
        text,
    )


def _is_small(gif: bytes) -> bool:
    width, height = int.from_bytes(gif[6:8], "little"), int.from_bytes(gif[8:10], "little")
    return width * height <= _BARS_MAX_PIXELS
