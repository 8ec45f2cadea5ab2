"""What rules do with troubles: raise them, settle them. Set-wise, and told twice is told once.

What people do with tickets is `handling`, what they read is `reading`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime

from waystream.core.care import Cause, Ending, Trouble
from waystream.kernel.ids import mint_ids
from waystream.kernel.tx import Tx
from waystream.parts.care import changing, model, sealing, setting, standing, store
from waystream.parts.care.changing import Change
from waystream.parts.care.model import Key, Ticket

#: Another transaction may open the same ticket between our look and our insert; then we look again.
ROUNDS_MAX = 5


def raise_troubles(tx: Tx, troubles: Iterable[Trouble]) -> None:
    """Open what is new, raise what is worse, open again what came back; what is over or settled changes nothing.

    Troubles of parcels and orders that the transaction does not see are left out.
    """
    told = list(troubles)
    left = model.joined(_still_there(tx, told)) if told else {}
    for _ in range(ROUNDS_MAX):
        if not left:
            return
        left = _raise_once(tx, left)
    raise AssertionError("tickets are opened and closed faster than we can look")


def _raise_once(tx: Tx, troubles: Mapping[Key, Trouble]) -> dict[Key, Trouble]:
    """The troubles that another transaction was quicker to raise."""
    known = store.hold_newest(tx.conn, list(troubles))
    hours = setting.list_hours(tx, {trouble.shop_id for trouble in troubles.values()})
    ids = mint_ids(len(troubles), at_ms=int(tx.now.timestamp() * 1000))

    changes: list[Change] = []
    fresh: list[Change] = []
    for ticket_id, (key, trouble) in zip(ids, troubles.items(), strict=True):
        ticket, own = known.get(key), hours[trouble.shop_id]
        if ticket is None:
            fresh.append(changing.opened(trouble, ticket_id, hours=own, now=tx.now))
        elif ticket.is_open:
            changes += changing.worsened(ticket, trouble, hours=own, now=tx.now)
        elif not changing.is_settled(ticket, trouble):
            if changing.may_reopen(ticket, hours=own, now=tx.now):
                changes.append(changing.came_again(ticket, trouble, hours=own, now=tx.now))
            else:
                fresh.append(changing.opened(trouble, ticket_id, hours=own, now=tx.now))

    opened = store.insert(tx.conn, [change.ticket for change in fresh])
    keep(tx, changes)
    _tell(tx, [change for change in fresh if change.ticket.id in opened])
    return {change.ticket.key: troubles[change.ticket.key] for change in fresh if change.ticket.id not in opened}


def _still_there(tx: Tx, troubles: Sequence[Trouble]) -> list[Trouble]:
    """Those that are not over as things stand, each with its order and warehouse.

    Nothing is held: what is over by the commit is closed by the rules that hear of an opened ticket.
    """
    parcel_ids = {each.parcel_id for each in troubles if each.parcel_id}
    order_ids = {each.order_id for each in troubles if each.order_id and not each.parcel_id}
    parcels = store.list_where(tx.conn, parcel_ids) if parcel_ids else {}
    orders = store.list_sold(tx.conn, order_ids) if order_ids else {}
    return [
        standing.placed(trouble, parcels=parcels, orders=orders)
        for trouble in troubles
        if standing.stands(trouble, parcels=parcels, orders=orders)
    ]


def raise_by_track(tx: Tx, because: Mapping[int, str]) -> None:
    """Open tickets for what is wrong with these parcels by the carrier's word now; `because`: why, by parcel."""
    where = store.list_where(tx.conn, because)
    raise_troubles(
        tx,
        [
            trouble
            for parcel_id, stands in where.items()
            for trouble in standing.troubles_of(stands, because=because[parcel_id])
        ],
    )


def settle(
    tx: Tx,
    parcel_ids: Collection[int],
    causes: Collection[Cause] | None = None,
    *,
    at: datetime,
    reason: Ending = Ending.MOVED_ON,
    because: str = "",
) -> None:
    """Close what is open for these parcels (of these causes, default all) and began by `at`."""
    _settle(tx, store.hold_open_of_parcels(tx.conn, parcel_ids), causes, at=at, reason=reason, because=because)


def settle_orders(
    tx: Tx,
    order_ids: Collection[int],
    causes: Collection[Cause] | None = None,
    *,
    at: datetime,
    reason: Ending,
    because: str = "",
) -> None:
    """As `settle`, for what is about whole orders."""
    _settle(tx, store.hold_open_of_orders(tx.conn, order_ids), causes, at=at, reason=reason, because=because)


def settle_slowdowns(tx: Tx, slowdown_ids: Collection[int], *, at: datetime, because: str = "") -> None:
    """The incident is over, in every shop."""
    held = store.hold_open_of_slowdowns(tx.conn, slowdown_ids)
    _settle(tx, held, None, at=at, reason=Ending.CLEARED, because=because)


def _settle(
    tx: Tx,
    held: Sequence[Ticket],
    causes: Collection[Cause] | None,
    *,
    at: datetime,
    reason: Ending,
    because: str,
) -> None:
    over = [ticket for ticket in held if (causes is None or ticket.cause in causes) and ticket.trouble_at <= at]

    keep(tx, [changing.ended(ticket, reason, now=tx.now, because=because) for ticket in over])


def settle_by_track(tx: Tx, because: Mapping[int, str]) -> None:
    """Close what is over as these parcels stand; `because`: why, by parcel. One indexed look where nothing is open."""
    held = store.hold_open_of_parcels(tx.conn, because)
    where = store.list_where(tx.conn, {ticket.parcel_id for ticket in held if ticket.parcel_id}) if held else {}

    keep(
        tx,
        _ended(
            tx,
            held,
            lambda ticket: standing.judge(ticket, where[ticket.parcel_id or 0]),
            because={f"parcel:{parcel_id}": why for parcel_id, why in because.items()},
        ),
    )


def settle_by_order(tx: Tx, because: Mapping[int, str]) -> None:
    """As `settle_by_track`, for what is about whole orders."""
    held = store.hold_open_of_orders(tx.conn, because)
    sold = store.list_sold(tx.conn, {ticket.order_id for ticket in held if ticket.order_id}) if held else {}

    keep(
        tx,
        _ended(
            tx,
            held,
            lambda ticket: standing.ending_of_order(ticket.cause, sold[ticket.order_id or 0]),
            because={f"order:{order_id}": why for order_id, why in because.items()},
        ),
    )


def _ended(
    tx: Tx, held: Iterable[Ticket], judge: Callable[[Ticket], Ending | None], *, because: Mapping[str, str]
) -> list[Change]:
    endings = [(ticket, judge(ticket)) for ticket in held]
    return [
        changing.ended(ticket, ending, now=tx.now, because=because.get(ticket.about, ""))
        for ticket, ending in endings
        if ending is not None
    ]


def keep(tx: Tx, changes: Sequence[Change]) -> None:
    """Save tickets that are held and tell what happened to them."""
    store.save(tx.conn, [change.ticket for change in changes])
    _tell(tx, changes)


def _tell(tx: Tx, changes: Sequence[Change]) -> None:
    entries = [change.entry for change in changes if change.entry]
    store.write(tx.conn, sealing.seal_entries(tx, entries), at=tx.now)
    tx.emit(*(change.event for change in changes if change.event))
