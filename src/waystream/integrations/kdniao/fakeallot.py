"""What the other side allots: waybill numbers in each carrier's shape and the routing words printed large.

Pure and repeatable: the same serial and seed give the same number, and no two serials of a carrier the same one.
"""

import hashlib
from dataclasses import dataclass

from waystream.core.ports import Routing

#: carrier -> what its numbers begin with, how many digits follow
_SHAPES: dict[str, tuple[str, int]] = {
    "SF": ("SF", 13),
    "ZTO": ("78", 12),
    "YTO": ("YT", 13),
    "STO": ("773", 12),
    "YD": ("43", 13),
    "JD": ("JDVA", 11),
    "JTSD": ("JT", 13),
    "EMS": ("11", 11),
    "YZPY": ("98", 11),
    "DBL": ("DPK", 12),
    "HTKY": ("55", 13),
    "UC": ("5189", 10),
}
_SPREAD = 999_999_937  # prime, so multiplying by it modulo a power of ten loses nothing


@dataclass(frozen=True, slots=True)
class Place:
    """Where a parcel comes from or goes to, as the request names it."""

    province: str
    city: str
    district: str


def number(carrier: str, serial: int, *, seed: int) -> str:
    """The waybill number of a serial. Serials may run to a thousand million."""
    head, digits = _SHAPES.get(carrier, (f"{carrier[:2]}9", 12))
    told = (serial * _SPREAD + seed * 7_919) % 10**digits
    return f"{head}{told:0{digits}d}"


def routing(origin: Place, destination: Place) -> Routing:
    """大头笔, 集包地 and three-segment code: the same places always give the same words."""
    spot = _dice(destination)
    region, line, stop = 100 + spot % 800, spot // 800 % 90 + 10, spot // 72_000 % 99 + 1
    city = destination.city.removesuffix("市") or destination.province
    return Routing(
        mark=f"{region} {chr(65 + line % 8)}{line:02d} {stop:03d}",
        package_name=f"{city}转运中心集包",
        package_code=f"{region}{line:02d}",
        sorting_code=f"{region}-{line:02d} {stop:03d}",
        origin_name=f"{origin.city}{origin.district}",
        destination_name=f"{destination.city}{destination.district}",
    )


def _dice(place: Place) -> int:
    words = f"{place.province}|{place.city}|{place.district}".encode()
    return int.from_bytes(hashlib.blake2b(words, digest_size=6).digest(), "big")
