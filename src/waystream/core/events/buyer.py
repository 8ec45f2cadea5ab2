"""What buyers tell through their link: an event says that they spoke, their own words stay sealed in `parts.buyer`."""

from dataclasses import dataclass
from typing import ClassVar

from waystream.core.events import OrderEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyerEvent(OrderEvent):
    """`word_id` is the row of what was said, `parcel_id` the parcel it is about, if it is about one."""

    word_id: int
    parcel_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyerConfirmed(BuyerEvent):
    """The buyer has the parcel. `whole`: with it the whole order has arrived or was confirmed."""

    public: ClassVar[str] = "buyer.confirmed"
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyerMissedParcel(BuyerEvent):
    """It is called delivered and the buyer does not have it."""

    public: ClassVar[str] = "buyer.missed_parcel"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyerReportedDamage(BuyerEvent):
    """Something in it is damaged; the buyer's words say what."""

    public: ClassVar[str] = "buyer.reported_damage"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyerAskedNewAddress(BuyerEvent):
    """The buyer wants it to go elsewhere. `changed`: nothing had left, so the order already has the new address;
    otherwise it is a wish somebody has to try with the carrier."""

    public: ClassVar[str] = "buyer.asked_new_address"
    changed: bool
