"""What the parts ask of the outside and what an integration must offer: pure values and protocols.

An integration builds an `Ask` and reads a `Reply`; only `kernel.exchange` moves bytes. Personal data in these values
lives for the length of a call and is never logged: their `repr` hides it. What is made by the thousand is a Struct:
a frozen dataclass takes eight times as long to make.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

from waystream.core.label import Drawing
from waystream.core.state import Meaning


@dataclass(frozen=True, slots=True)
class Lane:
    """Calls that share a limit of the other side: at most `per_s` in a second of business time."""

    name: str
    per_s: float


@dataclass(frozen=True, slots=True)
class HttpAsk:
    """`url` is hidden, too: some gateways want tokens and phones in it."""

    method: str
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
    timeout_s: float = 10.0
    trusted: bool = False  # configured by the operator: may be a private address
    lane: Lane | None = None
    reply_bytes: int | None = None  # read no more of the answer than this; None: all of it, or fail


@dataclass(frozen=True, slots=True)
class SocketAsk:
    host: str
    port: int
    body: bytes = field(repr=False)
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class FileAsk:
    folder: Path
    name: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MailAsk:
    """One mail for one address. `message` is the whole mail with its headers, as it travels.

    `security`: tls from the first byte, starttls (nothing is said before it holds), or none. An empty `username`: no
    sign-in. `envelope_id` is asked back in delivery notices where the server knows them.
    """

    host: str
    port: int
    security: Literal["tls", "starttls", "none"]
    sender: str
    recipient: str = field(repr=False)
    message: bytes = field(repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    envelope_id: str = ""
    timeout_s: float = 20.0
    lane: Lane | None = None


Ask = HttpAsk | SocketAsk | FileAsk | MailAsk


@dataclass(frozen=True, slots=True)
class Reply:
    """`status` is the HTTP status, or 200 for a socket or file that took everything.

    Of a mail it is the SMTP code, with the step that answered so as the header `step`: auth, sender, recipient, data.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Aggregator:
    """One merchant account at an aggregator: the id they know us by, the shared key, where they listen."""

    merchant_id: str
    key: str = field(repr=False)
    base_url: str


@dataclass(frozen=True, slots=True)
class CarrierAccount:
    """What one carrier wants to know of us, as opaque strings (wire: CustomerName, CustomerPwd, MonthCode …)."""

    carrier: str
    customer_name: str = ""
    customer_password: str = field(default="", repr=False)
    month_code: str = field(default="", repr=False)
    send_site: str = ""
    send_staff: str = ""
    warehouse_code: str = ""
    pay_type: int = 3
    product_type: str = "1"
    template_size: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """A sender or receiver in the clear."""

    name: str = field(repr=False)
    mobile: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    company: str = field(default="", repr=False)
    province: str = ""
    city: str = ""
    district: str = ""
    address: str = field(default="", repr=False)
    postcode: str = ""


@dataclass(frozen=True, slots=True)
class Goods:
    name: str
    code: str = ""
    quantity: int = 1
    price_fen: int = 0
    weight_g: int = 0


@dataclass(frozen=True, slots=True)
class TakeRequest:
    """One attempt to get a number. `code` is ours, random, and the carrier network's idempotency key."""

    code: str
    account: CarrierAccount
    sender: Contact
    receiver: Contact
    goods: tuple[Goods, ...]
    quantity: int = 1
    weight_g: int = 0
    volume_cm3: int = 0
    cod_fen: int = 0
    declared_fen: int = 0
    remark: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Routing:
    """What the carrier wants printed large: 大头笔, 集包地, three-segment code, outlets."""

    mark: str = ""
    package_name: str = ""
    package_code: str = ""
    sorting_code: str = ""
    origin_name: str = ""
    destination_name: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """A number was given (`again`: the first answer to this code, told once more)."""

    number: str
    routing: Routing = Routing()
    template: str = field(default="", repr=False)
    children: tuple[str, ...] = ()
    child_templates: tuple[str, ...] = field(default=(), repr=False)
    network_order: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class TakeDenied:
    """The carrier said no. `mend` keys the sentence that says what to change; `reason` is its own text."""

    code: str
    mend: str
    reason: str


@dataclass(frozen=True, slots=True)
class TakeUnclear:
    """The code was used before and the answer carries no number: a person must look."""

    reason: str


TakeAnswer = Taken | TakeDenied | TakeUnclear


@dataclass(frozen=True, slots=True)
class CancelAnswer:
    """`outcome`: confirmed, refused (collected), unsupported."""

    outcome: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    available: int
    total: int


@dataclass(frozen=True, slots=True)
class SubscribeAnswer:
    accepted: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PullRules:
    """When the other side is asked for a trace list itself, from its manifest; in seconds of business time.

    `per_s`: how many it may be asked in a second. `pushed_for_s`: how long it sends an unanswered push again, before
    it is silent until the next change. `again_after_s`: one number is not asked for again before.
    """

    per_s: float
    pushed_for_s: float
    again_after_s: float


@dataclass(frozen=True, slots=True)
class Renewal:
    """An aggregator's rules for asking again to watch a number, from its manifest.

    `reasons`: words in its notice that asking again can mend (none: any). At most `per_month` askings for one number,
    and not before `wait_s` of business time after it stopped.
    """

    reasons: tuple[str, ...] = ()
    per_month: int = 4
    wait_s: float = 1800.0


class Trace(Struct, frozen=True, gc=False):
    """One line of a trace list as told; `at` is UTC from the carrier's local stamp."""

    raw_time: str
    at: datetime
    text: str
    code: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """A line of a push that could not be read, while the rest could: as it was told, bounded, and why."""

    line: str = field(repr=False)
    reason: str


