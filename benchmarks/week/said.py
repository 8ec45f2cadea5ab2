"""What Waystream said in the week, read from its event log and its tables when the week is over."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from benchmarks.week.judge import Silence, Ticket
from waystream.app import App
from waystream.doctor import check

_SAID = "SELECT at, body FROM event WHERE name = ANY (%s) ORDER BY id"


@dataclass(frozen=True, slots=True)
class Said:
    """Tickets and silences of the plan's parcels; `slowdowns` by place; `events` by name."""

    tickets: list[Ticket]
    silences: list[Silence]
    slowdowns: list[tuple[str, str, datetime]]
    muted: int
    events: Mapping[str, int]
    parked: int
    broken: list[str]


def read(app: App, parcels: Mapping[int, int]) -> Said:
    """`parcels`: the plan's number of a parcel by its id."""
    with app.machine.begin(read_only=True) as tx:

        def rows(sql: str, *values: Any) -> list[Any]:
            return tx.conn.execute(sql, values).fetchall()

        opened = [
            Ticket(parcels[body["parcel_id"]], body["cause"], at, again)
            for name, again in (("TicketOpened", False), ("TicketReopened", True))
            for at, body in rows(_SAID, [name])
            if body.get("parcel_id") in parcels
        ]
        silences = [
            Silence(
                parcels[body["parcel_id"]], *(datetime.fromisoformat(body[name]) for name in ("silent_since", "due_at"))
            )
            for _, body in rows(_SAID, ["ParcelStalled"])
            if body["parcel_id"] in parcels
        ]
        return Said(
            tickets=sorted(opened, key=lambda ticket: ticket.at),
            silences=silences,
            slowdowns=rows("SELECT carrier, place, began_at FROM slowdown ORDER BY began_at"),
            muted=rows("SELECT count(*) FROM silence WHERE slowdown_id IS NOT NULL")[0][0],
            events=Counter(dict(rows("SELECT name, count(*) FROM event GROUP BY name"))),
            parked=rows("SELECT count(*) FROM parked")[0][0],
            broken=[finding.name for finding in check(tx, app.invariants) if not finding.holds],
        )
