"""A family: a mother parcel with its children, its orders, numbers and attempts, read under lock. Pure values.

Whatever changes a parcel's number changes it for the whole family, for the carrier knows the family by one code. The
questions answered here (may it travel, is the number wanted) are asked by every action that holds the locks.
"""

from dataclasses import dataclass
from datetime import datetime

from waystream.parts.fulfilment.model import Stop, stop_of

OPEN_TAKES = ("planned", "asked", "doubt")
BEFORE_DISPATCH = ("asked", "doubt", "refused", "conflict", "issued", "printed")


@dataclass(frozen=True, slots=True)
class OrderRow:
    id: int
    cancelled: bool
    held: bool
    hold_reason: str
    refund: str
    receiver: bytes

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
    """`take` is the open attempt; `bindings` are those that are live or being cancelled, mother's first."""

    mother: ParcelRow
    children: tuple[ParcelRow, ...]
    orders: tuple[OrderRow, ...]
    take: TakeRow | None
    bindings: tuple[BindingRow, ...]

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
        return any(parcel.stage == "dispatched" for parcel in self.parcels)

    @property
    def held(self) -> bool:
        return self.mother.held_reason != ""

    @property
    def voided(self) -> bool:
        return self.mother.stage == "voided"

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
    def receiver_changed(self) -> bool:
        return any(order.receiver != self.mother.receiver for order in self.travellers)

    @property
    def content_changed(self) -> bool:
        """An order of it was cancelled or goes to another door: this label must not be used."""
        return len(self.travellers) != len(self.orders) or self.receiver_changed

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
