"""Kdniao's pushes (101, 102, 103, 107) as what they tell of each waybill.

Guaranteed of everything returned: aware UTC times of this century, printable bounded texts. A list that had to be
cut is not `complete`, so nothing is withdrawn because of it. A line that cannot be read is told apart, and the list it
stood in is not complete either; a push without a frame or a time is `Unreadable`.
"""

from datetime import datetime
from functools import lru_cache
from operator import attrgetter

from waystream.core.errors import Unreadable
from waystream.core.ports import Push, Told, Trace, Unread
from waystream.integrations.kdniao.documents import PushDocument, TraceRow, Tracked, Word
from waystream.integrations.kdniao.manifest import MANIFEST
from waystream.integrations.kdniao.salvage import LINE_MAX_CHARS, Salvaged, salvage
from waystream.integrations.kdniao.statuses import PICKUP, SILENT_PICKUPS
from waystream.integrations.kdniao.wire import Envelope, instant, read_document, text, truth

_PICKUP_PUSH = "103"
_NAME_MAX_CHARS = 64  # codes, numbers, stamps
NAMES_KEPT = 65_536
_at = attrgetter("at")


def read(envelope: Envelope) -> Push:
    """Decode a verified push; raises `Unreadable`."""
    if envelope.request_type not in MANIFEST.push_types:
        raise Unreadable("Kdniao: a push of a kind we do not know")
    whole = _document(envelope.data)
    document, items = whole.document, whole.document.data or []
    if len(items) + len(whole.rest) > MANIFEST.waybills_max:
        raise Unreadable(f"Kdniao: more than {MANIFEST.waybills_max} waybills in one push")
    pushed_at = instant(text(document.push_time))
    each = _told_of_pickup if envelope.request_type == _PICKUP_PUSH else told
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
            untimed.append(Unread(line[:LINE_MAX_CHARS], error.sentence))
    traces.sort(key=_at)
    return tuple(traces[-MANIFEST.traces_max :]), tuple(untimed[: MANIFEST.traces_max])


def _trace(row: TraceRow) -> Trace:
    raw_time = _name(row.accept_time)
    return Trace(
        raw_time=raw_time,
        at=instant(raw_time),
        text=text(row.accept_station)[: MANIFEST.text_max_chars],
        code=_name(row.action),
        location=_name(row.location),
    )


@lru_cache(NAMES_KEPT, typed=True)
def _name(word: Word) -> str:
    """A code, number or stamp as clean bounded text; the same few come over and over."""
    return text(word)[:_NAME_MAX_CHARS]
