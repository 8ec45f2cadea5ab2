"""Whether tickets are what stands: asked by invariants, a piece at a time. Changes nothing."""

from collections.abc import Iterable

from waystream.kernel.tx import Tx
from waystream.parts.care import changing, standing, store
from waystream.parts.care.model import Ticket, key_of


def list_unticketed(tx: Tx, *, rule: str, after_id: int, limit: int) -> tuple[list[str], int | None]:
    """What carriers say is wrong and has neither an open ticket nor one that a person closed since; where to go on.

    Parcels whose events `rule` has still to read are left out: they are about to get theirs.
    """
    ids = store.list_troubled(tx.conn, rule=rule, after_id=after_id, limit=limit)
    where, tickets = store.list_where(tx.conn, ids), _by_key(store.list_of_parcels(tx.conn, ids))
    wrong = [
        f"{trouble.about} has no ticket for {trouble.cause}"
        for parcel_id in ids
        for trouble in standing.troubles_of(where[parcel_id], because="")
        if not any(
            ticket.is_open or changing.is_settled(ticket, trouble) for ticket in tickets.get(key_of(trouble), ())
        )
    ]
    return wrong, ids[-1] if len(ids) == limit else None


def list_outlived(tx: Tx, *, rule: str, after_id: int, limit: int) -> tuple[list[str], int | None]:
    """Open tickets of parcels whose trouble is over, without those whose parcel's events `rule` has still to read."""
    held = store.list_open_after(tx.conn, rule=rule, after_id=after_id, limit=limit)
    where = store.list_where(tx.conn, {ticket.parcel_id for ticket in held if ticket.parcel_id})
    wrong = [
        f"ticket {ticket.id} for {ticket.cause} of {ticket.about} is open though it is over"
        for ticket in held
        if standing.judge(ticket, where[ticket.parcel_id or 0]) is not None
    ]
    return wrong, held[-1].id if len(held) == limit else None


def _by_key(tickets: Iterable[Ticket]) -> dict[object, list[Ticket]]:
    found: dict[object, list[Ticket]] = {}
    for ticket in tickets:
        found.setdefault(ticket.key, []).append(ticket)
    return found