class Told(Struct, frozen=True):
    """What one push says of one waybill.

    `traces`: oldest first. `complete`: they are the source's whole, successful list (it withdraws what it leaves out).
    `died`: the aggregator stopped watching for this reason (subscribe again).
    `unread`: lines that could not be read; a list with such a line is never complete.
    `lines`: the traces as they were written, one for each in the same order; empty where that cannot be said.
    """

    carrier: str
    number: str
    our_code: str
    push_time: datetime
    state_code: str
    traces: tuple[Trace, ...]
    complete: bool
    died: str = ""
    expected_at: str = ""
    unread: tuple[Unread, ...] = ()
    lines: tuple[bytes, ...] = ()


class Skim(Struct, frozen=True):
    """A waybill of a push before its lines are read: nearly all of them were told, and read, before.

    `lines`: each as its source wrote it, in the source's order. `complete` as of `Told`, if every line can be read.
    """

    carrier: str
    number: str
    push_time: datetime
    state_code: str
    complete: bool
    lines: tuple[bytes, ...]
    read: Callable[[], Told]


class Push:
    """What a verified push says. Its identity is the digest of its raw bytes, which hop 1 computes.

    `skims`: its waybills unread, where its network can skim; `told` reads them all, once.
    `unread`: what of it could not even be read as being about a waybill.
    """

    __slots__ = ("_told", "merchant_id", "pushed_at", "request_type", "skims", "unread")

    def __init__(
        self,
        *,
        merchant_id: str,
        request_type: str,
        pushed_at: datetime,
        told: tuple[Told, ...] | None = None,
        skims: tuple[Skim, ...] = (),
        unread: tuple[Unread, ...] = (),
    ) -> None:
        self.merchant_id, self.request_type, self.pushed_at = merchant_id, request_type, pushed_at
        self.skims, self.unread, self._told = skims, unread, told

    @property
    def told(self) -> tuple[Told, ...]:
        if self._told is None:
            self._told = tuple(skim.read() for skim in self.skims)
        return self._told

    @property
    def items(self) -> "tuple[Told | Skim, ...]":
        """Its waybills as far as they are read."""
        return self.skims if self._told is None else self._told

    def narrowed(self, told: tuple[Told, ...]) -> "Push":
        """The push as if it had told this alone."""
        return Push(merchant_id=self.merchant_id, request_type=self.request_type, pushed_at=self.pushed_at, told=told)

    def _key(self) -> tuple[object, ...]:
        return self.merchant_id, self.request_type, self.pushed_at, self.told, self.unread

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Push) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Push{self._key()}"


class Network(Protocol):
    """A carrier network reached through an aggregator. All pure: build an ask, read its reply."""

    name: str
    pull: PullRules
    renewal: Renewal

    def ask_take(self, aggregator: Aggregator, request: TakeRequest) -> HttpAsk: ...

    def read_take(self, reply: Reply) -> TakeAnswer: ...

    def ask_cancel(self, aggregator: Aggregator, account: CarrierAccount, *, code: str, number: str) -> HttpAsk: ...

    def read_cancel(self, reply: Reply) -> CancelAnswer: ...

    def ask_balance(self, aggregator: Aggregator, account: CarrierAccount) -> HttpAsk: ...

    def read_balance(self, reply: Reply) -> Balance: ...

    def ask_subscribe(self, aggregator: Aggregator, *, carrier: str, number: str, phone_tail: str) -> HttpAsk: ...

    def read_subscribe(self, reply: Reply) -> SubscribeAnswer: ...

    def ask_query(self, aggregator: Aggregator, *, carrier: str, number: str, phone_tail: str) -> HttpAsk: ...

    def read_query(self, aggregator: Aggregator, reply: Reply, *, at: datetime) -> bytes:
        """What was told of the number at `at`, as a push that can be kept: `read_push` reads it. Raises `Refused`."""

    def open_push(self, aggregator: Aggregator, body: bytes) -> Push | None:
        """What a push says; None where its signature does not hold. Raises `Unreadable` only for what is signed."""

    def read_push(self, body: bytes) -> Push:
        """A kept push or query once more, whose signature held when it came. Raises `Unreadable`."""

    def answer_push(self, *, merchant_id: str, at: datetime, accepted: bool, reason: str) -> Reply: ...

    def read_lines(self, lines: Sequence[bytes]) -> tuple[Trace, ...]:
        """Lines of a `Skim` as traces. Raises `Unreadable` where one is odd: then the whole waybill has to be read."""

    def meaning(self, code: str, text: str) -> Meaning: ...

    def draw_template(self, template: str) -> Drawing: ...

    def mend_sentence(self, mend: str, language: str) -> str:
        """What to do about a `TakeDenied.mend`, in `zh` or `en`. Raises KeyError for a key that is not its own."""


@dataclass(frozen=True, slots=True)
class PrinterAddress:
    """Where a printer listens: `ipp://host:631/ipp/print`, `socket://host:9100`, `folder:///path`."""

    uri: str
    dpi: int = 203


@dataclass(frozen=True, slots=True)
class PrintAnswer:
    """`outcome`: printed, accepted (still printing: ask again with `job`), offline, refused."""

    outcome: str
    reason: str = ""
    job: str = ""


class PrinterDriver(Protocol):
    """A way to print: pure like a network. `formats` in order of preference: pdf, zpl, png."""

    scheme: str
    formats: tuple[str, ...]

    def ask_print(self, printer: PrinterAddress, *, title: str, format: str, document: bytes) -> Ask: ...

    def read_print(self, reply: Reply) -> PrintAnswer: ...

    def ask_progress(self, printer: PrinterAddress, job: str) -> Ask | None: ...

    def read_progress(self, reply: Reply) -> PrintAnswer: ...
