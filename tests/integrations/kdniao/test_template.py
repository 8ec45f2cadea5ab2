"""Kdniao's label HTML: read as it looks, bounded against whatever it contains."""

import base64
import contextlib
import io
import time
from dataclasses import replace
from math import isfinite

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from waystream.core.errors import Unreadable
from waystream.core.label import Barcode, Contact, Drawing, Image, Line, Text
from waystream.integrations.kdniao.faketemplate import FakeLabel, draw_barcode, render_template
from waystream.integrations.kdniao.template import read_template

LABEL = FakeLabel(
    carrier="申通快递",
    number="772002014605245",
    mark="113 C107 M07 ",
    package="北京顺义集散包 ",
    receiver=Contact("罗**", "158****6021", "四川省成都市武侯区桐梓林东路**号"),
    sender=Contact("青禾茶器", "0510-****2209", "江苏省无锡市宜兴市丁蜀镇**路"),
    order_number="LD201908291008041459474",
    goods="旅行茶具套装 × 1",
    remark='<b>&amp; "小心"',
)
PX = 25.4 / 96


def page(body: str, sheet: str = "") -> str:
    return f"<html><head><style>.item{{position:absolute}}{sheet}</style></head><body>{body}</body></html>"


def texts(drawing: Drawing) -> list[str]:
    return [item.text for item in drawing.items if isinstance(item, Text)]


def only_text(html: str) -> Text:
    (text,) = (item for item in read_template(html).items if isinstance(item, Text))
    return text


def picture(kind: str, size: tuple[int, int] = (20, 10)) -> str:
    data = io.BytesIO()
    Pillow.new("RGB", size, "red").save(data, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(data.getvalue()).decode()}"


HLINE = ".hline{width:100%;border-top:1px solid #000}"
FRAME = '<div class="page" style="width:373px;height:676px"></div>'
WORD = '<div class="item text" style="left:10px;top:20px;width:100px;height:30px;font-size:20px">字</div>'


def test_a_real_label_becomes_its_stock_in_millimetres() -> None:
    drawing = read_template(render_template(LABEL))

    assert (drawing.width_mm, drawing.height_mm) == (100.0, 180.0)
    assert {"申通快递", "113 C107 M07", "集 北京顺义集散包"} <= set(texts(drawing))
    assert "罗**  158****6021\n四川省成都市武侯区桐梓林东路**号" in texts(drawing)
    assert '备注：<b>&amp; "小心"' in texts(drawing)
    assert "代收货款" not in texts(drawing), "display:none"
    assert sum(isinstance(item, Line) for item in drawing.items) == 11


def test_px_become_millimetres_of_a_screen_centred_on_the_stock() -> None:
    text = only_text(page(FRAME + WORD))

    right, down = (100 - 373 * PX) / 2, (180 - 676 * PX) / 2
    assert text.x == pytest.approx(10 * PX + right)
    assert text.y == pytest.approx((20 + 2) * PX + down)  # 1.2 lines: 2 px of air above 20 px letters
    assert (text.w, text.size_mm) == (pytest.approx(100 * PX), pytest.approx(20 * PX))


def test_a_label_counted_in_dots_of_a_print_head_has_eight_to_the_millimetre() -> None:
    frame = '<div style="width:607.65px;height:1040px">' + WORD + "</div>"
    drawing = read_template(page(frame))

    assert (drawing.width_mm, drawing.height_mm) == (76.0, 130.0)
    assert only_text(page(frame)).size_mm == 20 / 8


def test_class_rules_and_inline_styles_both_matter_and_inline_wins() -> None:
    sheet = ".text{font-size:12px;text-align:right}.big{font-size:30px;font-weight:bold}"
    text = only_text(
        page('<div class="item text big" style="font-size:40px;width:200px;height:50px">甲</div>' + FRAME, sheet)
    )

    assert text.size_mm == pytest.approx(40 * PX)
    assert (text.bold, text.align) == (True, "right")


def test_selectors_weigh_as_in_css() -> None:
    sheet = "#a .text{font-size:50px}.item.text{font-size:40px}.text{font-size:30px}div{font-size:20px}"
    inner = '<div id="a" style="width:373px;height:676px"><div class="item text">乙</div></div>'
    assert only_text(page(inner, sheet)).size_mm == pytest.approx(50 * PX)


def test_places_of_nested_boxes_add_up_and_words_stay_together() -> None:
    html = page(
        '<div class="item" style="left:100px;top:200px;width:200px;height:300px">'
        '<div class="item text" style="left:10px;top:20px;width:80px;height:60px;font-size:10px;line-height:10px">'
        "一 <b>二</b><br/>\n   三&nbsp;四</div></div>"
    )
    text = only_text(html)
    assert text.text == "一 二\n三\xa0四"
    assert (text.x, text.y) == (pytest.approx(110 * PX, abs=0.01), pytest.approx(220 * PX, abs=0.01))


