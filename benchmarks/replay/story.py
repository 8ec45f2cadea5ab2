"""What happened, in Waystream's words: each real order as a shop tells it, its parcels' journeys, and what must come
of them.

Pure and seeded. Receivers, signers and couriers are invented. Times move by a whole number of weeks into the years
Waystream lives in; `Expected` is written from the data alone, by none of the code it judges.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from benchmarks.replay.data import RealOrder

SEED = 20161004
SHIFT = timedelta(weeks=522)
SHOP = "olist"
CARRIERS = ("SF", "ZTO", "YTO", "YD", "STO", "JTSD")
WAREHOUSES = {"north": "Recife", "centre": "São Paulo", "south": "Curitiba"}
#: Here a label that is printed has left; elsewhere a scan at the gate says so.
PRINTING = frozenset({"north"})

_SOUTH, _CENTRE = frozenset({"PR", "SC", "RS"}), frozenset({"SP", "RJ", "MG", "ES"})
_GIVEN = ("Ana", "Bruno", "Carla", "Diego", "Elisa", "Fábio", "Gilda", "Hugo", "Inês", "João", "Lúcia", "Mário")
_FAMILY = ("Almeida", "Barros", "Castro", "Duarte", "Esteves", "Freitas", "Gomes", "Lopes", "Moura", "Nunes", "Prado")
_STREETS = ("Rua das Flores", "Rua do Sol", "Avenida Central", "Travessa Nova", "Rua da Praia")
#: How a delivered parcel was signed for: the network's code and its words (see `sandbox.phrases`).
_SIGNED = (("301", "signed"), ("304", "proxy"), ("311", "from_locker"), ("302", "signed_late"))


@dataclass(frozen=True, slots=True)
class Parcel:
    """One seller's part of an order and what happened to it; `signed` is (code, words) of the delivery."""

    line_nos: tuple[int, ...]
    handed_over_at: datetime
    delivered_at: datetime | None
    signed: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Order:
    """An order with its journey: `told` is the body the shop sends."""

    number: str
    city: str
    told: dict[str, Any]
    parcels: tuple[Parcel, ...]
    quantities: tuple[int, ...]  # by line


@dataclass(frozen=True, slots=True)
class Expected:
    """What Waystream must say in the end, by the data: the order's word, and of each parcel when it was collected and
    delivered, keyed by the numbers of its lines."""

    word: str
    parcels: dict[tuple[int, ...], tuple[datetime, datetime | None]]

    @property
    def completed(self) -> bool:
        return self.word == "completed"


def tell(real: RealOrder) -> Order:
    """The same order always becomes the same story."""
    dice = random.Random(f"{SEED}/{real.number}")
    return Order(
        number=real.number,
        city=real.city,
        told=_told(real, dice),
        parcels=_parcels(real, dice),
        quantities=tuple(line.quantity for line in real.lines),
    )


def _told(real: RealOrder, dice: random.Random) -> dict[str, Any]:
    told = {
        "shop": SHOP,
        "number": real.number,
        "warehouse": _warehouse(real.state),
        "payment": "prepaid",
        "currency": "BRL",
        "ship_by": (real.ship_by + SHIFT).isoformat(),
        "promised_at": (real.promised_at + SHIFT).isoformat(),
        "carrier": dice.choice(CARRIERS),
        "receiver": _receiver(real, dice),
        "lines": [
            {"sku": line.product, "name": line.category or "diversos", "quantity": line.quantity,
             "price_fen": line.price_fen} for line in real.lines
        ],
    }  # fmt: skip
    if real.approved_at is not None:
        told["paid_at"] = (real.approved_at + SHIFT).isoformat()
    return told


def _warehouse(state: str) -> str:
    if state in _SOUTH:
        return "south"
    return "centre" if state in _CENTRE else "north"


def _receiver(real: RealOrder, dice: random.Random) -> dict[str, str]:
    return {
        "name": f"{dice.choice(_GIVEN)} {dice.choice(_FAMILY)}",
        "mobile": "119" + "".join(dice.choices("0123456789", k=8)),
        "province": real.state,
        "city": real.city,
        "district": "Centro",
        "address": f"{dice.choice(_STREETS)} {dice.randint(1, 1999)}",
        "postcode": real.postcode,
    }


def _parcels(real: RealOrder, dice: random.Random) -> tuple[Parcel, ...]:
    """One parcel for a seller. The last is the one whose delivery the data knows; the others came before it."""
    handed_over_at = real.handed_over_at + SHIFT
    last_at = real.delivered_at + SHIFT if real.delivered_at else None
    parcels = []
    for seller in real.sellers:
        is_last = seller == real.sellers[-1]
        at = last_at if is_last else _between(handed_over_at, last_at, dice)
        line_nos = tuple(line.line_no for line in real.lines if line.seller == seller)
        parcels.append(Parcel(line_nos, handed_over_at, at, dice.choices(_SIGNED, (6, 2, 1, 1))[0]))
    return tuple(parcels)


def _between(handed_over_at: datetime, last_at: datetime | None, dice: random.Random) -> datetime:
    """Some moment before the last parcel came; some day where that one never did."""
    end = last_at or handed_over_at + timedelta(days=dice.uniform(2, 20))
    return handed_over_at + timedelta(seconds=int((end - handed_over_at).total_seconds() * dice.random()))


def expect(order: Order) -> Expected:
    """Complete when every parcel came, part delivered when some did, else on its way."""
    came = [parcel.delivered_at is not None for parcel in order.parcels]
    word = "completed" if all(came) else "part_delivered" if any(came) else "in_transit"
    return Expected(word, {parcel.line_nos: (_first_sign(parcel), parcel.delivered_at) for parcel in order.parcels})


def _first_sign(parcel: Parcel) -> datetime:
    """The carrier had it from the first scan on; a few deliveries are dated before their hand-over."""
    return min(parcel.handed_over_at, parcel.delivered_at or parcel.handed_over_at)


def moments(orders: Sequence[Order]) -> list[datetime]:
    """Everything that happened, oldest first."""
    found = [parcel.handed_over_at for order in orders for parcel in order.parcels]
    found += [parcel.delivered_at for order in orders for parcel in order.parcels if parcel.delivered_at]
    return sorted(found)
