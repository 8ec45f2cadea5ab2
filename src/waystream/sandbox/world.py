"""What happens to a parcel: seeded journeys over a map, with heavy-tailed lanes, quiet nights and now and then a fate.

Pure: the same trip always has the same happenings. Nothing here pushes or stores; what the network claims from
elapsed time alone is in `claims.py`.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from enum import StrEnum

from waystream.core.errors import Invalid
from waystream.integrations.kdniao.fake import Place
from waystream.sandbox.cities import City, city_of, distance_km
from waystream.sandbox.phrases import Scene, wording
from waystream.sandbox.storm import Storm

_BEIJING = timezone(timedelta(hours=8))
_OPENS, _CLOSES = 8, 21  # local hours in which couriers collect and deliver
_KM_PER_H = 55.0
_SIGMA = 0.35  # of a lane's log-normal time: one in forty takes twice as long

_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜"
_AREAS = ("城东", "城西", "城南", "城北", "新区", "高新", "滨江", "老街", "大学城", "开发区")
_IN_HUB = frozenset({"at_hub", "from_hub", "back_hub"})
_PROXIES = ("门卫", "前台", "家人", "物业", "同事")
_LOCKERS = ("丰巢智能快递柜", "菜鸟驿站", "妈妈驿站", "社区代收点")


class Fate(StrEnum):
    IN_PERSON = "in_person"
    PROXY = "proxy"
    LOCKER = "locker"
    LOCKER_OVERDUE = "locker_overdue"
    FAILED = "failed"  # an attempt fails, the next one succeeds
    UNREACHABLE = "unreachable"
    BAD_ADDRESS = "bad_address"
    REFUSED = "refused"  # and returned
    INTERCEPTED = "intercepted"  # and returned
    LOST = "lost"
    DAMAGED = "damaged"
    MISROUTED = "misrouted"
    DELAYED = "delayed"
    STALLED = "stalled"  # silent for days, then goes on
    CUSTOMS = "customs"
    FORWARDED = "forwarded"
    NEVER_COLLECTED = "never_collected"
    RETRACTED = "retracted"  # a delivery that the next snapshot no longer holds
    CONTRADICTED = "contradicted"  # a delivery that a later scan denies
    ODD_CODE = "odd_code"  # a code nobody documented


Mix = tuple[tuple[Fate, float], ...]

#: How parcels usually fare, in parts of a thousand.
USUAL: Mix = (
    (Fate.IN_PERSON, 560),
    (Fate.PROXY, 120),
    (Fate.LOCKER, 200),
    (Fate.LOCKER_OVERDUE, 15),
    (Fate.FAILED, 30),
    (Fate.UNREACHABLE, 12),
    (Fate.BAD_ADDRESS, 6),
    (Fate.REFUSED, 12),
    (Fate.INTERCEPTED, 3),
    (Fate.LOST, 1),
    (Fate.DAMAGED, 3),
    (Fate.MISROUTED, 5),
    (Fate.DELAYED, 8),
    (Fate.STALLED, 8),
    (Fate.CUSTOMS, 5),
    (Fate.FORWARDED, 4),
    (Fate.NEVER_COLLECTED, 4),
    (Fate.RETRACTED, 1),
    (Fate.CONTRADICTED, 2),
    (Fate.ODD_CODE, 1),
)

#: For a demonstration: what is rare happens often, and most parcels still arrive.
DEMO: Mix = tuple((fate, 90.0 if weight > 100 else 10.0) for fate, weight in USUAL)


#: What a demonstration has to show by itself, as shares of all parcels; the other fates divide what is left.
TROUBLE: Mapping[Fate, float] = {
    Fate.STALLED: 0.04, Fate.FAILED: 0.03, Fate.UNREACHABLE: 0.02, Fate.BAD_ADDRESS: 0.01, Fate.DAMAGED: 0.02,
    Fate.LOST: 0.005,
}  # fmt: skip


def parse_shares(told: Iterable[str]) -> dict[Fate, float]:
    """`stalled=0.02` and the like. Raises `Invalid` for what is no fate or no share."""
    shares: dict[Fate, float] = {}
    for each in told:
        name, _, share = each.partition("=")
        try:
            shares[Fate(name)] = float(share)
        except ValueError:
            raise Invalid("trouble", f"{each} is not a fate and its share, as stalled=0.02") from None
    if not all(0 <= share <= 1 for share in shares.values()) or sum(shares.values()) > 1:
        raise Invalid("trouble", "shares lie between 0 and 1, and together, too")
    return shares


def seeded(shares: Mapping[Fate, float], mix: Mix) -> Mix:
    """The mix with these fates at exactly these shares, the others in their old proportions."""
    if not shares:
        return mix
    assert sum(shares.values()) <= 1, "shares of all parcels"
    others = [(fate, weight) for fate, weight in mix if fate not in shares]
    left, total = 1 - sum(shares.values()), sum(weight for _, weight in others)
    return (*shares.items(), *((fate, weight / total * left) for fate, weight in others))


@dataclass(frozen=True, slots=True)
class Trip:
    """`pace` scales all travel: 1.0 is the real thing, 0.4 a demonstration."""

    seed: int
    carrier: str
    number: str
    origin: Place
    destination: Place
    taken_at: datetime
    pace: float = 1.0
    storm: Storm | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """A scan; from `gone_at` on the network no longer tells it."""

    at: datetime
    code: str
    text: str
    location: str
    gone_at: datetime | None = None


def fate_of(seed: int, number: str, mix: Mix) -> Fate:
    """What the mix has in store for a number: always the same."""
    fates, weights = zip(*mix, strict=True)
    found: Fate = random.Random(f"fate/{seed}/{number}").choices(fates, weights)[0]
    return found


def journey(trip: Trip, fate: Fate) -> tuple[Happening, ...]:
    """Everything that will be scanned, oldest first; empty when nobody ever collects it."""
    if fate is Fate.NEVER_COLLECTED:
        return ()
    way = _Way(trip)
    way.collect()
    _PLOTS.get(fate, _plain)(way, fate)
    return tuple(way.happenings)


class _Way:
    """A journey being written: the present moment, the places, and the couriers of both ends."""

    def __init__(self, trip: Trip) -> None:
        self.trip = trip
        self.dice = random.Random(f"way/{trip.seed}/{trip.carrier}/{trip.number}")
        self.now = trip.taken_at
        self.start, self.end = city_of(trip.origin.city), city_of(trip.destination.city)
        self.scene_out = self._scene(self.start)
        self.scene_in = self._scene(self.end)
        self.happenings: list[Happening] = []

    def _scene(self, city: City) -> Scene:
        courier = self.dice.choice(_SURNAMES) + "师傅"
        return Scene(
            city=city.name,
            outlet=city.name.removesuffix("市") + self.dice.choice(_AREAS),
            hub=f"{city.hub}转运中心",
            courier=courier,
            phone=f"1990000{self.dice.randrange(10_000):04d}",
            keeper=self.dice.choice(_PROXIES),
        )

    def wait(self, low_h: float, high_h: float) -> None:
        self.now += timedelta(hours=self.dice.uniform(low_h, high_h) * self.trip.pace)

    def until_open(self) -> None:
        """Nobody rings at night: move on to a time in the next open hours."""
        local = self.now.astimezone(_BEIJING)
        if _OPENS <= local.hour < _CLOSES:
            return
        day = local.date() + timedelta(days=local.hour >= _CLOSES)
        opening = datetime(day.year, day.month, day.day, _OPENS, tzinfo=_BEIJING)
        self.now = (opening + timedelta(minutes=self.dice.uniform(0, 90))).astimezone(self.now.tzinfo)

    def scan(self, code: str, what: str, scene: Scene, *, gone_after_h: float | None = None) -> None:
        storm = self.trip.storm
        if storm and what in _IN_HUB and storm.strikes(scene.hub, self.now):
            self.now = storm.let_go(self.dice, pace=self.trip.pace)
        at = self.now.replace(microsecond=0)
        gone_at = at + timedelta(hours=gone_after_h) if gone_after_h is not None else None
        self.happenings.append(Happening(at, code, wording(self.trip.carrier, what, scene), scene.city, gone_at))
        self.now = at + timedelta(seconds=self.dice.randint(1, 240))

    def collect(self) -> None:
        self.now += timedelta(hours=self.dice.uniform(3, 6))  # whatever the pace: the merchant packs and hands over
        self.until_open()
        self.scan("1", "collected", self.scene_out)
        self.wait(0.5, 2)
        self.scan("206", "from_outlet", replace(self.scene_out, following=self.scene_out.hub))

    def haul(self) -> None:
        """From the first hub to the city of the receiver; within a city there is only one hub."""
        self.wait(0.5, 2)
        self.scan("204", "at_hub", self.scene_out)
        if self.start.hub != self.end.hub:
            self.wait(0.5, 3)
            self.scan("2", "from_hub", replace(self.scene_out, following=self.scene_in.hub))
            self._drive()
            self.scan("201", "at_hub", self.scene_in)
        self.wait(0.5, 3)
        self.scan("2", "from_hub", replace(self.scene_in, following=self.scene_in.outlet))

    def _drive(self) -> None:
        usual_h = 2 + distance_km(self.start, self.end) / _KM_PER_H
        self.now += timedelta(hours=usual_h * self.dice.lognormvariate(0, _SIGMA) * self.trip.pace)

    def reach_door(self) -> None:
        self.wait(0.5, 2)
        self.scan("205", "at_outlet", self.scene_in)
        self.go_out("202", "delivering")

    def go_out(self, code: str, what: str) -> None:
        self.wait(0.5, 2)
        self.until_open()
        self.scan(code, what, self.scene_in)
        self.wait(0.5, 4)
        self.until_open()

    def sign(self) -> None:
        self.scan("301", "signed", self.scene_in)

    def return_home(self) -> None:
        """The way back to the sender."""
        self._drive()
        self.scan("407", "back_hub", self.scene_out)
        self.wait(1, 4)
        self.until_open()
        self.scan("406", "back_signed", self.scene_out)

    @property
    def homeward(self) -> Scene:
        return replace(self.scene_in, following=self.scene_out.outlet)


def _plain(way: _Way, fate: Fate) -> None:
    way.haul()
    way.reach_door()
    way.sign()


def _proxy(way: _Way, fate: Fate) -> None:
    way.haul()
    way.reach_door()
    way.scan("304", "proxy", way.scene_in)


def _locker(way: _Way, fate: Fate) -> None:
    way.haul()
    way.reach_door()
    kept = replace(way.scene_in, keeper=way.scene_in.outlet + way.dice.choice(_LOCKERS))
    way.scan("211", "in_locker", kept)
    days_h = way.dice.uniform(20, 40) if fate is Fate.LOCKER_OVERDUE else way.dice.uniform(1, 14) * way.trip.pace
    way.now += timedelta(hours=days_h)
    way.until_open()
    way.scan("311", "from_locker", kept)


def _attempt_fails(way: _Way, fate: Fate) -> None:
    code, what = {Fate.UNREACHABLE: ("416", "unreachable"), Fate.BAD_ADDRESS: ("420", "bad_address")}.get(
        fate, ("405", "failed")
    )
    way.haul()
    way.reach_door()
    way.scan(code, what, way.scene_in)
    way.wait(8, 20)
    way.go_out("419", "again")
    way.scan("302", "signed_late", way.scene_in)


def _refused(way: _Way, fate: Fate) -> None:
    way.haul()
    way.reach_door()
    way.scan("404", "refused", way.homeward)
    way.return_home()


def _intercepted(way: _Way, fate: Fate) -> None:
    way.haul()
    way.scan("413", "intercepted", way.homeward)
    way.wait(1, 4)
    way.return_home()


def _lost(way: _Way, fate: Fate) -> None:
    """The network has no code for it: only the words say so."""
    way.wait(0.5, 2)
    way.scan("204", "at_hub", way.scene_out)
    way.wait(20, 50)
    way.scan("", "lost", way.scene_out)


def _troubled(way: _Way, fate: Fate) -> None:
    """Damaged, misrouted, delayed or oddly scanned at a hub, then as usual."""
    code, what = {
        Fate.DAMAGED: ("414", "damaged"),
        Fate.MISROUTED: ("422", "misrouted"),
        Fate.DELAYED: ("417", "delayed"),
    }.get(fate, ("299", "odd"))
    way.wait(1, 4)
    way.scan(code, what, replace(way.scene_out, following=way.scene_in.hub))
    way.wait(6, 18)
    _plain(way, fate)


def _stalled(way: _Way, fate: Fate) -> None:
    way.wait(0.5, 2)
    way.scan("204", "at_hub", way.scene_out)
    way.now += timedelta(days=way.dice.uniform(5.5, 6.8))
    _plain(way, fate)


def _customs(way: _Way, fate: Fate) -> None:
    for code, what in (("601", "customs_wait"), ("602", "customs"), ("603", "customs_done")):
        way.wait(3, 10)
        way.scan(code, what, way.scene_out)
    _plain(way, fate)


def _forwarded(way: _Way, fate: Fate) -> None:
    way.haul()
    way.reach_door()
    way.scan("5", "forwarded", replace(way.scene_in, following=way.scene_in.city + "新地址"))
    way.wait(8, 16)
    way.reach_door()
    way.sign()


def _retracted(way: _Way, fate: Fate) -> None:
    way.haul()
    way.reach_door()
    way.scan("301", "signed", way.scene_in, gone_after_h=3)
    way.now += timedelta(hours=4)
    way.go_out("202", "delivering")
    way.sign()


def _contradicted(way: _Way, fate: Fate) -> None:
    way.haul()
    way.reach_door()
    way.sign()
    way.now += timedelta(hours=2)
    way.scan("405", "objected", way.scene_in)
    way.wait(8, 16)
    way.go_out("202", "delivering")
    way.scan("304", "proxy", way.scene_in)


_PLOTS = {
    Fate.PROXY: _proxy,
    Fate.LOCKER: _locker,
    Fate.LOCKER_OVERDUE: _locker,
    Fate.FAILED: _attempt_fails,
    Fate.UNREACHABLE: _attempt_fails,
    Fate.BAD_ADDRESS: _attempt_fails,
    Fate.REFUSED: _refused,
    Fate.INTERCEPTED: _intercepted,
    Fate.LOST: _lost,
    Fate.DAMAGED: _troubled,
    Fate.MISROUTED: _troubled,
    Fate.DELAYED: _troubled,
    Fate.ODD_CODE: _troubled,
    Fate.STALLED: _stalled,
    Fate.CUSTOMS: _customs,
    Fate.FORWARDED: _forwarded,
    Fate.RETRACTED: _retracted,
    Fate.CONTRADICTED: _contradicted,
}


def told_at(happenings: Sequence[Happening], now: datetime) -> tuple[Happening, ...]:
    """What the network tells at an instant: what has happened and was not taken back."""
    return tuple(one for one in happenings if one.at <= now and (one.gone_at is None or now < one.gone_at))
