"""A PrintTemplate in the form Kdniao answers: one HTML document, 373 × 676 px, with the barcode as an inline GIF.

The sandbox's carrier network answers with it, and the tests of `template` read it. Pure: the same label is the same
document.
"""

import base64
from dataclasses import dataclass
from html import escape

from waystream.core import code128
from waystream.core.label import Contact
from waystream.integrations.kdniao.gif import write_gif

_GIF_ROWS = 8

_SHEET = """
body{margin:0;padding:0}
.page{position:relative;width:373px;height:676px;overflow:hidden;font-family:SimHei,"Microsoft YaHei"}
.item{position:absolute;overflow:hidden}
.text{font-size:12px;line-height:1.2;white-space:pre-wrap;word-break:break-all}
.hline{border-top:1px solid #000;height:0}
.vline{border-left:1px solid #000;width:0}
.strong{font-weight:bold}
.center{text-align:center}
"""


@dataclass(frozen=True, slots=True)
class FakeLabel:
    """What the carrier prints; `carrier` is its name in words."""

    carrier: str
    number: str
    mark: str
    package: str
    receiver: Contact
    sender: Contact
    order_number: str
    goods: str = ""
    remark: str = ""
    printed_at: str = ""


def render_template(label: FakeLabel) -> str:
    """The whole document; the number must be one that Code 128 can say."""
    body = "\n".join((*_upper(label), *_contacts(label), *_receipt(label)))
    return (
        f'<html>\n<head>\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8"/>\n'
        f"<title>电子面单</title>\n<style>{_SHEET}</style>\n</head>\n<body>\n"
        f'<div class="page">\n{body}\n</div>\n</body>\n</html>'
    )


def _upper(label: FakeLabel) -> tuple[str, ...]:
    return (
        _text(10, 12, 200, 30, label.carrier, "font-size:22px", "strong"),
        _text(230, 20, 133, 16, label.printed_at, "text-align:right"),
        _hline(0, 50),
        _text(10, 56, 353, 48, label.mark, "font-size:40px;line-height:48px", "strong", "center"),
        _hline(0, 110),
        _text(10, 116, 353, 28, f"集 {label.package}", "font-size:22px;line-height:28px", "strong"),
        _hline(0, 150),
    )


def _contacts(label: FakeLabel) -> tuple[str, ...]:
    return (
        _text(8, 172, 24, 24, "收", "font-size:20px", "strong", "center"),
        _text(44, 156, 319, 62, _words(label.receiver), "font-size:15px", "strong"),
        _hline(0, 222),
        _text(8, 234, 24, 24, "寄", "font-size:16px", "center"),
        _text(44, 228, 319, 44, _words(label.sender), "font-size:12px"),
        _vline(38, 150, 126),
        _hline(0, 276),
        _barcode(label.number, top=288, height=78, modules_px=2),
        _text(10, 370, 353, 24, _grouped(label.number), "font-size:18px;line-height:24px", "strong", "center"),
        _hline(0, 404),
        _text(10, 410, 230, 50, "快件送达收件人地址，经收件人或代收人签字后视为送达。", "font-size:10px"),
        _text(250, 410, 113, 50, "签收人：\n\n时间：", "font-size:12px"),
        _vline(244, 404, 60),
        '<div class="item text" style="left:300px;top:12px;width:60px;height:20px;display:none">代收货款</div>',
        _hline(0, 464),
    )


def _receipt(label: FakeLabel) -> tuple[str, ...]:
    return (
        _text(10, 472, 150, 24, label.carrier, "font-size:16px", "strong"),
        _barcode(label.number, top=472, height=34, modules_px=1),
        _text(172, 508, 191, 14, label.number, "font-size:12px;text-align:right"),
        _hline(0, 528),
        _text(10, 534, 353, 36, f"收 {_words(label.receiver)}", "font-size:12px"),
        _hline(0, 574),
        _text(10, 580, 353, 16, f"订单号：{label.order_number}"),
        _text(10, 598, 353, 34, f"物品：{label.goods}"),
        _text(10, 636, 353, 34, f"备注：{label.remark}" if label.remark else ""),
    )


def _text(left: int, top: int, width: int, height: int, words: str, style: str = "", *names: str) -> str:
    kinds = " ".join(("item", "text", *names))
    box = f"left:{left}px;top:{top}px;width:{width}px;height:{height}px"
    return f'<div class="{kinds}" style="{";".join(filter(None, (box, style)))}">{escape(words)}</div>'


def _hline(left: int, top: int) -> str:
    return f'<div class="item hline" style="left:{left}px;top:{top}px;width:373px"></div>'


def _vline(left: int, top: int, height: int) -> str:
    return f'<div class="item vline" style="left:{left}px;top:{top}px;height:{height}px"></div>'


def _barcode(number: str, *, top: int, height: int, modules_px: int) -> str:
    """The wide one in the middle of the page, the narrow one at its right edge."""
    width = code128.count_modules(number) * modules_px
    left = (373 - width) // 2 if modules_px > 1 else 373 - width - 4
    gif = base64.b64encode(draw_barcode(number)).decode("ascii")
    box = f"left:{left}px;top:{top}px;width:{width}px;height:{height}px"
    return f'<img class="item image" style="{box}" src="data:image/gif;base64,{gif}"/>'


def draw_barcode(number: str) -> bytes:
    """A GIF with one pixel to the module, quiet zones included."""
    row = [False] * code128.count_modules(number)
    for start, width in code128.bars(number):
        row[start : start + width] = [True] * width
    return write_gif([row] * _GIF_ROWS)


def _words(contact: Contact) -> str:
    return f"{contact.name}  {contact.phone}\n{contact.address}"


def _grouped(number: str) -> str:
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))
