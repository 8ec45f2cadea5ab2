"""The whole week: who buys what when, which parcels get into trouble, and the storm. Pure: one seed, one week.

`Week(parcels, seed, start)` is what is judged; the weeks before it are another `Week` of another seed and no storm,
from which due times are learned as from any other history: nothing says which of its parcels were stalled.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from benchmarks.week.gaps import BEIJING
from benchmarks.week.journeys import CARRIERS, Journey, Storm, Trip, Trouble, travel
from waystream.sandbox.cities import CITIES, City

#: Of all parcels; exact counts, drawn by the seed.
SHARES = {Trouble.STALLED: 0.02, Trouble.FAILED: 0.01, Trouble.DAMAGED: 0.003, Trouble.LOST: 0.001}
STORM_SHARE = 0.05
STORM_HUB = "成都"
STORM_BEGINS = timedelta(days=2, hours=14)
#: (code, province, city, its share of the orders)
WAREHOUSES = (("hangzhou", "浙江省", "杭州市", 0.55), ("guangzhou", "广东省", "广州市", 0.33),
              ("chengdu", "四川省", "成都市", 0.12))  # fmt: skip
#: Local hours at which a warehouse lets its parcels go.
GATES_H = (11, 15, 19)
#: Receivers live where people do: the first cities of the map oftener than its end.
FAR = frozenset({"拉萨市", "乌鲁木齐市", "西宁市", "海口市", "呼和浩特市", "银川市"})
FAR_WEIGHT = 0.25
_CARRIER_WEIGHTS = {"SF": 2, "ZTO": 4, "YTO": 3, "STO": 2, "YD": 3, "JTSD": 2}
_PARCELS_OF_AN_ORDER = ((1, 0.88), (2, 0.09), (3, 0.03))
NEXT_GATE = 0.3  # of the second and third parcels leave half a day later


@dataclass(frozen=True, slots=True)
class Parcel:
    """`n` counts the parcels of the week, `order` its orders."""

    n: int
    order: int
    warehouse: str
    trip: Trip
    journey: Journey

    @property
    def trouble(self) -> Trouble:
        return self.journey.trouble

    @property
    def healthy(self) -> bool:
        return self.journey.trouble is Trouble.NONE


@dataclass(frozen=True, slots=True)
class Order:
    n: int
    warehouse: str
    origin: City
    destination: City
    carrier: str
    ordered_at: datetime
    parcels: tuple[datetime, ...]  # when each leaves


@dataclass(frozen=True)
class Week:
    """`days` of dispatching; parcels travel on beyond them."""

    parcels: int
    seed: int
    start: datetime
    days: int = 7
    stormy: bool = True
    prefix: str = "W"

    @cached_property
    def orders(self) -> list[Order]:
        dice, left, orders = random.Random(f"orders/{self.seed}"), self.parcels, list[Order]()
        sizes, weights = zip(*_PARCELS_OF_AN_ORDER, strict=True)
        while left:
            size = min(left, int(dice.choices(sizes, weights)[0]))
            orders.append(self._order(len(orders), size, dice))
            left -= size
        return sorted(orders, key=lambda order: order.ordered_at)

    def _order(self, n: int, size: int, dice: random.Random) -> Order:
        code, _, city, _ = dice.choices(WAREHOUSES, [row[-1] for row in WAREHOUSES])[0]
        gates = [self._gate(nth) for nth in range(self.days * len(GATES_H))]
        first = dice.randrange(len(gates))
        later = [2 * (nth > 0 and dice.random() < NEXT_GATE) for nth in range(size)]
        leaves = [gates[min(len(gates) - 1, first + wait)] for wait in later]
        return Order(
            n=n,
            warehouse=code,
            origin=CITIES[city],
            destination=dice.choices(_PLACES, _PLACE_WEIGHTS)[0],
            carrier=dice.choices(tuple(_CARRIER_WEIGHTS), tuple(_CARRIER_WEIGHTS.values()))[0],
            ordered_at=leaves[0] - timedelta(hours=dice.uniform(3, 18)),
            parcels=tuple(leaves),
        )

    def _gate(self, nth: int) -> datetime:
        day, hour = divmod(nth, len(GATES_H))
        local = self.start.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
        return (local + timedelta(days=day, hours=GATES_H[hour])).astimezone(self.start.tzinfo)

    @cached_property
    def storm(self) -> Storm | None:
        """Ends when as many parcels as it shall strike would have been scanned in its hub."""
        if not self.stormy:
            return None
        began_at = self.start + STORM_BEGINS
        struck = sorted(
            first
            for trip in self._trips
            if STORM_HUB in _hubs(trip)
            and (first := min((at for hub, at in travel(trip).hub_visits if hub == STORM_HUB and at >= began_at),
                             default=None)) is not None
        )  # fmt: skip
        last = struck[min(len(struck), round(self.parcels * STORM_SHARE)) - 1]
        return Storm(STORM_HUB, began_at, last + timedelta(seconds=1))

    @cached_property
    def _trips(self) -> list[Trip]:
        """All of them, troubled as drawn; nobody is drawn whose way leads through the hub of the storm."""
        trips = [
            Trip(self.seed, f"{self.prefix}{order.carrier}{order.n:07d}{nth}", order.carrier, order.origin,
                 order.destination, leaves)
            for order in self.orders for nth, leaves in enumerate(order.parcels)
        ]  # fmt: skip
        calm = [at for at, trip in enumerate(trips) if not self.stormy or STORM_HUB not in _hubs(trip)]
        drawn = iter(random.Random(f"trouble/{self.seed}").sample(calm, len(calm)))
        for trouble, share in SHARES.items():
            for _ in range(round(share * self.parcels)):
                at = next(drawn)
                trips[at] = replace(trips[at], trouble=trouble)
        return trips

    @cached_property
    def all(self) -> Sequence[Parcel]:
        orders = [order for order in self.orders for _ in order.parcels]
        storm = self.storm
        return [
            Parcel(n, order.n, order.warehouse, trip, travel(trip, storm))
            for n, (order, trip) in enumerate(zip(orders, self._trips, strict=True))
        ]

    def tellings(self) -> Iterator[tuple[datetime, int]]:
        """(instant, parcel) of everything the network pushes, oldest first."""
        yield from sorted(
            (scan.told_at, parcel.n) for parcel in self.all for scan in parcel.journey.scans if scan.told_at is not None
        )


_PLACES = tuple(CITIES.values())
_PLACE_WEIGHTS = tuple(FAR_WEIGHT if city.name in FAR else 1.0 for city in _PLACES)
assert set(_CARRIER_WEIGHTS) == set(CARRIERS)


def _hubs(trip: Trip) -> set[str]:
    return {trip.origin.hub, trip.destination.hub}
