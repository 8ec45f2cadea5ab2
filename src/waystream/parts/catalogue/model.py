"""SKUs and warehouses as they are told, checked at the door; a warehouse's cut-off by carrier.

Guaranteed: codes are short and printable, sizes and weights within what the database and a carrier take, times of day
are HH:MM. Rows are `store`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from waystream.core.errors import Invalid
from waystream.core.ports import Contact

T = TypeVar("T")

SKUS_MAX = 10_000  # in one call

Code = Annotated[str, Meta(min_length=1, max_length=64)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Millimetres = Annotated[int, Meta(ge=0, le=20_000)]
TimeOfDay = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]
DispatchBy = Literal["print", "scan", "weigh"]


class SkuIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing a shop sells. Zero means not known."""

    code: Code
    name: Name
    category: Annotated[str, Meta(max_length=100)] = ""
    weight_g: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    length_mm: Millimetres = 0
    width_mm: Millimetres = 0
    height_mm: Millimetres = 0
    fragile: bool = False
    unit_cost_fen: Annotated[int, Meta(ge=0, le=10_000_000_000)] = 0


@dataclass(frozen=True, slots=True)
class Sku:
    """A stored SKU."""

    id: int
    shop_id: int
    code: str
    name: str
    category: str
    weight_g: int
    length_mm: int
    width_mm: int
    height_mm: int
    fragile: bool
    unit_cost_fen: int
    changed_at: datetime


class SenderIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who hands the parcels over, as it stands on labels."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    mobile: Annotated[str, Meta(max_length=32)] = ""
    phone: Annotated[str, Meta(max_length=32)] = ""
    company: Annotated[str, Meta(max_length=100)] = ""
    address: Annotated[str, Meta(min_length=1, max_length=200)]
    postcode: Annotated[str, Meta(max_length=12)] = ""

    def __repr__(self) -> str:
        return "SenderIn(…)"


class WarehouseIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A warehouse: where parcels leave, when (`working_days` 1 is Monday; `cutoffs` by carrier code), and on which
    step an order counts as shipped (`dispatch_by`)."""

    code: Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    province: Annotated[str, Meta(min_length=1, max_length=32)]
    city: Annotated[str, Meta(min_length=1, max_length=32)]
    district: Annotated[str, Meta(max_length=32)] = ""
    sender: SenderIn
    dispatch_by: DispatchBy = "scan"
    working_days: Annotated[str, Meta(pattern="^1?2?3?4?5?6?7?$", min_length=1)] = "1234567"
    cutoff: TimeOfDay = "18:00"
    cutoffs: dict[Annotated[str, Meta(min_length=1, max_length=20)], TimeOfDay] = {}
    printer: Annotated[str, Meta(max_length=100)] = ""  # by name; empty: none

    @property
    def contact(self) -> Contact:
        return Contact(
            province=self.province, city=self.city, district=self.district, **msgspec.structs.asdict(self.sender)
        )


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A stored warehouse; its sender shows masked."""

    id: int
    code: str
    name: str
    province: str
    city: str
    district: str
    contact_mask: str
    dispatch_by: str
    working_days: str
    cutoff: str
    cutoffs: dict[str, str]
    printer_id: int | None
    created_at: datetime

    def cutoff_for(self, carrier: str) -> str:
        """HH:MM after which a parcel waits for the next working day."""
        return self.cutoffs.get(carrier, self.cutoff)


_CUTOFF = re.compile(r"([A-Za-z0-9_]{1,20})\s*[=:：\s]\s*([01]?[0-9]|2[0-3])[:：]([0-5][0-9])")


def read_cutoffs(text: str) -> dict[str, str]:
    """`SF 20:00, ZTO 17:30` by carrier; raises `ValueError` with the sentence that says what is wrong."""
    found: dict[str, str] = {}
    for part in filter(None, (each.strip() for each in re.split(r"[,，;；、]", text))):
        told = _CUTOFF.fullmatch(part)
        if told is None:
            raise ValueError("write carriers with their hours: SF 20:00, ZTO 17:30")
        found[told[1].upper()] = f"{int(told[2]):02d}:{told[3]}"
    return found


def write_cutoffs(cutoffs: Mapping[str, str]) -> str:
    """As `read_cutoffs` reads it."""
    return ", ".join(f"{carrier} {at}" for carrier, at in sorted(cutoffs.items()))


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def parse_sku(raw: Any, *, path: str = "") -> SkuIn:
    """Raises `Invalid` naming the field."""
    return _parse(raw, SkuIn, path)


def parse_warehouse(raw: Any, *, path: str = "") -> WarehouseIn:
    """Raises `Invalid` naming the field."""
    warehouse = _parse(raw, WarehouseIn, path)
    if not warehouse.sender.mobile and not warehouse.sender.phone:
        raise Invalid(f"{path}.sender.mobile".lstrip("."), "give a mobile or a phone")
    return warehouse


def _parse(raw: Any, shape: type[T], path: str) -> T:
    try:
        return msgspec.convert(_clean(raw), shape)
    except msgspec.ValidationError as error:
        sentence, _, place = str(error).partition(" - at ")
        field = place.strip("`$").lstrip(".")
        raise Invalid(".".join(filter(None, (path, field))), sentence[:1].lower() + sentence[1:]) from None


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _CONTROL.sub("", value).strip()
    return {key: _clean(item) for key, item in value.items()} if isinstance(value, dict) else value
