"""What the workbench reads beyond the parts' own answers: the queue page by page, its counts, what a ticket is about.

The queue is walked by (due_at, id) over the open tickets only, so it costs what is open and never what is stored.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from waystream.web.pages.workbench.texts import Facts

Conn = Connection[Any]

QUEUE_ROWS = 50
EARLIER_AT_MOST = 10
GROUPED_AT_MOST = 5_000
NUMBERS = 1_000_000  # a ticket is called by the end of its id

Place = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks of the queue; empty is all. `found` are the orders of a search, `warehouses` the caller's.

    With `found` closed tickets are listed as well, as they answer a question about the past.
    """

    due_before: datetime | None = None
    assignee: str = ""
    cause: str = ""
    carrier: str = ""
    priority: str = ""
    shop_id: int | None = None
    number: int | None = None
    free_for: str = ""  # not in the hands of anybody but this person
    found: tuple[int, ...] | None = None
    warehouses: tuple[int, ...] | None = None
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A ticket of the queue, masked."""

    id: int
    cause: str
    kind: str
    state: str
    priority: str
    due_at: datetime
    assignee: str
    taker: str
    carrier: str
    warehouse: str
    name_mask: str
    province: str
    city: str


#: Asked row by row of the few that are open: a join would read every parcel there is.
_CARRIER = "COALESCE((SELECT p.carrier FROM parcel p WHERE p.id = t.parcel_id), '')"


def list_queue(conn: Conn, wanted: Wanted, *, limit: int = QUEUE_ROWS) -> list[Row]:
    """What is due first comes first; `limit` rows after `wanted.after`. Names are looked up for those rows only."""
    query = f"""
        WITH page AS MATERIALIZED (
            SELECT t.id, t.cause, t.kind, t.state, t.priority, t.due_at, t.assignee, t.parcel_id, t.order_id,
                   t.warehouse_id
            FROM ticket t WHERE {_conditions(wanted)} ORDER BY t.due_at, t.id LIMIT %(limit)s),
        people AS MATERIALIZED (
            SELECT t.id, COALESCE((SELECT p.person_id FROM parcel p WHERE p.id = t.parcel_id),
                                  (SELECT o.person_id FROM orders o WHERE o.id = t.order_id)) AS person_id FROM page t),
        buyers AS MATERIALIZED (
            SELECT id, name_mask, province, city FROM person
            WHERE id = ANY (ARRAY(SELECT DISTINCT person_id FROM people WHERE person_id IS NOT NULL)))
        SELECT t.id, t.cause, t.kind, t.state, t.priority, t.due_at, t.assignee, COALESCE(staff.name, '') AS taker,
               {_CARRIER} AS carrier, COALESCE(w.name, '') AS warehouse, COALESCE(buyer.name_mask, '') AS name_mask,
               COALESCE(buyer.province, '') AS province, COALESCE(buyer.city, '') AS city
        FROM page t LEFT JOIN warehouse w ON w.id = t.warehouse_id
        LEFT JOIN staff ON t.assignee = 'staff:' || staff.id::text
        JOIN people ON people.id = t.id LEFT JOIN buyers buyer ON buyer.id = people.person_id
        ORDER BY t.due_at, t.id"""
    values = {**_values(wanted), "limit": limit}
    return conn.cursor(row_factory=class_row(Row)).execute(query.encode(), values).fetchall()


def find_place(conn: Conn, ticket_id: int) -> Place | None:
    """Where a ticket stands in the queue, open or closed."""
    row = conn.execute("SELECT due_at, id FROM ticket WHERE id = %s", [ticket_id]).fetchone()
    return (row[0], row[1]) if row else None


@dataclass(frozen=True, slots=True)
class Group:
    """So many open tickets of one kind; what counts are made of."""

    shop_id: int
    cause: str
    carrier: str
    priority: str
    assignee: str
    late: bool
    today: bool
    n: int


def list_groups(conn: Conn, *, now: datetime, tonight: datetime, warehouses: tuple[int, ...] | None) -> list[Group]:
    """The open tickets within the caller's shops and warehouses, counted: the `GROUPED_AT_MOST` that are due first."""
    query = f"""SELECT t.shop_id, t.cause, {_CARRIER} AS carrier, t.priority, t.assignee,
                       t.due_at < %(now)s AS late, t.due_at < %(tonight)s AS today, count(*)::int AS n
                FROM (SELECT * FROM ticket t WHERE t.state <> 'closed' AND {_HERE}
                      ORDER BY t.due_at, t.id LIMIT {GROUPED_AT_MOST}) t
                GROUP BY 1, 2, 3, 4, 5, 6, 7"""
    values = {"now": now, "tonight": tonight, "warehouses": _list(warehouses)}
    return conn.cursor(row_factory=class_row(Group)).execute(query.encode(), values).fetchall()


