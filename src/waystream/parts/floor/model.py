"""Printers and prints as values, and the rules that need no database."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

from waystream.core.errors import Invalid
from waystream.core.label import Contact, LabelFacts
from waystream.core.ports import PrinterAddress

Size = Literal["100x180", "76x130"]
SIZES: tuple[Size, ...] = ("100x180", "76x130")
SCHEMES = {"ipp": "ipp", "ipps": "ipp", "socket": "socket", "folder": "folder"}


@dataclass(frozen=True, slots=True)
class PrinterIn:
    """A printer as a person describes it; `uri` says how to reach it."""

    name: str
    uri: str
    dpi: int = 203
    label_size: Size = "100x180"


@dataclass(frozen=True, slots=True)
class Printer:
    """`state` is what we last learned: unknown, ready, offline (then `said` tells why)."""

    id: int
    name: str
    uri: str
    dpi: int
    label_size: Size
    state: str
    said: str
    seen_at: datetime | None
    disabled: bool
    waiting: int

    @property
    def address(self) -> PrinterAddress:
        return PrinterAddress(self.uri, self.dpi)

    @property
    def scheme(self) -> str:
        return SCHEMES[urlsplit(self.uri).scheme]


@dataclass(frozen=True, slots=True)
class Print:
    """One paper of one label: queued, printing, printed, failed, voided."""

    id: int
    label_id: int
    parcel_id: int
    shop_id: int
    printer: str
    state: str
    reprint: bool
    said: str
    queued_at: datetime
    printed_at: datetime | None


@dataclass(frozen=True, slots=True)
class LabelRow:
    """A label as stored: either a carrier's sealed template or the facts for our own."""

    id: int
    parcel_id: int
    network: str
    key_id: int
    sealed: bytes
    facts: LabelFacts
    size: Size

    @property
    def from_carrier(self) -> bool:
        return bool(self.sealed)


def checked_printer(printer: PrinterIn) -> PrinterIn:
    """The same, or `Invalid` with the field that is wrong."""
    if not 1 <= len(printer.name.strip()) <= 60:
        raise Invalid("name", "A printer needs a name of at most 60 characters.")
    parts = urlsplit(printer.uri)
    if parts.scheme not in SCHEMES:
        raise Invalid("uri", "The address must begin with ipp://, ipps://, socket:// or folder://.")
    if parts.scheme == "folder":
        if not parts.path.startswith("/") or parts.netloc:
            raise Invalid("uri", "A folder is written folder:///full/path.")
    elif not parts.hostname:
        raise Invalid("uri", "The address names no host.")
    if printer.label_size not in SIZES:
        raise Invalid("label_size", f"The label size must be one of {', '.join(SIZES)}.")
    if not 100 <= printer.dpi <= 1200:
        raise Invalid("dpi", "The resolution must be between 100 and 1200 dots per inch.")
    return printer


def masked_sender(*, name: str, city: str, district: str) -> Contact:
    """The sender as our own label shows it: the warehouse's name and place."""
    return Contact(name=name, phone="", address=f"{city}{district}")
