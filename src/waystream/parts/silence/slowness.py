"""When many silences are one thing: a hub or a network that slows down, and when it flows again. Pure.

So many parcels under way, and so often a scan is overdue by chance: that is what to expect at a place by its share of a
carrier's parcels. More is a slow-down where chance would bring so many less often than `chance` (Chernoff's bound on a
Poisson count), even if twice as many were usual, and never below `parcels_least`. Several carriers at one place are
one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp, log

WINDOW = timedelta(hours=24)
#: Without history: overdue a day of a thousand parcels under way.
UNKNOWN_RATE = 30.0
#: Without history a place has so much of a carrier's parcels; counts as much as so many gaps.
PLACE_SHARE, PLACE_GAPS = 0.01, 200.0
USUAL_TIMES = 2.0
#: Another carrier is in it when it has at least so much of a place's silences.
CARRIER_SHARE = 0.15
#: A network slows down everywhere: no place has more of its silences.
NETWORK_PLACE_MOST = 0.5
#: It flows again when so many of its parcels have stirred and hardly any came in so long; after LASTS_MOST it is over.
STIRRED_SHARE, QUIET_FOR, LASTS_MOST = 0.5, timedelta(hours=12), timedelta(days=14)
#: A slow-down explains so many times the silence that was allowed; what lasts longer is a parcel's own trouble.
EXPLAINS_TIMES = 1.5

Key = tuple[str, str]  # carrier (empty: several), place (empty: everywhere)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say."""

    parcels_least: int = 20
    chance: float = 1e-6


@dataclass(frozen=True, slots=True)
class Flow:
    """A carrier's parcels under way, and by place the gaps that history saw begin there, out of all."""

    parcels: int
    begun: Mapping[str, float]
    begun_all: float


@dataclass(frozen=True, slots=True)
class Slow:
    """A slow-down that begins: how many are silent, and how many were to be expected."""

    carrier: str
    place: str
    silent: int
    expected: float


@dataclass(frozen=True, slots=True)
class Course:
    """How a slow-down goes: its parcels, those silent still, and those that came within `QUIET_FOR`."""

    id: int
    carrier: str
    place: str
    began_at: datetime
    parcels: int
    silent: int
    fresh: int


def chance_of(count: int, expected: float) -> float:
    """At most how often so many come by chance."""
    if count <= expected:
        return 1.0
    if expected <= 0:
        return 0.0
    return exp(min(0.0, count - expected - count * log(count / expected)))


def expected_of(key: Key, flows: Mapping[str, Flow], *, rate: float, window: timedelta = WINDOW) -> float:
    """How many overdue scans to expect in a window. `rate`: a day, of a thousand parcels under way."""
    carrier, place = key
    chosen = [flows[carrier]] if carrier in flows else ([] if carrier else list(flows.values()))
    a_day = sum(flow.parcels * (_share(flow, place) if place else 1.0) for flow in chosen) * rate / 1_000
    return a_day * (window / timedelta(days=1))


def _share(flow: Flow, place: str) -> float:
    return (flow.begun.get(place, 0.0) + PLACE_GAPS * PLACE_SHARE) / (flow.begun_all + PLACE_GAPS)


def find_slow(
    silent: Mapping[Key, int], flows: Mapping[str, Flow], *, rate: float, rules: Rules, known: Iterable[Key] = ()
) -> list[Slow]:
    """The slow-downs that begin. `silent`: those due within the window, by carrier and place."""
    open_keys = set(known)
    left = {key: count for key, count in silent.items() if not _covered(key, open_keys)}
    found = [slow for place in sorted({place for _, place in left if place})
             for slow in _at_place(place, left, flows, rate=rate, rules=rules)]  # fmt: skip
    taken = {(slow.carrier, slow.place) for slow in found}
    rest = {key: count for key, count in left.items() if not _covered(key, taken)}
    return found + _networks(rest, flows, rate=rate, rules=rules)


def _covered(key: Key, known: set[Key]) -> bool:
    carrier, place = key
    return bool(known & {(carrier, place), ("", place), (carrier, "")})


def _at_place(
    place: str, silent: Mapping[Key, int], flows: Mapping[str, Flow], *, rate: float, rules: Rules
) -> list[Slow]:
    """One for all carriers where several are in it, else one for each."""
    counts = {carrier: count for (carrier, at), count in silent.items() if at == place}
    total = sum(counts.values())
    several = sum(count >= CARRIER_SHARE * total for count in counts.values()) > 1
    whole = _judged(("", place), total, flows, rate=rate, rules=rules) if several else []
    return whole or [
        slow
        for carrier, count in sorted(counts.items())
        for slow in _judged((carrier, place), count, flows, rate=rate, rules=rules)
    ]


def _networks(silent: Mapping[Key, int], flows: Mapping[str, Flow], *, rate: float, rules: Rules) -> list[Slow]:
    by_carrier: dict[str, list[int]] = defaultdict(list)
    for (carrier, _), count in silent.items():
        by_carrier[carrier].append(count)
    return [
        slow
        for carrier, counts in sorted(by_carrier.items())
        if max(counts) <= NETWORK_PLACE_MOST * sum(counts)
        for slow in _judged((carrier, ""), sum(counts), flows, rate=rate, rules=rules)
    ]


def _judged(key: Key, count: int, flows: Mapping[str, Flow], *, rate: float, rules: Rules) -> list[Slow]:
    expected = expected_of(key, flows, rate=rate)
    if count < rules.parcels_least or chance_of(count, USUAL_TIMES * expected) >= rules.chance:
        return []
    return [Slow(*key, count, expected)]


def list_over(courses: Sequence[Course], flows: Mapping[str, Flow], *, rate: float, now: datetime) -> list[Course]:
    """Those that flow again."""
    return [course for course in courses if _flows(course, flows, rate=rate, now=now)]


def _flows(course: Course, flows: Mapping[str, Flow], *, rate: float, now: datetime) -> bool:
    if now >= course.began_at + LASTS_MOST:
        return True
    usual = expected_of((course.carrier, course.place), flows, rate=rate, window=QUIET_FOR)
    stirred = course.silent <= (1 - STIRRED_SHARE) * course.parcels
    return stirred and course.fresh <= max(1.0, USUAL_TIMES * usual)
