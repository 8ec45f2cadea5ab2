"""SQL of what people read: the queue, a ticket's log, earlier tickets of an order or a buyer, counts, colleagues."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, kwargs_row

from waystream.core.care import Cause, Priority
from waystream.core.person import Term
from waystream.kernel.columns import bigints
from waystream.parts.care.model import Ticket, What
from waystream.parts.care.store import COLUMNS, ticket_of

Conn = Connection[Any]
Cursor = tuple[datetime, int]

NOBODY = "nobody"
LIVE, OPEN, TAKEN, CLOSED, EVERY = "live", "open", "taken", "closed", "every"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which tickets. `state`: live (open or taken), open, taken, closed, every; empty collections are every one.

    `assignee`: `staff:ID`, or NOBODY; `due_before`: overdue at that instant; `warehouses` None: every one.
    """

    state: str = LIVE
    priorities: frozenset[Priority] = frozenset()
    causes: frozenset[Cause] = frozenset()
    assignee: str = ""
    shop_id: int | None = None
    order_id: int | None = None
    parcel_id: int | None = None
    slowdown_id: int | None = None
    due_before: datetime | None = None
    warehouses: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A ticket with what a line of the queue shows. `number` and `carrier` are the waybill's, `receiver` is masked;
    a name is empty for nobody, and what needs a parcel or an order where there is none."""

    ticket: Ticket
    shop: str
    order_number: str
    number: str
    carrier: str
    parcel_state: str
    parcel_kind: str
    latest: str
    receiver: str
    assignee_name: str
    closed_by_name: str


@dataclass(frozen=True, slots=True)
class EntryRow:
    """A line of a log. `actor_name` empty: by itself; `word_name`: whom it was handed to."""

    id: int
    ticket_id: int
    at: datetime
    what: What
    actor: str
    actor_name: str
    word: str
    word_name: str
    because: str
    key_id: int | None
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who works with tickets: `actor` is `staff:ID`."""

    actor: str
    name: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Of the live tickets that the transaction and the warehouses let one see."""

    live: int
    high: int
    overdue: int
    unassigned: int
    mine: int


_NAME = """coalesce((SELECT name FROM staff WHERE {who} = 'staff:' || staff.id::text),
                    (SELECT name FROM api_key WHERE {who} = 'key:' || api_key.id::text), {who})"""

#: Tickets that are chosen, with all that a line shows: names are looked up for the chosen ones only.
_LISTED = f"""
WITH ticket AS MATERIALIZED ({{chosen}}), about AS MATERIALIZED (
    SELECT ticket.id, coalesce(
        (SELECT person_id FROM parcel WHERE parcel.id = ticket.parcel_id),
        (SELECT person_id FROM orders WHERE orders.id = ticket.order_id)) AS person_id FROM ticket)
SELECT {{columns}}, shop.code AS shop, coalesce(orders.number, '') AS order_number,
       coalesce(binding.number, '') AS number, coalesce(track.carrier, parcel.carrier, '') AS carrier,
       coalesce(track.state, '') AS parcel_state, coalesce(track.kind, '') AS parcel_kind,
       coalesce(track.latest, '') AS latest, coalesce(person.name_mask, '') AS receiver,
       {_NAME.format(who="ticket.assignee")} AS assignee_name, {_NAME.format(who="ticket.closed_by")} AS closed_by_name
FROM ticket JOIN about ON about.id = ticket.id
JOIN shop ON shop.id = ticket.shop_id
LEFT JOIN orders ON orders.id = ticket.order_id
LEFT JOIN parcel ON parcel.id = ticket.parcel_id
LEFT JOIN track ON track.parcel_id = ticket.parcel_id
LEFT JOIN binding ON binding.id = track.binding_id
LEFT JOIN person ON person.id = about.person_id
""".replace("{columns}", ", ".join(f"ticket.{name.strip()}" for name in COLUMNS.split(",")))

_WANTED = """
    (%(priorities)s::text[] IS NULL OR ticket.priority = ANY (%(priorities)s))
AND (%(causes)s::text[] IS NULL OR ticket.cause = ANY (%(causes)s))
AND (%(assignee)s = '' OR ticket.assignee = CASE %(assignee)s WHEN 'nobody' THEN '' ELSE %(assignee)s END)
AND (%(shop)s::bigint IS NULL OR ticket.shop_id = %(shop)s)
AND (%(parcel)s::bigint IS NULL OR ticket.parcel_id = %(parcel)s)
AND (%(slowdown)s::bigint IS NULL OR ticket.slowdown_id = %(slowdown)s)
AND (%(due)s::timestamptz IS NULL OR ticket.due_at < %(due)s)
AND (%(warehouses)s::bigint[] IS NULL OR ticket.warehouse_id = ANY (%(warehouses)s))
"""

#: Put in only where an order is asked for: found by its indexes, never by reading every ticket.
_OF_ORDER = """
AND ticket.id = ANY (ARRAY(
    SELECT id FROM ticket WHERE order_id = %(order)s
    UNION ALL SELECT t.id FROM parcel_order p JOIN ticket t ON t.parcel_id = p.parcel_id WHERE p.order_id = %(order)s))
