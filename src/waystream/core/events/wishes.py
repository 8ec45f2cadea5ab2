"""What people at the workbench ask of a carrier or a shop."""

from dataclasses import dataclass
from typing import ClassVar

from waystream.core.events import OrderEvent, ParcelEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class InterceptionAsked(ParcelEvent):
    """The carrier is to stop the parcel and bring it back."""

    public: ClassVar[str] = "parcel.interception_asked"
    ticket_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InterceptionSettled(ParcelEvent):
    """The carrier stopped it, or it was too late."""

    public: ClassVar[str] = "parcel.interception_settled"
    ticket_id: int
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequested(OrderEvent):
    """Care asks the shop to give money back; the shop's own system decides."""

    public: ClassVar[str] = "refund.requested"
    ticket_id: int
    amount_fen: int
