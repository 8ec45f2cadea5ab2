"""A family: a mother parcel with its children, its orders, numbers and attempts, read under lock. Pure values.

Whatever changes a parcel's number changes it for the whole family, for the carrier knows the family by one code. The
questions answered here (may it travel, is the number wanted) are asked by every action that holds the locks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from waystream.parts.fulfilment.model import Account, NewParcel, Order, Stop, new_parcel, stop_of

OPEN_TAKES = ("planned", "asked", "doubt")


@dataclass(frozen=True, slots=True)
class OrderRow:
    """`receiver` and `warehouse_id` are its way: from which house to which door."""

    id: int
    warehouse_id: int
    cancelled: bool
    held: bool
    hold_reason: str
    refund: str
    receiver: bytes

    @property
    def way(self) -> tuple[int, bytes]:
        return self.warehouse_id, self.receiver

    @property
    def stop(self) -> Stop | None:
        return stop_of(cancelled=self.cancelled, held=self.held, hold_reason=self.hold_reason, refund=self.refund)


@dataclass(frozen=True, slots=True)
class ParcelRow:
    id: int
    mother_id: int | None
    shop_id: int
    warehouse_id: int
    account_id: int | None
    carrier: str
    stage: str
    held_reason: str
    piece: int
    pieces: int
    receiver: bytes

    @property
    def way(self) -> tuple[int, bytes]:
        return self.warehouse_id, self.receiver


@dataclass(frozen=True, slots=True)
class TakeRow:
    id: int
    parcel_id: int
    account_id: int
    aggregator_id: int
    carrier: str
    code: str
    state: str
    number: str
    asked_at: datetime | None
    attempts: int
    unwanted: bool

    @property
    def sent(self) -> bool:
        """The carrier may know of it."""
        return self.state != "planned" or self.attempts > 0


@dataclass(frozen=True, slots=True)
class BindingRow:
    id: int
    parcel_id: int
    take_id: int | None
    aggregator_id: int
    carrier: str
    number: str
    state: str


@dataclass(frozen=True, slots=True)
class Family:
    """`take` is the open attempt; `bindings` are those that are live or being cancelled, mother's first.

    `stale`: its parcels hold more than is ordered now, or collect another amount of cash.
    """

    mother: ParcelRow
    children: tuple[ParcelRow, ...]
    orders: tuple[OrderRow, ...]
    take: TakeRow | None
    bindings: tuple[BindingRow, ...]
    stale: bool = False

    @property
    def parcels(self) -> tuple[ParcelRow, ...]:
        return (self.mother, *self.children)

    @property
    def parcel_ids(self) -> tuple[int, ...]:
        return tuple(parcel.id for parcel in self.parcels)

    @property
    def order_ids(self) -> tuple[int, ...]:
        return tuple(order.id for order in self.orders)

    @property
    def subject(self) -> str:
        return f"parcel:{self.mother.id}"

    @property
    def dispatched(self) -> bool:
        """Some piece of it left: the carrier does not take the family's numbers back any more."""
        return bool(self.gone_ids)

    @property
    def gone_ids(self) -> tuple[int, ...]:
        return tuple(parcel.id for parcel in self.parcels if parcel.stage == "dispatched")

    @property
    def here(self) -> tuple[ParcelRow, ...]:
        """The pieces that have not left."""
        return tuple(parcel for parcel in self.parcels if parcel.stage != "dispatched")

    @property
    def here_ids(self) -> tuple[int, ...]:
        return tuple(parcel.id for parcel in self.here)

    @property
    def bindings_here(self) -> tuple[BindingRow, ...]:
        return tuple(row for row in self.bindings if row.parcel_id in self.here_ids)

    @property
    def held_reason(self) -> str:
        return next((parcel.held_reason for parcel in self.here if parcel.held_reason), "")

    @property
    def held(self) -> bool:
        return self.held_reason != ""

    @property
    def unbound(self) -> tuple[ParcelRow, ...]:
        """The pieces here that have no number."""
        bound = {row.parcel_id for row in self.bindings}
        return tuple(parcel for parcel in self.here if parcel.id not in bound)

    @property
    def voided(self) -> bool:
        return all(parcel.stage == "voided" for parcel in self.here)

    @property
    def travellers(self) -> tuple[OrderRow, ...]:
        """The orders that are not cancelled: the parcel is theirs."""
        return tuple(order for order in self.orders if not order.cancelled)

    @property
    def stop(self) -> Stop | None:
        """What keeps it here: an order on hold holds all, a cancelled one only when there is no other."""
        stops = [order.stop for order in (self.travellers or self.orders)]
        return next((stop for stop in stops if stop is not None), None)

    @property
    def why(self) -> str:
        """In a word, why its number cannot stay."""
        return self.stop.why if self.stop is not None else "changed"

    @property
    def way_changed(self) -> bool:
        return any(order.way != self.mother.way for order in self.travellers)

    @property
    def content_changed(self) -> bool:
        """An order of it was cancelled, made smaller, paid or goes another way: this label must not be used."""
        return self.stale or len(self.travellers) != len(self.orders) or self.way_changed

    @property
    def waits_for_number(self) -> bool:
        """It wants a number and none is being asked, given or cancelled for it."""
        wants = self.mother.stage == "asked" and not self.held
        return wants and self.take is None and not self.bindings

    def wants(self, take: TakeRow) -> bool:
        """Whether the answer to this attempt may become the family's number."""
        open_attempt = take.state in OPEN_TAKES and not take.unwanted
        takes_it = self.mother.stage in ("asked", "doubt") and not self.held and not self.bindings
        return open_attempt and takes_it and self.stop is None and not self.content_changed


@dataclass(frozen=True, slots=True)
class Refill:
    """What a parcel that waits for a number will hold; None: nothing is left for it. `dropped` orders go alone."""

    mother: int
    parcel: NewParcel | None
    dropped: tuple[int, ...]


def refill(
    families: Sequence[Family], had: Mapping[int, Mapping[int, int]], orders: Mapping[int, Order],
    accounts: Mapping[int, Account],
) -> list[Refill]:  # fmt: skip
    """Fill parcels again from what their orders are now: never more than is left, cash collected once.

    `had`: order line and quantity by mother. Cancelled orders fall out; of orders that go different ways now the parcel
    keeps those of its own way, or else of the first order. Earlier families come first to what is left.
    """
    left = {line.id: line.left for order in orders.values() for line in order.lines}
    carried = {order.id for order in orders.values() if order.cod_carried}
    found = []
    for family in families:
        kept, dropped = sorted_by_way(family)
        contents = []
        for order in (orders[row.id] for row in kept):
            lines = [(line.id, min(had[family.mother.id].get(line.id, 0), left[line.id])) for line in order.lines]
            lines = [(line_id, quantity) for line_id, quantity in lines if quantity]
            left |= {line_id: left[line_id] - quantity for line_id, quantity in lines}
            if lines:
                contents.append((replace(order, cod_carried=order.id in carried), tuple(lines)))
                carried.add(order.id)
        account = accounts.get(family.mother.id)
        parcel = new_parcel(contents, account, pieces=family.mother.pieces) if contents else None
        found.append(Refill(family.mother.id, parcel, tuple(row.id for row in dropped)))
    return found


def sorted_by_way(family: Family) -> tuple[list[OrderRow], list[OrderRow]]:
    """The orders that stay in the parcel, and those that go another way now."""
    ways = [order.way for order in family.travellers]
    way = family.mother.way if family.mother.way in ways else next(iter(ways), None)
    kept = [order for order in family.travellers if order.way == way]
    return kept, [order for order in family.travellers if order.way != way]
