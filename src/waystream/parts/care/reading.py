"""What people read of tickets: the queue, one ticket whole, counts. Row-level security holds the shops, `warehouses`
the warehouses: what is not the caller's is as if it were not there."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from waystream.core.errors import Invalid, Missing
from waystream.kernel.tx import Tx
from waystream.parts.care import sealing, store_lists
from waystream.parts.care.handling import NO_TICKET
from waystream.parts.care.model import What
from waystream.parts.care.store_lists import STATES, Colleague, Counts, Cursor, Listed, Wanted

PAGE_MAX = 500
ENTRIES_MAX = 500
EARLIER_MAX = 50


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a ticket's log. `actor_name` empty: by itself; `text` None: its buyer was erased."""

    id: int
    at: datetime
    what: What
    actor: str
    actor_name: str
    word: str
    word_name: str
    because: str
    text: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Whole:
    """A ticket with its log, oldest line first, and the earlier tickets of its order and buyer, newest first."""

    listed: Listed
    log: Sequence[Line]
    earlier: Sequence[Listed]


def list_tickets(tx: Tx, wanted: Wanted, *, after: Cursor | None = None, limit: int = 50) -> list[Listed]:
    """A page of them; the next begins after (`place_of`) of the last."""
    if wanted.state not in STATES:
        raise Invalid("state", f"choose from {', '.join(STATES)}")
    return store_lists.list_wanted(tx.conn, wanted, after=after, limit=min(limit, PAGE_MAX))


def place_of(listed: Listed, wanted: Wanted) -> Cursor:
    """Where in its list it stands."""
    ticket = listed.ticket
    at = {store_lists.CLOSED: ticket.closed_at, store_lists.EVERY: ticket.opened_at}.get(wanted.state, ticket.due_at)
    assert at is not None, "a closed ticket has its instant"
    return at, ticket.id


def get_ticket(tx: Tx, ticket_id: int, *, warehouses: frozenset[int] | None = None) -> Listed:
    """Raises `Missing`."""
    found = store_lists.list_known(tx.conn, [ticket_id], warehouses=warehouses)
    if not found:
        raise Missing(NO_TICKET)
    return found[0]


def list_known(tx: Tx, ticket_ids: Collection[int]) -> list[Listed]:
    """Those the transaction sees, by ascending id."""
    return store_lists.list_known(tx.conn, ticket_ids, warehouses=None)


def read_whole(tx: Tx, ticket_id: int, *, warehouses: frozenset[int] | None = None) -> Whole:
    """Raises `Missing`."""
    listed = get_ticket(tx, ticket_id, warehouses=warehouses)
    earlier = store_lists.list_earlier(tx.conn, ticket_id, warehouses=warehouses, limit=EARLIER_MAX)
    return Whole(listed, list_log(tx, ticket_id), earlier)


def list_log(tx: Tx, ticket_id: int) -> list[Line]:
    """Oldest first; of a very long one the newest."""
    rows = store_lists.list_entries(tx.conn, ticket_id, limit=ENTRIES_MAX)
    texts = sealing.open_texts(tx, [(row.ticket_id, row.key_id, row.sealed) for row in rows])
    return [
        Line(
            row.id,
            row.at,
            What(row.what),
            row.actor,
            row.actor_name,
            row.word,
            row.word_name if row.what == What.HANDED_OVER else "",
            row.because,
            text,
        )
        for row, text in zip(rows, texts, strict=True)
    ]


def count_tickets(tx: Tx, wanted: Wanted, *, actor: str) -> Counts:
    return store_lists.count(tx.conn, wanted, actor=actor, at=tx.now)


def reach_tickets(tx: Tx, ticket_ids: Collection[int], *, warehouses: frozenset[int] | None) -> None:
    """Raises `Missing` where one is not the caller's."""
    owners = store_lists.list_owners(tx.conn, list(ticket_ids))
    seen = [each for each, (_, place) in owners.items() if warehouses is None or place in warehouses]
    if len(seen) < len(set(ticket_ids)):
        raise Missing(NO_TICKET)


def list_colleagues(tx: Tx, shop_id: int, *, roles: Collection[str]) -> list[Colleague]:
    """To whom a ticket of this shop can be handed over: who is in one of these roles there."""
    return store_lists.list_colleagues(tx.conn, shop_id, roles=roles)
