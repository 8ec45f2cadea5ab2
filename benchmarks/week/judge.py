"""What was seeded against what was said: recall, false tickets, duplicates, and the fixed 48-hour rule beside it. Pure.

Guaranteed: nothing here asks Waystream whether it was right. A parcel is healthy when no trouble was seeded and the
storm did not strike it; any ticket of a healthy parcel is false, whatever its cause.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from benchmarks.week.journeys import Trouble
from benchmarks.week.plan import Parcel
from waystream.core.channels import Letter

#: What a ticket of such a parcel may be called.
CAUSES: Mapping[Trouble, frozenset[str]] = {
    Trouble.FAILED: frozenset({"attempt_failed", "wrong_address"}),
    Trouble.DAMAGED: frozenset({"damaged"}),
    Trouble.LOST: frozenset({"lost"}),
}
STALLED = "stalled"
#: After these nothing more is scanned.
FINAL_CODES = frozenset({"301", "302", "304", "311"})
FIXED = timedelta(hours=48)
#: A ticket comes in time before so many times the silence after which it was due.
IN_TIME = 2.0


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket of a parcel (its number in the plan) was opened, or `again` after it had closed, and was so `until`."""

    parcel: int
    cause: str
    at: datetime
    again: bool = False
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """Waystream said that a parcel is stalled: since when, and when its next scan was due."""

    parcel: int
    since: datetime
    due_at: datetime

    @property
    def latest(self) -> datetime:
        return self.since + IN_TIME * (self.due_at - self.since)


@dataclass(frozen=True, slots=True)
class Fixed:
    """The rule that everyone has: silent for 48 hours is stalled."""

    recall: float
    false_ticket_rate: float


def recall_coded(parcels: Iterable[Parcel], tickets: Iterable[Ticket]) -> float:
    """Of those whose carrier said what is wrong, the share with a ticket that says the same."""
    said = {(ticket.parcel, ticket.cause) for ticket in tickets}
    coded = [parcel for parcel in parcels if parcel.trouble in CAUSES]
    return _share(any((parcel.n, cause) in said for cause in CAUSES[parcel.trouble]) for parcel in coded)


def recall_silent(parcels: Iterable[Parcel], tickets: Sequence[Ticket], silences: Iterable[Silence]) -> float:
    """Of the stalled, the share with a ticket while they stood still and within twice the due time."""
    found = found_silent(parcels := list(parcels), tickets, silences)
    return _share(parcel.n in found for parcel in parcels if parcel.trouble is Trouble.STALLED)


def found_silent(
    parcels: Iterable[Parcel], tickets: Iterable[Ticket], silences: Iterable[Silence]
) -> dict[int, tuple[Ticket, Silence]]:
    """The stalled that were found in time, by their number in the plan: with which ticket, of which silence."""
    stalled = {parcel.n: parcel for parcel in parcels if parcel.trouble is Trouble.STALLED}
    said: dict[int, list[Silence]] = {}
    for silence in silences:
        said.setdefault(silence.parcel, []).append(silence)
    found: dict[int, tuple[Ticket, Silence]] = {}
    for ticket in sorted(tickets, key=lambda ticket: ticket.at):
        if ticket.cause == STALLED and ticket.parcel in stalled:
            for silence in said.get(ticket.parcel, ()):
                if _tells_of(stalled[ticket.parcel], ticket, silence):
                    found.setdefault(ticket.parcel, (ticket, silence))
    return found


def _tells_of(parcel: Parcel, ticket: Ticket, silence: Silence) -> bool:
    """Whether it is this stall that was noticed, while it lasted and in time."""
    journey = parcel.journey
    assert journey.trouble_at is not None and journey.still_until is not None
    return silence.since >= journey.trouble_at and silence.since < ticket.at <= min(silence.latest, journey.still_until)


