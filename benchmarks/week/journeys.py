"""One parcel's way to its end, as its carrier scans it: healthy, or with the trouble that was seeded. Pure.

The same trip always has the same scans. What the network tells is what it scanned: one hub scan in fourteen is missing,
and every scan is told some minutes later, or with the next one.
"""

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import log

from benchmarks.week import gaps
from benchmarks.week.gaps import Gap
from waystream.sandbox.cities import City, distance_km
from waystream.sandbox.phrases import Scene, wording

MISSING = 0.07
UNTOLD = 0.005  # the push is lost on its way, and not sent again: it is told with the next, or when somebody asks
TOLD_AFTER = Gap(0.06, 0.9)  # four minutes, now and then an hour

#: (how much slower than others, how many times as many scans are missing)
CARRIERS = {"SF": (0.75, 0.4), "ZTO": (1.0, 1.0), "YTO": (1.05, 1.0), "STO": (1.15, 1.6), "YD": (1.1, 1.0),
            "JTSD": (1.0, 1.3)}  # fmt: skip
_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨"
_AREAS = ("城东", "城西", "城南", "城北", "新区", "高新", "滨江")
_ATTEMPTS = (("405", "failed"), ("416", "unreachable"), ("420", "bad_address"))
#: A stall lasts at least so long, about a week, and a third never end.
STALL_MIN_H, STALL_MEDIAN_H, STALL_SIGMA, STALL_FOR_EVER = 72.0, 150.0, 0.4, 0.33
FOR_EVER = timedelta(days=365)
#: Where it comes to rest: after how many scans of its way.
STALLS_AT = ((1, 0.08), (2, 0.12), (3, 0.3), (4, 0.2), (5, 0.15), (7, 0.15))


class Trouble(StrEnum):
    NONE = ""
    STALLED = "stalled"
    FAILED = "failed"
    DAMAGED = "damaged"
    LOST = "lost"
    STORM = "storm"


@dataclass(frozen=True, slots=True)
class Storm:
    """A hub in which nothing moves: who should be scanned there waits until it has ended, and then for his turn."""

    hub: str
    began_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Trip:
    seed: int
    number: str
    carrier: str
    origin: City
    destination: City
    dispatched_at: datetime
    trouble: Trouble = Trouble.NONE


@dataclass(frozen=True, slots=True)
class Passed:
    """A scan; the network knows it at once and pushes it at `told_at`, never where that is None."""

    at: datetime
    told_at: datetime | None
    code: str
    text: str
    location: str


@dataclass(frozen=True, slots=True)
class Journey:
    """`trouble_at`: of a stall the last scan before it, of any other trouble the scan that says it. `still_until`: when
    a stall or a storm let it go on. `hub_visits`: (hub, instant), scanned or not."""

    scans: tuple[Passed, ...]
    trouble: Trouble
    trouble_at: datetime | None
    still_until: datetime | None
    hub_visits: tuple[tuple[str, datetime], ...]


def travel(trip: Trip, storm: Storm | None = None) -> Journey:
    way = _Way(trip, storm)
    way.go()
    return way.journey()


