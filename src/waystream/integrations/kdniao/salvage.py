"""A push of which a part cannot be read: everything else in it, and what had to be left out.

Only asked when the whole document did not fit its form, so it may be slow. Guaranteed: one odd line costs that line,
one odd waybill costs that waybill; what is left out is quoted only where it is a line of a trace list.
"""

from dataclasses import dataclass

import msgspec
from msgspec import Raw, field

from waystream.core.errors import Unreadable
from waystream.core.ports import Unread
from waystream.integrations.kdniao.documents import Document, PushDocument, TraceRow, Tracked, Word
from waystream.integrations.kdniao.wire import clip, read_document, text

LINE_MAX_CHARS = 300

_NO_PUSH = "Kdniao: the push cannot be read"
_NO_LINE = "Kdniao: this line of the trace list cannot be read"
_NO_LIST = "Kdniao: this is not a list of traces"
_NO_WAYBILL = "Kdniao: what the push says of this waybill cannot be read"


@dataclass(frozen=True, slots=True)
class Salvaged:
    """The document without what cannot be read; `unread` says of each of its waybills what was left out, `rest` what
    names no waybill."""

    document: PushDocument
    unread: tuple[tuple[Unread, ...], ...]
    rest: tuple[Unread, ...]


class _Shell(Document):
    """A push whose waybills are not looked into."""

    e_business_id: Word = field(default=None, name="EBusinessID")
    push_time: Word = None
    data: list[Raw] | None = None


class _Core(Document):
    """What we need to know of a waybill: whatever else is told of it may be as odd as it likes."""

    order_code: Word = None
    shipper_code: Word = None
    logistic_code: Word = None
    success: Word = None
    reason: Word = None
    state: Word = None
    state_ex: Word = None
    traces: Raw = field(default_factory=Raw)
    estimated_delivery_time: Word = None


class _Name(Document):
    shipper_code: Word = None
    logistic_code: Word = None


def salvage(data: str) -> Salvaged:
    """What can be read of a push that cannot be read whole. Raises `Unreadable` where not even its frame can."""
    try:
        shell = read_document(data, _Shell)
    except Unreadable:
        raise Unreadable(_NO_PUSH) from None
    items: list[Tracked] = []
    unread: list[tuple[Unread, ...]] = []
    rest: list[Unread] = []
    for raw in shell.data or ():
        item, lost = salvage_item(bytes(raw))
        if item is None:
            rest.extend(lost)
        else:
            items.append(item)
            unread.append(lost)
    document = PushDocument(e_business_id=shell.e_business_id, push_time=shell.push_time, data=items)
    return Salvaged(document, tuple(unread), tuple(rest))


def salvage_item(raw: bytes) -> tuple[Tracked | None, tuple[Unread, ...]]:
    """One waybill; None where nothing says which. An unreadable one says nothing, not even a claim."""
    try:
        core = read_document(raw, _Core)
    except Unreadable:
        return _named(raw), (Unread("", _NO_WAYBILL),)
    rows, unread = _rows(bytes(core.traces))
    item = Tracked(
        order_code=core.order_code,
        shipper_code=core.shipper_code,
        logistic_code=core.logistic_code,
        success=core.success,
        reason=core.reason,
        state=core.state,
        state_ex=core.state_ex,
        traces=rows,
        estimated_delivery_time=core.estimated_delivery_time,
    )
    return item, unread


def _named(raw: bytes) -> Tracked | None:
    try:
        name = read_document(raw, _Name)
    except Unreadable:
        return None
    if not text(name.logistic_code):
        return None
    return Tracked(shipper_code=name.shipper_code, logistic_code=name.logistic_code)


def _rows(raw: bytes) -> tuple[list[TraceRow], tuple[Unread, ...]]:
    if raw in (b"", b"null"):
        return [], ()
    try:
        lines = read_document(raw, list[Raw])
    except Unreadable:
        return [], (Unread(_quoted(raw), _NO_LIST),)
    rows: list[TraceRow] = []
    unread: list[Unread] = []
    for line in lines:
        try:
            rows.append(read_document(bytes(line), TraceRow))
        except Unreadable:
            unread.append(Unread(_quoted(bytes(line)), _NO_LINE))
    return rows, tuple(unread)


def _quoted(raw: bytes) -> str:
    """The time and the words of the line, whatever their form; without escapes, that no mask is led astray."""
    try:
        line = msgspec.json.decode(raw)
        known = ("AcceptTime", "AcceptStation")
        told = [line[name] for name in known if name in line] if isinstance(line, dict) else [line]
        words = [each if isinstance(each, str) else msgspec.json.encode(each).decode() for each in told]
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return ""
    return clip(text(" ".join(words)), LINE_MAX_CHARS)
