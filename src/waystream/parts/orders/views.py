"""Orders as they are shown and asked for: filters, a row of a list, one order whole. Masked, never in the clear."""

from dataclasses import dataclass
from datetime import datetime

from waystream.core.order import Word
from waystream.parts.orders.model import Line

#: Where a list goes on: (moved_at, id) of the last row.
After = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Filters:
    """Everything is optional; empty means all. `warehouse_ids` is also how a caller's warehouses limit them."""

    words: tuple[Word, ...] = ()
    shop_id: int | None = None
    warehouse_ids: frozenset[int] | None = None
    carrier: str = ""
    held: bool = False
    refund: bool = False
    late_at: datetime | None = None  # promised to be shipped before this and not shipped whole
    since: datetime | None = None  # received
    until: datetime | None = None
    ids: tuple[int, ...] | None = None  # what a search found


@dataclass(frozen=True, slots=True)
class OrderRow:
    """A row of the list; `parcel_id` and what follows are of the parcel that moved last (0 and empty: none)."""

    id: int
    shop_id: int
    shop: str
    number: str
    warehouse_id: int
    word: Word
    dispatch: str
    payment: str
    refund: str
    total_fen: int
    cod_fen: int
    currency: str
    held_at: datetime | None
    hold_reason: str
    ship_by: datetime | None
    promised_at: datetime | None
    received_at: datetime
    moved_at: datetime
    name_mask: str
    phone_mask: str
    province: str
    city: str
    district: str
    pieces: int
    first_name: str
    parcels: int
    parcel_id: int
    carrier: str
    waybill: str
    stage: str
    state: str
    kind: str
    latest: str


@dataclass(frozen=True, slots=True)
class OrderPage:
    """`after` is where the next page begins; None on the last."""

    rows: tuple[OrderRow, ...]
    after: After | None


@dataclass(frozen=True, slots=True)
class ParcelRow:
    """A parcel of an order, in short; voided ones too."""

    id: int
    carrier: str
    number: str
    stage: str
    state: str
    kind: str
    direction: str
    latest: str
    dispatched_at: datetime | None
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Order:
    """One order with its lines and parcels. `readable`: its receiver can be unmasked here, unless `erased_at`."""

    id: int
    shop_id: int
    shop_code: str
    shop: str
    number: str
    warehouse_id: int
    warehouse_code: str
    warehouse: str
    word: Word
    dispatch: str
    payment: str
    cod_fen: int
    paid_at: datetime | None
    refund: str
    ship_by: datetime | None
    promised_at: datetime | None
    declared_fen: int
    total_fen: int
    currency: str
    carrier: str
    hold_reason: str
    held_at: datetime | None
    cancel_reason: str
    cancelled_at: datetime | None
    delivered_at: datetime | None
    completed_at: datetime | None
    completed_by: str
    received_at: datetime
    moved_at: datetime
    person_id: int
    readable: bool
    erased_at: datetime | None
    name_mask: str
    phone_mask: str
    address_mask: str
    province: str
    city: str
    district: str
    lines: tuple[Line, ...]
    parcels: tuple[ParcelRow, ...]
