"""What Waystream said in the week, read from its event log and its tables when the week is over."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from benchmarks.week.judge import Silence, Ticket
from waystream.app import App
from waystream.doctor import check

_SILENCES = """
SELECT (body ->> 'parcel_id')::bigint, (body ->> 'silent_since')::timestamptz, (body ->> 'due_at')::timestamptz
FROM event WHERE name = 'ParcelStalled' ORDER BY id
"""
_TICKETS = """
SELECT (body ->> 'ticket_id')::bigint, (body ->> 'parcel_id')::bigint, body ->> 'cause', at, name FROM event
WHERE name IN ('TicketOpened', 'TicketReopened', 'TicketClosed') ORDER BY id
"""
_INCIDENTS = "SELECT count(*) FROM ticket WHERE cause = 'incident' GROUP BY shop_id"


@dataclass(frozen=True, slots=True)
class Slowdown:
    carrier: str
    place: str
    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Said:
    """Tickets and silences of the plan's parcels; `incidents`: the most that one shop had; `muted` silences are
    explained by a slow-down; `events` by name."""

    tickets: list[Ticket]
    silences: list[Silence]
    slowdowns: list[Slowdown]
    incidents: int
    muted: int
    events: Mapping[str, int]
    parked: int
    broken: list[str]


def read(app: App, parcels: Mapping[int, int]) -> Said:
    """`parcels`: the plan's number of a parcel by its id."""
    with app.machine.begin(read_only=True) as tx:

        def rows(sql: str) -> list[Any]:
            return tx.conn.execute(sql).fetchall()

        silences = rows(_SILENCES)
        return Said(
            tickets=_tickets((parcels[row[1]], *row) for row in rows(_TICKETS) if row[1] in parcels),
            silences=[Silence(parcels[an_id], since, due_at) for an_id, since, due_at in silences if an_id in parcels],
            slowdowns=[
                Slowdown(*row)
                for row in rows("SELECT carrier, place, began_at, ended_at FROM slowdown ORDER BY began_at")
            ],
            incidents=max((count for (count,) in rows(_INCIDENTS)), default=0),
            muted=rows("SELECT count(*) FROM silence WHERE slowdown_id IS NOT NULL")[0][0],
            events=dict(rows("SELECT name, count(*) FROM event GROUP BY name")),
            parked=rows("SELECT count(*) FROM parked")[0][0],
            broken=[finding.name for finding in check(tx, app.invariants) if not finding.holds],
        )


def _tickets(told: Iterable[tuple[int, int, int, str, datetime, str]]) -> list[Ticket]:
    """(parcel, ticket id, parcel id, cause, at, event) as openings, each with its end."""
    openings: list[Ticket] = []
    newest: dict[int, int] = {}
    for parcel, ticket_id, _, cause, at, name in told:
        if name == "TicketClosed":
            openings[newest[ticket_id]] = replace(openings[newest[ticket_id]], until=at)
            continue
        newest[ticket_id] = len(openings)
        openings.append(Ticket(parcel, cause, at, again=name == "TicketReopened"))
    return openings
