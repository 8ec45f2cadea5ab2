"""A drawing becomes paper: PDF, PNG in the dots of a print head, or ZPL.

Typst lays out the page from `draw.typ`; texts reach it as JSON and are never evaluated, pictures as bytes, and no
file or network is read but the font in the `mplfonts` wheel. The same drawing gives the same bytes. Safe to call from
any thread. Painting order: pictures, boxes and bars, lines, texts.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import msgspec
import typst

from waystream.core import code128
from waystream.core.errors import Invalid, Unreadable
from waystream.core.label import Barcode, Box, Drawing, Image, Line, Text
from waystream.parts.floor import bitmap, zpl

ITEMS_MAX = 1000
PAGE_MAX_MM = 420.0
MODULE_MIN_DOTS = 2
"""Thinner bars smear on thermal paper."""

PDF_DOTS_PER_MM = 8.0
"""Bars in a PDF stand on the grid of the commonest print head, where most PDFs end."""

_WORD_MAX_CHARS = 24
"""Longer runs without a space may break anywhere: nothing leaves its box sideways."""

_LONG_WORD = re.compile(rf"[!-~]{{{_WORD_MAX_CHARS}}}(?=[!-~])")


@dataclass(frozen=True, slots=True)
class _Picture:
    x: float
    y: float
    w: float
    h: float
    format: str
    data: list[int]


@dataclass(frozen=True, slots=True)
class _Page:
    """What `draw.typ` reads."""

    width_mm: float
    height_mm: float
    pictures: list[_Picture]
    boxes: list[Box]
    lines: list[Line]
    texts: list[Text]


def draw_pdf(drawing: Drawing) -> bytes:
    """One page of exactly the label's size, fonts embedded."""
    return _compile(_lay_out(drawing, PDF_DOTS_PER_MM), kind="pdf")


def draw_png(drawing: Drawing, dpi: int = 203) -> bytes:
    """The label in the dots of a print head, bars on whole dots."""
    dots_per_mm = count_dots_per_mm(dpi)
    return _compile(_lay_out(drawing, dots_per_mm), kind="png", ppi=dots_per_mm * 25.4)


def draw_zpl(drawing: Drawing, dpi: int = 203) -> bytes:
    """One ZPL II label with the picture as a graphic field: any printer that speaks ZPL prints any language."""
    return zpl.write(bitmap.read_png(draw_png(drawing, dpi)))


def count_dots_per_mm(dpi: int) -> float:
    """A head sold as 203 dpi has 8 dots to the millimetre; the others are what they say."""
    if not 100 <= dpi <= 1200:
        raise Invalid("dpi", "a print head has 100 to 1200 dpi")
    return 8.0 if dpi == 203 else dpi / 25.4


def _compile(page: _Page, *, kind: Literal["pdf", "png"], ppi: float | None = None) -> bytes:
    # A compiler cannot be used by two threads at once and costs 0.4 ms; the fonts, which cost 50, are shared.
    compiler = typst.Compiler(root=str(_font_folder()), font_paths=_fonts(), ignore_system_fonts=True)
    inputs = {"page": msgspec.json.encode(page).decode()}
    try:
        made = compiler.compile(_source(), format=kind, ppi=ppi, sys_inputs=inputs, pdf_tags=False)
    except typst.TypstError as error:
        raise Unreadable("a picture on the label cannot be drawn") from error
    assert isinstance(made, bytes), "a label is one page"
    return made


@cache
def _source() -> bytes:
    return files("waystream.parts.floor").joinpath("draw.typ").read_bytes()


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(_font_folder())])


@cache
def _font_folder() -> Path:
    # Found without importing the package: that would pull in matplotlib.
    spec = find_spec("mplfonts")
    assert spec is not None, "mplfonts carries the Chinese font"
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "fonts"


def _lay_out(drawing: Drawing, dots_per_mm: float) -> _Page:
    if not (0 < drawing.width_mm <= PAGE_MAX_MM and 0 < drawing.height_mm <= PAGE_MAX_MM):
        raise Invalid("drawing", f"a label is at most {PAGE_MAX_MM:.0f} mm on a side")
    if len(drawing.items) > ITEMS_MAX:
        raise Invalid("drawing", f"a label has at most {ITEMS_MAX} items")

    page = _Page(drawing.width_mm, drawing.height_mm, [], [], [], [])
    for item in drawing.items:
        match item:
            case Text():
                page.texts.append(replace(item, text=_clean(item.text, wrap=item.wrap)))
            case Line():
                page.lines.append(item)
            case Box():
                page.boxes.append(item)
            case Image():
                page.pictures.append(_picture(item))
            case Barcode():
                page.boxes.extend(_bars(item, dots_per_mm))
    return page


def _clean(text: str, *, wrap: bool) -> str:
    """Only what can be printed: no control or direction marks, no halves of characters."""
    kept = "".join(char for char in text if char == "\n" or not unicodedata.category(char).startswith("C"))
    return _LONG_WORD.sub("\\g<0>\u200b", kept) if wrap else kept


def _picture(image: Image) -> _Picture:
    form = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif"}[image.mime]
    return _Picture(image.x, image.y, image.w, image.h, form, list(image.data))


def _bars(barcode: Barcode, dots_per_mm: float) -> Iterator[Box]:
    """Bars as wide as the box allows in whole dots, centred; only a box too narrow for that gets broken dots."""
    modules = code128.count_modules(barcode.value)
    dots = int(barcode.w * dots_per_mm / modules + 1e-9)
    module_mm = dots / dots_per_mm if dots >= MODULE_MIN_DOTS else barcode.w / modules
    left_mm = barcode.x + (barcode.w - modules * module_mm) / 2
    left_mm = round(left_mm * dots_per_mm) / dots_per_mm
    for start, width in code128.bars(barcode.value):
        yield Box(left_mm + start * module_mm, barcode.y, width * module_mm, barcode.h, filled=True)
