"""Kdniao's PrintTemplate, one HTML document a label, becomes a `Drawing` in millimetres.

The document is read, never run: no script, no style beyond `css`, no address is followed; pictures are only those that
stand in the document itself. Every amount is bounded and all work grows with the length of the text; what exceeds a
bound or shows nothing is `Unreadable`. Texts are personal data and are never repeated in an error.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

from waystream.core.errors import Unreadable
from waystream.core.label import Box, Drawing, Image, Item, Line, Text
from waystream.core.picture import Picture, read_picture
from waystream.integrations.kdniao import css
from waystream.integrations.kdniao.bars import redraw
from waystream.integrations.kdniao.css import Element, Style

TEMPLATE_MAX_CHARS = 2_000_000
MARKUP_MAX_CHARS = 120_000
"""Without the pictures; real labels have 10,000 to 40,000."""

TAGS_MAX = 3_000
ITEMS_MAX = 500
DEPTH_MAX = 32
TEXT_MAX_CHARS = 2_000
PICTURES_MAX = 32
PICTURE_MAX_BYTES = 400_000
PICTURES_MAX_PIXELS = 4_000_000
"""Of all pictures together: what they take in memory when the label is drawn."""

LINE_MAX_PX = 8.0

SCREEN_MM_PER_PX = 25.4 / 96
HEAD_MM_PER_PX = 1 / 8
HEAD_FROM_PX = 480.0
"""Some couriers' labels count the dots of a 203-dpi head: no 100 mm label is this wide in px of a screen."""

SIDE_MIN_MM, SIDE_MAX_MM = 10.0, 400.0
STOCK_WIDTHS_MM = (76.0, 100.0)
STOCK_HEIGHTS_MM = (100.0, 113.0, 120.0, 130.0, 150.0, 180.0, 203.0, 210.0)
STOCK_WITHIN_MM = 2.0

_FRAME_MIN_PX = 150.0
_VOID = frozenset((
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
))  # fmt: skip
_SILENT = frozenset((
    "audio", "canvas", "iframe", "math", "noscript", "object", "script", "select", "style", "svg", "template",
    "textarea", "title", "video",
))  # fmt: skip
_DATA_URI = re.compile(r"data:image/[a-z]{1,10}(?:;[\w=-]{1,20})?;base64,([A-Za-z0-9+/=\s]*)", re.IGNORECASE)


def read_template(html: str) -> Drawing:
    """The label as it would be seen, on the stock it is made for; `Unreadable` if there is none to see."""
    if len(html) > TEMPLATE_MAX_CHARS:
        raise Unreadable("a label template is too long")
    markup, pictures = _take_pictures(html)
    markup = css.strip(css.strip(markup, "<!--", "-->"), "<!", ">")
    if "<!" in markup:
        raise Unreadable("a label template holds broken declarations")
    if len(markup) > MARKUP_MAX_CHARS or markup.count("<") > TAGS_MAX:
        raise Unreadable("a label template is too long")

    reader = _Reader(_read_sheets(markup), pictures)
    reader.feed(markup)
    reader.close()
    return _measure(reader)


@dataclass(slots=True)
class _Block:
    """A placed element in px of the page, and the words met inside it so far."""

    kinds: frozenset[str]
    style: Style
    x: float
    y: float
    words: list[str] = field(default_factory=list)
    letters: Style | None = None
    """The look of the first words: a block has one."""


@dataclass(frozen=True, slots=True)
class _Open:
    element: Element
    style: Style
    block: _Block
    opens_block: bool


