"""Kdniao's pushes (101, 102, 103, 107) as what they tell of each waybill.

Guaranteed of everything returned: aware UTC times of this century, printable bounded texts. A list that had to be
cut is not `complete`, so nothing is withdrawn because of it. A push we cannot read whole is `Unreadable`.
"""

from datetime import datetime
from functools import lru_cache
from operator import attrgetter

from waystream.core.errors import Unreadable
from waystream.core.ports import Push, Told, Trace
from waystream.integrations.kdniao.documents import PushDocument, TraceRow, Tracked, Word
from waystream.integrations.kdniao.manifest import MANIFEST
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
    document = read_document(envelope.data, PushDocument)
    if len(document.data or ()) > MANIFEST.waybills_max:
        raise Unreadable(f"Kdniao: more than {MANIFEST.waybills_max} waybills in one push")
    pushed_at = instant(text(document.push_time))
    each = _told_of_pickup if envelope.request_type == _PICKUP_PUSH else told
    items = [each(item, push_time=pushed_at) for item in document.data or ()]
    return Push(
        merchant_id=_name(document.e_business_id),
        request_type=envelope.request_type,
        pushed_at=pushed_at,
        told=tuple(item for item in items if item is not None),
    )


def told(item: Tracked, *, push_time: datetime) -> Told | None:
    """One waybill of a 101, 102 or 107 push or of a query; None when it names no number."""
    number = _name(item.logistic_code)
    if not number:
        return None
    reason, success = text(item.reason), truth(item.success)
    rows = item.traces or []
    return Told(
        carrier=_name(item.shipper_code),
        number=number,
        our_code=_name(item.order_code),
        push_time=push_time,
        state_code=_name(item.state_ex) or _name(item.state),
        traces=_traces(rows),
        complete=success and 0 < len(rows) <= MANIFEST.traces_max,
        died="" if success else _died(reason),
        expected_at=_name(item.estimated_delivery_time),
    )


def _told_of_pickup(item: Tracked, *, push_time: datetime) -> Told | None:
    """One pickup order of a 103 push; None when it says nothing of where a parcel is."""
    number, state = _name(item.logistic_code), _name(item.state)
    if not number or not state or state in SILENT_PICKUPS:
        return None
    return Told(
        carrier=_name(item.shipper_code),
        number=number,
        our_code=_name(item.order_code),
        push_time=push_time,
        state_code=PICKUP + state,
        traces=(),
        complete=False,
    )


def _died(reason: str) -> str:
    """The reasons that end a subscription; any other failure is a push like another."""
    return next((known for known in MANIFEST.resubscribe_reasons if known in reason), "")


def _traces(rows: list[TraceRow]) -> tuple[Trace, ...]:
    """The newest traces, oldest first, whatever order they were told in."""
    traces = sorted(map(_trace, rows), key=_at)
    return tuple(traces[-MANIFEST.traces_max :])


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