"""

#: Written out, so that the indexes of the open and of the closed ones can serve them.
_STATE = {
    LIVE: "ticket.state <> 'closed'",
    OPEN: "ticket.state <> 'closed' AND ticket.state = 'open'",
    TAKEN: "ticket.state <> 'closed' AND ticket.state = 'taken'",
    CLOSED: "ticket.state = 'closed'",
    EVERY: "true",
}
STATES = tuple(_STATE)


def _clause(wanted: Wanted) -> str:
    return _WANTED + (_OF_ORDER if wanted.order_id else "")


def _values(wanted: Wanted) -> dict[str, Any]:
    return {
        "priorities": sorted(wanted.priorities) or None,
        "causes": sorted(wanted.causes) or None,
        "assignee": wanted.assignee,
        "shop": wanted.shop_id,
        "order": wanted.order_id,
        "parcel": wanted.parcel_id,
        "slowdown": wanted.slowdown_id,
        "due": wanted.due_before,
        "warehouses": None if wanted.warehouses is None else sorted(wanted.warehouses),
    }


def list_wanted(conn: Conn, wanted: Wanted, *, after: Cursor | None, limit: int) -> list[Listed]:
    """What is due first comes first; closed ones and every one: the newest first."""
    at = {CLOSED: "ticket.closed_at", EVERY: "ticket.opened_at"}.get(wanted.state, "ticket.due_at")
    forward = at == "ticket.due_at"
    compare, way = (">", "ASC") if forward else ("<", "DESC")
    place = f"(%(after_at)s::timestamptz IS NULL OR ({at}, ticket.id) {compare} (%(after_at)s, %(after_id)s))"
    order = f"ORDER BY {at} {way}, ticket.id {way}"
    where = f"{_STATE[wanted.state]} AND {_clause(wanted)} AND {place}"
    query = _listed(_choose(wanted).format(where=where, order=order), order)
    last = {"after_at": after[0] if after else None, "after_id": after[1] if after else 0, "limit": limit}
    return _list(conn, query, _values(wanted) | last)


#: Ranges of the indexes that begin with the shop: of each shop a page, of these the first. Or what leaves few.
_BY_SHOP = """
SELECT ticket.* FROM shop CROSS JOIN LATERAL (
    SELECT * FROM ticket WHERE ticket.shop_id = shop.id AND {where} {order} LIMIT %(limit)s) AS ticket