def count_untaken(conn: Conn, *, warehouses: Collection[int] | None, most: int) -> int:
    """Open tickets that nobody works on, counted up to `most`."""
    query = f"""SELECT count(*) FROM (
                    SELECT FROM ticket t WHERE t.state = 'open' AND {_HERE} LIMIT %(most)s)"""
    row = conn.execute(query.encode(), {"warehouses": _list(warehouses), "most": most}).fetchone()
    assert row is not None
    return int(row[0])


#: An incident belongs to no warehouse: who is limited to some sees it by its parcels' tickets.
_HERE = "(%(warehouses)s::bigint[] IS NULL OR t.warehouse_id = ANY (%(warehouses)s))"


def _conditions(wanted: Wanted) -> str:
    given = {
        "t.state <> 'closed'": wanted.found is None,
        "t.due_at < %(before)s": wanted.due_before,
        "t.assignee = %(assignee)s": wanted.assignee,
        "t.cause = %(cause)s": wanted.cause,
        f"{_CARRIER} = %(carrier)s": wanted.carrier,
        "t.priority = %(priority)s": wanted.priority,
        "t.shop_id = %(shop)s": wanted.shop_id,
        f"t.id %% {NUMBERS} = %(ticket)s": wanted.number is not None,
        "t.order_id = ANY (%(found)s)": wanted.found is not None,
        "t.assignee IN ('', %(free)s)": wanted.free_for,
        "(t.due_at, t.id) > (%(at)s, %(id)s)": wanted.after,
    }
    return " AND ".join([*(condition for condition, asked in given.items() if asked), _HERE])


def _values(wanted: Wanted) -> dict[str, Any]:
    at, row_id = wanted.after or (None, None)
    return {
        "before": wanted.due_before,
        "assignee": wanted.assignee,
        "cause": wanted.cause,
        "carrier": wanted.carrier,
        "priority": wanted.priority,
        "shop": wanted.shop_id,
        "ticket": wanted.number,
        "free": wanted.free_for,
        "found": _list(wanted.found),
        "warehouses": _list(wanted.warehouses),
        "at": at,
        "id": row_id,
    }


def _list(ids: Collection[int] | None) -> list[int] | None:
    return None if ids is None else sorted(ids)


@dataclass(frozen=True, slots=True)
class Subject:
    """A ticket with what it is about; `order_id` None where it is about a slow-down alone."""

    id: int
    shop_id: int
    cause: str
    kind: str
    state: str
    priority: str
    times: int
    parcel_id: int | None
    order_id: int | None
    slowdown_id: int | None
    because: str
    trouble_at: datetime
    opened_at: datetime
    due_at: datetime
    assignee: str
    taken_at: datetime | None
    closed_at: datetime | None
    closed_by: str
    ending: str
    merged_into: int | None
    warehouse_id: int | None
    version: int


def find_subject(conn: Conn, ticket_id: int, *, warehouses: Collection[int] | None) -> Subject | None:
    """The ticket, within the transaction's shops and these warehouses."""
    query = f"""SELECT t.id, t.shop_id, t.cause, t.kind, t.state, t.priority, t.times, t.parcel_id, t.order_id,
                       t.slowdown_id, t.because, t.trouble_at, t.opened_at, t.due_at, t.assignee, t.taken_at,
                       t.closed_at, t.closed_by, t.ending, t.merged_into, t.version,
                       t.warehouse_id
                FROM ticket t WHERE t.id = %(ticket)s AND {_HERE}"""
    values = {"ticket": ticket_id, "warehouses": _list(warehouses)}
    return conn.cursor(row_factory=class_row(Subject)).execute(query.encode(), values).fetchone()


