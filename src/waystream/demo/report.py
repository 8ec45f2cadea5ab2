"""What came of a demonstration, as one object a program can judge."""

from dataclasses import dataclass

from waystream.app import App
from waystream.doctor import check


@dataclass(frozen=True, slots=True)
class Report:
    """`unprinted`: issued, alive and not on paper; `unbound`: past asking and without a live number;
    `tickets`: those that are open, by their cause; `messages`: those to buyers, by what became of them."""

    orders: int
    parcels: dict[str, int]
    states_seen: list[str]
    unprinted: int
    unbound: int
    events: int
    tickets: dict[str, int]
    messages: dict[str, int]
    invariants_broken: list[str]


_STATES = """
SELECT coalesce(track.state, 'to_issue'), count(*) FROM parcel LEFT JOIN track ON track.parcel_id = parcel.id
WHERE parcel.stage <> 'voided' GROUP BY 1 ORDER BY 1
"""
_SEEN = """
SELECT DISTINCT body ->> 'after' FROM event WHERE subject LIKE 'parcel:%%' AND body ? 'after'
UNION SELECT DISTINCT state FROM track ORDER BY 1
"""
_TICKETS = "SELECT cause, count(*) FROM ticket WHERE closed_at IS NULL GROUP BY cause ORDER BY cause"
_MESSAGES = "SELECT state, count(*) FROM notice GROUP BY state ORDER BY state"
_UNPRINTED = """
SELECT count(*) FROM label WHERE voided_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM print WHERE print.label_id = label.id AND print.state = 'printed')
"""
_UNBOUND = """
SELECT count(*) FROM parcel WHERE stage IN ('issued', 'printed', 'dispatched') AND NOT EXISTS (
    SELECT 1 FROM binding WHERE binding.parcel_id = parcel.id AND binding.state IN ('live', 'cancelling'))
"""


def report_on(app: App) -> Report:
    """The figures of this moment, in one transaction."""
    with app.machine.begin(read_only=True) as tx:

        def one(sql: str) -> int:
            row = tx.conn.execute(sql).fetchone()
            return int(row[0]) if row else 0

        broken = [finding.name for finding in check(tx, app.invariants) if not finding.holds]
        return Report(
            orders=one("SELECT count(*) FROM orders"),
            parcels=dict(tx.conn.execute(_STATES).fetchall()),
            states_seen=[row[0] for row in tx.conn.execute(_SEEN)],
            unprinted=one(_UNPRINTED),
            unbound=one(_UNBOUND),
            events=one("SELECT count(*) FROM event"),
            tickets=dict(tx.conn.execute(_TICKETS).fetchall()),
            messages=dict(tx.conn.execute(_MESSAGES).fetchall()),
            invariants_broken=broken,
        )