@pytest.mark.parametrize("kind", ["JPEG", "GIF", "PNG"])
def test_inline_pictures_keep_their_bytes_and_place(kind: str) -> None:
    html = page(FRAME + f'<img class="item image" style="left:10px;top:10px;width:80px" src="{picture(kind)}">')
    (image,) = (item for item in read_template(html).items if isinstance(item, Image))

    assert image.mime == f"image/{kind.lower()}"
    assert (image.w, image.h) == (pytest.approx(80 * PX), pytest.approx(40 * PX))
    assert Pillow.open(io.BytesIO(image.data)).size == (20, 10)


def test_a_picture_inside_a_placed_box_stands_where_the_box_stands() -> None:
    inner = f'<div class="item" style="left:40px;top:30px"><img width="50" src="{picture("PNG")}"></div>'
    (image,) = (item for item in read_template(page(FRAME + inner)).items if isinstance(item, Image))
    assert image.x == pytest.approx(40 * PX + (100 - 373 * PX) / 2)
    assert image.w == pytest.approx(50 * PX)


def bars(gif: bytes, box: str = "left:20px;top:40px;width:330px;height:80px") -> Drawing:
    src = f"data:image/gif;base64,{base64.b64encode(gif).decode()}"
    return read_template(page(FRAME + f'<img class="item image" style="{box}" src="{src}">'))


@pytest.mark.parametrize("number", ["YT8812409633175", "772002014605245", "SF1524086733219", "JDVB12345678901-1-1-"])
def test_a_barcode_in_a_gif_becomes_a_barcode_over_the_same_place(number: str) -> None:
    (barcode,) = (item for item in bars(draw_barcode(number)).items if isinstance(item, Barcode))

    assert barcode.value == number
    assert barcode.x == pytest.approx(20 * PX + (100 - 373 * PX) / 2, abs=0.01)
    assert (barcode.w, barcode.h) == (pytest.approx(330 * PX), pytest.approx(80 * PX))


def test_a_compressed_gif_of_several_pixels_a_module_is_read_as_well() -> None:
    picture = Pillow.open(io.BytesIO(draw_barcode("YT8812409633175"))).convert("L")
    larger = Pillow.new("L", (picture.width * 3 + 60, 90), 255)
    larger.paste(picture.resize((picture.width * 3, 60)), (30, 15))
    data = io.BytesIO()
    larger.save(data, "GIF", interlace=0)

    (barcode,) = (item for item in bars(data.getvalue()).items if isinstance(item, Barcode))
    assert barcode.value == "YT8812409633175"
    assert barcode.h == pytest.approx(80 * PX * 60 / 90)


def test_bars_that_are_not_quite_a_code_stay_a_picture() -> None:
    good = draw_barcode("YT8812409633175")
    bent = good.replace(b"\x01\x01\x00\x01", b"\x01\x00\x00\x01", 1)
    words = Pillow.new("1", (200, 60), 1)
    words.paste(0, (20, 10, 60, 50))
    data = io.BytesIO()
    words.save(data, "GIF")

    for gif in (bent, data.getvalue()):
        assert not any(isinstance(item, Barcode) for item in bars(gif).items)
        assert any(isinstance(item, Image) for item in bars(gif).items)


def test_lines_are_as_thick_as_border_or_box() -> None:
    html = page(
        FRAME
        + '<div class="item hline" style="top:50px;width:373px;border-top:2px dashed #000"></div>'
        + '<div class="item vline" style="left:40px;top:50px;height:100px;width:3px;background:#000"></div>'
    )
    across, down = (item for item in read_template(html).items if isinstance(item, Line))

    assert (across.width_mm, across.dashed) == (pytest.approx(2 * PX), True)
    assert across.x2 - across.x1 == pytest.approx(373 * PX)
    assert (down.width_mm, down.dashed) == (pytest.approx(3 * PX), False)
    assert down.y2 - down.y1 == pytest.approx(100 * PX)


def test_percentages_are_of_the_page() -> None:
    html = page(
        f'<div style="width:373px;height:676px"><div class="item hline" style="top:50%"></div>{WORD}</div>', HLINE
    )
    (line,) = (item for item in read_template(html).items if isinstance(item, Line))
    assert line.x2 - line.x1 == pytest.approx(373 * PX)
    assert line.y1 == pytest.approx(90, abs=0.2)


HOSTILE_AND_HARMLESS = [
    '<script>document.write("<div class=item>坏</div>")</script>',
    '<script src="https://evil.example/a.js"></script>',
    '<iframe src="file:///etc/passwd">坏</iframe>',
    '<link rel="stylesheet" href="https://evil.example/a.css">',
    '<meta http-equiv="refresh" content="0;url=https://evil.example/">',
    '<img class="item image" src="https://evil.example/a.png">',
    '<img class="item image" src="file:///etc/passwd">',
    '<img class="item image" src="picture:99">',
    '<img class="item image" src="data:image/svg+xml;utf8,<svg onload=alert(1)>">',
    '<object data="a.swf">坏</object><svg><text>坏</text></svg>',
    '<div class="item" style="background:url(https://evil.example/a.png);width:9px;height:9px"></div>',
    "<style>@import url(https://evil.example/a.css); .x{behavior:url(a.htc)}</style>",
    "<!-- <div class='item'>坏</div> -->",
    '<div class="item" style="display:none"><div class="item">坏</div></div>',
    '<div class="item" style="visibility:hidden">坏</div>',
]


