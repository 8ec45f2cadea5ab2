"""What people do with tickets: take, release, hand over, note, close, reopen, merge, set a priority; several at once.

Before they write, callers check `Caller.may`: `tickets:write`; `lead=True`, which reaches into what somebody else has,
needs `tickets:lead`. Guaranteed: a ticket is locked while it is decided on, so two people never take the same one; a
`Conflict` names who was first. All of it happens, or nothing.
"""

from collections.abc import Callable, Collection, Mapping

from waystream.core.care import BY_PERSON, Cause, Ending, Priority, Trouble
from waystream.core.errors import Conflict, Invalid, Missing
from waystream.kernel.audit import Entry as AuditEntry
from waystream.kernel.tx import Tx
from waystream.parts.care import actions, changing, sealing, setting, standing, store, store_lists
from waystream.parts.care.changing import Change
from waystream.parts.care.model import Standing, Ticket, What, key_of
from waystream.parts.care.sealing import checked_text
from waystream.parts.care.store_lists import Wanted

TICKETS_AT_ONCE = 1_000
NO_TICKET, NOTHING, OVER = (
    "There is no such ticket.", "There is no such parcel or order.", "What this is about is over, or is not there.",
)  # fmt: skip

#: The version of a ticket as the person saw it, by id; one that is left out is taken as it is.
Seen = Mapping[int, int]


def open_by_hand(
    tx: Tx, cause: Cause, *, parcel_id: int | None = None, order_id: int | None = None, actor: str, text: str = ""
) -> Ticket:
    """A person says that something is wrong with a parcel, or a whole order; one that is open for it already is kept.

    Raises `Conflict` where what it is about has moved on.
    """
    text = checked_text(text)
    if cause is Cause.INCIDENT:
        raise Invalid("cause", "an incident is many parcels: it is noticed, not told")
    trouble = Trouble(
        shop_id=_get_shop(tx, parcel_id=parcel_id, order_id=order_id),
        cause=cause,
        at=tx.now,
        because=actor,
        parcel_id=parcel_id,
        order_id=None if parcel_id else order_id,
    )

    actions.raise_troubles(tx, [trouble])
    ticket = store.hold_newest(tx.conn, [key_of(trouble)]).get(key_of(trouble))
    if ticket is None or not ticket.is_open:
        raise Conflict(OVER)
    if text:
        note(tx, [ticket.id], text, actor=actor)
    _audit(tx, "open", [ticket], actor=actor)
    return ticket


def _get_shop(tx: Tx, *, parcel_id: int | None, order_id: int | None) -> int:
    where = store.list_where(tx.conn, [parcel_id]).get(parcel_id) if parcel_id else None
    sold = store.list_sold(tx.conn, [order_id]).get(order_id) if order_id else None
    found = where or sold
    if found is None:
        raise Missing(NOTHING)
    return found.shop_id


def take(tx: Tx, ticket_ids: Collection[int], *, actor: str, seen: Seen | None = None, lead: bool = False) -> None:
    """One's own again changes nothing. Raises `Conflict` where somebody else has one."""

    def decide(ticket: Ticket) -> list[Change]:
        changing.require_open(ticket)
        return [] if ticket.assignee == actor else [changing.taken(ticket, actor, now=tx.now)]

    _change(tx, ticket_ids, decide, action="take", actor=actor, seen=seen, lead=lead)


def take_next(tx: Tx, wanted: Wanted, *, actor: str) -> Ticket | None:
    """The open ticket that is due first, past those that others are just taking; None where none is left."""
    ticket = store_lists.hold_next(tx.conn, wanted)
    if ticket is None:
        return None

    change = changing.taken(ticket, actor, now=tx.now)

    actions.keep(tx, [change])
    _audit(tx, "take", [ticket], actor=actor)
    return change.ticket


def release(tx: Tx, ticket_ids: Collection[int], *, actor: str, seen: Seen | None = None, lead: bool = False) -> None:
    """Back into the queue."""

    def decide(ticket: Ticket) -> list[Change]:
        changing.require_open(ticket)
        return [changing.released(ticket, actor=actor)] if ticket.state is Standing.TAKEN else []

    _change(tx, ticket_ids, decide, action="release", actor=actor, seen=seen, lead=lead)


def hand_over(
    tx: Tx,
    ticket_ids: Collection[int],
    to: str,
    *,
    actor: str,
    roles: Collection[str],
    text: str = "",
    seen: Seen | None = None,
    lead: bool = False,
) -> None:
    """To `staff:ID`, who works with tickets of that shop (has one of these roles there)."""
    text = checked_text(text)

    def decide(ticket: Ticket) -> list[Change]:
        changing.require_open(ticket)
        if to not in {each.actor for each in store_lists.list_colleagues(tx.conn, ticket.shop_id, roles=roles)}:
            raise Invalid("to", "nobody who works with tickets of this shop")
        return [changing.handed_over(ticket, to, now=tx.now, actor=actor, text=text)]

    _change(tx, ticket_ids, decide, action="hand_over", actor=actor, seen=seen, lead=lead)


def note(tx: Tx, ticket_ids: Collection[int], text: str, *, actor: str) -> None:
    """Anybody may write one, on closed tickets too."""
    _write(tx, ticket_ids, What.NOTE, "", checked_text(text, required=True), actor=actor)


def say(tx: Tx, ticket_ids: Collection[int], word: str, text: str = "", *, actor: str = "") -> None:
    """Write down what was said to the buyer or the carrier; `word`: by which way, or which template."""
    _write(tx, ticket_ids, What.SAID, word, checked_text(text), actor=actor)


