"""Tickets and their log, and what each cause weighs. Pure.

What is over by itself is `standing`, how a ticket changes is `changing`, when it is due is `hours`.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from waystream.core.care import Cause, Ending, Priority, Severity, Trouble


@dataclass(frozen=True, slots=True)
class Nature:
    """What a cause weighs. `today`: a person has to act before the day ends, however small it is.

    `survives`: a delivery does not mend it.
    """

    severity: Severity
    today: bool = False
    survives: bool = False


MINOR, SERIOUS, GRAVE = Severity

#: The one table of causes.
NATURE: dict[Cause, Nature] = {
    Cause.NOT_DISPATCHED: Nature(SERIOUS, today=True),  # the platform fines it
    Cause.NOT_COLLECTED: Nature(SERIOUS, today=True),  # this, too
    Cause.STALLED: Nature(SERIOUS),
    Cause.ATTEMPT_FAILED: Nature(SERIOUS),  # the courier usually comes again; the second time is grave
    Cause.REFUSED: Nature(SERIOUS, today=True),  # tomorrow it travels back
    Cause.DAMAGED: Nature(GRAVE, survives=True),
    Cause.LOST: Nature(GRAVE),
    Cause.WRONG_ADDRESS: Nature(SERIOUS, today=True),  # the courier waits for the right one
    Cause.LOCKER_OVERDUE: Nature(MINOR),
    Cause.RETURNING: Nature(SERIOUS),
    Cause.CUSTOMS: Nature(SERIOUS),
    Cause.SIGNED_ELSEWHERE: Nature(GRAVE, survives=True),
    Cause.SIGNED_TOO_EARLY: Nature(SERIOUS, survives=True),
    Cause.INTERCEPTED_BUT_DELIVERED: Nature(GRAVE, survives=True),
    Cause.SUBSCRIPTION_DEAD: Nature(MINOR),
    Cause.CANCELLED_NUMBER_SCANNED: Nature(GRAVE, survives=True),
    Cause.OVERDUE: Nature(SERIOUS),
    Cause.MISROUTED: Nature(MINOR),
    Cause.PROBLEM: Nature(SERIOUS),
    Cause.BUYER_NOT_RECEIVED: Nature(GRAVE, survives=True),
    Cause.BUYER_DAMAGED: Nature(GRAVE, survives=True),
    Cause.BUYER_WANTS_ADDRESS: Nature(SERIOUS, today=True),
    Cause.INCIDENT: Nature(GRAVE, survives=True),
}
SURVIVORS = frozenset(cause for cause, nature in NATURE.items() if nature.survives)


class What(StrEnum):
    """What an entry of the log tells."""

    OPENED = "opened"
    RAISED = "raised"
    REOPENED = "reopened"
    TAKEN = "taken"
    RELEASED = "released"
    HANDED_OVER = "handed_over"
    PRIORITISED = "prioritised"
    NOTE = "note"
    SAID = "said"
    CLOSED = "closed"
    MERGED = "merged"


class Standing(StrEnum):
    """Whether somebody has to do something about a ticket, and whether somebody does."""

    OPEN = "open"
    TAKEN = "taken"
    CLOSED = "closed"


#: What one open ticket is for: shop, thing, cause.
Key = tuple[int, str, Cause]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """As its row holds it. `clock_at`: from when on the time to act runs; `closed_by` empty: by itself.

    `warehouse_id`: of what it is about; None for an incident.
    """

    id: int
    shop_id: int
    cause: Cause
    kind: str
    state: Standing
    priority: Priority
    severity: Severity
    times: int
    parcel_id: int | None
    order_id: int | None
    slowdown_id: int | None
    warehouse_id: int | None
    about: str
    because: str
    trouble_at: datetime
    opened_at: datetime
    raised_at: datetime | None = None
    reopened_at: datetime | None = None
    clock_at: datetime
    due_at: datetime
    assignee: str = ""
    taken_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str = ""
    ending: Ending | None = None
    merged_into: int | None = None
    version: int = 1

    @property
    def key(self) -> Key:
        return self.shop_id, self.about, self.cause

    @property
    def is_open(self) -> bool:
        return self.state is not Standing.CLOSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a ticket's log. `actor` empty: by itself; `text` is sealed in its row."""

    ticket_id: int
    shop_id: int
    what: What
    actor: str = ""
    word: str = ""
    because: str = ""
    text: str = field(default="", repr=False)


def key_of(trouble: Trouble) -> Key:
    return trouble.shop_id, trouble.about, trouble.cause


def severity_of(trouble: Trouble) -> Severity:
    return trouble.severity or NATURE[trouble.cause].severity


def priority_of(cause: Cause, severity: Severity) -> Priority:
    """High is what a person has to do today."""
    if NATURE[cause].today or severity is GRAVE:
        return Priority.HIGH
    return Priority.NORMAL if severity is SERIOUS else Priority.LOW


def joined(troubles: list[Trouble]) -> dict[Key, Trouble]:
    """One trouble for one key, in the order of keys: the newest telling with the worst severity."""
    found: dict[Key, Trouble] = {}
    for trouble in sorted(troubles, key=lambda each: (key_of(each), each.at, severity_of(each))):
        before = found.get(key_of(trouble))
        worst = max(severity_of(trouble), severity_of(before)) if before else severity_of(trouble)
        found[key_of(trouble)] = replace(trouble, severity=worst)
    return found
