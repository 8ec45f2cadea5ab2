"""Labels on paper: exactly their size, barcodes that read back, Chinese that is Chinese, nothing cut, nothing run."""

import io
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pypdfium2
import pytest
import zxingcpp
from PIL import Image as Pillow

from waystream.core.errors import Invalid, Unreadable
from waystream.core.label import Barcode, Contact, Drawing, Image, LabelFacts, Text
from waystream.integrations.kdniao.faketemplate import FakeLabel, draw_barcode, render_template
from waystream.integrations.kdniao.template import read_template
from waystream.parts.floor.bitmap import read_png
from waystream.parts.floor.draw import draw_pdf, draw_png, draw_zpl
from waystream.parts.floor.label import Size, own_label

FACTS = LabelFacts(
    carrier="圆通速递",
    waybill="YT8812409633175",
    service="标准快递",
    mark="成都 武侯",
    package="成都转运",
    sorting_code="528-A12-03",
    receiver=Contact("罗**", "158****6021", "四川省成都市武侯区桐梓林东路**号"),
    sender=Contact("青禾茶器", "0510-****2209", "江苏省无锡市宜兴市丁蜀镇**路"),
    order_number="261111088410",
    parcel_number=2,
    parcel_count=2,
    goods="旅行茶具套装 × 1",
    remark="茶具请多包一层",
    weight_g=1620,
    printed_at="11-11 10:22",
)
LONG = replace(
    FACTS,
    carrier="圆通速递国际加急冷链专线",
    mark="新疆维吾尔自治区伊犁哈萨克",
    package="乌鲁木齐新市区集散中心分拨",
    receiver=Contact(
        "阿卜杜热西提·**", "158****6021", "新疆维吾尔自治区伊犁哈萨克自治州霍尔果斯市伊车嘎善锡伯族乡" * 6
    ),
    sender=Contact("青禾茶器陶瓷文化发展有限公司旗舰店", "0510-****2209", "UnbrokenEnglishAddress" * 8),
    order_number="2611110884102611110884101234",
    goods="旅行茶具套装 × 1、" * 12,
    remark="茶具请多包一层，谢谢" * 9,
    cod_fen=102_000,
)
TEMPLATE = FakeLabel(
    carrier="申通快递",
    number="772002014605245",
    mark="113 C107 M07 ",
    package="北京顺义集散包 ",
    receiver=FACTS.receiver,
    sender=FACTS.sender,
    order_number="LD201908291008041459474",
)

DRAWINGS: dict[str, tuple[Drawing, str, int]] = {
    "own 100x180": (own_label(FACTS, "100x180"), FACTS.waybill, 2),
    "own 76x130": (own_label(FACTS, "76x130"), FACTS.waybill, 2),
    "own 100x180, long": (own_label(LONG, "100x180"), LONG.waybill, 2),
    "own 76x130, long": (own_label(LONG, "76x130"), LONG.waybill, 2),
    "template": (read_template(render_template(TEMPLATE)), TEMPLATE.number, 2),
}
each_drawing = pytest.mark.parametrize(("drawing", "number", "count"), DRAWINGS.values(), ids=DRAWINGS.keys())


def read_barcodes(image: Pillow.Image) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.Code128)]


def open_png(png: bytes) -> Pillow.Image:
    return Pillow.open(io.BytesIO(png)).convert("L")


