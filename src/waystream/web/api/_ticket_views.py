"""Tickets as programs see them. Ids are text, instants aware UTC; words are those of the glossary."""

from datetime import datetime

import msgspec

from waystream.core.care import Cause, Ending, Priority
from waystream.parts.care.model import What
from waystream.parts.care.reading import Line, Whole
from waystream.parts.care.store_lists import Listed
from waystream.web.wire import Id, Told, see


class TicketBrief(Told, frozen=True):
    """`assignee` (`staff:ID`, `key:ID`) empty: nobody has it; `closed_by` empty: it closed by itself.

    `because` says what it began with (`event:ID`, `inbox:ID`, `staff:ID` …); `number`, `carrier`, `parcel_state` and
    `parcel_kind` are empty where it is not about a parcel; `receiver` is masked.
    """

    id: Id
    shop: str
    cause: Cause
    kind: str
    state: str
    priority: Priority
    severity: int
    times: int
    parcel_id: Id | None
    order_id: Id | None
    slowdown_id: Id | None
    order_number: str
    number: str
    carrier: str
    parcel_state: str
    parcel_kind: str
    receiver: str
    because: str
    trouble_at: datetime
    opened_at: datetime
    raised_at: datetime | None
    reopened_at: datetime | None
    due_at: datetime
    assignee: str
    assignee_name: str
    taken_at: datetime | None
    closed_at: datetime | None
    closed_by: str
    ending: Ending | None
    merged_into: Id | None
    version: int


class TicketLine(Told, frozen=True):
    """One line of the log. `actor` empty: by itself; `text` null: the buyer was erased, or you may not read it."""

    at: datetime
    what: What
    actor: str
    actor_name: str
    word: str
    because: str
    text: str | None


class TicketWhole(Told, frozen=True):
    """`earlier`: other tickets of its order, its parcel and its buyer, newest first."""

    ticket: TicketBrief
    log: tuple[TicketLine, ...]
    earlier: tuple[TicketBrief, ...]


class _Flat:
    """A line of the queue and its ticket as one value."""

    def __init__(self, listed: Listed) -> None:
        self._listed = listed

    def __getattr__(self, name: str) -> object:
        listed = self._listed
        return getattr(listed if hasattr(listed, name) else listed.ticket, name)


def brief(listed: Listed, *, masked: bool) -> TicketBrief:
    """`masked`: whether the caller may see a mask; otherwise none is shown."""
    seen = see(TicketBrief, _Flat(listed))
    return seen if masked else msgspec.structs.replace(seen, receiver="")


def whole(found: Whole, *, masked: bool) -> TicketWhole:
    return TicketWhole(
        ticket=brief(found.listed, masked=masked),
        log=tuple(_line(each, readable=masked) for each in found.log),
        earlier=tuple(brief(each, masked=masked) for each in found.earlier),
    )


def _line(line: Line, *, readable: bool) -> TicketLine:
    """People write about buyers: who may not see their masks does not read it."""
    seen = see(TicketLine, line)
    return seen if readable or not seen.text else msgspec.structs.replace(seen, text=None)
