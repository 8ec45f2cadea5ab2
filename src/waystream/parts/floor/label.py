"""Our own label, for carriers that return none: bands from top to bottom, each a pure function of the facts.

Two stocks: 76 × 130 mm, and 100 × 180 mm with a receipt to tear off. Everything stands on the 1/8 mm grid of a
203-dpi head. Long texts wrap and then shrink inside their box; only goods and remark may end in an ellipsis.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal, TypeAlias

from waystream.core import code128
from waystream.core.label import Barcode, Box, Contact, Drawing, Item, LabelFacts, Line, Text

Size: TypeAlias = Literal["100x180", "76x130"]

GOODS_MAX_CHARS = 60
REMARK_MAX_CHARS = 40
MODULE_MIN_MM = 0.25
RULE_MM = 0.25


@dataclass(frozen=True, slots=True)
class _Area:
    """Where a band draws; `scale` is 1 on the small label."""

    x: float
    y: float
    w: float
    h: float
    scale: float

    def mm(self, size: float) -> float:
        """A size of the small label at this scale, on the grid."""
        return round(size * self.scale * 8) / 8

    def inset(self, *, left: float = 0, top: float = 0, right: float = 0, bottom: float = 0) -> "_Area":
        return replace(self, x=self.x + left, y=self.y + top, w=self.w - left - right, h=self.h - top - bottom)

    def cut_left(self, width: float) -> "_Area":
        return replace(self, w=width)

    def cut_right(self, width: float) -> "_Area":
        return replace(self, x=self.x + self.w - width, w=width)


_Items: TypeAlias = tuple[Item, ...]
_Band: TypeAlias = Callable[[LabelFacts, _Area], _Items]


def own_label(facts: LabelFacts, size: Size = "100x180") -> Drawing:
    """The label as a drawing of exactly the stock's size; `Invalid` if the waybill number cannot be a barcode."""
    return _draw_small(facts) if size == "76x130" else _draw_large(facts)


def _draw_small(facts: LabelFacts) -> Drawing:
    bands: list[tuple[float, _Band]] = [(9, _header)]
    if facts.cod_fen:
        bands += [(15, _code), (10, _places), (21, _receiver), (22, _barcode), (13, _sender), (8, _cash)]
    else:
        bands += [(17, _code), (11, _places), (22, _receiver), (25, _barcode), (14, _sender)]
    bands.append((130 - _sum_heights(bands), _foot))
    return Drawing(76, 130, _stack(facts, _Area(0, 0, 76, 130, 1.0), bands))


def _draw_large(facts: LabelFacts) -> Drawing:
    bands: list[tuple[float, _Band]] = [
        (11, _header), (20, _code), (13, _places), (26, _receiver), (27, _barcode), (18, _sender),
    ]  # fmt: skip
    if facts.cod_fen:
        bands.append((9, _cash))
    top = _sum_heights(bands)
    receipt = _Area(0, top, 100, 180 - top, 1.125)
    return Drawing(100, 180, _stack(facts, _Area(0, 0, 100, top, 1.3125), bands) + _receipt(facts, receipt))


def _sum_heights(bands: list[tuple[float, _Band]]) -> float:
    return sum(height for height, _ in bands)


def _stack(facts: LabelFacts, area: _Area, bands: list[tuple[float, _Band]]) -> _Items:
    """The bands one below the other, a rule between each two."""
    tops = accumulate((height for height, _ in bands), initial=area.y)
    margin = area.mm(3)
    items: list[Item] = []
    for top, (height, draw) in zip(tops, bands, strict=False):
        if top > area.y:
            items.append(Line(area.x, top, area.x + area.w, top, RULE_MM))
        items += draw(facts, replace(area, y=top, h=height).inset(left=margin, right=margin))
    return tuple(items)


def _header(facts: LabelFacts, area: _Area) -> _Items:
    carrier = _line(area.cut_left(area.w * 0.62), facts.carrier, area.mm(4.6), bold=True)
    service = _line(area.cut_right(area.w * 0.36), facts.service, area.mm(3.4))
    return (carrier, replace(service, align="right"))


