"""The language of labels: a drawing is a page in true millimetres and the things on it.

A drawing says where everything stands, never how it gets onto paper: `parts/floor/draw` turns it into PDF, PNG or
ZPL. Carrier templates and our own label both become drawings, so there is one way to print. The origin is the upper
left corner. `LabelFacts` is what our own label says; names, phones and addresses arrive in it already masked.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Align: TypeAlias = Literal["left", "center", "right"]
Valign: TypeAlias = Literal["top", "middle", "bottom"]
Ink: TypeAlias = Literal["black", "white"]
Mime: TypeAlias = Literal["image/png", "image/jpeg", "image/gif"]


@dataclass(frozen=True, slots=True)
class Text:
    """Words inside a box. What does not fit at `size_mm` is drawn smaller until it does: nothing is ever cut.

    `size_mm` is the height of the em square; a line of `line_height` 1.25 stands a quarter of it below the last.
    """

    x: float
    y: float
    w: float
    h: float
    text: str
    size_mm: float
    bold: bool = False
    align: Align = "left"
    valign: Valign = "top"
    wrap: bool = True
    ink: Ink = "black"
    line_height: float = 1.25


@dataclass(frozen=True, slots=True)
class Line:
    x1: float
    y1: float
    x2: float
    y2: float
    width_mm: float = 0.25
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; with `radius_mm` of half its side it is a disc. `stroke_mm` lies inside the box."""

    x: float
    y: float
    w: float
    h: float
    stroke_mm: float = 0.25
    filled: bool = False
    radius_mm: float = 0.0


@dataclass(frozen=True, slots=True)
class Image:
    """A picture stretched over its box; `data` is the file as `mime` says."""

    x: float
    y: float
    w: float
    h: float
    mime: Mime
    data: bytes


@dataclass(frozen=True, slots=True)
class Barcode:
    """Bars over the whole box, quiet zones included; the text below is an item of its own."""

    x: float
    y: float
    w: float
    h: float
    value: str
    symbology: Literal["code128"] = "code128"


Item: TypeAlias = Text | Line | Box | Image | Barcode


@dataclass(frozen=True, slots=True)
class Drawing:
    width_mm: float
    height_mm: float
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Contact:
    """One side of a parcel as the label shows it, masked."""

    name: str
    phone: str
    address: str


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """All that our own label can say. Empty text and zero mean: not known, leave it out."""

    carrier: str
    waybill: str
    receiver: Contact
    sender: Contact
    order_number: str
    service: str = ""
    mark: str = ""
    """大头笔: the place in large letters, or the sorting code where the carrier writes it there."""
    package: str = ""
    """集包地: the bag the parcel travels in."""
    sorting_code: str = ""
    """三段码, as 528-A12-03."""
    parcel_number: int = 1
    parcel_count: int = 1
    goods: str = ""
    remark: str = ""
    cod_fen: int = 0
    weight_g: int = 0
    printed_at: str = ""
