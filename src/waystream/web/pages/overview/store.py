"""What the overview reads. Counts are bounded; today is read from the events, what stands from states."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from waystream.kernel.ids import EPOCH_MS, LOW_BITS

Conn = Connection[Any]

COUNTED_AT_MOST = 100_000
LIVE_AT_MOST = 20_000
RECENT = timedelta(days=7)
TROUBLE = ("attempt_failed", "exception", "intercepted", "lost", "unknown")
MOVING = ("collected", "in_transit", "forwarded", "customs")


@dataclass(frozen=True, slots=True)
class Passed:
    """How many passed each stage in a stretch of time."""

    paid: int = 0
    issued: int = 0
    printed: int = 0
    dispatched: int = 0
    collected: int = 0
    outlet: int = 0
    out: int = 0
    delivered: int = 0
    failed: int = 0

    @property
    def stages(self) -> tuple[int, ...]:
        return (
            self.paid, self.issued, self.printed, self.dispatched,
            self.collected, self.outlet, self.out, self.delivered,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cause:
    """Parcels that need a person for one reason; `first_at` is the oldest change among them."""

    stage: str
    state: str
    kind: str
    parcels: int
    first_at: datetime
    carrier: str
    of_carrier: int


@dataclass(frozen=True, slots=True)
class CarrierRow:
    carrier: str
    moving: int
    delivered: int
    in_time: int
    promised: int
    silent: int
    trouble: int


@dataclass(frozen=True, slots=True)
class FloorRow:
    """Parcels of one carrier in one warehouse: still to go and gone today; the hour the truck leaves."""

    warehouse: str
    carrier: str
    cutoff: str
    to_go: int
    gone: int


@dataclass(frozen=True, slots=True)
class Punctuality:
    """Of today's dispatches and deliveries: how many had a time to keep, how many kept it."""

    ship_by: int
    shipped_in_time: int
    promised: int
    delivered_in_time: int


@dataclass(frozen=True, slots=True)
class Setup:
    printers_off: int
    low_accounts: tuple[tuple[str, int], ...]
    orders: bool
    accounts: bool


def count_passed(conn: Conn, since: datetime, until: datetime) -> Passed:
    """From the events: each parcel counts once a stage."""
    rows = conn.execute(
        """SELECT CASE WHEN name = 'ParcelMoved' THEN body ->> 'after' ELSE name END AS what,
                  count(DISTINCT subject)
           FROM event WHERE at >= %(since)s AND at < %(until)s
             AND (name = ANY (%(names)s) OR (name = 'ParcelMoved' AND body ->> 'after' = 'arrived_at_outlet'))
           GROUP BY 1""",
        {"since": since, "until": until, "names": list(_EVENTS)},
    ).fetchall()
    counted = {_EVENTS.get(what, "outlet"): count for what, count in rows}
    return Passed(**counted)


_EVENTS = {
    "OrderReceived": "paid",
    "WaybillIssued": "issued",
    "LabelPrinted": "printed",
    "ParcelDispatched": "dispatched",
    "ParcelCollected": "collected",
    "OutForDelivery": "out",
    "Delivered": "delivered",
    "AttemptFailed": "failed",
}


def count_states(conn: Conn) -> dict[str, int]:
    """Parcels by track state, of those that left the warehouse and have not ended."""
    rows = conn.execute(
        """SELECT states.state, (SELECT count(*) FROM (
               SELECT FROM track WHERE track.state = states.state LIMIT %(most)s))
           FROM unnest(%(states)s::text[]) AS states (state)""",
        {"most": COUNTED_AT_MOST, "states": list(_LIVE_STATES)},
    ).fetchall()
    return dict(rows)


_LIVE_STATES = (
    "awaiting_collection", "no_trace", "collected", "in_transit", "arrived_at_outlet", "out_for_delivery",
    "ready_for_pickup", "attempt_failed", "exception", "intercepted", "forwarded", "customs", "returning", "unknown",
)  # fmt: skip


def count_stages(conn: Conn) -> dict[str, int]:
    """Parcels by their own stage, before they leave; `to_ship` are orders without a living parcel."""
    rows = conn.execute(
        """SELECT stages.stage, (SELECT count(*) FROM (
               SELECT FROM parcel WHERE parcel.stage = stages.stage LIMIT %(most)s))
           FROM unnest('{asked,doubt,refused,conflict,issued,printed}'::text[]) AS stages (stage)
           UNION ALL
           SELECT 'to_ship', count(*) FROM (
               SELECT FROM orders o WHERE o.word = 'to_ship' AND NOT EXISTS (
                   SELECT FROM parcel_order po JOIN parcel p ON p.id = po.parcel_id
                   WHERE po.order_id = o.id AND p.stage <> 'voided') LIMIT %(most)s)""",
        {"most": COUNTED_AT_MOST},
    ).fetchall()
    return dict(rows)


def list_causes(conn: Conn) -> list[Cause]:
    """Why parcels need a person, the most first; each cause with the carrier that has most of it."""
    return (
        conn.cursor(row_factory=class_row(Cause))
        .execute(
            """WITH troubled AS (
                   (SELECT '' AS stage, t.state, t.kind, t.changed_at AS at, p.carrier
                    FROM track t JOIN parcel p ON p.id = t.parcel_id WHERE t.state = ANY (%(trouble)s) LIMIT %(most)s)
                   UNION ALL
                   (SELECT stage, '', '', moved_at, carrier FROM parcel
                    WHERE stage IN ('refused', 'conflict', 'doubt') LIMIT %(most)s)
               ), by_carrier AS (
                   SELECT stage, state, kind, carrier, count(*) AS parcels, min(at) AS first_at FROM troubled
                   GROUP BY 1, 2, 3, 4)
               SELECT DISTINCT ON (stage, state, kind) stage, state, kind,
                      sum(parcels) OVER same::bigint AS parcels, min(first_at) OVER same AS first_at, carrier,
                      parcels AS of_carrier
               FROM by_carrier WINDOW same AS (PARTITION BY stage, state, kind)
               ORDER BY stage, state, kind, by_carrier.parcels DESC, carrier""",
            {"trouble": list(TROUBLE), "most": LIVE_AT_MOST},
        )
        .fetchall()
    )


