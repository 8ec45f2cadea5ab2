"""Orders as programs see them. Amounts in fen, instants in UTC, the receiver masked."""

from datetime import datetime

from waystream.core.order import Word
from waystream.web.journey_wire import TrackedOrder
from waystream.web.wire import Id, Told


class OrderBrief(Told, frozen=True):
    """A row of a list; from `carrier` on it is about the parcel that moved last."""

    id: Id
    shop_id: Id
    shop: str
    number: str
    warehouse_id: Id
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
    parcels: int
    carrier: str
    waybill: str
    stage: str
    state: str
    kind: str
    latest: str


class Line(Told, frozen=True):
    id: Id
    line_no: int
    sku: str
    name: str
    quantity: int
    price_fen: int
    discount_fen: int
    tax_bp: int


class ParcelBrief(Told, frozen=True):
    """A parcel of an order; voided ones too."""

    id: Id
    carrier: str
    number: str
    stage: str
    state: str
    kind: str
    direction: str
    latest: str
    dispatched_at: datetime | None
    delivered_at: datetime | None


class OrderWhole(Told, frozen=True):
    """One order. `readable`: its receiver can be unmasked, unless it was erased."""

    id: Id
    shop_id: Id
    shop_code: str
    shop: str
    number: str
    warehouse_id: Id
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
    readable: bool
    erased_at: datetime | None
    name_mask: str
    phone_mask: str
    address_mask: str
    province: str
    city: str
    district: str
    lines: tuple[Line, ...]
    parcels: tuple[ParcelBrief, ...]


class Entry(Told, frozen=True):
    """One thing that happened. `name` is an event's name, a parcel's state, or a verdict; `push` is the sealed push
    that told it."""

    at: datetime
    source: str
    subject: str
    name: str
    text: str
    code: str
    kind: str
    location: str
    by: str
    cause: str
    push: Id | None
    withdrawn_at: datetime | None


class Timeline(Told, frozen=True):
    entries: tuple[Entry, ...]


class OrderTimeline(Told, frozen=True):
    """`order` is what its buyer may be told, in plain words; `entries` is all that is known, from every source."""

    order: TrackedOrder
    entries: tuple[Entry, ...]
