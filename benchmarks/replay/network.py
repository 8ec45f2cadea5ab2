"""What the carrier network is told to say: the real journeys, and the pushes that tell of them.

Every hand-over and every delivery is pushed on its own, with neighbours in time, by a network that knows no more than
had happened by then. The pushes are shuffled, a tenth goes out twice, some have codes (102) and some only words (101).
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from benchmarks.replay.processes import Site
from benchmarks.replay.shop import Told
from benchmarks.replay.story import SEED, Order, Parcel
from waystream.sandbox.phrases import Scene, wording

TOLD_AFTER = timedelta(minutes=5)
WAYBILLS_MAX = 10
GATHERED_FOR = timedelta(hours=12)  # after days of silence the network would call a parcel stalled, then stop watching
SENT_TWICE = 10  # one in so many
JOURNEYS_AT_ONCE = 500
PUSHES_AT_ONCE = 100
TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class Waybill:
    """A number the network gave to one of our parcels."""

    carrier: str
    number: str


@dataclass(frozen=True, slots=True)
class Travel:
    """A parcel with its number."""

    waybill: Waybill
    parcel: Parcel
    city: str


@dataclass(frozen=True, slots=True)
class Push:
    """What is known of these numbers at an instant. `form`: 102 has codes, 101 only words."""

    numbers: tuple[str, ...]
    upto: datetime
    form: str


#: (order number, line numbers) of a parcel -> its number
Waybills = Mapping[tuple[str, tuple[int, ...]], Waybill]


def travels(orders: Sequence[Order], waybills: Waybills) -> list[Travel]:
    """Parcels that have a number; one that has none is the judge's to find."""
    return [
        Travel(waybills[order.number, parcel.line_nos], parcel, order.city)
        for order in orders
        for parcel in order.parcels
        if (order.number, parcel.line_nos) in waybills
    ]


def plan_pushes(travelling: Sequence[Travel]) -> list[Push]:
    """The same travels always give the same pushes."""
    dice = random.Random(SEED)
    pushes = list(_gather(travelling, dice))
    pushes += dice.sample(pushes, len(pushes) // SENT_TWICE)
    dice.shuffle(pushes)
    return pushes


def _gather(travelling: Sequence[Travel], dice: random.Random) -> Iterator[Push]:
    news = [(travel.parcel.handed_over_at, travel.waybill.number) for travel in travelling]
    news += [(travel.parcel.delivered_at, travel.waybill.number) for travel in travelling if travel.parcel.delivered_at]
    news.sort()
    at = 0
    while at < len(news):
        window = news[at : at + dice.randint(1, WAYBILLS_MAX)]
        together = [each for each in window if each[0] - window[0][0] <= GATHERED_FOR]
        at += len(together)
        numbers = tuple(dict.fromkeys(number for _, number in together))
        yield Push(numbers, together[-1][0] + TOLD_AFTER, dice.choice(("101", "102", "102")))


class NetworkDesk:
    """The sandbox's own handles, over HTTP."""

    def __init__(self, site: Site) -> None:
        self._client = httpx.Client(base_url=f"{site.network_url}/sandbox", timeout=TIMEOUT_S, trust_env=False)

    def __enter__(self) -> "NetworkDesk":
        return self

    def __exit__(self, *exc: object) -> None:
        self._client.close()

    def fix_journeys(self, travelling: Sequence[Travel]) -> None:
        """From now on these numbers move as the data says, and nothing is told unless we ask for it."""
        for at in range(0, len(travelling), JOURNEYS_AT_ONCE):
            self._post("/journeys", [_journey(travel) for travel in travelling[at : at + JOURNEYS_AT_ONCE]])

    def push(self, pushes: Sequence[Push], told: Told) -> int:
        """Signed and sent over as many connections as the network has; how many were not taken."""
        failed = 0
        for at in range(0, len(pushes), PUSHES_AT_ONCE):
            part = pushes[at : at + PUSHES_AT_ONCE]
            answer = self._post("/push-now", {"together": True, "pushes": [_ordered(push) for push in part]})
            failed += sum(status != httpx.codes.OK for status in answer["statuses"])
            told(at + len(part))
        return failed

    def list_issued(self) -> list[dict[str, Any]]:
        """Every number it ever gave out."""
        issued: list[dict[str, Any]] = self._client.get("/issued").raise_for_status().json()
        return issued

    def _post(self, path: str, body: object) -> Any:
        return self._client.post(path, json=body).raise_for_status().json()


def _ordered(push: Push) -> dict[str, object]:
    return {"numbers": push.numbers, "upto": push.upto.isoformat(), "push_type": push.form}


def _journey(travel: Travel) -> dict[str, object]:
    parcel, carrier = travel.parcel, travel.waybill.carrier
    scene = Scene(city=travel.city, outlet=f"{travel.city}一部", hub=f"{travel.city}转运中心", courier="王师傅",
                  phone="19900000000", keeper="快递柜")  # fmt: skip
    events = [(parcel.handed_over_at, "1", "collected")]
    if parcel.delivered_at is not None:
        events.append((parcel.delivered_at, *parcel.signed))
    return {
        "number": travel.waybill.number,
        "quiet": True,
        "events": [
            {"at": at.isoformat(), "code": code, "text": wording(carrier, words, scene), "location": travel.city}
            for at, code, words in events
        ],
    }
