"""From "ship" to "left the warehouse": numbers, labels, prints, dispatch."""

from dataclasses import dataclass
from datetime import datetime

from waystream.core.events import ParcelEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class WaybillIssued(ParcelEvent):
    """A number was taken and bound. `order_ids`: every order in the parcel."""

    binding_id: int
    order_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaybillRefused(ParcelEvent):
    """The carrier refused a number; `mend` is the key of the sentence that says what to do."""

    take_id: int
    code: str
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeInDoubt(ParcelEvent):
    """Asked and unanswered: the number may exist."""

    take_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeConflicted(ParcelEvent):
    """The carrier answered with a number we cannot claim: a person decides."""

    take_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAsked(ParcelEvent):
    cancel_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaybillCancelled(ParcelEvent):
    cancel_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRefused(ParcelEvent):
    """`outcome`: refused (already collected) or unsupported (a person must call the carrier)."""

    cancel_id: int
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPrinted(ParcelEvent):
    print_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelVoided(ParcelEvent):
    label_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintFailed(ParcelEvent):
    print_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelDispatched(ParcelEvent):
    """Left the warehouse (出库). `by`: print, scan, weigh, or carrier (collected though nobody here said it left)."""

    order_ids: tuple[int, ...]
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelVoided(ParcelEvent):
    """It will never leave: a person said so, or nothing is left for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionDied(ParcelEvent):
    binding_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldParcelCollected(ParcelEvent):
    """A carrier collected what should have stayed here; `why` is the word of what kept it."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StrangerNamedTake(ParcelEvent):
    """A push told of a number nobody bound, under the code of an attempt of ours that was never answered."""

    take_id: int
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelledNumberScanned(ParcelEvent):
    """A carrier scanned a number that was cancelled."""

    binding_id: int