@pytest.mark.parametrize("extra", HOSTILE_AND_HARMLESS)
def test_what_would_run_fetch_or_hide_is_passed_over(extra: str) -> None:
    drawing = read_template(page(FRAME + WORD + extra))
    assert texts(drawing) == ["字"]
    assert not any(isinstance(item, Image) for item in drawing.items)


def lying_png() -> str:
    data = base64.b64decode(picture("PNG").partition(",")[2])
    bomb = data[:16] + (65_000).to_bytes(4) + (65_000).to_bytes(4) + data[24:]
    return f"data:image/png;base64,{base64.b64encode(bomb).decode()}"


def lying_gif() -> str:
    data = bytearray(draw_barcode("1234"))
    at = data.index(b"\x2c", 13)
    data[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    return f"data:image/gif;base64,{base64.b64encode(data).decode()}"


REFUSED = {
    "nothing": "",
    "nothing to see": page(""),
    "no label": page("<p>余额不足</p>"),
    "no document": "plain text",
    "too long": "x" * 2_000_001,
    "too much markup": page(WORD * 5_000),
    "too many items": page("<i class=item>x</i>" * 1_000),
    "too deep": page("<div>" * 40),
    "a text too long": page(f'<div class="item">{"长" * 2_001}</div>'),
    "too many pictures": page(f'<img class="item" src="{picture("GIF", (1, 1))}">' * 33),
    "a picture too large": page(f'<img class="item" src="data:image/png;base64,{"A" * 600_000}">'),
    "a picture with too many pixels": page(f'<img class="item" src="{lying_png()}">'),
    "pictures with too many pixels together": page(f'<img class="item" src="{picture("PNG", (1500, 1000))}">' * 3),
    "a gif whose frame is larger than itself": page(f'<img class="item" src="{lying_gif()}">'),
    "a picture that is none": page('<img class="item" src="data:image/png;base64,aGVsbG8=">'),
    "not base64": page('<img class="item" src="data:image/png;base64,aGVsb">'),
    "a cut jpeg": page('<img class="item" src="data:image/jpeg;base64,/9j/4AAQ">'),
    "a page larger than any label": page('<div style="width:373px;height:9000px">' + WORD + "</div>"),
    "too many rules": page(WORD, ".a{top:0}" * 301),
}


@pytest.mark.parametrize("html", REFUSED.values(), ids=REFUSED.keys())
def test_what_exceeds_a_bound_or_shows_nothing_is_unreadable(html: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_template(html)
    assert "长" not in str(caught.value)


SLOW = [
    "<!--",
    "<a ",
    "<![",
    "</a",
    "<a b='",
    "&#x",
    "{",
    "/*",
    "<style>",
    "<div style='a:a:a:a:",
    "<?",
    '<img src="',
    "<![CDATA[",
    "<!doctype",
    "<a b=c d",
    "</",
    "<style>a{",
    "data:image/gif;base64,",
]


@pytest.mark.parametrize("padding", [0, 40])
@pytest.mark.parametrize("piece", SLOW)
def test_no_text_makes_it_slow(piece: str, padding: int) -> None:
    whole = piece + " " * padding
    html = page(FRAME + WORD + whole * (100_000 // len(whole)))
    begun = time.perf_counter()
    with contextlib.suppress(Unreadable):
        read_template(html)
    assert time.perf_counter() - begun < 3


PIECES = [
    "<",
    ">",
    "/",
    "!",
    "[",
    "]",
    "?",
    "-",
    "'",
    '"',
    "=",
    ";",
    ":",
    "{",
    "}",
    "&",
    "#",
    "%",
    "px",
    "1e9",
    "9" * 9,
    "\x00",
]
PIECES += ["<div ", "</div>", "<img ", "class=item ", 'style="', "src=", "left:", "width:", "font:", "border:1px solid"]
PIECES += [
    "<!--",
    "-->",
    "<![CDATA[",
    "<style>",
    "</style>",
    "<script>",
    "<br>",
    "字",
    "\ud800",
    draw_barcode("1").hex(),
]
PIECES += [picture("GIF", (3, 3)), picture("JPEG", (3, 3))[:60], "data:image/gif;base64,R0lGODlh", "picture:0", WORD]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_whatever_arrives_is_a_drawing_or_unreadable(text: str) -> None:
    for html in (text, page(WORD + text), page(f"<div {text}>{WORD}</div>", text)):
        with contextlib.suppress(Unreadable):
            drawing = read_template(html)
            assert drawing.items
            assert all(isfinite(item.w) for item in drawing.items if isinstance(item, Text | Image))


def test_the_fake_speaks_for_any_label() -> None:
    bare = replace(LABEL, number="SF1524086733219", goods="", remark="", package="", mark="010")
    drawing = read_template(render_template(bare))
    assert (drawing.width_mm, drawing.height_mm) == (100.0, 180.0)