def read_words(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return document[0].get_textpage().get_text_bounded()
    finally:
        document.close()


def words_drawn(text: str, **how: object) -> str:
    return read_words(draw_pdf(Drawing(100, 60, (Text(5, 5, 90, 50, text, 4, **how),))))  # type: ignore[arg-type]


@each_drawing
def test_barcodes_read_back_from_the_dots_of_a_print_head(drawing: Drawing, number: str, count: int) -> None:
    image = open_png(draw_png(drawing))
    assert image.size == (drawing.width_mm * 8, drawing.height_mm * 8)

    black_and_white = image.point(lambda level: 0 if level < 128 else 255)
    assert read_barcodes(black_and_white) == [number] * count


def test_a_finer_head_has_its_own_dots() -> None:
    image = open_png(draw_png(own_label(FACTS), dpi=300))
    assert image.size == (1181, 2126)
    assert read_barcodes(image.point(lambda level: 0 if level < 128 else 255)) == [FACTS.waybill] * 2


@each_drawing
def test_a_pdf_is_one_page_of_the_labels_size_and_its_barcodes_read_back(
    drawing: Drawing, number: str, count: int
) -> None:
    document = pypdfium2.PdfDocument(draw_pdf(drawing))
    page = document[0]
    width, height = (points / 72 * 25.4 for points in page.get_size())
    image = page.render(scale=300 / 72).to_pil()
    pages = len(document)
    document.close()

    assert pages == 1
    assert (width, height) == (pytest.approx(drawing.width_mm, abs=0.01), pytest.approx(drawing.height_mm, abs=0.01))
    assert read_barcodes(image) == [number] * count


@pytest.mark.parametrize("size", ["100x180", "76x130"])
def test_chinese_is_text_in_a_font_that_has_it(size: Size) -> None:
    words = read_words(draw_pdf(own_label(FACTS, size)))
    for said in ("圆通速递", "528-A12-03", "成都 武侯", "集 成都转运", "罗**", "158****6021", "桐梓林东路**号"):
        assert said in words
    for said in (
        "青禾茶器",
        "261111088410",
        "2/2",
        "1.62 kg",
        "旅行茶具套装 × 1",
        "YT 8812 4096 3317 5",
        "茶具请多包一层",
    ):
        assert said in words
    assert "代收货款" not in words


@pytest.mark.parametrize("size", ["100x180", "76x130"])
def test_long_texts_are_whole_and_inside_their_boxes(size: Size) -> None:
    drawing = own_label(LONG, size)
    words = re.sub(r"\s|\u200b", "", read_words(draw_pdf(drawing)))
    assert LONG.receiver.address in words
    assert LONG.sender.address in words
    assert "¥1,020.00" in words

    for item in (item for item in drawing.items if isinstance(item, Text)):
        assert_inside(item)


def assert_inside(item: Text) -> None:
    """Alone on a page twice its size, the text leaves no ink beyond its box but half a line's tails."""
    around = Drawing(item.w + 20, item.h + 20, (replace(item, x=10, y=10, ink="black"),))
    bounds = open_png(draw_png(around)).point(lambda level: 255 if level < 128 else 0).getbbox()
    if bounds:
        left, top, right, bottom = (dots / 8 - 10 for dots in bounds)
        assert left >= -0.3
        assert right <= item.w + 0.3
        assert top >= -0.3
        assert bottom <= item.h + item.size_mm * 0.2


@pytest.mark.parametrize("size", ["100x180", "76x130"])
@pytest.mark.parametrize(
    "facts", [FACTS, LONG, replace(FACTS, mark="", sorting_code="", goods="", remark="", service="")]
)
def test_nothing_overlaps_and_nothing_leaves_the_page(size: Size, facts: LabelFacts) -> None:
    drawing = own_label(facts, size)
    boxes = [
        item for item in drawing.items if isinstance(item, Text | Barcode) and (not isinstance(item, Text) or item.text)
    ]
    for at, one in enumerate(boxes):
        if isinstance(one, Text):
            assert 0 <= one.x <= one.x + one.w <= drawing.width_mm
            assert 0 <= one.y <= one.y + one.h <= drawing.height_mm
        for other in boxes[at + 1 :]:
            apart = one.x + one.w <= other.x or other.x + other.w <= one.x
            assert apart or one.y + one.h <= other.y + 0.01 or other.y + other.h <= one.y + 0.01, (one, other)


HOSTILE = [
    '#read("/etc/passwd")',
    '"] #panic() [',
    "\\u{41}",
    "$x^2$ *b* _i_ `c` @ref <l>",
    "// c /* d */",
    '#import "@preview/a:1"',
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_printed_and_never_evaluated(text: str) -> None:
    assert " ".join(words_drawn(text).split()) == text


def test_unprintable_characters_are_left_out() -> None:
    assert words_drawn("a\x00b\u202ec\ud800d\x1be") == "abcde"


def test_a_missing_glyph_does_not_stop_the_label() -> None:
    assert "罗" in words_drawn("罗😀")


def test_bars_stand_on_whole_dots() -> None:
    image = open_png(draw_png(own_label(FACTS, "76x130")))
    row = image.crop((0, 70 * 8, image.width, 70 * 8 + 1)).tobytes()
    assert set(row) <= {0, 255}


def test_the_same_drawing_is_the_same_bytes() -> None:
    drawing = own_label(FACTS)
    assert draw_pdf(drawing) == draw_pdf(drawing)
    assert draw_png(drawing) == draw_png(drawing)


def test_many_threads_draw_at_once() -> None:
    drawings = [own_label(replace(FACTS, order_number=str(number))) for number in range(16)]
    alone = [draw_pdf(drawing) for drawing in drawings]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(draw_pdf, drawings)) == alone


@pytest.mark.parametrize("name", list(DRAWINGS))
def test_zpl_holds_the_same_dots(name: str) -> None:
    drawing = DRAWINGS[name][0]
    image = open_png(draw_png(drawing)).point(lambda level: 0 if level < 128 else 255)
    zpl = draw_zpl(drawing).decode("ascii")

    assert zpl.startswith(f"^XA^PW{image.width}^LL{image.height}^LH0,0^FO0,0^GFA,")
    assert zpl.endswith("^FS^PQ1^XZ\n")
    assert decode_field(zpl).tobytes() == image.tobytes()


def decode_field(zpl: str) -> Pillow.Image:
    """The graphic field as the ZPL II manual tells a printer to read it."""
    found = re.search(r"\^GFA,(\d+),\1,(\d+),([^^]*)\^FS", zpl)
    assert found
    total, row_bytes = int(found[1]), int(found[2])
    rows: list[str] = []
    row, count = "", 0
    for char in found[3]:
        if char == ":":
            rows.append(rows[-1])
        elif char == ",":
            rows.append(row.ljust(row_bytes * 2, "0"))
            row = ""
        elif "G" <= char <= "Y":
            count += ord(char) - ord("G") + 1
        elif "g" <= char <= "z":
            count += (ord(char) - ord("g") + 1) * 20
        else:
            row += char * (count or 1)
            count = 0
        if len(row) == row_bytes * 2:
            rows.append(row)
            row = ""
    data = bytes.fromhex("".join(rows))
    assert len(data) == total
    dots = (
        Pillow.frombytes("1", (row_bytes * 8, total // row_bytes), data).convert("L").point(lambda level: 255 - level)
    )
    width = re.search(r"\^PW(\d+)", zpl)
    assert width
    return dots.crop((0, 0, int(width[1]), dots.height))


def test_a_coloured_logo_prints_by_its_brightness() -> None:
    logo = io.BytesIO()
    Pillow.new("RGB", (40, 40), (200, 20, 20)).save(logo, "JPEG")
    bitmap = read_png(draw_png(Drawing(20, 20, (Image(5, 5, 10, 10, "image/jpeg", logo.getvalue()),))))
    assert bitmap.rows[80] == bytes(5) + b"\xff" * 10 + bytes(5)


def test_a_gif_barcode_is_drawn_as_it_is() -> None:
    drawing = Drawing(60, 20, (Image(5, 5, 50, 10, "image/gif", draw_barcode("SF1524086733219")),))
    assert read_barcodes(open_png(draw_png(drawing))) == ["SF1524086733219"]


def test_a_broken_picture_is_unreadable() -> None:
    broken = draw_barcode("12345678")[:60]
    with pytest.raises(Unreadable):
        draw_pdf(Drawing(60, 20, (Image(5, 5, 50, 10, "image/gif", broken),)))


@pytest.mark.parametrize(
    "drawing", [Drawing(0, 10, ()), Drawing(10, 1000, ()), Drawing(10, 10, (Text(0, 0, 1, 1, "a", 1),) * 1001)]
)
def test_a_drawing_out_of_bounds_is_invalid(drawing: Drawing) -> None:
    with pytest.raises(Invalid):
        draw_pdf(drawing)


def test_a_waybill_that_cannot_be_a_barcode_is_invalid() -> None:
    with pytest.raises(Invalid):
        draw_pdf(own_label(replace(FACTS, waybill="运单")))


def test_the_mark_stands_large_where_there_is_no_sorting_code() -> None:
    words = [item for item in own_label(replace(FACTS, sorting_code="")).items if isinstance(item, Text)]
    (mark,) = (item for item in words if item.text == "成都 武侯")
    assert mark.size_mm > 15
