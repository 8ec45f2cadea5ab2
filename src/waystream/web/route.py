"""The way of a parcel as a picture: where it left, where it was, where it is, where it goes; drawn on the server. Pure.

Nothing is drawn of what is not known beyond doubt: without both ends there is no picture. Distances are straight lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians

from waystream.core.cities import City, distance_km, find_city, find_place
from waystream.core.state import State
from waystream.parts.buyer.model import Journey, ParcelSeen

WIDTH, HEIGHT = 400, 176
_MARGIN_X, _MARGIN_Y = 64, 56
#: Degrees that fill the picture at least: two neighbouring cities are not drawn a continent apart.
_SPAN_MIN = 1.5
_ABOVE, _BELOW = -16, 26
_POINTS_AT_MOST = 30


@dataclass(frozen=True, slots=True)
class Stop:
    """A labelled place of the picture, in its own units; `label_y` is where its name stands."""

    city: City
    x: int
    y: int
    label_y: int


@dataclass(frozen=True, slots=True)
class Route:
    """`gone` and `left` are paths; `here` is the end where the parcel has arrived. `km` is what is left, 0 there."""

    start: Stop
    here: Stop
    end: Stop
    gone: str
    left: str
    km: int


def draw_route(journey: Journey, parcel: ParcelSeen) -> Route | None:
    """None for what has not left, comes back, or whose ends nobody knows for sure."""
    start, end = find_city(journey.from_province, journey.from_city), find_city(journey.province, journey.city)
    known = start is not None and end is not None and start is not end
    if not known or not parcel.left or not parcel.comes:
        return None
    assert start is not None and end is not None
    visited = _visited(parcel, start, end)
    return _laid_out(visited, end)


def where_is(parcel: ParcelSeen) -> City | None:
    """The city of the newest scan that names one."""
    return next((city for scan in parcel.scans if (city := find_place(scan.location, scan.text))), None)


def _visited(parcel: ParcelSeen, start: City, end: City) -> list[City]:
    """In their order, each stay once; a delivery is at the end, whatever its text names."""
    seen = [find_place(scan.location, scan.text) for scan in reversed(parcel.scans)]
    stays = [start]
    for city in seen:
        if city is not None and city is not stays[-1]:
            stays.append(city)
    if parcel.state is State.DELIVERED and stays[-1] is not end:
        stays.append(end)
    return stays[:1] + stays[1:][-_POINTS_AT_MOST:]


def _laid_out(visited: Sequence[City], end: City) -> Route:
    points = _projected([*visited, end])
    names = _label_places(points[0], points[-2], points[-1])
    start, here, last = (
        Stop(city, x, y, y + away)
        for city, (x, y), away in zip(
            (visited[0], visited[-1], end), (points[0], points[-2], points[-1]), names, strict=True
        )
    )
    arrived = visited[-1] is end
    return Route(
        start=start,
        here=here,
        end=last,
        gone=_path(points[:-1], bent=False),
        left="" if arrived else _path(points[-2:], bent=True),
        km=0 if arrived else round(distance_km(visited[-1], end)),
    )


def _projected(cities: Sequence[City]) -> list[tuple[int, int]]:
    """North is up, and a degree of longitude is as long as it is at this latitude."""
    middle = sum(city.latitude for city in cities) / len(cities)
    flat = [(city.longitude * cos(radians(middle)), -city.latitude) for city in cities]
    xs, ys = [x for x, _ in flat], [y for _, y in flat]
    room_x, room_y = WIDTH - 2 * _MARGIN_X, HEIGHT - 2 * _MARGIN_Y
    scale = min(room_x / max(max(xs) - min(xs), _SPAN_MIN), room_y / max(max(ys) - min(ys), _SPAN_MIN))
    mid_x, mid_y = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2
    return [(round(WIDTH / 2 + (x - mid_x) * scale), round(HEIGHT / 2 + (y - mid_y) * scale)) for x, y in flat]


def _label_places(*points: tuple[int, int]) -> tuple[int, ...]:
    """The highest has its name above, the lowest below, one between them away from its nearer neighbour."""
    ranked = sorted(range(len(points)), key=lambda at: (points[at][1], points[at][0]))
    top, middle, low = (points[at] for at in ranked)
    between = _BELOW if abs(middle[0] - top[0]) < abs(middle[0] - low[0]) else _ABOVE
    places = dict(zip(ranked, (_ABOVE, between, _BELOW), strict=True))
    return tuple(places[at] for at in range(len(points)))


def _path(points: Sequence[tuple[int, int]], *, bent: bool) -> str:
    (x, y), *rest = points
    if bent:
        [(to_x, to_y)] = rest
        lift = abs(to_x - x) // 6 + 12
        return f"M{x} {y}Q{(x + to_x) // 2} {(y + to_y) // 2 + lift} {to_x} {to_y}"
    return f"M{x} {y}" + "".join(f"L{to_x} {to_y}" for to_x, to_y in rest)
