"""What a shop tells us of an order, parsed and bounded at the door: `parse_order(raw) -> OrderIn`.

Guaranteed: whoever holds an `OrderIn` need not check it again: every text fits the database, every instant is UTC,
amounts add up, there is exactly one receiver. Errors name the field (`lines[2].quantity`) and never quote a value.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, structs

from waystream.core.channels import EMAIL_MAX, is_email
from waystream.core.errors import Invalid, InvalidMany
from waystream.core.order import Payment, Refund
from waystream.core.ports import Contact

ORDERS_MAX = 5_000  # in one call
LINES_MAX = 200
FEN_MAX = 10_000_000_000  # a hundred million yuan

Code = Annotated[str, Meta(min_length=1, max_length=64)]
Word32 = Annotated[str, Meta(max_length=32)]
Text = Annotated[str, Meta(max_length=200)]
Remark = Annotated[str, Meta(max_length=1_000)]
Fen = Annotated[int, Meta(ge=0, le=FEN_MAX)]
Instant = Annotated[datetime, Meta(tz=True)]

_PHONE = re.compile(r"\+?[0-9](?:[0-9 ]|-(?=[0-9])){4,19}(?:-[0-9]{1,6})?")
_EXTENSION = re.compile(r"(?:转|,|，|#|ext\.?)\s*(?=[0-9]{1,6}$)", re.IGNORECASE)
#: Control characters, and what is invisible or turns the direction of writing: a number reads as what it is.
_UNSEEN = (*range(32), *range(127, 160), *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF)
_CONTROL = {code: " " if chr(code) in "\t\n\r" else None for code in _UNSEEN}
_FULL_WIDTH = {ord("０") + digit: str(digit) for digit in range(10)} | {ord("－"): "-", ord("＋"): "+", ord("—"): "-"}


class ReceiverIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A receiver in the clear: at least one of mobile and phone; a virtual number is `13800001111-1234`."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    mobile: Word32 = ""
    phone: Word32 = ""
    company: Annotated[str, Meta(max_length=100)] = ""
    province: Annotated[str, Meta(min_length=1, max_length=32)]
    city: Annotated[str, Meta(min_length=1, max_length=32)]
    district: Word32 = ""
    address: Annotated[str, Meta(min_length=1, max_length=200)]
    postcode: Annotated[str, Meta(max_length=12)] = ""

    def __repr__(self) -> str:
        return "ReceiverIn(…)"

    @property
    def contact(self) -> Contact:
        return Contact(**structs.asdict(self))


class SealedIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A receiver only the platform can read: its ciphertext, its id, and the masks it allows us to show."""

    platform: Annotated[str, Meta(min_length=1, max_length=32)]
    ciphertext: Annotated[str, Meta(min_length=1, max_length=8_000)]
    id: Annotated[str, Meta(max_length=200)] = ""
    name_mask: Annotated[str, Meta(max_length=64)] = ""
    phone_mask: Word32 = ""
    address_mask: Text = ""
    province: Word32 = ""
    city: Word32 = ""
    district: Word32 = ""

    def __repr__(self) -> str:
        return "SealedIn(…)"


class LineIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`discount_fen` is off the whole line; `tax_bp` is the tax rate in basis points (1300 is 13 %)."""

    sku: Code
    name: Text = ""
    quantity: Annotated[int, Meta(ge=1, le=100_000)]
    price_fen: Fen = 0
    discount_fen: Fen = 0
    tax_bp: Annotated[int, Meta(ge=0, le=10_000)] = 0

    @property
    def total_fen(self) -> int:
        return self.quantity * self.price_fen - self.discount_fen


class OrderIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One order as a shop tells it. `shop` and `warehouse` are codes; exactly one of `receiver` and `sealed`.

    `email` and `language` (zh or en) are the buyer's: where and how he is told what happens to his order.
    """

    shop: Code
    number: Code
    warehouse: Code
    payment: Payment = Payment.PREPAID
    cod_fen: Fen = 0
    paid_at: Instant | None = None
    refund: Refund = Refund.NONE
    ship_by: Instant | None = None
    promised_at: Instant | None = None
    declared_fen: Fen = 0
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "CNY"
    carrier: Annotated[str, Meta(max_length=20)] = ""
    buyer_remark: Remark = ""
    seller_remark: Remark = ""
    email: Annotated[str, Meta(max_length=EMAIL_MAX)] = ""
    language: Annotated[str, Meta(pattern="^(zh|en)?$")] = ""
    receiver: ReceiverIn | None = None
    sealed: SealedIn | None = None
    lines: Annotated[tuple[LineIn, ...], Meta(min_length=1, max_length=LINES_MAX)]

    def __repr__(self) -> str:
        return f"OrderIn({self.shop} {self.number})"

    @property
    def total_fen(self) -> int:
        return sum(line.total_fen for line in self.lines)

    @property
    def place(self) -> ReceiverIn | SealedIn:
        """The receiver, whoever may read it."""
        return self.receiver or self.sealed  # type: ignore[return-value]