WHERE (%(shop)s::bigint IS NULL OR shop.id = %(shop)s) {order} LIMIT %(limit)s"""
_PICKED = "SELECT * FROM ticket WHERE {where} {order} LIMIT %(limit)s"
_HELD = "SELECT * FROM ticket WHERE ticket.state = 'taken' AND {where} {order} LIMIT %(limit)s"


def _choose(wanted: Wanted) -> str:
    if wanted.order_id or wanted.parcel_id or wanted.slowdown_id:
        return _PICKED
    held = wanted.assignee not in ("", NOBODY) and wanted.state in (LIVE, TAKEN)
    return _HELD if held else _BY_SHOP


def _listed(chosen: str, order: str) -> str:
    return _LISTED.replace("{chosen}", chosen) + order


def list_known(conn: Conn, ticket_ids: Collection[int], *, warehouses: frozenset[int] | None) -> list[Listed]:
    """By ascending id; those that are not there or not seen are left out."""
    wanted = Wanted(state=EVERY, warehouses=warehouses)
    query = _listed(f"SELECT * FROM ticket WHERE ticket.id = ANY (%(ids)s) AND {_clause(wanted)}", "ORDER BY ticket.id")
    return _list(conn, query, _values(wanted) | {"ids": list(ticket_ids)})


_EARLIER = f"""
WITH this AS (SELECT * FROM ticket WHERE id = %(id)s), receiver AS MATERIALIZED (
    SELECT coalesce(parcel.person_id, orders.person_id) AS id
    FROM this LEFT JOIN parcel ON parcel.id = this.parcel_id LEFT JOIN orders ON orders.id = this.order_id
), bought AS (
    SELECT order_id AS id FROM this WHERE order_id IS NOT NULL
    UNION SELECT order_id FROM parcel_order WHERE parcel_id = (SELECT parcel_id FROM this)
    UNION SELECT other.id FROM receiver
        JOIN person_index mine ON mine.person_id = receiver.id AND mine.purpose = %(purpose)s
        JOIN person_index same ON same.shop_id = mine.shop_id AND same.purpose = mine.purpose AND same.hash = mine.hash
        JOIN orders other ON other.person_id = same.person_id
), related AS (
    SELECT found.id FROM bought CROSS JOIN LATERAL (
        SELECT id FROM ticket WHERE order_id = bought.id OFFSET 0) AS found
    UNION SELECT found.id FROM bought JOIN parcel_order ON parcel_order.order_id = bought.id
    CROSS JOIN LATERAL (
        SELECT id FROM ticket WHERE parcel_id = parcel_order.parcel_id OFFSET 0) AS found
)
SELECT * FROM ticket WHERE ticket.id = ANY (ARRAY(SELECT id FROM related WHERE id <> %(id)s)) AND {_WANTED}
{{order}} LIMIT %(limit)s"""


def list_earlier(conn: Conn, ticket_id: int, *, warehouses: frozenset[int] | None, limit: int) -> list[Listed]:
    """Other tickets of its order, its parcel, or of orders to somebody with a phone of its receiver; newest first."""
    order = "ORDER BY ticket.opened_at DESC, ticket.id DESC"
    query = _listed(_EARLIER.format(order=order), order)
    values = _values(Wanted(warehouses=warehouses)) | {"id": ticket_id, "purpose": int(Term.PHONE), "limit": limit}
    return _list(conn, query, values)


def _list(conn: Conn, query: str, values: dict[str, Any]) -> list[Listed]:
    with conn.cursor(row_factory=kwargs_row(_listed_of)) as cur:
        return cur.execute(query.encode(), values).fetchall()


_MORE = [name for name in Listed.__slots__ if name != "ticket"]


def _listed_of(**row: Any) -> Listed:
    more = {name: row.pop(name) for name in _MORE}
    return Listed(ticket_of(**row), **more)


def list_entries(conn: Conn, ticket_id: int, *, limit: int) -> list[EntryRow]:
    """The newest `limit`, oldest first."""
    with conn.cursor(row_factory=class_row(EntryRow)) as cur:
        rows = cur.execute(
            f"""SELECT id, ticket_id, at, what, actor, {_NAME.format(who="actor")} AS actor_name, word,
                      {_NAME.format(who="word")} AS word_name, because, key_id, sealed
               FROM ticket_entry WHERE ticket_id = %s ORDER BY id DESC LIMIT %s""".encode(),
            [ticket_id, limit],
        ).fetchall()
    return rows[::-1]


def hold_next(conn: Conn, wanted: Wanted) -> Ticket | None:
    """The open ticket that is due first and that nobody is just taking; locked."""
    with conn.cursor(row_factory=kwargs_row(ticket_of)) as cur:
        return cur.execute(
            f"""SELECT {COLUMNS} FROM ticket WHERE {_STATE[OPEN]} AND {_clause(wanted)}
                ORDER BY due_at, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED""".encode(),
            _values(wanted),
        ).fetchone()


def count(conn: Conn, wanted: Wanted, *, actor: str, at: datetime) -> Counts:
    row = conn.execute(
        f"""SELECT count(*), count(*) FILTER (WHERE priority = 'high'), count(*) FILTER (WHERE due_at < %(at)s),
                   count(*) FILTER (WHERE assignee = ''), count(*) FILTER (WHERE assignee = %(actor)s)
            FROM ticket WHERE {_STATE[LIVE]} AND {_clause(wanted)}""".encode(),
        _values(wanted) | {"at": at, "actor": actor},
    ).fetchone()
    assert row is not None
    return Counts(*row)


def list_names(conn: Conn, actors: Collection[str]) -> dict[str, str]:
    """Of `staff:ID` and `key:ID`."""
    rows = conn.execute(
        """SELECT 'staff:' || id, name FROM staff WHERE 'staff:' || id = ANY (%(actors)s)
           UNION ALL SELECT 'key:' || id, name FROM api_key WHERE 'key:' || id = ANY (%(actors)s)""",
        {"actors": list(actors)},
    )
    return dict(rows.fetchall())


def list_colleagues(conn: Conn, shop_id: int, *, roles: Collection[str]) -> list[Colleague]:
    """Who is in one of these roles for this shop and not disabled, by name."""
    rows = conn.execute(
        """SELECT 'staff:' || id, name FROM staff
           WHERE disabled_at IS NULL AND role = ANY (%(roles)s)
             AND (every_shop OR EXISTS (SELECT FROM staff_shop WHERE staff_id = staff.id AND shop_id = %(shop)s))
           ORDER BY name, id""",
        {"roles": sorted(roles), "shop": shop_id},
    )
    return [Colleague(actor, name) for actor, name in rows]


def list_owners(conn: Conn, ticket_ids: Sequence[int]) -> dict[int, tuple[int, int | None]]:
    """Shop and warehouse of tickets the transaction sees."""
    rows = conn.execute(
        "SELECT id, shop_id, warehouse_id FROM ticket WHERE id = ANY (%b::bigint[])", [bigints(list(ticket_ids))]
    )
    return {ticket_id: (shop_id, warehouse_id) for ticket_id, shop_id, warehouse_id in rows}