def list_carriers(conn: Conn, *, day: datetime, now: datetime) -> list[CarrierRow]:
    """By carrier: on the way, delivered today and how punctually, silent beyond the due time, in trouble."""
    return (
        conn.cursor(row_factory=class_row(CarrierRow))
        .execute(
            """WITH live AS (
                   SELECT parcel_id, state, due_at, NULL::timestamptz AS delivered_at FROM track
                   WHERE state = ANY (%(live)s) LIMIT %(most)s
               ), done AS (
                   SELECT parcel_id, state, due_at, delivered_at FROM track
                   WHERE state = 'delivered' AND changed_at >= %(day)s AND delivered_at >= %(day)s LIMIT %(most)s
               ), both_kinds AS (TABLE live UNION ALL TABLE done)
               SELECT p.carrier,
                      count(*) FILTER (WHERE b.state <> 'delivered') AS moving,
                      count(*) FILTER (WHERE b.state = 'delivered') AS delivered,
                      count(*) FILTER (WHERE b.delivered_at <= o.promised_at) AS in_time,
                      count(*) FILTER (WHERE b.delivered_at IS NOT NULL AND o.promised_at IS NOT NULL) AS promised,
                      count(*) FILTER (WHERE b.due_at < %(now)s) AS silent,
                      count(*) FILTER (WHERE b.state = ANY (%(trouble)s)) AS trouble
               FROM both_kinds b
               JOIN parcel p ON p.id = b.parcel_id
               LEFT JOIN LATERAL (
                   SELECT min(orders.promised_at) AS promised_at
                   FROM parcel_order po JOIN orders ON orders.id = po.order_id
                   WHERE po.parcel_id = b.parcel_id AND b.delivered_at IS NOT NULL) o ON true
               GROUP BY p.carrier ORDER BY moving DESC, p.carrier""",
            {
                "live": list(_LIVE_STATES),
                "trouble": list(TROUBLE),
                "day": day,
                "now": now,
                "most": LIVE_AT_MOST,
            },
        )
        .fetchall()
    )


def list_floor(conn: Conn, *, day: datetime, now: datetime) -> list[FloorRow]:
    """By warehouse and carrier, from parcels of the last days: what has to leave today and what has left."""
    return (
        conn.cursor(row_factory=class_row(FloorRow))
        .execute(
            """SELECT w.name AS warehouse, p.carrier, COALESCE(w.cutoffs ->> p.carrier, w.cutoff) AS cutoff,
                      count(*) FILTER (WHERE p.stage IN ('issued', 'printed')) AS to_go,
                      count(*) FILTER (WHERE p.dispatched_at >= %(day)s) AS gone
               FROM parcel p JOIN warehouse w ON w.id = p.warehouse_id
               WHERE p.id >= %(recent)s AND (p.stage IN ('issued', 'printed') OR p.dispatched_at >= %(day)s)
               GROUP BY 1, 2, 3 ORDER BY cutoff, warehouse, carrier LIMIT 12""",
            {"day": day, "recent": first_id(now - RECENT)},
        )
        .fetchall()
    )


def read_punctuality(conn: Conn, *, day: datetime, now: datetime) -> Punctuality:
    row = conn.execute(
        """SELECT count(*) FILTER (WHERE sent.at >= %(day)s AND o.ship_by IS NOT NULL),
                  count(*) FILTER (WHERE sent.at >= %(day)s AND sent.at <= o.ship_by),
                  count(*) FILTER (WHERE o.delivered_at >= %(day)s AND o.promised_at IS NOT NULL),
                  count(*) FILTER (WHERE o.delivered_at >= %(day)s AND o.delivered_at <= o.promised_at)
           FROM orders o
           LEFT JOIN LATERAL (
               SELECT max(p.dispatched_at) AS at FROM parcel_order po JOIN parcel p ON p.id = po.parcel_id
               WHERE po.order_id = o.id) sent ON true
           WHERE o.moved_at >= %(day)s""",
        {"day": day, "now": now},
    ).fetchone()
    assert row is not None
    return Punctuality(*row)


def read_setup(conn: Conn) -> Setup:
    """What the floor and the accounts warn of."""
    row = conn.execute(
        """SELECT (SELECT count(*) FROM printer WHERE state = 'offline' AND disabled_at IS NULL),
                  EXISTS (SELECT FROM orders), EXISTS (SELECT FROM carrier_account WHERE disabled_at IS NULL)"""
    ).fetchone()
    assert row is not None
    low = conn.execute(
        """SELECT carrier, available FROM carrier_account
           WHERE disabled_at IS NULL AND available < low_mark ORDER BY available LIMIT 5"""
    ).fetchall()
    return Setup(row[0], tuple((carrier, left) for carrier, left in low), row[1], row[2])


def first_id(at: datetime) -> int:
    """The smallest id minted at this instant: rows of a stretch of time by their primary key."""
    return max(int(at.timestamp() * 1000) - EPOCH_MS, 0) << LOW_BITS
