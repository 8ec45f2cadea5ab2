"""Which drawing a label becomes: the carrier's own where it is readable and of this very number, else ours.

Guaranteed: what is drawn carries the issued number as a barcode. `Drawn.note` says why the carrier's was not used.
Drawings become bytes in `draw`; our own label is laid out in `label`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from waystream.core.errors import Invalid, Unreadable
from waystream.core.label import Barcode, Box, Drawing, Text
from waystream.core.ports import Network
from waystream.parts.floor import draw, label
from waystream.parts.floor.model import Label, Printer, Size

TEMPLATE_GONE = "The carrier's label is not readable any more: our own was used."
TEMPLATE_UNREADABLE = "The carrier's label could not be read: our own was used."
TEMPLATE_OF_ANOTHER = "The carrier's label does not carry this number as a barcode: our own was used."
TEMPLATE_TOO_LARGE = "The carrier's label is larger than the printer's paper: our own was used."

STOCKS_MM: dict[Size, tuple[float, float]] = {"100x180": (100.0, 180.0), "76x130": (76.0, 130.0)}
STOCK_WITHIN_MM = 2.0
_TRIAL_BARCODE = "WAYSTREAM-TEST"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A label as a drawing; `note` is empty when it is the one that was meant."""

    drawing: Drawing
    note: str = ""


def draw_label(label_: Label, networks: Mapping[str, Network], *, fit: bool = False) -> Drawn:
    """`fit`: it must fit the paper of `label_.size`. Raises `Invalid` if the number cannot be a barcode."""
    if not label_.from_carrier:
        return _own(label_, "")
    if not label_.template:
        return _own(label_, TEMPLATE_GONE)
    try:
        drawing = networks[label_.network].draw_template(label_.template)
    except Unreadable:
        return _own(label_, TEMPLATE_UNREADABLE)
    if not _carries(drawing, label_.number):
        return _own(label_, TEMPLATE_OF_ANOTHER)
    if fit and not _fits(drawing, label_.size):
        return _own(label_, TEMPLATE_TOO_LARGE)
    return Drawn(drawing)


def render(drawing: Drawing, format: str, *, dpi: int = 203) -> bytes:
    """A drawing as pdf, png or zpl."""
    if format == "pdf":
        return draw.draw_pdf(drawing)
    return draw.draw_png(drawing, dpi=dpi) if format == "png" else draw.draw_zpl(drawing, dpi=dpi)


def render_label(
    label_: Label, networks: Mapping[str, Network], *, format: str, dpi: int = 203, fit: bool = False
) -> tuple[bytes, str]:
    """The bytes and the note; a carrier's label that turns out undrawable only here becomes ours too."""
    drawn = draw_label(label_, networks, fit=fit)
    try:
        return render(drawn.drawing, format, dpi=dpi), drawn.note
    except (Unreadable, Invalid):
        own = _own(label_, TEMPLATE_UNREADABLE)
        return render(own.drawing, format, dpi=dpi), own.note


def draw_trial(printer: Printer) -> Drawing:
    """A test page: a frame at the edge of the paper, the printer's name, Chinese words and a barcode to scan."""
    width, height = STOCKS_MM[printer.label_size]
    inner = width - 12
    return Drawing(width, height, (
        Box(1, 1, width - 2, height - 2),
        Text(6, 8, inner, 12, "打印测试 / Test page", 7, bold=True, wrap=False),
        Text(6, 24, inner, 16, printer.name, 6, bold=True),
        Text(6, 44, inner, 12, f"{width:g} × {height:g} mm  {printer.dpi} dpi", 4),
        Text(6, 58, inner, 20, "四边的框完整、文字清晰、条码能扫，这台打印机就可以打面单了。", 4.5),
        Barcode(6, 86, inner, 18, _TRIAL_BARCODE),
        Text(6, 106, inner, 6, _TRIAL_BARCODE, 3.5, align="center", wrap=False),
    ))  # fmt: skip


def _own(label_: Label, note: str) -> Drawn:
    return Drawn(label.own_label(label_.facts, label_.size), note)


def _carries(drawing: Drawing, number: str) -> bool:
    """Some carriers' bars go on after the number: JDVA0001-1-1."""
    values = [item.value for item in drawing.items if isinstance(item, Barcode)]
    return any(value == number or value.startswith(f"{number}-") for value in values)


def _fits(drawing: Drawing, size: Size) -> bool:
    width, height = STOCKS_MM[size]
    return drawing.width_mm <= width + STOCK_WITHIN_MM and drawing.height_mm <= height + STOCK_WITHIN_MM
