"""What shipping means, without a database: which orders may travel, how they become parcels, whose account is used.

Orders, lines and accounts come in as values loaded under lock; what comes out is what `actions` saves. Quantities
never exceed what is left; cash on delivery is collected once for an order.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from waystream.core.errors import Conflict, Invalid

#: How long an attempt without an answer stays with its issuer before another is asked.
DOUBT_S = 1800.0

MAX_PIECES = 50
MAX_PARCELS = 50

NO_ACCOUNT, UNREACHABLE, ERASED = "no_account", "unreachable", "receiver_erased"
NONE_RESERVED = "none_reserved"

#: What to do about a refusal that is ours and not a carrier's (`parcel.mend`): Chinese, English.
MENDS = {
    NO_ACCOUNT: ("没有可用的快递账号：请在账号页添加或启用，然后重新发货。",
                 "No carrier account serves this parcel: add or switch one on, then ship again."),
    UNREACHABLE: ("快递网络一直无法连接：请检查地址和网络，然后重新发货。",
                  "The carrier network could not be reached: check its address and the connection, then ship again."),
    NONE_RESERVED: ("号段已用完：请在号段页补充号码，等待的包裹会自动重新取号。",
                    "The numbers assigned beforehand are used up: add more, then what waits asks again by itself."),
    ERASED: ("收件人资料已删除：无法取号。", "The receiver's data were erased: no number can be taken."),
}  # fmt: skip


def mend_sentence(mend: str, language: str) -> str | None:
    """What to do about a refusal of ours, in `zh` or `en`; None for a carrier's."""
    chinese, english = MENDS.get(mend, (None, None))
    return chinese if language.startswith("zh") else english


IN_DOUBT = "The carrier may have given these goods a number already: ship again when it has answered."

Outcome = Literal["asked", "already", "refused"]


@dataclass(frozen=True, slots=True)
class Part:
    """Some pieces of one order line (its number within the order, from 1)."""

    line_no: int
    quantity: int


@dataclass(frozen=True, slots=True)
class ShipOrders:
    """The wish to ship.

    `parcels` splits one order by hand; without it everything that is left goes into one parcel. `combine` puts orders
    of the same receiver and warehouse together. `pieces` > 1 asks for a mother waybill with its children.
    """

    order_ids: tuple[int, ...]
    carrier: str = ""
    account_id: int | None = None
    parcels: tuple[tuple[Part, ...], ...] | None = None
    combine: bool = False
    pieces: int = 1


@dataclass(frozen=True, slots=True)
class Shipped:
    """What became of one order; `reason` is a sentence for people, `why` its word for programs."""

    order_id: int
    parcel_ids: tuple[int, ...]
    outcome: Outcome
    why: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """An order line with what is not in any living parcel yet."""

    id: int
    line_no: int
    quantity: int
    left: int
    value_fen: int
    weight_g: int
    volume_mm3: int


