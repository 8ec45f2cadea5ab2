"""Parcels as programs see them, with everything that happened to their numbers. Weights in grams, amounts in fen."""

from datetime import datetime

from waystream.web.wire import Id, Told


class Parcel(Told, frozen=True):
    """`stage` is how far we are with it; `state`, `kind`, `direction` what became of it on its way (null: not yet)."""

    id: Id
    mother_id: Id | None
    shop_id: Id
    warehouse_id: Id
    warehouse: str
    carrier: str
    number: str | None
    stage: str
    held_reason: str
    mend: str
    state: str | None
    kind: str | None
    direction: str | None
    latest: str | None
    order_ids: tuple[Id, ...]
    orders: tuple[str, ...]
    name_mask: str
    city: str
    piece: int
    pieces: int
    weight_g: int
    weighed_g: int | None
    cod_fen: int
    declared_fen: int
    created_at: datetime
    issued_at: datetime | None
    printed_at: datetime | None
    dispatched_at: datetime | None
    dispatched_by: str
    moved_at: datetime


class Content(Told, frozen=True):
    order_id: Id
    order_line_id: Id
    sku: str
    name: str
    quantity: int


class Take(Told, frozen=True):
    """One attempt to get a number; `code` is what the carrier network knows it by."""

    id: Id
    account: str
    carrier: str
    code: str
    state: str
    number: str
    unwanted: bool
    attempts: int
    said: str
    created_at: datetime
    asked_at: datetime | None
    answered_at: datetime | None


class Binding(Told, frozen=True):
    """Whose a number was, from when to when. `take_id` null: made elsewhere."""

    id: Id
    take_id: Id | None
    carrier: str
    number: str
    state: str
    owns_from: datetime
    owns_until: datetime | None
    bound_at: datetime
    ended_at: datetime | None


class Label(Told, frozen=True):
    id: Id
    binding_id: Id
    source: str
    made_at: datetime
    voided_at: datetime | None


class Cancel(Told, frozen=True):
    """A number on its way back to the carrier: asked, confirmed, refused, or unsupported (call the carrier)."""

    id: Id
    parcel_id: Id
    carrier: str
    number: str
    state: str
    reason: str
    said: str
    asked_at: datetime
    answered_at: datetime | None


class Print(Told, frozen=True):
    """One paper of one label: queued, printing, printed, failed, voided."""

    id: Id
    label_id: Id
    parcel_id: Id
    printer: str
    state: str
    reprint: bool
    said: str
    queued_at: datetime
    printed_at: datetime | None


class ParcelHistory(Told, frozen=True):
    """One parcel with everything about its number; `family` are the other pieces of its shipment."""

    parcel: Parcel
    contents: tuple[Content, ...]
    family: tuple[Id, ...]
    takes: tuple[Take, ...]
    bindings: tuple[Binding, ...]
    labels: tuple[Label, ...]
    cancels: tuple[Cancel, ...]


class Track(Told, frozen=True):
    """Where a parcel is. `because` names the fact that decides; `due_at` is when the next scan is due."""

    parcel_id: Id
    carrier: str
    number: str
    state: str
    kind: str
    direction: str
    at: datetime | None
    because: str
    collected_at: datetime | None
    delivered_at: datetime | None
    latest: str
    due_at: datetime | None
    changed_at: datetime


class Scan(Told, frozen=True):
    """A carrier's scan; its text is masked. `raw_time` is the carrier's own stamp."""

    at: datetime
    raw_time: str
    text: str
    code: str
    state: str
    kind: str
    location: str
    source: str
    number: str
    withdrawn_at: datetime | None


class Claim(Told, frozen=True):
    """What a network said of the whole waybill, without a scan of its own."""

    source: str
    code: str
    state: str
    kind: str
    at: datetime


class Decision(Told, frozen=True):
    """A person's word."""

    id: Id
    verdict: str
    actor: str
    reason: str
    at: datetime
    withdrawn_at: datetime | None
    withdrawn_by: str


class Why(Told, frozen=True):
    """From the state to the one fact that decides, and the sealed push behind it (null: a person, or nothing yet)."""

    track: Track
    scan: Scan | None
    claim: Claim | None
    decision: Decision | None
    inbox_id: Id | None