def _code(facts: LabelFacts, area: _Area) -> _Items:
    """What the sorter reads from two metres away."""
    return (_line(area.inset(top=1, bottom=1), facts.sorting_code or facts.mark, area.mm(12.5), bold=True),)


def _places(facts: LabelFacts, area: _Area) -> _Items:
    mark = facts.mark if facts.sorting_code else ""
    package = f"集 {facts.package}" if facts.package else ""
    if not mark:
        return (_line(area, package, area.mm(6), bold=True),)
    left = _line(area.cut_left(area.w * 0.5 - 1), mark, area.mm(6), bold=True)
    right = _line(area.cut_right(area.w * 0.5 - 1), package, area.mm(4.6), bold=True)
    return (left, replace(right, align="right"))


def _receiver(facts: LabelFacts, area: _Area) -> _Items:
    return _badge(area, "收", filled=True) + _contact(facts.receiver, area, name_mm=area.mm(4.75))


def _sender(facts: LabelFacts, area: _Area) -> _Items:
    return _badge(area, "寄", filled=False) + _contact(facts.sender, area, name_mm=area.mm(3.5))


def _badge(area: _Area, sign: str, *, filled: bool) -> _Items:
    side = area.mm(6)
    disc = Box(area.x, area.y + area.mm(2), side, side, filled=filled, radius_mm=side / 2)
    word = Text(
        disc.x, disc.y, side, side, sign, area.mm(3.5), align="center", valign="middle", wrap=False,
        ink="white" if filled else "black", bold=filled,
    )  # fmt: skip
    return (disc, word)


def _contact(contact: Contact, area: _Area, *, name_mm: float) -> _Items:
    """Name and phone in one line, the address in as many as there is room for."""
    inner = area.inset(left=area.mm(8.5), top=area.mm(1.75), bottom=area.mm(1.5))
    who = replace(inner, h=area.mm(6.5))
    name = _line(who, _join(contact.name, contact.phone), name_mm, bold=True)
    rest = inner.inset(top=area.mm(7))
    address = Text(rest.x, rest.y, rest.w, rest.h, contact.address, round(name_mm * 6.25) / 8, line_height=1.28)
    return (name, address)


def _barcode(facts: LabelFacts, area: _Area) -> _Items:
    number_mm = area.mm(4.25)
    bars_h = area.h - number_mm - area.mm(5.25)
    # Quiet zones may reach into the margin: the paper is white there.
    bars = Barcode(area.x - 2, area.y + area.mm(2.5), area.w + 4, bars_h, facts.waybill)
    below = replace(area, y=bars.y + bars_h + area.mm(0.75), h=number_mm + 0.5)
    number = _line(below, group_digits(facts.waybill), number_mm, bold=True)
    return (bars, replace(number, align="center"))


def _cash(facts: LabelFacts, area: _Area) -> _Items:
    """Money to collect: the one black bar, so that no courier overlooks it."""
    bar = Box(area.x - area.mm(3), area.y, area.w + 2 * area.mm(3), area.h, filled=True)
    what = _line(area.cut_left(area.w * 0.4), "代收货款", area.mm(4.25), bold=True)
    amount = _line(area.cut_right(area.w * 0.58), f"¥{write_yuan(facts.cod_fen)}", area.mm(5.5), bold=True)
    return (bar, replace(what, ink="white"), replace(amount, ink="white", align="right"))


def _foot(facts: LabelFacts, area: _Area) -> _Items:
    """Order, goods and remark at the left; the small barcode and the signature at the right."""
    inner = area.inset(top=area.mm(2), bottom=area.mm(2))
    left = inner.cut_left(inner.w * 0.38)
    right = inner.cut_right(inner.w * 0.6)
    small = _small_barcode(facts, replace(right, h=area.mm(9)))
    sign = replace(right, y=right.y + area.mm(13.25), h=right.h - area.mm(13.25))
    return (*_details(facts, left), *small, *_signature(facts, sign))


