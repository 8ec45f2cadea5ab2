"""What the overview reads: what stands and what passed from the tally, the rest from bounded pieces of indexes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

Conn = Connection[Any]

COUNTED_AT_MOST = 10_000
#: Punctuality is a share: that of today's newest so many.
SAMPLE_PARCELS = 1_000
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
    exception: int = 0

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
    """Of today's newest dispatches and deliveries: how many had a time to keep, how many kept it."""

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


@dataclass(frozen=True, slots=True)
class Quarter:
    """How many passed a step in the quarter of an hour that began at `slot`."""

    word: str
    slot: datetime
    n: int


def list_quarters(conn: Conn, *, since: datetime) -> list[Quarter]:
    """Every step by the quarter of an hour, read once for all that is counted of them."""
    query = """SELECT word, slot, sum(n)::bigint AS n FROM tally
               WHERE what = 'passed' AND slot >= %s GROUP BY word, slot"""
    return conn.cursor(row_factory=class_row(Quarter)).execute(query, [since]).fetchall()


def count_passed(quarters: Sequence[Quarter], since: datetime, until: datetime) -> Passed:
    """By whole quarters of an hour: the one of `until` counts."""
    counted: Counter[str] = Counter()
    for each in quarters:
        if since <= each.slot < until:
            counted[_FIELDS.get(each.word, each.word)] += each.n
    return Passed(**counted)


_FIELDS = {"received": "paid"}


HOURS = 24
#: What the overview draws by the hour: words of the tally.
DRAWN = ("received", "dispatched", "delivered", "exception", "failed")


def count_by_hour(quarters: Sequence[Quarter], *, until: datetime) -> dict[str, list[int]]:
    """How many passed each of `DRAWN` in each of the last 24 hours, the oldest first; the last is not over yet."""
    counts = {word: [0] * HOURS for word in DRAWN}
    for each in quarters:
        ago = _hour(until) - _hour(each.slot)
        if each.word in counts and 0 <= ago < HOURS and each.slot <= until:
            counts[each.word][HOURS - 1 - ago] += each.n
    return counts