def get_subject(conn: Conn, ticket_id: int) -> Subject:
    """A ticket that is known to be within reach."""
    found = find_subject(conn, ticket_id, warehouses=None)
    assert found is not None, "a ticket within reach is there"
    return found


def find_facts(conn: Conn, parcel_id: int) -> Facts | None:
    """What a text for the carrier is made of; None where the parcel has no number."""
    query = """SELECT p.carrier, b.number, concat(person.province, person.city, person.district) AS region,
                      COALESCE(t.latest, '') AS latest, t.at AS scanned_at
               FROM parcel p JOIN person ON person.id = p.person_id LEFT JOIN track t ON t.parcel_id = p.id
               JOIN LATERAL (SELECT number FROM binding WHERE parcel_id = p.id
                             ORDER BY state = 'cancelled', id DESC LIMIT 1) b ON true
               WHERE p.id = %s"""
    return conn.cursor(row_factory=class_row(Facts)).execute(query, [parcel_id]).fetchone()


def find_total(conn: Conn, order_id: int) -> int:
    row = conn.execute("SELECT total_fen FROM orders WHERE id = %s", [order_id]).fetchone()
    return int(row[0]) if row else 0


@dataclass(frozen=True, slots=True)
class Cause:
    """What made an event: `push:ID` leads to the bytes."""

    at: datetime
    cause: str


def find_cause(conn: Conn, event_id: int) -> Cause | None:
    query = "SELECT at, cause FROM event WHERE id = %s"
    return conn.cursor(row_factory=class_row(Cause)).execute(query, [event_id]).fetchone()


@dataclass(frozen=True, slots=True)
class Incident:
    """A slow-down as one shop sees it: how many of its parcels wait, how many of its orders were told of it."""

    carrier: str
    place: str
    began_at: datetime
    parcels: int
    told: int


def find_incident(conn: Conn, slowdown_id: int, *, shop_id: int) -> Incident | None:
    query = """
        WITH held AS (SELECT DISTINCT parcel_id FROM silence WHERE slowdown_id = %(slowdown)s AND shop_id = %(shop)s)
        SELECT carrier, place, began_at, (SELECT count(*) FROM held)::int AS parcels,
               (SELECT count(DISTINCT n.order_id) FROM held JOIN parcel_order po ON po.parcel_id = held.parcel_id
                JOIN notice n ON n.order_id = po.order_id AND n.kind IN ('slowdown', 'incident')
                WHERE n.state NOT IN ('refused', 'dropped'))::int AS told
        FROM slowdown WHERE id = %(slowdown)s"""
    values = {"slowdown": slowdown_id, "shop": shop_id}
    return conn.cursor(row_factory=class_row(Incident)).execute(query, values).fetchone()


@dataclass(frozen=True, slots=True)
class Earlier:
    """Another ticket of the same order or parcel."""

    id: int
    cause: str
    state: str
    ending: str
    opened_at: datetime


def list_earlier(conn: Conn, ticket: Subject) -> list[Earlier]:
    """Others of the same order, the newest first."""
    query = """SELECT id, cause, state, ending, opened_at FROM ticket
               WHERE order_id = %s AND id <> %s ORDER BY id DESC LIMIT %s"""
    values = [ticket.order_id, ticket.id, EARLIER_AT_MOST]
    return conn.cursor(row_factory=class_row(Earlier)).execute(query, values).fetchall()


def list_names(conn: Conn, actors: Collection[str]) -> dict[str, str]:
    """Staff by `staff:ID`."""
    ids = [int(actor[6:]) for actor in set(actors) if actor.startswith("staff:") and actor[6:].isdecimal()]
    rows = conn.execute("SELECT id, name FROM staff WHERE id = ANY (%s)", [ids]).fetchall()
    return {f"staff:{row_id}": name for row_id, name in rows}
