"""Printers, prints and labels as values, and the rules that need no database."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from waystream.core import carriers
from waystream.core.errors import Invalid
from waystream.core.label import Contact, LabelFacts
from waystream.core.ports import CarrierAccount, PrinterAddress

Size = Literal["100x180", "76x130"]
SIZES: tuple[Size, ...] = ("100x180", "76x130")
SCHEMES = {"ipp": "ipp", "ipps": "ipp", "socket": "socket", "folder": "folder"}
CHINA = timezone(timedelta(hours=8))

# What a print says of itself, beside what its printer said.
DESTROY_PAPER = "The label was voided while it printed: destroy the paper."
MAYBE_ON_PAPER = "The label was voided after it went to the printer: destroy the paper if there is one."
RESTORED = "The database was restored while this label waited: it may be on paper already. Look before you print again."
RUN_DIED = "Printing this label failed several times without an answer: look at the printer, then print it again."

_PRODUCTS = {"1": "标准快件"}
_PAYMENTS = {1: "现付", 2: "到付", 3: "月结", 4: "第三方付"}


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
    """One paper of one label: queued, printing, printed, failed, voided.

    Voided with a time in `printed_at`: it came out although its label was voided meanwhile.
    """

    id: int
    label_id: int
    parcel_id: int
    shop_id: int
    printer: str
    state: str
    reprint: bool
    said: str
    device_job: str
    queued_at: datetime
    printed_at: datetime | None


@dataclass(frozen=True, slots=True)
class LabelRow:
    """A label with all that stands on it, as stored: the carrier's template and the account are still sealed."""

    id: int
    parcel_id: int
    source: str
    network: str
    key_id: int
    sealed: bytes
    carrier: str
    number: str
    mark: str
    package_name: str
    sorting_code: str
    piece: int
    pieces: int
    weight_g: int
    cod_fen: int
    declared_fen: int
    name_mask: str
    phone_mask: str
    province: str
    city: str
    district: str
    address_mask: str
    warehouse: str
    warehouse_city: str
    warehouse_district: str
    account_id: int | None
    parameters_sealed: bytes | None
    order_numbers: str
    goods: str
    size: Size


@dataclass(frozen=True, slots=True)
class Label:
    """A label ready to be drawn. `template` is the carrier's own, empty where there is none to read."""

    id: int
    parcel_id: int
    number: str
    network: str
    from_carrier: bool
    template: str = field(repr=False)
    facts: LabelFacts = field(repr=False)
    size: Size


def label_facts(row: LabelRow, *, service: str, at: datetime) -> LabelFacts:
    """What our own label says; `at` is when it is printed. Remarks are personal and stay out."""
    return LabelFacts(
        carrier=carriers.name_of(row.carrier),
        waybill=row.number,
        receiver=Contact(
            name=row.name_mask,
            phone=row.phone_mask,
            address=f"{row.province}{row.city}{row.district}{row.address_mask}",
        ),
        sender=Contact(name=row.warehouse, phone="", address=f"{row.warehouse_city}{row.warehouse_district}"),
        order_number=row.order_numbers,
        service=service,
        mark=row.mark,
        package=row.package_name,
        sorting_code=row.sorting_code,
        parcel_number=row.piece,
        parcel_count=row.pieces,
        goods=row.goods,
        cod_fen=row.cod_fen,
        weight_g=row.weight_g,
        printed_at=at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M"),
    )


def service_words(account: CarrierAccount | None, *, declared_fen: int) -> str:
    """标准快件 月结 保价: the carrier's product where we know its name, who pays, and whether it is insured."""
    product = _PRODUCTS.get(account.product_type, "") if account else ""
    payment = _PAYMENTS.get(account.pay_type, "") if account else ""
    return " ".join(filter(None, (product, payment, "保价" if declared_fen else "")))


def checked_printer(printer: PrinterIn) -> PrinterIn:
    """The same, or `Invalid` with the field that is wrong."""
    if not 1 <= len(printer.name.strip()) <= 60:
        raise Invalid("name", "A printer needs a name of at most 60 characters.")
    if printer.label_size not in SIZES:
        raise Invalid("label_size", f"The label size must be one of {', '.join(SIZES)}.")
    if not 100 <= printer.dpi <= 1200:
        raise Invalid("dpi", "The resolution must be between 100 and 1200 dots per inch.")
    try:
        _check_address(urlsplit(printer.uri), printer.uri)
    except ValueError:
        raise Invalid("uri", "The address cannot be read: it looks like ipp://host:631/ipp/print.") from None
    return printer


def _check_address(parts: SplitResult, uri: str) -> None:
    if parts.scheme not in SCHEMES:
        raise Invalid("uri", "The address must begin with ipp://, ipps://, socket:// or folder://.")
    if parts.scheme == "folder":
        if not parts.path.startswith("/") or parts.netloc:
            raise Invalid("uri", "A folder is written folder:///full/path.")
        return
    if not parts.hostname:
        raise Invalid("uri", "The address names no host.")
    if parts.username is not None or parts.port == 0 or not uri.isascii() or not uri.isprintable() or " " in uri:
        raise Invalid("uri", "The address is a host, a port and a path, without a user name or special characters.")
