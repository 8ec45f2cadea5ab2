"""The columns of an order sheet, in the words of platforms' exports and in English, and rows put together to orders.

Guaranteed: rows of one order number make one order, wherever they stand; what an order says once must not be
contradicted by another of its rows. Every problem names the line and the column as the file spells it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from waystream.core.errors import Invalid, InvalidMany
from waystream.core.sheet import Column, Layout, Row, identifier, instant, percent, problem, read_row, whole, yuan
from waystream.parts.orders.form import OrderIn, parse_order

_PAYMENTS = {
    "cod": "cod",
    "货到付款": "cod",
    "到付": "cod",
    "代收货款": "cod",
    "prepaid": "prepaid",
    "在线支付": "prepaid",
    "款到发货": "prepaid",
    "已付款": "prepaid",
}
_REFUNDS = {
    "none": "none",
    "无": "none",
    "无退款": "none",
    "没有退款": "none",
    "asked": "asked",
    "退款中": "asked",
    "申请退款": "asked",
    "part": "part",
    "部分退款": "part",
    "full": "full",
    "全额退款": "full",
    "退款成功": "full",
    "已退款": "full",
}


def _payment(cell: str) -> str:
    return _word(cell, _PAYMENTS)


def _refund(cell: str) -> str:
    return _word(cell, _REFUNDS)


def _word(cell: str, words: dict[str, str]) -> str:
    if cell.casefold() not in words:
        raise ValueError(f"not one of {', '.join(words)}")
    return words[cell.casefold()]


COLUMNS = (
    Column(
        "number",
        ("订单号", "订单编号", "平台订单号", "主订单编号", "order number", "order no", "order id", "order"),
        identifier,
        required=True,
    ),
    Column("warehouse", ("仓库", "仓库编码", "发货仓", "warehouse code")),
    Column("payment", ("付款方式", "支付方式", "payment method"), _payment),
    Column("cod_fen", ("代收金额", "代收货款金额", "货到付款金额", "cod", "cod amount"), yuan),
    Column("cod_fen", ("代收金额分",), whole),
    Column("paid_at", ("付款时间", "支付时间", "订单付款时间", "paid"), instant),
    Column("refund", ("退款状态", "售后状态", "refund state", "refund status"), _refund),
    Column("ship_by", ("最晚发货时间", "承诺发货时间", "发货截止", "ship before"), instant),
    Column("promised_at", ("承诺送达时间", "预计送达", "promise", "promised"), instant),
    Column("declared_fen", ("声明价值", "保价金额", "declared value"), yuan),
    Column("declared_fen", ("声明价值分",), whole),
    Column("carrier", ("快递公司", "快递", "承运商", "物流公司", "shipper")),
    Column("buyer_remark", ("买家留言", "买家备注", "客户留言", "buyer note", "buyer message")),
    Column("seller_remark", ("卖家备注", "商家备注", "备注", "seller note", "remark")),
    Column("email", ("邮箱", "电子邮箱", "买家邮箱", "e-mail", "mail", "buyer email")),
    Column("language", ("语言", "买家语言", "buyer language")),
    Column(
        "receiver.name",
        ("收件人", "收货人", "收件人姓名", "收货人姓名", "姓名", "name", "receiver", "recipient"),
        required=True,
    ),
    Column(
        "receiver.mobile",
        ("手机", "手机号", "手机号码", "联系手机", "收货人手机", "收件人手机", "联系方式", "mobile"),
        identifier,
    ),
    Column("receiver.phone", ("电话", "固定电话", "联系电话", "座机", "telephone", "phone"), identifier),
    Column("receiver.company", ("收件公司", "收货公司", "company")),
    Column("receiver.province", ("省", "省份", "收货省份", "province", "state"), required=True),
    Column("receiver.city", ("市", "城市", "收货城市", "city"), required=True),
    Column("receiver.district", ("区", "区县", "县", "收货区县", "district", "county")),
    Column("receiver.address", ("详细地址", "地址", "收货地址", "收件地址", "address", "street"), required=True),
    Column("receiver.postcode", ("邮编", "邮政编码", "postcode", "zip")),
    Column(
        "line.sku",
        ("商品编码", "商家编码", "货号", "规格编码", "sku", "sku code", "item code"),
        identifier,
        required=True,
    ),
    Column("line.name", ("商品名称", "商品", "宝贝标题", "商品标题", "item", "item name", "product")),
    Column("line.quantity", ("数量", "商品数量", "购买数量", "quantity", "qty"), whole, required=True),
    Column("line.price_fen", ("单价", "商品单价", "价格", "price", "unit price"), yuan),
    Column("line.price_fen", ("单价分", "price_fen"), whole),
    Column("line.discount_fen", ("优惠", "优惠金额", "折扣", "discount"), yuan),
    Column("line.discount_fen", ("优惠分", "discount_fen"), whole),
    Column("line.tax_bp", ("税率", "tax", "tax rate"), percent),
)
_LINE_FIELD = re.compile(r"lines\[(\d+)\]\.?(\w*)")


@dataclass(slots=True)
class _Gathered:
    """What the rows of one order said so far."""

    line: int
    values: dict[str, Any]
    receiver: dict[str, Any]
    unreadable: bool = False
    rows: list[int] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SheetOrder:
    """An order with the line it begins on."""

    line: int
    order: OrderIn


class Gatherer:
    """Takes rows in, gives orders out. It holds the whole sheet, since an order's rows may stand apart."""

    def __init__(self, layout: Layout, *, shop: str, warehouse: str) -> None:
        self._layout = layout
        self._shop = shop
        self._warehouse = warehouse
        self._orders: dict[str, _Gathered] = {}

    def take(self, row: Row) -> list[Invalid]:
        """Add a row; its problems."""
        values, problems = read_row(self._layout, row)
        number = values.pop("number", None)
        if number is None:
            return [*problems, problem(row.line, self._layout.header_of("number"), "empty")]
        of_line = _under("line.", values)
        receiver = _under("receiver.", values)
        gathered = self._orders.setdefault(number, _Gathered(row.line, {}, {}))
        problems += self._merge(gathered.values, values, row.line)
        problems += self._merge(gathered.receiver, receiver, row.line, prefix="receiver.")
        gathered.rows.append(row.line)
        gathered.lines.append(of_line)
        gathered.unreadable |= bool(problems)
        return problems

    def _merge(self, known: dict[str, Any], told: dict[str, Any], line: int, prefix: str = "") -> list[Invalid]:
        wrong = [
            problem(line, self._layout.header_of(prefix + name), "another row of this order says otherwise")
            for name, value in told.items()
            if known.get(name, value) != value
        ]
        known |= told
        return wrong

    def orders(self) -> Iterator[SheetOrder | list[Invalid]]:
        """Each order, or what is wrong with it; what has an unreadable row was named before."""
        for number, gathered in self._orders.items():
            if gathered.unreadable:
                continue
            try:
                yield SheetOrder(gathered.line, parse_order(self._raw(number, gathered)))
            except InvalidMany as many:
                yield [self._located(gathered, one) for one in many.problems]
            except Invalid as one:
                yield [self._located(gathered, one)]

    def _raw(self, number: str, gathered: _Gathered) -> dict[str, Any]:
        given = {"warehouse": self._warehouse} | gathered.values
        if given.get("cod_fen"):
            given.setdefault("payment", "cod")
        return given | {"shop": self._shop, "number": number, "receiver": gathered.receiver, "lines": gathered.lines}

    def _located(self, gathered: _Gathered, wrong: Invalid) -> Invalid:
        """`lines[1].quantity` → the second row of the order and the file's own header."""
        path = wrong.path or ""
        found = _LINE_FIELD.fullmatch(path)
        if found:
            header = self._layout.header_of(f"line.{found[2]}") if found[2] else ""
            return problem(gathered.rows[int(found[1])], header, wrong.sentence)
        return problem(gathered.line, self._layout.header_of(path) if path else "", wrong.sentence)


def _under(prefix: str, values: dict[str, Any]) -> dict[str, Any]:
    """Take the values of a group out, by their names within it."""
    names = [name for name in values if name.startswith(prefix)]
    return {name.removeprefix(prefix): values.pop(name) for name in names}


def no_warehouse(found: SheetOrder, header: str) -> Invalid:
    return problem(found.line, header, "there is no such warehouse")