class _Way:
    """A journey being written: the present moment, the couriers of both ends, what was scanned."""

    def __init__(self, trip: Trip, storm: Storm | None) -> None:
        self.trip = trip
        self.dice = random.Random(f"{trip.seed}/{trip.carrier}/{trip.number}")
        self.now = trip.dispatched_at
        self.pace, self.missing = CARRIERS[trip.carrier]
        self.storm = storm
        self.out, self.home = self._scene(trip.origin), self._scene(trip.destination)
        self.scans: list[Passed] = []
        self.visits: list[tuple[str, datetime]] = []
        self.steps = 0
        self.rests_after = self._rest()
        self.trouble_at: datetime | None = None
        self.still_until: datetime | None = None
        self.stormed = False

    def _scene(self, city: City) -> Scene:
        outlet = city.name.removesuffix("市") + self.dice.choice(_AREAS)
        return Scene(city=city.name, outlet=outlet, hub=f"{city.hub}转运中心",
                     courier=self.dice.choice(_SURNAMES) + "师傅", phone=f"1990000{self.dice.randrange(10_000):04d}",
                     keeper=self.dice.choice(("门卫", "前台", "家人", "物业")))  # fmt: skip

    def _rest(self) -> int:
        if self.trip.trouble is not Trouble.STALLED:
            return 0
        places, weights = zip(*STALLS_AT, strict=True)
        place = int(self.dice.choices(places, weights)[0])
        within_one_hub = self.trip.origin.hub == self.trip.destination.hub
        return 4 if place == 5 and within_one_hub else place

    def go(self) -> None:
        self._leave()
        if self.trip.trouble is Trouble.LOST:
            self.wait(Gap(34.0, 0.3))
            self.trouble_scan("", "lost", self.out)
            return
        self._haul()
        self._arrive()

    def journey(self) -> Journey:
        trouble = self.trip.trouble or (Trouble.STORM if self.stormed else Trouble.NONE)
        return Journey(tuple(self.scans), trouble, self.trouble_at, self.still_until, tuple(self.visits))

    # ------------------------------------------------------------------ the way

    def _leave(self) -> None:
        self.wait(gaps.FETCHED, most_h=20.0)
        self.now = gaps.open_at(self.now, self.dice, every_day=True)  # who sends every day is fetched from every day
        self.scan("1", "collected", self.out, always=True)
        self.wait(gaps.SENT_ON)
        self.scan("206", "from_outlet", replace(self.out, following=self.out.hub))
        self.wait(gaps.TO_HUB)
        self.scan("204", "at_hub", self.out, hub=self.trip.origin.hub)

    def _haul(self) -> None:
        if self.trip.trouble is Trouble.DAMAGED:
            self.wait(gaps.TO_HUB)
            self.trouble_scan("414", "damaged", self.out)
        self.wait(gaps.AT_HUB)
        self.scan("2", "from_hub", replace(self.out, following=self.home.hub), hub=self.trip.origin.hub)
        if self.trip.origin.hub != self.trip.destination.hub:
            self._drive()
            self.scan("201", "at_hub", self.home, hub=self.trip.destination.hub)
        else:
            self.steps += 1
        self.wait(gaps.AT_HUB)
        self.scan("2", "from_hub", replace(self.home, following=self.home.outlet), hub=self.trip.destination.hub)

    def _drive(self) -> None:
        usual_h = gaps.LOADING_H + distance_km(self.trip.origin, self.trip.destination) / gaps.KM_PER_H
        self.now += timedelta(hours=usual_h * gaps.ROAD.draw_h(self.dice, slower=self._slower()))

    def _arrive(self) -> None:
        self.wait(gaps.TO_OUTLET)
        self.scan("205", "at_outlet", self.home)
        self.go_out("202", "delivering")
        if self.trip.trouble is Trouble.FAILED:
            self.trouble_scan(*self.dice.choice(_ATTEMPTS), self.home)
            self.wait(Gap(14.0, 0.3))
            self.go_out("419", "again")
            self.scan("302", "signed_late", self.home, always=True)
            return
        code, what = self.dice.choices((("301", "signed"), ("304", "proxy"), ("211", "in_locker")), (5, 2, 2))[0]
        kept = replace(self.home, keeper=self.home.outlet + "驿站") if code == "211" else self.home
        self.scan(code, what, kept, always=True)
        if code == "211":
            self.wait(gaps.IN_LOCKER, most_h=30.0)  # a healthy parcel is fetched before anybody calls it overdue
            self.now = gaps.open_at(self.now, self.dice, every_day=True)
            self.scan("311", "from_locker", kept, always=True)

    def go_out(self, code: str, what: str) -> None:
        self.wait(gaps.AT_OUTLET)
        self.until_open()
        self.scan(code, what, self.home, always=True)
        self.wait(gaps.AT_DOOR)
        self.until_open()

    # ------------------------------------------------------------------ its steps

    def _slower(self) -> float:
        return self.pace * gaps.slower_on(self.now)

    def wait(self, gap: Gap, *, most_h: float = 1e9) -> None:
        self.now += timedelta(hours=min(most_h, gap.draw_h(self.dice, slower=self._slower())))

    def until_open(self) -> None:
        self.now = gaps.open_at(self.now, self.dice)

    def scan(self, code: str, what: str, scene: Scene, *, hub: str = "", always: bool = False) -> None:
        """Pass a place; `hub` where a storm may hold it up. One that comes to rest here is scanned before."""
        self.steps += 1
        rests = self.steps == self.rests_after
        if hub:
            self._weather(hub)
            self.visits.append((hub, self.now))
        missing = self.dice.random() < MISSING * self.missing
        if always or rests or not missing:
            self._write(code, what, scene)
        if rests:
            self._rest_here()

    def trouble_scan(self, code: str, what: str, scene: Scene) -> None:
        self._write(code, what, scene, surely=True)
        self.trouble_at = self.scans[-1].at

    def _write(self, code: str, what: str, scene: Scene, *, surely: bool = False) -> None:
        at = self.now.replace(microsecond=0)
        late = timedelta(hours=TOLD_AFTER.draw_h(self.dice))
        told_at = None if self.dice.random() < UNTOLD and not surely else at + late
        text = wording(self.trip.carrier, what, scene)
        self.scans.append(Passed(at, told_at, code, text, scene.city))
        self.now = at + timedelta(seconds=self.dice.randint(1, 240))

    def _rest_here(self) -> None:
        self.trouble_at = self.scans[-1].at
        hours = max(STALL_MIN_H, self.dice.lognormvariate(log(STALL_MEDIAN_H), STALL_SIGMA))
        self.now += FOR_EVER if self.dice.random() < STALL_FOR_EVER else timedelta(hours=hours)
        self.still_until = self.now

    def _weather(self, hub: str) -> None:
        storm = self.storm
        queue_h = self.dice.uniform(0.5, 12.0)  # thrown in fair weather, too: the rest of the way stays as it was
        if storm and hub == storm.hub and storm.began_at <= self.now < storm.ended_at:
            self.stormed = True
            self.trouble_at = self.scans[-1].at
            self.now = self.still_until = storm.ended_at + timedelta(hours=queue_h)
