"""What a buyer may see of an order and may say about it: frozen facts and the decisions over them. Pure.

Facts only: which words say them in which language is `web.journey`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from waystream.core.state import TERMINAL, Direction, Kind, State

TRIES_AT_MOST = 5  # at the last four digits, in an hour
WRONG_AT_MOST = 30  # in all: ten thousand possibilities must not be walked through in a link's life
WORDS_MAX = 500  # characters of a buyer's own words
SAID_AT_MOST = 40  # things one order's buyer may say


class Said(StrEnum):
    """What a buyer can say with a button."""

    RECEIVED = "received"  # 确认收到
    MISSING = "missing"  # 没收到
    DAMAGED = "damaged"  # 东西坏了
    ADDRESS = "address"  # 改地址


class Gate(StrEnum):
    """What became of a try at the last four digits."""

    OPEN = "open"
    WRONG = "wrong"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Saying:
    """One thing a buyer says. `parcel_id` is None for what is about the whole order; `words` are their own."""

    order_id: int
    kind: Said
    parcel_id: int | None = None
    words: str = field(default="", repr=False)
    changed: bool = False  # of an address: the order has it already


@dataclass(frozen=True, slots=True)
class Scanned:
    """One standing scan; the text is masked."""

    at: datetime
    state: State
    kind: Kind
    text: str
    location: str


@dataclass(frozen=True, slots=True)
class ParcelSeen:
    """A parcel that was not voided. `goods` are this order's only; `number` is empty until it has left; `slowed_at` is
    the place of the slow-down it stands in, empty where the whole network is slow."""

    id: int
    carrier: str
    number: str
    stage: str
    held: bool
    state: State
    kind: Kind
    direction: Direction
    at: datetime | None
    dispatched_at: datetime | None
    delivered_at: datetime | None
    slowed_at: str | None
    goods: tuple[str, ...]
    pieces: int
    said: frozenset[Said]
    scans: tuple[Scanned, ...] = ()

    @property
    def left(self) -> bool:
        """Whether it is out of the warehouse, by our scan or by the carrier's."""
        return self.stage == "dispatched" or self.state not in {State.AWAITING_COLLECTION, State.NO_TRACE}

    @property
    def ended(self) -> bool:
        return self.state in TERMINAL

    @property
    def comes(self) -> bool:
        """Whether it is on its way to the buyer, or got there."""
        return self.direction is Direction.OUT and self.state not in _NOT_COMING

    @property
    def may_say(self) -> frozenset[Said]:
        """Of a parcel that arrived; what was confirmed can still be found damaged."""
        if self.state is State.DELIVERED or Said.RECEIVED in self.said:
            return frozenset({Said.RECEIVED, Said.MISSING, Said.DAMAGED})
        if self.state in _AT_THE_DOOR:
            return frozenset({Said.RECEIVED})
        return frozenset()


_NOT_COMING = frozenset({State.RETURNING, State.RETURNED, State.LOST, State.CANCELLED, State.INTERCEPTED})
#: A buyer may have it before its carrier says so.
_AT_THE_DOOR = frozenset({State.OUT_FOR_DELIVERY, State.READY_FOR_PICKUP, State.ATTEMPT_FAILED})


@dataclass(frozen=True, slots=True)
class OrderSeen:
    """An order with its shop and its receiver's masks; `from_city` is where it leaves from, the receiver's city where
    it goes."""

    order_id: int
    shop_id: int
    shop: str
    number: str
    person_id: int
    received_at: datetime
    promised_at: datetime | None
    cancelled_at: datetime | None
    completed_at: datetime | None
    held: bool
    dispatch: str
    name_mask: str
    phone_mask: str
    address_mask: str
    province: str
    city: str
    district: str
    from_province: str
    from_city: str


@dataclass(frozen=True, slots=True)
class Journey(OrderSeen):
    """An order as its buyer may see it. Masks only; `gated`: the last four digits open the rest."""

    gated: bool
    parcels: tuple[ParcelSeen, ...] = field(default=())

    def find(self, parcel_id: int | None) -> ParcelSeen | None:
        return next((parcel for parcel in self.parcels if parcel.id == parcel_id), None)

    def is_whole_with(self, parcel_id: int | None) -> bool:
        """Whether every parcel has arrived or was confirmed once this one is, and nothing is still to be sent."""
        return self.dispatch == "all" and all(
            parcel.id == parcel_id or parcel.state is State.DELIVERED or Said.RECEIVED in parcel.said
            for parcel in self.parcels
        )

    @property
    def may_move(self) -> bool:
        """Whether another address is worth asking for: nothing has arrived or ended yet."""
        return self.cancelled_at is None and (not self.parcels or any(not parcel.ended for parcel in self.parcels))

    @property
    def shipped(self) -> bool:
        return any(parcel.left for parcel in self.parcels)

    @property
    def called_off(self) -> bool:
        """Cancelled before anything left; what travels all the same is told of."""
        return self.cancelled_at is not None and not self.shipped
