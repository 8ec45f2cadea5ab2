"""Kdniao's pushes (101, 102, 103, 107) as what they tell of each waybill.

Guaranteed of everything returned: aware UTC times of this century, printable bounded texts. A list that had to be
cut is not `complete`, so nothing is withdrawn because of it. A line that cannot be read is told apart, and the list it
stood in is not complete either; a push without a frame or a time is `Unreadable`.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from operator import attrgetter

import msgspec
from msgspec import Raw, field, structs

from waystream.core.errors import Unreadable
from waystream.core.ports import Push, Skim, Told, Trace, Unread
from waystream.integrations.kdniao.documents import Document, PushDocument, TraceRow, Tracked, Word
from waystream.integrations.kdniao.manifest import MANIFEST
from waystream.integrations.kdniao.salvage import LINE_MAX_CHARS, Salvaged, salvage, salvage_item
from waystream.integrations.kdniao.statuses import PICKUP, SILENT_PICKUPS
from waystream.integrations.kdniao.wire import (
    Envelope,
    clip,
    instant,
    read_document,
    stamp,
    text,
    truth,
    write_envelope,
)

_PICKUP_PUSH = "103"
QUERY = "8001"
_NAME_MAX_CHARS = 64  # codes, numbers, stamps
NAMES_KEPT = 65_536
_at = attrgetter("at")
#: 103 tells of pickup orders, 107 of money: they have no lists.
_SKIMMED = frozenset({"101", "102"})


class _Shell(Document):
    """A push whose waybills are not looked into."""

    e_business_id: Word = field(default=None, name="EBusinessID")
    push_time: Word = None
    data: list[Raw] | None = None


class _Head(Document):
    """A waybill whose trace lines are not looked into."""

    shipper_code: Word = None
    logistic_code: Word = None
    success: Word = None
    state: Word = None
    state_ex: Word = None
    traces: list[Raw] | None = None


_read_head = msgspec.json.Decoder(_Head, strict=False).decode
_read_item = msgspec.json.Decoder(Tracked, strict=False).decode
_read_row = msgspec.json.Decoder(TraceRow, strict=False).decode


def read(envelope: Envelope, *, kinds: Collection[str]) -> Push:
    """Decode a verified push, or a kept query, of one of these kinds; raises `Unreadable`."""
    if envelope.request_type not in kinds:
        raise Unreadable("Kdniao: a push of a kind we do not know")
    whole = _document(envelope.data)
    document, items = whole.document, whole.document.data or []
    if len(items) + len(whole.rest) > MANIFEST.waybills_max:
        raise Unreadable(f"Kdniao: more than {MANIFEST.waybills_max} waybills in one push")
    pushed_at = instant(text(document.push_time))
    each = _READERS.get(envelope.request_type, told)
    said = [
        each(item, push_time=pushed_at, unread=whole.unread[n] if whole.unread else ()) for n, item in enumerate(items)
    ]
    return Push(
        merchant_id=_name(document.e_business_id),
        request_type=envelope.request_type,
        pushed_at=pushed_at,
        told=tuple(item for item in said if item is not None),
        unread=whole.rest,
    )


def skim(envelope: Envelope, *, kinds: Collection[str]) -> Push:
    """A verified push whose trace lines are not read yet; one that is odd in any way is read whole at once."""
    if envelope.request_type not in _SKIMMED:
        return read(envelope, kinds=kinds)
    try:
        shell = read_document(envelope.data, _Shell)
        heads = [(_read_head(raw), raw) for raw in shell.data or ()]
    except (Unreadable, msgspec.MsgspecError):
        return read(envelope, kinds=kinds)
    if len(heads) > MANIFEST.waybills_max:
        return read(envelope, kinds=kinds)
    pushed_at = instant(text(shell.push_time))
    skims = [_skim(head, raw, push_time=pushed_at) for head, raw in heads]
    return Push(
        merchant_id=_name(shell.e_business_id),
        request_type=envelope.request_type,
        pushed_at=pushed_at,
        skims=tuple(each for each in skims if each.number),
    )


def _skim(head: "_Head", raw: Raw, *, push_time: datetime) -> Skim:
    lines = tuple(map(bytes, head.traces or ()))
    return Skim(
        carrier=_name(head.shipper_code),
        number=_name(head.logistic_code),
        push_time=push_time,
        state_code=_name(head.state_ex) or _name(head.state),
        complete=truth(head.success) and 0 < len(lines) <= MANIFEST.traces_max,
        lines=lines,
        read=lambda: _whole(raw, lines, push_time=push_time),
    )


def _whole(raw: Raw, lines: tuple[bytes, ...], *, push_time: datetime) -> Told:
    """All that is told of a waybill that was skimmed; what of it cannot be read is listed."""
    item: Tracked | None
    unread: tuple[Unread, ...] = ()
    try:
        item = _read_item(raw)
    except msgspec.MsgspecError:
        item, unread = salvage_item(bytes(raw))
    whole = told(item, push_time=push_time, unread=unread) if item else None
    assert item is not None and whole is not None, "what was skimmed has a number"
    in_order = [trace.raw_time for trace in whole.traces] == [_name(row.accept_time) for row in item.traces or ()]
    return structs.replace(whole, lines=lines) if whole.complete and in_order else whole


def read_lines(lines: Sequence[bytes]) -> tuple[Trace, ...]:
    """Lines of a skimmed waybill; raises `Unreadable` where one is odd."""
    try:
        return tuple([_trace(_read_row(line)) for line in lines])
    except msgspec.MsgspecError:
        raise Unreadable("Kdniao: a line of the trace list cannot be read") from None


def told(item: Tracked, *, push_time: datetime, unread: tuple[Unread, ...] = ()) -> Told | None:
    """One waybill of a 101, 102 or 107 push or of a query; None when it names no number."""
    number = _name(item.logistic_code)
    if not number:
        return None
    reason, success = text(item.reason), truth(item.success)
    rows = item.traces or []
    traces, untimed = _traces(rows)
    return Told(
        carrier=_name(item.shipper_code),
        number=number,
        our_code=_name(item.order_code),
        push_time=push_time,
        state_code=_name(item.state_ex) or _name(item.state),
        traces=traces,
        complete=success and 0 < len(rows) <= MANIFEST.traces_max and not unread and not untimed,
        died="" if success else _died(reason),
        expected_at=_name(item.estimated_delivery_time),
        unread=unread + untimed,
    )


def _told_of_pickup(item: Tracked, *, push_time: datetime, unread: tuple[Unread, ...] = ()) -> Told | None:
    """One pickup order of a 103 push; None when it says nothing of where a parcel is."""
    number, state = _name(item.logistic_code), _name(item.state)
    if not number or ((not state or state in SILENT_PICKUPS) and not unread):
        return None
    return Told(
        carrier=_name(item.shipper_code),
        number=number,
        our_code=_name(item.order_code),
        push_time=push_time,
        state_code=PICKUP + state if state and state not in SILENT_PICKUPS else "",
        traces=(),
        complete=False,
        unread=unread,
    )


def _document(data: str) -> Salvaged:
    try:
        return Salvaged(read_document(data, PushDocument), unread=(), rest=())
    except Unreadable:
        return salvage(data)


def _told_by_query(item: Tracked, *, push_time: datetime, unread: tuple[Unread, ...] = ()) -> Told | None:
    """The answer to a query; it says nothing of a subscription."""
    said = told(item, push_time=push_time, unread=unread)
    return structs.replace(said, died="") if said else None


_READERS = {_PICKUP_PUSH: _told_of_pickup, QUERY: _told_by_query}


def wrap_query(answer: bytes, *, merchant_id: str, at: datetime) -> bytes:
    """The answer to a query, byte for byte, as the one item of a push of that instant; unsigned."""
    head = msgspec.json.encode({"EBusinessID": merchant_id, "PushTime": stamp(at), "Count": "1"}).decode()
    data = f'{head[:-1]},"Data":[{answer.decode()}]}}'
    return write_envelope(Envelope(data=data, request_type=QUERY, merchant_id=merchant_id))


def _died(reason: str) -> str:
    """The reasons that end a subscription; any other failure is a push like another."""
    return next((known for known in MANIFEST.resubscribe_reasons if known in reason), "")


def _traces(rows: list[TraceRow]) -> tuple[tuple[Trace, ...], tuple[Unread, ...]]:
    """The newest traces, oldest first, whatever order they were told in; and the lines whose time cannot be read."""
    try:
        traces = sorted(map(_trace, rows), key=_at)
    except Unreadable:
        return _timed(rows)
    return tuple(traces[-MANIFEST.traces_max :]), ()


def _timed(rows: list[TraceRow]) -> tuple[tuple[Trace, ...], tuple[Unread, ...]]:
    traces: list[Trace] = []
    untimed: list[Unread] = []
    for row in rows:
        try:
            traces.append(_trace(row))
        except Unreadable as error:
            line = f"{_name(row.accept_time)} {text(row.accept_station)}".strip()
            untimed.append(Unread(clip(line, LINE_MAX_CHARS), error.sentence))
    traces.sort(key=_at)
    return tuple(traces[-MANIFEST.traces_max :]), tuple(untimed[: MANIFEST.traces_max])


def _trace(row: TraceRow) -> Trace:
    raw_time = _name(row.accept_time)
    return Trace(
        raw_time=raw_time,
        at=instant(raw_time),
        text=clip(text(row.accept_station), MANIFEST.text_max_chars),
        code=_name(row.action),
        location=_name(row.location),
    )


@lru_cache(NAMES_KEPT, typed=True)
def _name(word: Word) -> str:
    """A code, number or stamp as clean bounded text; the same few come over and over."""
    return text(word)[:_NAME_MAX_CHARS]