def false_ticket_rate(parcels: Iterable[Parcel], tickets: Iterable[Ticket]) -> float:
    """Of the healthy, the share with any ticket."""
    ticketed = {ticket.parcel for ticket in tickets}
    return _share(parcel.n in ticketed for parcel in parcels if parcel.healthy)


def count_false(parcels: Iterable[Parcel], tickets: Iterable[Ticket]) -> dict[str, int]:
    """False tickets by their cause."""
    healthy = {parcel.n for parcel in parcels if parcel.healthy}
    causes = Counter(ticket.cause for ticket in tickets if ticket.parcel in healthy and not ticket.again)
    return dict(causes.most_common())


def count_duplicates(tickets: Iterable[Ticket]) -> int:
    """Tickets that were opened while one of the same parcel and cause was open."""
    open_until: dict[tuple[int, str], datetime | None] = {}
    duplicates = 0
    for ticket in sorted(tickets, key=lambda ticket: ticket.at):
        about = ticket.parcel, ticket.cause
        until = open_until.get(about, ticket.at)
        duplicates += until is None or until > ticket.at
        open_until[about] = ticket.until
    return duplicates


def median_minutes_to_ticket(
    parcels: Sequence[Parcel], tickets: Sequence[Ticket], silences: Sequence[Silence]
) -> float | None:
    """From the scan that says it, or from when the next scan was due, to the ticket."""
    opened = {(ticket.parcel, ticket.cause): ticket.at for ticket in reversed(tickets)}
    # the first of a cause counts: it is the last to be written here
    waits = [
        (opened[parcel.n, cause] - parcel.journey.trouble_at)
        for parcel in parcels
        for cause in CAUSES.get(parcel.trouble, ())
        if parcel.journey.trouble_at and (parcel.n, cause) in opened
    ]
    found = found_silent(parcels, tickets, silences).values()
    waits += [ticket.at - silence.due_at for ticket, silence in found]
    return round(median(waits).total_seconds() / 60, 1) if waits else None


def notices_per_order_max(letters: Iterable[Letter]) -> int:
    return max(Counter(letter.order for letter in letters).values(), default=0)


#: What may happen to a parcel several times, and how its carrier says so; anything else happens once.
_AGAIN: Mapping[str, frozenset[str]] = {
    "out_for_delivery": frozenset({"202", "419"}),
    "attempt_failed": frozenset({"405", "416", "420"}),
}


def count_told_twice(parcels: Iterable[Parcel], letters: Iterable[Letter]) -> int:
    """Letters that say to a buyer, word for word, what one before them said, though it did not happen again."""
    ways = {parcel.trip.number: parcel for parcel in parcels}
    told = Counter((each.order, each.template, each.text, each.variables.get("number", "")) for each in letters)
    twice = 0
    for (_, template, _, numbers), count in told.items():
        named = [ways[number] for number in numbers.split("、") if number in ways]
        twice += max(0, count - max((_happened(template, parcel) for parcel in named), default=1))
    return twice


def _happened(template: str, parcel: Parcel) -> int:
    return max(1, sum(scan.code in _AGAIN.get(template, ()) for scan in parcel.journey.scans))


def judge_fixed(parcels: Sequence[Parcel]) -> Fixed:
    """What 48 hours without a scan would have found, had somebody asked the carrier first as we do."""
    stalled = [parcel for parcel in parcels if parcel.trouble is Trouble.STALLED]
    healthy = [parcel for parcel in parcels if parcel.healthy]
    return Fixed(_share(map(_finds_fixed, stalled)), _share(map(_alarms_fixed, healthy)))


def _finds_fixed(parcel: Parcel) -> bool:
    at, until = parcel.journey.trouble_at, parcel.journey.still_until
    return at is not None and until is not None and until - at > FIXED


def _alarms_fixed(parcel: Parcel) -> bool:
    scans = parcel.journey.scans
    return any(after.at - before.at > FIXED for before, after in pairwise(scans))


def _share(of: Iterable[bool]) -> float:
    told = list(of)
    return round(sum(told) / len(told), 4) if told else 1.0