def _write(tx: Tx, ticket_ids: Collection[int], what: What, word: str, text: str, *, actor: str) -> None:
    held = _hold(tx, ticket_ids)
    entries = [changing.entry_of(ticket, what, actor=actor, word=word, text=text) for ticket in held]
    store.write(tx.conn, sealing.seal_entries(tx, entries), at=tx.now)


def close(
    tx: Tx,
    ticket_ids: Collection[int],
    ending: Ending,
    *,
    actor: str,
    text: str = "",
    seen: Seen | None = None,
    lead: bool = False,
) -> None:
    """Stays closed until the trouble comes again."""
    if ending not in BY_PERSON:
        raise Invalid("ending", f"choose from {', '.join(BY_PERSON)}")
    text = checked_text(text)

    def decide(ticket: Ticket) -> list[Change]:
        return [changing.ended(ticket, ending, now=tx.now, actor=actor, text=text)] if ticket.is_open else []

    _change(tx, ticket_ids, decide, action="close", actor=actor, seen=seen, lead=lead)


def reopen(tx: Tx, ticket_ids: Collection[int], *, actor: str, text: str = "", seen: Seen | None = None) -> None:
    """Raises `Conflict` where another ticket is open for the same, or what it was about is over."""
    text = checked_text(text)
    held = _hold(tx, ticket_ids)
    hours = setting.list_hours(tx, {ticket.shop_id for ticket in held})
    _require_standing(tx, [ticket for ticket in held if not ticket.is_open])

    def decide(ticket: Ticket) -> list[Change]:
        own = hours[ticket.shop_id]
        return [] if ticket.is_open else [changing.reopened(ticket, hours=own, now=tx.now, actor=actor, text=text)]

    _change(tx, ticket_ids, decide, action="reopen", actor=actor, seen=seen, lead=True)


def _require_standing(tx: Tx, tickets: Collection[Ticket]) -> None:
    newest = store.hold_newest(tx.conn, [ticket.key for ticket in tickets])
    if any(newest[ticket.key].is_open for ticket in tickets):
        raise Conflict("There is an open ticket for this already.")
    parcel_ids = {ticket.parcel_id for ticket in tickets if ticket.parcel_id}
    order_ids = {ticket.order_id for ticket in tickets if ticket.order_id and not ticket.parcel_id}
    parcels, orders = store.list_where(tx.conn, parcel_ids), store.list_sold(tx.conn, order_ids)
    if not all(standing.stands(ticket, parcels=parcels, orders=orders) for ticket in tickets):
        raise Conflict(OVER)


def merge(
    tx: Tx, ticket_ids: Collection[int], into: int, *, actor: str, seen: Seen | None = None, lead: bool = False
) -> None:
    """Close these in favour of another open one of the same shop."""
    held = {ticket.id: ticket for ticket in _hold(tx, {*ticket_ids, into})}
    target = held[into]
    changing.require_open(target)
    if into in ticket_ids or any(ticket.shop_id != target.shop_id for ticket in held.values()):
        raise Invalid("into", "another ticket of the same shop")

    def decide(ticket: Ticket) -> list[Change]:
        changing.require_open(ticket)
        return [changing.merged(ticket, target, now=tx.now, actor=actor)]

    _change(tx, ticket_ids, decide, action="merge", actor=actor, seen=seen, lead=lead)
    lines = [changing.entry_of(target, What.MERGED, actor=actor, word=f"from:{each}") for each in sorted(ticket_ids)]
    store.write(tx.conn, [(line, None, b"") for line in lines], at=tx.now)


def set_priority(
    tx: Tx, ticket_ids: Collection[int], priority: Priority, *, actor: str, seen: Seen | None = None
) -> None:
    """By a person's judgement, until it gets worse."""
    hours = setting.list_hours(tx, {ticket.shop_id for ticket in _hold(tx, ticket_ids)})

    def decide(ticket: Ticket) -> list[Change]:
        changing.require_open(ticket)
        if ticket.priority is priority:
            return []
        return [changing.prioritised(ticket, priority, hours=hours[ticket.shop_id], actor=actor)]

    _change(tx, ticket_ids, decide, action="prioritise", actor=actor, seen=seen, lead=True)


def _change(
    tx: Tx,
    ticket_ids: Collection[int],
    decide: Callable[[Ticket], list[Change]],
    *,
    action: str,
    actor: str,
    seen: Seen | None,
    lead: bool,
) -> None:
    held = _hold(tx, ticket_ids)
    for ticket in held:
        _require_free(tx, ticket, actor=actor, lead=lead)
        changing.require_version(ticket, (seen or {}).get(ticket.id))

    changes = [change for ticket in held for change in decide(ticket)]

    actions.keep(tx, changes)
    _audit(tx, action, [change.ticket for change in changes], actor=actor)


def _hold(tx: Tx, ticket_ids: Collection[int]) -> list[Ticket]:
    if not 1 <= len(set(ticket_ids)) <= TICKETS_AT_ONCE:
        raise Invalid("tickets", f"between 1 and {TICKETS_AT_ONCE}")
    held = store.hold(tx.conn, set(ticket_ids))
    if len(held) < len(set(ticket_ids)):
        raise Missing(NO_TICKET)
    return held


def _require_free(tx: Tx, ticket: Ticket, *, actor: str, lead: bool) -> None:
    """Nobody else's. Raises `Conflict` that says whose it is."""
    if ticket.state is Standing.TAKEN and ticket.assignee != actor and not lead:
        name = store_lists.list_names(tx.conn, {ticket.assignee}).get(ticket.assignee, ticket.assignee)
        raise Conflict(f"{name} has this ticket.")


def _audit(tx: Tx, action: str, tickets: Collection[Ticket], *, actor: str) -> None:
    tx.note(*(AuditEntry(actor, action, f"ticket:{ticket.id}", ticket.shop_id) for ticket in tickets))