class _Reader(HTMLParser):
    """Walks the document once; `items` are in px, in the order of the document."""

    def __init__(self, rules: tuple[css.Rule, ...], pictures: tuple[bytes, ...]) -> None:
        super().__init__(convert_charrefs=True)
        self.items: list[Item] = []
        self.frame: Style | None = None
        self._rules = rules
        self._pictures = pictures
        self._pixels = 0
        self._silent: list[str] = []
        page = _Block(frozenset(), Style(), 0, 0)
        self._open = [_Open(Element("", frozenset()), page.style, page, opens_block=False)]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._silent or tag in _SILENT:
            self._silent += [] if tag in _VOID else [tag]
        elif tag == "br":
            self._open[-1].block.words.append("\n")
        elif tag == "img":
            self._place_picture(attrs)
        elif tag not in _VOID:
            self._open_element(tag, attrs)
        if len(self._open) > DEPTH_MAX or len(self._silent) > DEPTH_MAX:
            raise Unreadable("a label template is nested too deep")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            if tag in self._silent:
                while self._silent.pop() != tag:
                    pass
        elif any(one.element.tag == tag for one in self._open):
            while self._close_element() != tag:
                pass

    def handle_data(self, data: str) -> None:
        here = self._open[-1]
        if self._silent or here.style.gone or here.style.hidden:
            return
        if data.strip() and here.block.letters is None:
            here.block.letters = here.style
        here.block.words.append(data if here.style.keeps_lines else re.sub(r"[ \t\r\n\f]+", " ", data))

    def close(self) -> None:
        super().close()
        while len(self._open) > 1:
            self._close_element()

    def _open_element(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element, style = self._style(tag, attrs)
        outer = self._open[-1].block
        is_frame = self.frame is None and ".item" not in element.names and _is_page(style)
        if is_frame:
            self.frame = style
            style = replace(style, left=None, top=None)
        opens_block = is_frame or style.placed or ".item" in element.names
        block = _place(element, style, outer) if opens_block else outer
        self._open.append(_Open(element, style, block, opens_block))

    def _close_element(self) -> str:
        closed = self._open.pop()
        if closed.opens_block:
            self._draw(closed.block)
        return closed.element.tag

    def _style(self, tag: str, attrs: list[tuple[str, str | None]]) -> tuple[Element, Style]:
        given = {name: value or "" for name, value in attrs}
        names = {f".{name}" for name in given.get("class", "").split()} | {f"#{given.get('id', '')}"}
        element = Element(tag, frozenset(names))
        parent = self._open[-1]
        style = css.inherit(parent.style)
        if tag in ("b", "strong", "th", "h1", "h2", "h3"):
            style = replace(style, bold=True)
        path = (*(one.element for one in self._open), element)
        around = replace(parent.block.style, gone=parent.style.gone)
        for rule in self._rules:
            if css.matches(rule, path):
                style = css.apply(style, rule.declarations, around=around)
        return element, css.apply(style, css.read_declarations(given.get("style", "")), around=around)

    def _place_picture(self, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        element, style = self._style("img", attrs)
        for side in ("width", "height"):
            if getattr(style, side) is None and given.get(side):
                style = css.apply(style, ((side, given[side]),), around=self._open[-1].block.style)
        found = re.fullmatch(r"\s*picture:(\d{1,4})\s*", given.get("src", ""))
        if found is None or int(found[1]) >= len(self._pictures) or style.gone or style.hidden:
            return
        data = self._pictures[int(found[1])]
        picture = read_picture(data)
        self._pixels += picture.width * picture.height
        if not picture.width * picture.height or self._pixels > PICTURES_MAX_PIXELS:
            raise Unreadable("a label template has too large pictures")
        self._add(_draw_picture(_place(element, style, self._open[-1].block), picture, data))

    def _draw(self, block: _Block) -> None:
        if block.style.gone or block.style.hidden:
            return
        for item in _draw_block(block):
            self._add(item)

    def _add(self, item: Item) -> None:
        self.items.append(item)
        if len(self.items) > ITEMS_MAX:
            raise Unreadable("a label template has too many items")


def _take_pictures(html: str) -> tuple[str, tuple[bytes, ...]]:
    """The document with `picture:N` for each inline picture, and their bytes."""
    pictures: list[bytes] = []

    def take(found: re.Match[str]) -> str:
        if len(pictures) >= PICTURES_MAX or len(found[1]) > PICTURE_MAX_BYTES * 4 // 3 + 4:
            raise Unreadable("a label template has too many or too large pictures")
        try:
            pictures.append(base64.b64decode(found[1], validate=False))
        except binascii.Error as error:
            raise Unreadable("a picture in a label template is not base64") from error
        return f"picture:{len(pictures) - 1}"

    return _DATA_URI.sub(take, html), tuple(pictures)


def _read_sheets(markup: str) -> tuple[css.Rule, ...]:
    lower = markup.lower()
    sheets: list[str] = []
    at = lower.find("<style")
    while at >= 0:
        start, end = lower.find(">", at) + 1, lower.find("</style", at)
        if start == 0 or end < 0:
            break
        sheets.append(markup[start:end])
        at = lower.find("<style", end)
    return css.read_rules("\n".join(sheets))


def _is_page(style: Style) -> bool:
    """Whether a box is large enough to be the label itself."""
    return min(style.width or 0, style.height or 0) >= _FRAME_MIN_PX


def _place(element: Element, style: Style, outer: _Block) -> _Block:
    return _Block(element.names, style, outer.x + (style.left or 0), outer.y + (style.top or 0))


def _draw_picture(block: _Block, picture: Picture, data: bytes) -> Item:
    width, height = block.style.width, block.style.height
    if not width and not height:
        width, height = float(picture.width), float(picture.height)
    elif not width:
        width = (height or 0) * picture.width / picture.height
    elif not height:
        height = width * picture.height / picture.width
    image = Image(block.x, block.y, max(width or 0, 1), max(height or 0, 1), picture.mime, data)
    return redraw(image) if picture.mime == "image/gif" else image


def _draw_block(block: _Block) -> Iterator[Item]:
    if ".hline" in block.kinds:
        yield _draw_rule(block, across=True)
    elif ".vline" in block.kinds:
        yield _draw_rule(block, across=False)
    else:
        yield from _draw_edges(block)
        text = _join_words(block.words)
        if text:
            yield _draw_text(block, text)


def _draw_rule(block: _Block, *, across: bool) -> Line:
    """A line as thick as its border, else as its box, else one px."""
    style = block.style
    borders = (style.border_top, style.border_bottom) if across else (style.border_left, style.border_right)
    border = max(borders, key=lambda one: one.width)
    thick = min(border.width or (style.height if across else style.width) or 1.0, LINE_MAX_PX)
    half = thick / 2
    if across:
        return Line(block.x, block.y + half, block.x + (style.width or 0), block.y + half, thick, border.dashed)
    return Line(block.x + half, block.y, block.x + half, block.y + (style.height or 0), thick, border.dashed)


def _draw_edges(block: _Block) -> Iterator[Item]:
    style = block.style
    left, top, right, bottom = block.x, block.y, block.x + (style.width or 0), block.y + (style.height or 0)
    if style.filled and right > left and bottom > top:
        yield Box(left, top, right - left, bottom - top, filled=True)
    edges = (
        (style.border_top, (left, top, right, top)),
        (style.border_bottom, (left, bottom, right, bottom)),
        (style.border_left, (left, top, left, bottom)),
        (style.border_right, (right, top, right, bottom)),
    )
    for border, ends in edges:
        if border.width:
            yield Line(*ends, min(border.width, LINE_MAX_PX), border.dashed)


def _join_words(words: list[str]) -> str:
    """Lines without the blanks around them, as a browser shows them."""
    lines = "".join(words).replace("\r\n", "\n").split("\n")
    text = "\n".join(line.strip(" \t\f\r") for line in lines).strip("\n")
    if len(text) > TEXT_MAX_CHARS:
        raise Unreadable("a text in a label template is too long")
    return text


def _draw_text(block: _Block, text: str) -> Text:
    """Without a size of its own a box reaches to the edge of the page: `_measure` sees to it."""
    look = block.letters or block.style
    line_px = look.line_px or look.font_px * look.line_ratio
    lead = (line_px - look.font_px) / 2
    # Letters may stand a little out of a box made too low for them, as in a browser; lines may not.
    height = max(block.style.height or 0, line_px) if block.style.height else 0.0
    return Text(
        block.x, block.y + lead, block.style.width or 0.0, max(height - lead, look.font_px) if height else 0.0, text,
        look.font_px, bold=look.bold, align=look.align, wrap=look.wraps, ink="white" if look.white else "black",
        line_height=line_px / look.font_px,
    )  # fmt: skip


def _measure(reader: _Reader) -> Drawing:
    items = [item for item in reader.items if not isinstance(item, Line) or (item.x1, item.y1) != (item.x2, item.y2)]
    if not items:
        raise Unreadable("a label template shows nothing")
    frame = reader.frame
    width = (frame and frame.width) or max(_right(item) for item in items)
    height = (frame and frame.height) or max(_bottom(item) for item in items)
    scale = HEAD_MM_PER_PX if width > HEAD_FROM_PX else SCREEN_MM_PER_PX
    shortest, longest = sorted((width * scale, height * scale))
    if shortest < SIDE_MIN_MM or longest > SIDE_MAX_MM:
        raise Unreadable("a label template has no size of a label")
    page = (_snap(width * scale, STOCK_WIDTHS_MM), _snap(height * scale, STOCK_HEIGHTS_MM))
    # The stock may be a little larger than the picture of it: what is over goes to both sides.
    shift = ((page[0] - width * scale) / 2, (page[1] - height * scale) / 2)
    return Drawing(*page, tuple(_move(_scale(item, scale), shift, page) for item in items))


def _right(item: Item) -> float:
    return max(item.x1, item.x2) if isinstance(item, Line) else item.x + item.w


def _bottom(item: Item) -> float:
    return max(item.y1, item.y2) if isinstance(item, Line) else item.y + item.h


def _snap(size_mm: float, stocks: tuple[float, ...]) -> float:
    nearest = min(stocks, key=lambda stock: abs(stock - size_mm))
    return nearest if abs(nearest - size_mm) <= STOCK_WITHIN_MM else round(size_mm, 2)


def _scale(item: Item, scale: float) -> Item:
    if isinstance(item, Line):
        ends = (item.x1 * scale, item.y1 * scale, item.x2 * scale, item.y2 * scale)
        return Line(*ends, item.width_mm * scale, item.dashed)
    scaled = replace(item, x=item.x * scale, y=item.y * scale, w=item.w * scale, h=item.h * scale)
    return replace(scaled, size_mm=scaled.size_mm * scale) if isinstance(scaled, Text) else scaled


def _move(item: Item, shift: tuple[float, float], page: tuple[float, float]) -> Item:
    right, down = shift
    if isinstance(item, Line):
        return replace(item, x1=item.x1 + right, y1=item.y1 + down, x2=item.x2 + right, y2=item.y2 + down)
    moved = replace(item, x=item.x + right, y=item.y + down)
    if not isinstance(moved, Text):
        return moved
    return replace(moved, w=moved.w or max(page[0] - moved.x, 1.0), h=moved.h or max(page[1] - moved.y, 1.0))