def _hour(at: datetime) -> int:
    return int(at.timestamp() // 3600)


def count_states(conn: Conn) -> dict[str, int]:
    """Parcels by track state, of those that left the warehouse and have not ended."""
    rows = conn.execute(
        """SELECT word, sum(n)::bigint FROM standing WHERE what = 'state' AND word = ANY (%s) GROUP BY word""",
        [list(_LIVE_STATES)],
    ).fetchall()
    return dict(rows)


_LIVE_STATES = (
    "awaiting_collection", "no_trace", "collected", "in_transit", "arrived_at_outlet", "out_for_delivery",
    "ready_for_pickup", "attempt_failed", "exception", "intercepted", "forwarded", "customs", "returning", "unknown",
)  # fmt: skip


def count_stages(conn: Conn) -> dict[str, int]:
    """Parcels by their own stage, before they leave; `to_ship` are orders without a living parcel, up to a bound."""
    rows = conn.execute(
        """SELECT word, sum(n)::bigint FROM standing
           WHERE what = 'stage' AND word NOT IN ('dispatched', 'voided') GROUP BY word
           UNION ALL
           SELECT 'to_ship', count(*) FROM (
               SELECT o.id FROM (SELECT * FROM standing WHERE what = 'order' AND word = 'to_ship') cell
               CROSS JOIN LATERAL (
                   SELECT id FROM orders
                   WHERE shop_id = cell.shop_id AND warehouse_id = cell.warehouse_id AND word = 'to_ship'
                   ORDER BY moved_at DESC, id DESC LIMIT %(most)s) o
               LIMIT %(most)s) newest
           WHERE NOT EXISTS (
               SELECT FROM parcel_order po JOIN parcel p ON p.id = po.parcel_id
               WHERE po.order_id = newest.id AND p.stage <> 'voided')""",
        {"most": COUNTED_AT_MOST},
    ).fetchall()
    return dict(rows)


def list_causes(conn: Conn) -> list[Cause]:
    """Why parcels need a person; each cause with the carrier that has most of it."""
    return (
        conn.cursor(row_factory=class_row(Cause))
        .execute(
            """WITH troubled AS (
                   SELECT '' AS stage, cell.word AS state, cell.kind, cell.carrier, cell.n, oldest.at
                   FROM standing cell CROSS JOIN LATERAL (
                       SELECT changed_at AS at FROM track
                       WHERE shop_id = cell.shop_id AND warehouse_id = cell.warehouse_id
                         AND carrier = cell.carrier AND state = cell.word AND kind = cell.kind
                       ORDER BY changed_at, parcel_id LIMIT 1) oldest
                   WHERE cell.what = 'state' AND cell.word = ANY (%(trouble)s)
                   UNION ALL
                   SELECT cell.word, '', '', cell.carrier, cell.n, oldest.at
                   FROM standing cell CROSS JOIN LATERAL (
                       SELECT moved_at AS at FROM parcel
                       WHERE shop_id = cell.shop_id AND warehouse_id = cell.warehouse_id
                         AND carrier = cell.carrier AND stage = cell.word
                       ORDER BY moved_at, id LIMIT 1) oldest
                   WHERE cell.what = 'stage' AND cell.word IN ('refused', 'conflict', 'doubt')
               ), by_carrier AS (
                   SELECT stage, state, kind, carrier, sum(n)::bigint AS parcels, min(at) AS first_at FROM troubled
                   GROUP BY 1, 2, 3, 4)
               SELECT DISTINCT ON (stage, state, kind) stage, state, kind,
                      sum(parcels) OVER same::bigint AS parcels, min(first_at) OVER same AS first_at, carrier,
                      parcels AS of_carrier
               FROM by_carrier WINDOW same AS (PARTITION BY stage, state, kind)
               ORDER BY stage, state, kind, by_carrier.parcels DESC, carrier""",
            {"trouble": list(TROUBLE)},
        )
        .fetchall()
    )


#: Today's newest deliveries with the time they were promised for.
_ARRIVED = """
    SELECT newest.carrier, newest.delivered_at AS at, (
        SELECT min(orders.promised_at) FROM parcel_order po JOIN orders ON orders.id = po.order_id
        WHERE po.parcel_id = newest.parcel_id) AS by
    FROM (SELECT track.* FROM (SELECT DISTINCT shop_id FROM standing WHERE what = 'state' AND word = 'delivered') shop
          CROSS JOIN LATERAL (
              SELECT parcel_id, carrier, delivered_at FROM track
              WHERE shop_id = shop.shop_id AND delivered_at >= %(day)s
              ORDER BY delivered_at DESC, parcel_id DESC LIMIT %(sample)s) track
          ORDER BY delivered_at DESC, parcel_id DESC LIMIT %(sample)s) newest"""
_LEFT = """
    SELECT newest.dispatched_at AS at, (
        SELECT min(orders.ship_by) FROM parcel_order po JOIN orders ON orders.id = po.order_id
        WHERE po.parcel_id = newest.id) AS by
    FROM (SELECT parcel.* FROM (SELECT DISTINCT shop_id FROM standing WHERE what = 'stage' AND word = 'dispatched') shop
          CROSS JOIN LATERAL (
              SELECT id, dispatched_at FROM parcel
              WHERE shop_id = shop.shop_id AND dispatched_at >= %(day)s
              ORDER BY dispatched_at DESC, id DESC LIMIT %(sample)s) parcel
          ORDER BY dispatched_at DESC, id DESC LIMIT %(sample)s) newest"""


def list_carriers(conn: Conn, *, day: datetime, now: datetime) -> list[CarrierRow]:
    """By carrier: on the way, delivered today and how punctually, silent beyond the due time, in trouble."""
    query = f"""
        SELECT carrier, sum(moving)::bigint AS moving, sum(delivered)::bigint AS delivered,
               sum(in_time)::bigint AS in_time, sum(promised)::bigint AS promised, sum(silent)::bigint AS silent,
               sum(trouble)::bigint AS trouble
        FROM (
            SELECT carrier, CASE WHEN word = ANY (%(live)s) THEN n ELSE 0 END AS moving, 0 AS delivered, 0 AS in_time,
                   0 AS promised, 0 AS silent, CASE WHEN word = ANY (%(trouble)s) THEN n ELSE 0 END AS trouble
            FROM standing WHERE what = 'state' AND (word = ANY (%(live)s) OR word = ANY (%(trouble)s))
            UNION ALL
            SELECT carrier, 0, n, 0, 0, 0, 0 FROM tally
            WHERE what = 'passed' AND word = 'delivered' AND slot >= %(day)s
            UNION ALL
            SELECT carrier, 0, 0, (at <= by)::int, 1, 0, 0 FROM ({_ARRIVED}) arrived WHERE by IS NOT NULL
            UNION ALL
            (SELECT carrier, 0, 0, 0, 0, 1, 0 FROM track WHERE due_at < %(now)s LIMIT %(most)s)) AS told
        GROUP BY carrier ORDER BY moving DESC, carrier"""
    values = {
        "live": list(_LIVE_STATES), "trouble": list(TROUBLE), "day": day, "now": now, "most": COUNTED_AT_MOST,
        "sample": SAMPLE_PARCELS,
    }  # fmt: skip
    return conn.cursor(row_factory=class_row(CarrierRow)).execute(query.encode(), values).fetchall()


def list_floor(conn: Conn, *, day: datetime, now: datetime) -> list[FloorRow]:
    """By warehouse and carrier: what has to leave today and what has left."""
    return (
        conn.cursor(row_factory=class_row(FloorRow))
        .execute(
            """SELECT w.name AS warehouse, carrier, COALESCE(w.cutoffs ->> carrier, w.cutoff) AS cutoff,
                      sum(to_go)::bigint AS to_go, sum(gone)::bigint AS gone
               FROM (SELECT warehouse_id, carrier, n AS to_go, 0 AS gone FROM standing
                     WHERE what = 'stage' AND word IN ('issued', 'printed')
                     UNION ALL
                     SELECT warehouse_id, carrier, 0, n FROM tally
                     WHERE what = 'passed' AND word = 'dispatched' AND slot >= %(day)s) told
               JOIN warehouse w ON w.id = told.warehouse_id
               GROUP BY w.id, carrier HAVING sum(to_go + gone) > 0
               ORDER BY cutoff, warehouse, carrier LIMIT 12""",
            {"day": day},
        )
        .fetchall()
    )


def read_punctuality(conn: Conn, *, day: datetime, now: datetime) -> Punctuality:
    row = conn.execute(
        f"""SELECT sent.timed, sent.kept, arrived.timed, arrived.kept
            FROM (SELECT count(by) AS timed, count(*) FILTER (WHERE at <= by) AS kept FROM ({_LEFT}) l) sent,
                 (SELECT count(by) AS timed, count(*) FILTER (WHERE at <= by) AS kept FROM ({_ARRIVED}) a) arrived
        """.encode(),
        {"day": day, "sample": SAMPLE_PARCELS},
    ).fetchone()
    assert row is not None
    return Punctuality(*row)


def read_setup(conn: Conn) -> Setup:
    """What the floor and the accounts warn of."""
    row = conn.execute(
        """SELECT (SELECT count(*) FROM printer WHERE state = 'offline' AND disabled_at IS NULL),
                  EXISTS (SELECT FROM standing WHERE what = 'order'),
                  EXISTS (SELECT FROM carrier_account WHERE disabled_at IS NULL)"""
    ).fetchone()
    assert row is not None
    low = conn.execute(
        """SELECT carrier, left_over FROM (
               SELECT carrier, low_mark, CASE WHEN draws THEN (SELECT count(*) FROM (
                          SELECT FROM reserved_number WHERE account_id = carrier_account.id AND drawn_at IS NULL
                          LIMIT low_mark)) ELSE available END AS left_over
               FROM carrier_account WHERE disabled_at IS NULL) account
           WHERE left_over < low_mark ORDER BY left_over LIMIT 5"""
    ).fetchall()
    return Setup(row[0], tuple((carrier, left) for carrier, left in low), row[1], row[2])
