"""What happens to tickets. Its subject is the parcel or order, so that whoever follows those hears of it."""

from dataclasses import dataclass
from typing import ClassVar

from waystream.core.care import Cause, Ending, Priority
from waystream.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketEvent(Event):
    ticket_id: int
    cause: Cause
    priority: Priority
    parcel_id: int | None
    order_id: int | None

    @property
    def subject(self) -> str:
        if self.parcel_id:
            return f"parcel:{self.parcel_id}"
        return f"order:{self.order_id}" if self.order_id else f"ticket:{self.ticket_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketOpened(TicketEvent):
    """Something is wrong that was not before."""

    public: ClassVar[str] = "ticket.opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRaised(TicketEvent):
    """It got worse, or a person says that it matters more; `priority` is the new one."""

    public: ClassVar[str] = "ticket.raised"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketReopened(TicketEvent):
    """It was closed, and is wrong again."""

    public: ClassVar[str] = "ticket.reopened"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketTaken(TicketEvent):
    """A person works on it; `staff` is `staff:ID` or `key:ID`."""

    public: ClassVar[str] = "ticket.taken"
    staff: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketReleased(TicketEvent):
    """Nobody works on it any more."""

    public: ClassVar[str] = "ticket.released"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketClosed(TicketEvent):
    """It is done; `ending` says how, `staff` who said so: empty where it closed by itself."""

    public: ClassVar[str] = "ticket.closed"
    ending: Ending
    staff: str
