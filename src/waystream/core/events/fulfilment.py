"""From "ship" to "left the warehouse": numbers, labels, prints, dispatch."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from waystream.core.events import ParcelEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class WaybillIssued(ParcelEvent):
    """A number was taken and bound. `order_ids`: every order in the parcel."""

    public: ClassVar[str] = "waybill.issued"
    binding_id: int
    order_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaybillRefused(ParcelEvent):
    """The carrier refused a number; `mend` is the key of the sentence that says what to do."""

    public: ClassVar[str] = "waybill.refused"
    take_id: int
    code: str
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeInDoubt(ParcelEvent):
    """Asked and unanswered: the number may exist."""

    public: ClassVar[str] = ""
    take_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeConflicted(ParcelEvent):
    """The carrier answered with a number we cannot claim: a person decides."""

    public: ClassVar[str] = ""
    take_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAsked(ParcelEvent):
    """The carrier is asked to take a number back."""

    public: ClassVar[str] = "waybill.cancel_asked"
    cancel_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaybillCancelled(ParcelEvent):
    """The carrier took the number back."""

    public: ClassVar[str] = "waybill.cancelled"
    cancel_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRefused(ParcelEvent):
    """`outcome`: refused (already collected) or unsupported (a person must call the carrier)."""

    public: ClassVar[str] = "waybill.cancel_refused"
    cancel_id: int
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPrinted(ParcelEvent):
    """A label came out of a printer."""

    public: ClassVar[str] = "label.printed"
    print_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelVoided(ParcelEvent):
    """A label must not be used any more."""

    public: ClassVar[str] = "label.voided"
    label_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintFailed(ParcelEvent):
    """A label did not come out, and is not tried again by itself."""

    public: ClassVar[str] = "label.print_failed"
    print_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelDispatched(ParcelEvent):
    """Left the warehouse (出库). `by`: print, scan, weigh, or carrier (collected though nobody here said it left)."""

    public: ClassVar[str] = "parcel.dispatched"
    order_ids: tuple[int, ...]
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelVoided(ParcelEvent):
    """It will never leave: a person said so, or nothing is left for it."""

    public: ClassVar[str] = "parcel.voided"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelReplaced(ParcelEvent):
    """Its goods are sent again (补发) in another parcel; it counts for its orders no more."""

    public: ClassVar[str] = "parcel.replaced"
    replacement_id: int
    order_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionDied(ParcelEvent):
    """The aggregator stopped watching a number."""

    public: ClassVar[str] = ""
    binding_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldParcelCollected(ParcelEvent):
    """A carrier collected what should have stayed here; `why` is the word of what kept it."""

    public: ClassVar[str] = "parcel.collected_while_held"
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StrangerNamedTake(ParcelEvent):
    """A push told of a number nobody bound, under the code of an attempt of ours that named no number."""

    public: ClassVar[str] = ""
    take_id: int
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelledNumberScanned(ParcelEvent):
    """A carrier scanned a number that was cancelled."""

    public: ClassVar[str] = "waybill.scanned_after_cancel"
    binding_id: int