@dataclass(frozen=True, slots=True)
class LivingParcel:
    """A mother parcel of an order that is not voided."""

    id: int
    stage: str
    held_reason: str
    contents: tuple[tuple[int, int], ...]
    children: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """An order as the ship action sees it; `receiver` tells whether two orders go to the same door."""

    id: int
    shop_id: int
    warehouse_id: int
    person_id: int
    receiver: bytes
    readable: bool
    erased: bool
    cancelled: bool
    held: bool
    hold_reason: str
    refund: str
    carrier: str
    cod_fen: int
    declared_fen: int
    cod_carried: bool
    lines: tuple[Line, ...]
    parcels: tuple[LivingParcel, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """A carrier account that is switched on. `warehouse_id` None serves every warehouse."""

    id: int
    carrier: str
    warehouse_id: int | None
    priority: int
    available: int | None


@dataclass(frozen=True, slots=True)
class Content:
    """What one order puts into one parcel: (line id, quantity) pairs and the cash to collect."""

    order_id: int
    lines: tuple[tuple[int, int], ...]
    cod_fen: int


@dataclass(frozen=True, slots=True)
class NewParcel:
    """A parcel to be made. Weights in grams, volume in cubic centimetres, money in fen."""

    shop_id: int
    warehouse_id: int
    person_id: int
    account_id: int | None
    carrier: str
    contents: tuple[Content, ...]
    weight_g: int
    volume_cm3: int
    declared_fen: int
    pieces: int = 1

    @property
    def cod_fen(self) -> int:
        return sum(content.cod_fen for content in self.contents)

    @property
    def order_ids(self) -> tuple[int, ...]:
        return tuple(content.order_id for content in self.contents)


@dataclass(frozen=True, slots=True)
class Plan:
    """`new` parcels, refused parcels to ask `again` for (with their account), and orders that need nothing."""

    new: tuple[NewParcel, ...]
    again: tuple[tuple[int, int, Account], ...]
    answered: tuple[Shipped, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """Why an order may not travel."""

    why: str
    sentence: str


def stop_of(*, cancelled: bool, held: bool, hold_reason: str, refund: str) -> Stop | None:
    """What keeps an order in the warehouse; None when nothing does. A part refund is money, not goods."""
    if cancelled:
        return Stop("cancelled", "The order is cancelled.")
    if held:
        return Stop("held", f"The order is on hold: {hold_reason}." if hold_reason else "The order is on hold.")
    if refund == "asked":
        return Stop("refund", "The buyer asked for a refund: settle it or release the order first.")
    if refund == "full":
        return Stop("refund", "The order is fully refunded.")
    return None


def checked(wanted: ShipOrders) -> ShipOrders:
    """The same wish with its order ids in lock order, or `Invalid` with the field that is wrong."""
    if not wanted.order_ids:
        raise Invalid("order_ids", "Name at least one order.")
    if not 1 <= wanted.pieces <= MAX_PIECES:
        raise Invalid("pieces", f"A shipment has 1 to {MAX_PIECES} pieces.")
    if wanted.parcels is not None:
        _check_split(wanted, wanted.parcels)
    ids = tuple(sorted(set(wanted.order_ids)))
    return ShipOrders(ids, wanted.carrier, wanted.account_id, wanted.parcels, wanted.combine, wanted.pieces)


def _check_split(wanted: ShipOrders, parcels: Sequence[Sequence[Part]]) -> None:
    if len(set(wanted.order_ids)) != 1:
        raise Invalid("parcels", "A split by lines is for one order.")
    if wanted.combine or wanted.pieces > 1:
        raise Invalid("parcels", "A split by lines is neither combined nor a shipment of several pieces.")
    if not 1 <= len(parcels) <= MAX_PARCELS or any(not parts for parts in parcels):
        raise Invalid("parcels", f"Split into 1 to {MAX_PARCELS} parcels, none of them empty.")
    for i, parts in enumerate(parcels):
        if any(part.quantity < 1 for part in parts):
            raise Invalid(f"parcels.{i}.quantity", "A quantity is at least 1.")
        if len({part.line_no for part in parts}) != len(parts):
            raise Invalid(f"parcels.{i}.line_no", "A line stands once in a parcel.")


def plan(
    orders: Sequence[Order], wanted: ShipOrders, accounts: Sequence[Account], *, in_doubt: Collection[int] = ()
) -> Plan:
    """Decide for every order; one order's refusal stops none of the others.

    `in_doubt`: orders whose goods a carrier may have given a number, in a parcel that is void now.
    """
    answered: list[Shipped] = []
    again: list[tuple[int, int, Account]] = []
    open_orders: list[tuple[Order, Account]] = []
    for order in orders:
        refusal = _refusal(order) or _split_refusal(order, wanted.parcels)
        account = pick_account(order, wanted, accounts)
        if refusal is None and account is None:
            refusal = _no_account(order, wanted)
        if refusal is not None:
            answered.append(refusal)
            continue
        assert account is not None
        retried = _to_ask_again(order)
        again += [(order.id, parcel_id, account) for parcel_id in retried]
        something_new = not _nothing_to_do(order, wanted.parcels)
        if something_new and order.id not in in_doubt:
            open_orders.append((order, account))
        elif something_new and not retried:
            answered.append(_refused(order, "doubt", IN_DOUBT))
        elif not retried:
            answered.append(Shipped(order.id, parcel_ids(order), "already"))
    return Plan(tuple(_parcels(open_orders, wanted)), tuple(again), tuple(answered))


def _to_ask_again(order: Order) -> list[int]:
    """Parcels whose number was refused: shipping the order again asks again, in the same parcel."""
    return [parcel.id for parcel in order.parcels if parcel.stage == "refused"]


def parcel_ids(order: Order) -> tuple[int, ...]:
    return tuple(sorted(an_id for parcel in order.parcels for an_id in (parcel.id, *parcel.children)))


def _refused(order: Order, why: str, sentence: str) -> Shipped:
    return Shipped(order.id, (), "refused", why, sentence)


def _refusal(order: Order) -> Shipped | None:
    stop = stop_of(
        cancelled=order.cancelled, held=order.held, hold_reason=order.hold_reason, refund=order.refund
    )  # fmt: skip
    if stop is not None:
        return _refused(order, stop.why, stop.sentence)
    if order.erased:
        return _refused(order, "erased", "The receiver's data were erased.")
    if not order.readable:
        return _refused(order, "sealed", "Only the platform can read this receiver: ship it through the platform.")
    return None


def _no_account(order: Order, wanted: ShipOrders) -> Shipped:
    if wanted.account_id is not None:
        return _refused(order, "account", "This carrier account is switched off or does not serve the warehouse.")
    carrier = wanted.carrier or order.carrier
    of = f" of {carrier}" if carrier else ""
    return _refused(order, "account", f"No carrier account{of} serves this warehouse: add one on the accounts page.")


def pick_account(order: Order, wanted: ShipOrders, accounts: Iterable[Account]) -> Account | None:
    """The wished account, else the first by priority for carrier and warehouse; one without numbers comes last."""
    carrier = wanted.carrier or ("" if wanted.account_id is not None else order.carrier)
    fitting = [
        account
        for account in accounts
        if account.warehouse_id in (None, order.warehouse_id)
        and carrier in ("", account.carrier)
        and wanted.account_id in (None, account.id)
    ]
    return min(
        fitting, default=None, key=lambda a: (a.available == 0, a.priority, a.warehouse_id is None, a.id)
    )  # fmt: skip


def _nothing_to_do(order: Order, split: Sequence[Sequence[Part]] | None) -> bool:
    """Everything travels already, or the very parcels asked for exist: a repeated call."""
    if not any(line.left for line in order.lines):
        return True
    return split is not None and not _fits(order, split) and _is_repeated(order, split)


def _wanted_of(order: Order, split: Sequence[Sequence[Part]]) -> Counter[int]:
    total: Counter[int] = Counter()
    for parts in split:
        for part in parts:
            total[part.line_no] += part.quantity
    return total


def _fits(order: Order, split: Sequence[Sequence[Part]]) -> bool:
    left = {line.line_no: line.left for line in order.lines}
    return all(quantity <= left.get(line_no, 0) for line_no, quantity in _wanted_of(order, split).items())


def _is_repeated(order: Order, split: Sequence[Sequence[Part]]) -> bool:
    ids = {line.line_no: line.id for line in order.lines}
    asked = Counter(tuple(sorted((ids.get(part.line_no, 0), part.quantity) for part in parts)) for parts in split)
    return asked <= Counter(tuple(sorted(parcel.contents)) for parcel in order.parcels)


def _split_refusal(order: Order, split: Sequence[Sequence[Part]] | None) -> Shipped | None:
    if split is None:
        return None
    lines = {line.line_no: line for line in order.lines}
    for line_no, quantity in sorted(_wanted_of(order, split).items()):
        line = lines.get(line_no)
        if line is None:
            return _refused(order, "line", f"The order has no line {line_no}.")
        if quantity > line.left and not _is_repeated(order, split):
            return _refused(order, "quantity", f"Line {line_no} has {line.left} left to ship, not {quantity}.")
    return None


def _parcels(orders: Sequence[tuple[Order, Account]], wanted: ShipOrders) -> list[NewParcel]:
    if wanted.parcels is not None:
        return [parcel for order, account in orders for parcel in _split(order, account, wanted.parcels)]
    groups: dict[object, list[Order]] = {}
    accounts: dict[object, Account] = {}
    for order, account in orders:
        door = (order.shop_id, order.warehouse_id, order.receiver, account.id) if wanted.combine else order.id
        groups.setdefault(door, []).append(order)
        accounts[door] = account
    return [new_parcel([(order, everything_left(order)) for order in group], accounts[door], pieces=wanted.pieces)
            for door, group in groups.items()]  # fmt: skip


def everything_left(order: Order) -> tuple[tuple[int, int], ...]:
    return tuple((line.id, line.left) for line in order.lines if line.left)


def _split(order: Order, account: Account, split: Sequence[Sequence[Part]]) -> list[NewParcel]:
    """One parcel for each part of the split; the first collects the cash."""
    ids = {line.line_no: line.id for line in order.lines}
    parcels = []
    for i, parts in enumerate(split):
        lines = tuple((ids[part.line_no], part.quantity) for part in parts)
        parcels.append(new_parcel([(order, lines)], account, collects=i == 0))
    return parcels


def new_parcel(
    contents: Sequence[tuple[Order, tuple[tuple[int, int], ...]]], account: Account | None, *, pieces: int = 1,
    collects: bool = True, carrier: str = "",
) -> NewParcel:  # fmt: skip
    """A parcel of these quantities. Each order's cash is collected unless another living parcel does."""
    first = contents[0][0]
    weights, volumes = zip(*(_bulk(order, lines) for order, lines in contents), strict=True)
    return NewParcel(
        shop_id=first.shop_id, warehouse_id=first.warehouse_id, person_id=first.person_id,
        account_id=account.id if account else None, carrier=account.carrier if account else carrier,
        contents=tuple(Content(order.id, lines, order.cod_fen if collects and not order.cod_carried else 0)
                       for order, lines in contents),
        weight_g=sum(weights), volume_cm3=-(-sum(volumes) // 1000),
        declared_fen=sum(declared_share(order, lines) for order, lines in contents), pieces=pieces,
    )  # fmt: skip


def _bulk(order: Order, lines: Iterable[tuple[int, int]]) -> tuple[int, int]:
    known = {line.id: line for line in order.lines}
    pairs = [(known[line_id], quantity) for line_id, quantity in lines]
    return sum(line.weight_g * n for line, n in pairs), sum(line.volume_mm3 * n for line, n in pairs)


def declared_share(order: Order, lines: Iterable[tuple[int, int]]) -> int:
    """The part of the order's declared value that these quantities are worth, by price (by pieces if all is free)."""
    known = {line.id: line for line in order.lines}
    priced = any(line.value_fen for line in order.lines)

    def worth(line: Line, quantity: int) -> int:
        return quantity * line.value_fen if priced else quantity

    whole = sum(worth(line, line.quantity) for line in order.lines)
    here = sum(worth(known[line_id], quantity) for line_id, quantity in lines)
    return order.declared_fen * here // whole if whole else 0


def checked_number(number: str) -> str:
    """A waybill number typed or scanned by a person, or `Invalid`."""
    number = number.strip().upper()
    if not (4 <= len(number) <= 40 and number.isascii() and number.replace("-", "").isalnum()):
        raise Invalid("number", "A waybill number has 4 to 40 letters and digits.")
    return number


def checked_carrier(carrier: str) -> str:
    """A carrier's code as aggregators write it, or `Invalid`: pushes find a number by it."""
    carrier = carrier.strip().upper()
    if not (2 <= len(carrier) <= 20 and carrier.isascii() and carrier.isalnum()):
        raise Invalid("carrier", "Name the carrier of this number by its code: SF, YTO, ZTO.")
    return carrier


def refuse_dispatched(dispatched: bool) -> None:
    if dispatched:
        raise Conflict("The parcel has left the warehouse: ask the carrier to intercept it.")
