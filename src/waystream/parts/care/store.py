"""SQL of tickets and their log: held, inserted, saved set-wise; and how the parcels and orders they are about stand.

What people list and read is `store_lists`, a shop's hours are `store_hours`.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import kwargs_row

from waystream.core.care import Cause, Ending, Priority, Severity
from waystream.core.state import Direction, Kind, State
from waystream.kernel.columns import bigints, blobs, instants, integers, texts
from waystream.parts.care.model import Entry, Key, Standing, Ticket
from waystream.parts.care.standing import Sold, Where

Conn = Connection[Any]

COLUMNS = """id, shop_id, cause, kind, state, priority, severity, times, parcel_id, order_id, slowdown_id,
    warehouse_id, about, because, trouble_at, opened_at, raised_at, reopened_at, clock_at, due_at, assignee, taken_at,
    closed_at, closed_by, ending, merged_into, version"""


def ticket_of(*, cause: str, state: str, priority: str, severity: int, ending: str, **row: Any) -> Ticket:
    """A row as the value that it is."""
    return Ticket(
        cause=Cause(cause),
        state=Standing(state),
        priority=Priority(priority),
        severity=Severity(severity),
        ending=Ending(ending) if ending else None,
        **row,
    )


def hold(conn: Conn, ticket_ids: Collection[int]) -> list[Ticket]:
    """Locked until the transaction ends, in the order of their ids."""
    if not ticket_ids:
        return []
    with conn.cursor(row_factory=kwargs_row(ticket_of)) as cur:
        return cur.execute(
            f"SELECT {COLUMNS} FROM ticket WHERE id = ANY (%b::bigint[]) ORDER BY id FOR NO KEY UPDATE",
            [bigints(list(ticket_ids))],
        ).fetchall()


def hold_newest(conn: Conn, keys: Sequence[Key]) -> dict[Key, Ticket]:
    """For each shop, thing and cause the open ticket, else the one that was opened last; locked."""
    rows = conn.execute(
        """SELECT found.id
           FROM unnest(%b::bigint[], %b::text[], %b::text[]) AS wanted (shop_id, about, cause)
           CROSS JOIN LATERAL (
               SELECT id FROM ticket t
               WHERE t.about = wanted.about AND t.cause = wanted.cause AND t.shop_id = wanted.shop_id
               ORDER BY t.state = 'closed', t.id DESC LIMIT 1) AS found""",
        [
            bigints([shop_id for shop_id, _, _ in keys]),
            texts([about for _, about, _ in keys]),
            texts([cause for _, _, cause in keys]),
        ],
    )
    return {ticket.key: ticket for ticket in hold(conn, [ticket_id for (ticket_id,) in rows])}


def hold_open_of_parcels(conn: Conn, parcel_ids: Collection[int]) -> list[Ticket]:
    """What every movement asks, and nearly always in vain: one look at an index of the open ones."""
    return hold(conn, _list_open(conn, "parcel_id", parcel_ids, "true"))


def hold_open_of_orders(conn: Conn, order_ids: Collection[int]) -> list[Ticket]:
    """Of whole orders: those of a parcel follow the parcel."""
    return hold(conn, _list_open(conn, "order_id", order_ids, "parcel_id IS NULL AND slowdown_id IS NULL"))


def hold_open_of_slowdowns(conn: Conn, slowdown_ids: Collection[int]) -> list[Ticket]:
    return hold(conn, _list_open(conn, "slowdown_id", slowdown_ids, "true"))


def _list_open(conn: Conn, column: str, ids: Collection[int], where: str) -> list[int]:
    """One probe of an index of the open ones for each id: given them all at once the planner may read every ticket."""
    query = f"""SELECT found.id FROM unnest(%b::bigint[]) AS wanted (id) CROSS JOIN LATERAL (
                    SELECT id FROM ticket WHERE state <> 'closed' AND {column} = wanted.id AND {where} OFFSET 0
                ) AS found"""
    return [ticket_id for (ticket_id,) in conn.execute(query.encode(), [bigints(list(ids))])]


def insert(conn: Conn, tickets: Sequence[Ticket]) -> set[int]:
    """The ids of those that are in; where another transaction was first, its ticket stays and ours is not."""
    if not tickets:
        return set()
    rows = conn.execute(
        """INSERT INTO ticket (id, shop_id, cause, kind, priority, severity, parcel_id, order_id, slowdown_id,
                               warehouse_id, because, trouble_at, opened_at, clock_at, due_at)
           SELECT * FROM unnest(%b::bigint[], %b::bigint[], %b::text[], %b::text[], %b::text[], %b::int[],
               %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::text[], %b::timestamptz[],
               %b::timestamptz[], %b::timestamptz[], %b::timestamptz[])
           ON CONFLICT (about, cause, shop_id) WHERE state <> 'closed' DO NOTHING
           RETURNING id""",
        [
            bigints([ticket.id for ticket in tickets]),
            bigints([ticket.shop_id for ticket in tickets]),
            texts([ticket.cause for ticket in tickets]),
            texts([ticket.kind for ticket in tickets]),
            texts([ticket.priority for ticket in tickets]),
            integers([ticket.severity for ticket in tickets]),
            bigints([ticket.parcel_id for ticket in tickets]),
            bigints([ticket.order_id for ticket in tickets]),
            bigints([ticket.slowdown_id for ticket in tickets]),
            bigints([ticket.warehouse_id for ticket in tickets]),
            texts([ticket.because for ticket in tickets]),
            instants([ticket.trouble_at for ticket in tickets]),
            instants([ticket.opened_at for ticket in tickets]),
            instants([ticket.clock_at for ticket in tickets]),
            instants([ticket.due_at for ticket in tickets]),
        ],
    )
    return {ticket_id for (ticket_id,) in rows}


def save(conn: Conn, tickets: Sequence[Ticket]) -> None:
    """What may change of tickets that are held; each gets its next version."""
    if not tickets:
        return
    conn.execute(
        """UPDATE ticket SET kind = new.kind, state = new.state, priority = new.priority, severity = new.severity,
               times = new.times, because = new.because, trouble_at = new.trouble_at, raised_at = new.raised_at,
               reopened_at = new.reopened_at, clock_at = new.clock_at, due_at = new.due_at, assignee = new.assignee,
               taken_at = new.taken_at, closed_at = new.closed_at, closed_by = new.closed_by, ending = new.ending,
               merged_into = new.merged_into, version = ticket.version + 1
           FROM unnest(%b::bigint[], %b::text[], %b::text[], %b::text[], %b::int[], %b::int[], %b::text[],
                       %b::timestamptz[], %b::timestamptz[], %b::timestamptz[], %b::timestamptz[], %b::timestamptz[],
                       %b::text[], %b::timestamptz[], %b::timestamptz[], %b::text[], %b::text[], %b::bigint[])
               AS new (id, kind, state, priority, severity, times, because, trouble_at, raised_at, reopened_at,
                       clock_at, due_at, assignee, taken_at, closed_at, closed_by, ending, merged_into)
           WHERE ticket.id = new.id""",
        [
            bigints([ticket.id for ticket in tickets]),
            texts([ticket.kind for ticket in tickets]),
            texts([ticket.state for ticket in tickets]),
            texts([ticket.priority for ticket in tickets]),
            integers([ticket.severity for ticket in tickets]),
            integers([ticket.times for ticket in tickets]),
            texts([ticket.because for ticket in tickets]),
            instants([ticket.trouble_at for ticket in tickets]),
            instants([ticket.raised_at for ticket in tickets]),
            instants([ticket.reopened_at for ticket in tickets]),
            instants([ticket.clock_at for ticket in tickets]),
            instants([ticket.due_at for ticket in tickets]),
            texts([ticket.assignee for ticket in tickets]),
            instants([ticket.taken_at for ticket in tickets]),
            instants([ticket.closed_at for ticket in tickets]),
            texts([ticket.closed_by for ticket in tickets]),
            texts([ticket.ending or "" for ticket in tickets]),
            bigints([ticket.merged_into for ticket in tickets]),
        ],
    )


def write(conn: Conn, entries: Iterable[tuple[Entry, int | None, bytes]], *, at: datetime) -> None:
    """Lines of the log, each with the key of its text and the sealed text, in their order."""
    rows = list(entries)
    if not rows:
        return
    conn.execute(
        """INSERT INTO ticket_entry (ticket_id, shop_id, at, what, actor, word, because, key_id, sealed)
           SELECT ticket_id, shop_id, %(at)s, what, actor, word, because, key_id, sealed
           FROM unnest(%(tickets)b::bigint[], %(shops)b::bigint[], %(whats)b::text[], %(actors)b::text[],
                       %(words)b::text[], %(becauses)b::text[], %(keys)b::bigint[], %(sealed)b::bytea[])
               WITH ORDINALITY AS new (ticket_id, shop_id, what, actor, word, because, key_id, sealed, nth)
           ORDER BY nth""",
        {
            "at": at,
            "tickets": bigints([entry.ticket_id for entry, _, _ in rows]),
            "shops": bigints([entry.shop_id for entry, _, _ in rows]),
            "whats": texts([entry.what for entry, _, _ in rows]),
            "actors": texts([entry.actor for entry, _, _ in rows]),
            "words": texts([entry.word for entry, _, _ in rows]),
            "becauses": texts([entry.because for entry, _, _ in rows]),
            "keys": bigints([key_id for _, key_id, _ in rows]),
            "sealed": blobs([sealed for _, _, sealed in rows]),
        },
    )


def list_buyer_keys(conn: Conn, ticket_ids: Collection[int]) -> dict[int, int]:
    """By ticket the key of the receiver of its parcel, else of its order; an incident has none."""
    rows = conn.execute(
        """SELECT ticket.id, person.key_id
           FROM ticket
           LEFT JOIN parcel ON parcel.id = ticket.parcel_id
           LEFT JOIN orders ON orders.id = ticket.order_id
           JOIN person ON person.id = CASE WHEN parcel.id IS NULL THEN orders.person_id ELSE parcel.person_id END
           WHERE ticket.id = ANY (%b::bigint[])""",
        [bigints(list(ticket_ids))],
    )
    return dict(rows.fetchall())


def list_where(conn: Conn, parcel_ids: Collection[int]) -> dict[int, Where]:
    """How parcels stand; one without a track waits to be collected."""
    rows = conn.execute(
        """SELECT parcel.id, parcel.shop_id, parcel.warehouse_id,
                  (SELECT min(order_id) FROM parcel_order WHERE parcel_order.parcel_id = parcel.id),
                  parcel.stage = 'voided', coalesce(track.state, 'awaiting_collection'), coalesce(track.kind, ''),
                  coalesce(track.direction, 'out'), track.at, track.collected_at, track.scanned_at
           FROM parcel LEFT JOIN track ON track.parcel_id = parcel.id
           WHERE parcel.id = ANY (%b::bigint[])""",
        [bigints(list(parcel_ids))],
    )
    return {row[0]: _where(*row) for row in rows}


def _where(parcel_id: int, shop_id: int, warehouse_id: int, order_id: int | None, voided: bool, *track: Any) -> Where:
    state, kind, direction, changed_at, collected_at, scanned_at = track
    return Where(
        parcel_id=parcel_id,
        shop_id=shop_id,
        warehouse_id=warehouse_id,
        order_id=order_id,
        voided=voided,
        state=State(state),
        kind=Kind(kind),
        direction=Direction(direction),
        at=changed_at,
        collected_at=collected_at,
        scanned_at=scanned_at,
    )


def list_sold(conn: Conn, order_ids: Collection[int]) -> dict[int, Sold]:
    rows = conn.execute(
        """SELECT id, shop_id, warehouse_id, dispatch = 'all', word = 'delivered',
                  cancelled_at IS NOT NULL OR word IN ('closed', 'completed')
           FROM orders WHERE id = ANY (%b::bigint[])""",
        [bigints(list(order_ids))],
    )
    return {row[0]: _sold(*row) for row in rows}


def _sold(order_id: int, shop_id: int, warehouse_id: int, *stands: bool) -> Sold:
    dispatched, delivered, over = stands
    return Sold(
        order_id=order_id,
        shop_id=shop_id,
        warehouse_id=warehouse_id,
        dispatched=dispatched,
        delivered=delivered,
        over=over,
    )


#: Whether a rule has read every event of a parcel, and at least one.
_DIGESTED = """
    EXISTS (SELECT FROM event JOIN log ON log.event_id = event.id WHERE event.subject = 'parcel:' || {parcel})
    AND NOT EXISTS (
        SELECT FROM event LEFT JOIN log ON log.event_id = event.id
        WHERE event.subject = 'parcel:' || {parcel} AND (log.position IS NULL OR log.position > coalesce(
            (SELECT position FROM rule_cursor WHERE rule = %(rule)s), 0)))"""


def list_troubled(conn: Conn, *, rule: str, after_id: int, limit: int) -> list[int]:
    """Parcels of which the carrier may say that something is wrong, all of whose events the rule has read."""
    rows = conn.execute(
        f"""SELECT parcel_id FROM track
            WHERE parcel_id > %(after)s
              AND (state IN ('attempt_failed', 'exception', 'lost', 'returning', 'returned') OR direction = 'back')
              AND {_DIGESTED.format(parcel="track.parcel_id")}
            ORDER BY parcel_id LIMIT %(limit)s""".encode(),
        {"rule": rule, "after": after_id, "limit": limit},
    )
    return [parcel_id for (parcel_id,) in rows]


def list_of_parcels(conn: Conn, parcel_ids: Collection[int]) -> list[Ticket]:
    """All that there ever were, not locked."""
    with conn.cursor(row_factory=kwargs_row(ticket_of)) as cur:
        query = f"SELECT {COLUMNS} FROM ticket WHERE parcel_id = ANY (%b::bigint[]) ORDER BY id"
        return cur.execute(query, [bigints(list(parcel_ids))]).fetchall()


def list_open_after(conn: Conn, *, rule: str, after_id: int, limit: int) -> list[Ticket]:
    """Open tickets of parcels all of whose events the rule has read, by id; not locked."""
    with conn.cursor(row_factory=kwargs_row(ticket_of)) as cur:
        return cur.execute(
            f"""SELECT {COLUMNS} FROM ticket
                WHERE state <> 'closed' AND parcel_id IS NOT NULL AND id > %(after)s
                  AND {_DIGESTED.format(parcel="ticket.parcel_id")}
                ORDER BY id LIMIT %(limit)s""".encode(),
            {"rule": rule, "after": after_id, "limit": limit},
        ).fetchall()
