"""What changes an order and what does not: pure decisions over what is stored and what is told.

Guaranteed: what left the warehouse keeps its address and lines; a line keeps its id while its SKU stays; a person's
or buyer's completion is final, the policy's falls with the delivery it stood on. Parsing is `form`, rows are `store`.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from msgspec import Struct, json, structs

from waystream.core.order import Dispatch, OrderFacts, ParcelPart, Payment, Word, completes_at_once, dispatch_of, word
from waystream.core.state import Direction, Kind, State
from waystream.parts.orders.form import LineIn, OrderIn

#: (purpose, text) → 16 keyed bytes, scoped by the shop.
Blind = Callable[[str, str], bytes]


class Outcome(StrEnum):
    CREATED = "created"
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    REFUSED = "refused"  # nothing taken: what was told can no longer be changed


class Axis(StrEnum):
    """What of an order changed. The first five are on the label: before dispatch they void it."""

    ADDRESS = "address"
    LINES = "lines"
    PAYMENT = "payment"
    WAREHOUSE = "warehouse"
    REFUND = "refund"
    CARRIER = "carrier"
    PROMISE = "promise"  # paid_at, ship_by, promised_at
    PRICES = "prices"  # prices, discounts, taxes, declared value, currency
    REMARKS = "remarks"  # and names of lines


#: What cannot be taken back once a parcel has left.
FIXED_BY_DISPATCH = frozenset({Axis.ADDRESS, Axis.LINES, Axis.PAYMENT, Axis.WAREHOUSE, Axis.CARRIER})


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of one order that was told. `changed` was taken; `refused` was not, because of `why`.

    `why`: "cancelled" or "dispatched", the key of the sentence that says so.
    """

    order_id: int
    number: str
    outcome: Outcome
    changed: tuple[Axis, ...] = ()
    refused: tuple[Axis, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """An order as told, with its shop and warehouse found and its keyed hashes made."""

    order: OrderIn
    shop_id: int
    warehouse_id: int
    content_hash: bytes
    receiver_hash: bytes


@dataclass(frozen=True, slots=True)
class Line:
    """A stored line; quantity 0 is a line the shop took back."""

    id: int
    order_id: int
    line_no: int
    sku: str
    name: str
    quantity: int
    price_fen: int
    discount_fen: int
    tax_bp: int


@dataclass(frozen=True, slots=True)
class Known:
    """An order as stored, as far as a second telling may change it."""

    id: int
    shop_id: int
    number: str
    warehouse_id: int
    person_id: int
    payment: str
    cod_fen: int
    paid_at: datetime | None
    refund: str
    ship_by: datetime | None
    promised_at: datetime | None
    declared_fen: int
    currency: str
    carrier: str
    content_hash: bytes
    receiver_hash: bytes
    cancelled: bool
    dispatched: bool
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class LinePlan:
    """Lines to write over, to add (with their new number), to take back (quantity 0)."""

    keep: tuple[tuple[int, LineIn], ...] = ()
    add: tuple[tuple[int, LineIn], ...] = ()
    drop: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What a second telling does to a stored order."""

    known: Known
    told: Told
    axes: tuple[Axis, ...]
    refused: tuple[Axis, ...]
    why: str = ""

    @property
    def outcome(self) -> Outcome:
        return Outcome.CHANGED if self.axes else Outcome.REFUSED

    @property
    def content_hash(self) -> bytes:
        """What was refused is told again next time, and compared again."""
        return self.known.content_hash if self.refused else self.told.content_hash

    @property
    def kept(self) -> Told:
        """What was told, with what dispatch fixed put back as it is stored."""
        known, order = self.known, self.told.order
        if Axis.PAYMENT in self.refused:
            order = structs.replace(order, payment=Payment(known.payment), cod_fen=known.cod_fen)
        if Axis.CARRIER in self.refused:
            order = structs.replace(order, carrier=known.carrier)
        warehouse_id = known.warehouse_id if Axis.WAREHOUSE in self.refused else self.told.warehouse_id
        return replace(self.told, order=order, warehouse_id=warehouse_id)

    @property
    def takes_lines(self) -> bool:
        """Lines are written over whenever something was taken: their names have no axis of their own."""
        return bool(self.axes) and Axis.LINES not in self.refused

    @property
    def lines(self) -> LinePlan:
        return plan_lines(self.known.lines, self.told.order.lines) if self.takes_lines else LinePlan()


#: Fields that orders did not have once: while they are empty, an order is hashed as it was then.
_CAME_LATER = '"email":"","language":"",'


def tell(order: OrderIn, *, shop_id: int, warehouse_id: int, blind: Blind) -> Told:
    """Hash what is told, so that the same telling is known again without opening anything."""
    receiver = json.encode(order.place, order="deterministic").decode()
    content = json.encode(order, order="deterministic").decode().replace(_CAME_LATER, "")
    return Told(
        order,
        shop_id,
        warehouse_id,
        content_hash=blind("order content", content),
        receiver_hash=blind("receiver", receiver),
    )


def compare(known: Known, told: Told) -> Change | None:
    """None when nothing new was told."""
    if known.content_hash == told.content_hash:
        return None
    axes = _axes(known, told) or (Axis.REMARKS,)
    if known.cancelled:
        return Change(known, told, axes=(), refused=axes, why="cancelled")
    refused = tuple(axis for axis in axes if axis in FIXED_BY_DISPATCH) if known.dispatched else ()
    taken = tuple(axis for axis in axes if axis not in refused)
    return Change(known, told, axes=taken, refused=refused, why="dispatched" if refused else "")


def _axes(known: Known, told: Told) -> tuple[Axis, ...]:
    order = told.order
    other_lines = _quantities(known.lines) != _quantities(order.lines)
    differs = {
        Axis.ADDRESS: known.receiver_hash != told.receiver_hash,
        Axis.LINES: other_lines,
        Axis.PAYMENT: (known.payment, known.cod_fen) != (order.payment, order.cod_fen),
        Axis.WAREHOUSE: known.warehouse_id != told.warehouse_id,
        Axis.REFUND: known.refund != order.refund,
        Axis.CARRIER: known.carrier != order.carrier,
        Axis.PROMISE: (known.paid_at, known.ship_by, known.promised_at)
        != (order.paid_at, order.ship_by, order.promised_at),
        Axis.PRICES: (known.declared_fen, known.currency) != (order.declared_fen, order.currency)
        or (not other_lines and _prices(known.lines) != _prices(order.lines)),
    }
    return tuple(axis for axis, changed in differs.items() if changed)


def _quantities(lines: Sequence[Line] | Sequence[LineIn]) -> Counter[tuple[str, int]]:
    return Counter((line.sku, line.quantity) for line in lines if line.quantity)


def _prices(lines: Sequence[Line] | Sequence[LineIn]) -> Counter[tuple[str, int, int, int]]:
    return Counter((line.sku, line.price_fen, line.discount_fen, line.tax_bp) for line in lines if line.quantity)


def plan_lines(stored: Sequence[Line], wanted: Sequence[LineIn]) -> LinePlan:
    """Pair lines of one SKU, those of the same quantity first, so that a parcel's lines keep what they point at."""
    free = sorted(stored, key=lambda line: line.line_no)
    keep: dict[int, int] = {}
    for same in (_same_quantity, _same_sku):
        for at, line_in in enumerate(wanted):
            found = next((line for line in free if same(line, line_in)), None) if at not in keep else None
            if found is not None:
                free.remove(found)
                keep[at] = found.id
    first = max((line.line_no for line in stored), default=0) + 1
    new = [line_in for at, line_in in enumerate(wanted) if at not in keep]
    return LinePlan(
        keep=tuple((line_id, wanted[at]) for at, line_id in sorted(keep.items())),
        add=tuple(enumerate(new, first)),
        drop=tuple(line.id for line in free if line.quantity),
    )


def _same_quantity(line: Line, told: LineIn) -> bool:
    return (line.sku, line.quantity) == (told.sku, told.quantity)


def _same_sku(line: Line, told: LineIn) -> bool:
    return line.sku == told.sku


class Standing(Struct, frozen=True, gc=False):
    """An order's stored word with all that it follows from."""

    id: int
    shop_id: int
    word: Word
    dispatch: Dispatch
    delivered_at: datetime | None
    completed_at: datetime | None
    completed_by: str
    moved_at: datetime
    facts: OrderFacts
    trusted: frozenset[Kind]
    parcel_delivered_at: datetime | None
    parcel_moved_at: datetime | None


@dataclass(frozen=True, slots=True)
class Moving:
    """An order that would get another word."""

    order_id: int
    before: Word
    after: Word


def derived(standing: Standing, *, now: datetime) -> Standing:
    """The order as it follows from its parcels.

    Completion by the policy stands on the delivery and falls with it; completion by the buyer, by days or by a person
    is a fact of its own and stays whatever the carrier says later.
    """
    facts = standing.facts
    open_facts = structs.replace(facts, completed=False) if facts.completed else facts
    open_word = word(open_facts)
    completed_at, completed_by = standing.completed_at, standing.completed_by
    if completed_by == "policy" and open_word is not Word.DELIVERED:
        completed_at, completed_by = None, ""
    delivered = open_word is Word.DELIVERED
    if completed_at is None and delivered and completes_at_once(open_facts, standing.trusted):
        completed_at, completed_by = now, "policy"
    return structs.replace(
        standing,
        word=open_word if completed_at is None else word(structs.replace(open_facts, completed=True)),
        dispatch=dispatch_of(facts),
        delivered_at=(standing.parcel_delivered_at or standing.delivered_at or now) if delivered else None,
        completed_at=completed_at,
        completed_by=completed_by,
        moved_at=max(standing.moved_at, standing.parcel_moved_at or standing.moved_at),
    )


@lru_cache(maxsize=1024)
def parcel_part(stage: str, state: str | None, kind: str | None, direction: str | None, /) -> ParcelPart:
    """A parcel without a track waits for its carrier; a delivery nobody explained is an unspecified one."""
    told, how = State(state or State.AWAITING_COLLECTION), Kind(kind or Kind.NONE)
    if told is State.DELIVERED and how is Kind.NONE:
        how = Kind.UNSPECIFIED
    return ParcelPart(stage == "dispatched", told, how, Direction(direction or Direction.OUT))