def parse_orders(raw: Any) -> tuple[OrderIn, ...]:
    """One order or a list of them, from JSON-like values. Raises `Invalid` naming fields as `[3].lines[0].sku`."""
    if not isinstance(raw, list):
        return (parse_order(raw),)
    if not 1 <= len(raw) <= ORDERS_MAX:
        raise Invalid("", f"give between 1 and {ORDERS_MAX} orders at once")
    parsed: list[OrderIn] = []
    problems: list[Invalid] = []
    for at, each in enumerate(raw):
        try:
            parsed.append(parse_order(each, path=f"[{at}]"))
        except InvalidMany as many:
            problems += many.problems
        except Invalid as one:
            problems.append(one)
    if problems:
        raise InvalidMany(problems)
    return tuple(parsed)


def parse_order(raw: Any, *, path: str = "") -> OrderIn:
    """Raises `Invalid` for a wrong shape, `InvalidMany` for all wrong values together."""
    try:
        shaped = msgspec.convert(clean(raw), OrderIn)
    except msgspec.ValidationError as error:
        raise _shape_problem(error, path) from None
    order = _normal(shaped)
    problems = [Invalid(_joined(path, field), sentence) for field, sentence in _wrong(order)]
    if problems:
        raise InvalidMany(problems)
    return order


def clean(value: Any) -> Any:
    """Force every text into the database's domain: nothing unseen in it, no lone surrogates, no blank ends."""
    if isinstance(value, str):
        return value.translate(_CONTROL).encode("utf-8", "ignore").decode().strip()
    if isinstance(value, dict):
        return {key: clean(item) for key, item in value.items()}
    return [clean(item) for item in value] if isinstance(value, list | tuple) else value


def clean_lines(text: str) -> str:
    """As `clean`, for a text that may have several lines."""
    return "\n".join(clean(line) for line in text.splitlines()).strip()


def normal_phone(text: str) -> str:
    """158 1234 6021, +86 15812346021, １５８…, 13800001111转1234 as they are compared, dialled and searched."""
    phone = text.translate(_FULL_WIDTH)
    phone = _EXTENSION.sub("-", phone)
    phone = phone.replace(" ", "")
    return re.sub(r"^(?:\+?86|0086)-?(?=1\d{10}(?:-|$))", "", phone)


def is_phone(phone: str) -> bool:
    return _PHONE.fullmatch(phone) is not None


def _shape_problem(error: msgspec.ValidationError, path: str) -> Invalid:
    """msgspec says "Expected `int` >= 1 - at `$.lines[2].quantity`"; an unknown enum value would be quoted."""
    sentence, _, place = str(error).partition(" - at ")
    if sentence.startswith("Invalid enum value"):
        sentence = "not one of the words known here"
    return Invalid(_joined(path, place.strip("`$").lstrip(".")), sentence[:1].lower() + sentence[1:])


def _joined(path: str, field: str) -> str:
    return f"{path}.{field}" if path and field and not field.startswith("[") else path + field


def _normal(order: OrderIn) -> OrderIn:
    times = {name: _in_utc(at) for name in ("paid_at", "ship_by", "promised_at") if (at := getattr(order, name))}
    receiver = order.receiver
    if receiver is not None:
        receiver = structs.replace(receiver, mobile=normal_phone(receiver.mobile), phone=normal_phone(receiver.phone))
    return structs.replace(order, receiver=receiver, carrier=order.carrier.upper(), **times)


def _in_utc(at: datetime) -> datetime:
    """The first and the last year cannot be converted; `_wrong` names them."""
    return at.astimezone(UTC) if 1 < at.year < 9999 else at


def _wrong(order: OrderIn) -> Iterator[tuple[str, str]]:
    if (order.receiver is None) == (order.sealed is None):
        yield "receiver", "give either receiver or sealed"
    if order.receiver is not None:
        yield from _wrong_receiver(order.receiver)
    if order.email and not is_email(order.email):
        yield "email", "not an e-mail address"
    if order.payment is Payment.COD and not order.cod_fen:
        yield "cod_fen", "cash on delivery needs its amount"
    if order.payment is Payment.PREPAID and order.cod_fen:
        yield "cod_fen", "a prepaid order collects nothing"
    for at, line in enumerate(order.lines):
        if line.total_fen < 0:
            yield f"lines[{at}].discount_fen", "more than the line costs"
    for name in ("paid_at", "ship_by", "promised_at"):
        if (at_ := getattr(order, name)) and not 2000 <= at_.year <= 2100:
            yield name, "not a year between 2000 and 2100"


def _wrong_receiver(receiver: ReceiverIn) -> Iterator[tuple[str, str]]:
    if not receiver.mobile and not receiver.phone:
        yield "receiver.mobile", "give a mobile or a phone"
    for name in ("mobile", "phone"):
        if (phone := getattr(receiver, name)) and not is_phone(phone):
            yield f"receiver.{name}", "not a phone number; an extension follows a dash, as in 13800001111-1234"