def _details(facts: LabelFacts, area: _Area) -> _Items:
    fixed = [f"订单 {facts.order_number}", _join(f"包裹 {facts.parcel_number}/{facts.parcel_count}", _weight(facts))]
    size = area.mm(2.75)
    rows = tuple(
        _line(replace(area, y=area.y + at * area.mm(3.75), h=area.mm(3.75)), text, size)
        for at, text in enumerate(fixed)
    )
    rest = area.inset(top=area.mm(3.75) * len(fixed) + area.mm(0.5))
    remark = _shorten(facts.remark, REMARK_MAX_CHARS)
    words = [_shorten(facts.goods, GOODS_MAX_CHARS), f"备注 {remark}" if remark else ""]
    goods = Text(rest.x, rest.y, rest.w, rest.h, "\n".join(filter(None, words)), size, line_height=1.3)
    return (*rows, goods)


def _small_barcode(facts: LabelFacts, area: _Area) -> _Items:
    """Left out where the box is too narrow for bars that scan."""
    if code128.count_modules(facts.waybill) * MODULE_MIN_MM > area.w:
        return ()
    below = replace(area, y=area.y + area.h + 0.5, h=area.mm(2.75))
    number = _line(below, group_digits(facts.waybill), area.mm(2.5))
    return (Barcode(area.x, area.y, area.w, area.h, facts.waybill), replace(number, align="center"))


def _signature(facts: LabelFacts, area: _Area) -> _Items:
    size = area.mm(2.5)
    box = Box(area.x, area.y, area.w, area.h - size - 1, stroke_mm=0.125)
    word = Text(box.x + 1, box.y + 1, box.w - 2, size, "签收人 / 时间", size, wrap=False)
    printed = f"{facts.printed_at} 打印" if facts.printed_at else ""
    when = Text(area.x, area.y + area.h - size, area.w, size, printed, area.mm(2.25), align="right", wrap=False)
    return (box, word, when)


def _receipt(facts: LabelFacts, area: _Area) -> _Items:
    """The lower part of 100 × 180 that is torn off: who, what, the number again, and the signature."""
    tear = Line(area.x, area.y, area.x + area.w, area.y, RULE_MM, dashed=True)
    bands: list[tuple[float, _Band]] = [(16, _receipt_head), (17, _receipt_receiver)]
    bands.append((area.h - 33, _receipt_foot))
    return (tear, *_stack(facts, area, bands))


def _receipt_head(facts: LabelFacts, area: _Area) -> _Items:
    left = area.cut_left(area.w * 0.4).inset(top=2, bottom=2)
    carrier = _line(replace(left, h=6), facts.carrier, area.mm(4.25), bold=True)
    title = _line(left.inset(top=7), "收件联", area.mm(3.25))
    return (carrier, title, *_small_barcode(facts, area.cut_right(area.w * 0.58).inset(top=2, bottom=6)))


def _receipt_receiver(facts: LabelFacts, area: _Area) -> _Items:
    return _badge(area, "收", filled=False) + _contact(facts.receiver, area, name_mm=area.mm(3.75))


def _receipt_foot(facts: LabelFacts, area: _Area) -> _Items:
    inner = area.inset(top=2, bottom=2.5)
    return (*_details(facts, inner.cut_left(inner.w * 0.54)), *_signature(facts, inner.cut_right(inner.w * 0.43)))


def group_digits(waybill: str) -> str:
    """YT8812409633175 → YT 8812 4096 3317 5, as a person reads it out."""
    digits_at = next((at for at, char in enumerate(waybill) if char.isdigit()), 0)
    head, tail = waybill[:digits_at], waybill[digits_at:]
    return " ".join(filter(None, [head, *(tail[at : at + 4] for at in range(0, len(tail), 4))]))


def write_yuan(fen: int) -> str:
    """102000 → 1,020.00"""
    return f"{fen // 100:,}.{fen % 100:02d}"


def _weight(facts: LabelFacts) -> str:
    return f"{facts.weight_g / 1000:.2f} kg" if facts.weight_g else ""


def _line(area: _Area, text: str, size_mm: float, *, bold: bool = False) -> Text:
    """One line, in the middle of the height of its area."""
    return Text(area.x, area.y, area.w, area.h, text, size_mm, bold=bold, valign="middle", wrap=False)


def _join(*words: str) -> str:
    return "  ".join(filter(None, words))


def _shorten(text: str, max_chars: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= max_chars else flat[: max_chars - 1] + "…"
