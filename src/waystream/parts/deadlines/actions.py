"""Deadlines follow orders and parcels, and what is due is told.

Guaranteed: each miss is told once, and never of what was done by then: the sweep locks what it is about to call late,
orders before parcels, looks again at how it stands, and only then tells. A delivery that is looked at is not held: what
is wrong with one that is taken back meanwhile opens no ticket. Rules lock nothing but deadlines.
"""

from collections.abc import Collection, Iterable, Sequence

from msgspec import structs

from waystream.core.deadline import OF_ORDERS, DeadlineKind, Doubt
from waystream.core.events import Event
from waystream.core.events.deadlines import (
    CollectionMissed,
    DeliveryDoubted,
    InterceptionFailed,
    OrderCaughtUp,
    ParcelCaughtUp,
    PickupOverdue,
    PromiseMissed,
    ShipByMissed,
)
from waystream.kernel.tx import Tx
from waystream.parts.deadlines import doubts, model, store, store_doubts
from waystream.parts.deadlines.doubts import Evidence
from waystream.parts.deadlines.model import USUAL, VERIFIED_WITHIN, Deadline, Key, Plan, Stand

#: Told in one transaction, which holds the rows of so many orders and parcels for a moment.
FIRED_AT_ONCE = 500
FORGOTTEN_AT_ONCE = 10_000


def follow(tx: Tx, *, order_ids: Collection[int] = (), parcel_ids: Collection[int] = ()) -> None:
    """Bring the deadlines of these orders and parcels into line with how they stand now. Again changes nothing."""
    if not order_ids and not parcel_ids:
        return
    rows = store.hold_of(tx.conn, order_ids=order_ids, parcel_ids=parcel_ids)
    orders = store.list_orders(tx.conn, order_ids) if order_ids else []
    parcels = store.list_parcels(tx.conn, parcel_ids) if parcel_ids else []
    shop_ids = {order.shop_id for order in orders} | {parcel.shop_id for parcel in parcels}
    settings = store.list_settings(tx.conn, shop_ids)

    wanted: list[Deadline] = []
    for order in orders:
        wanted += model.await_of_order(order, settings.get(order.shop_id, USUAL))
    for parcel in parcels:
        wanted += model.await_of_parcel(parcel, settings.get(parcel.shop_id, USUAL), rows, now=tx.now)
    plan = model.reconcile(rows, wanted, now=tx.now)

    _save(tx, plan)


def _save(tx: Tx, plan: Plan) -> None:
    store.save(tx.conn, plan.save)
    store.drop(tx.conn, plan.drop)

    tx.emit(*map(_caught_up, plan.caught_up))


def _caught_up(deadline: Deadline) -> Event:
    met, kind = deadline.stand is Stand.MET, deadline.kind
    if kind in OF_ORDERS:
        return OrderCaughtUp(shop_id=deadline.shop_id, order_id=deadline.subject_id, kind=kind, met=met)
    return ParcelCaughtUp(shop_id=deadline.shop_id, parcel_id=deadline.subject_id, kind=kind, met=met)


def follow_contents(tx: Tx, *, parcel_ids: Collection[int]) -> None:
    """These parcels left or will never leave: their own deadlines follow, and those of the orders in them."""
    if parcel_ids:
        follow(tx, order_ids=store.list_orders_of(tx.conn, parcel_ids), parcel_ids=parcel_ids)


def fire_due(tx: Tx) -> int:
    """Tell what was missed; how many deadlines were due. Costs what is due, not what stands."""
    due = store.list_due(tx.conn, now=tx.now, limit=FIRED_AT_ONCE)
    if not due:
        return 0
    late = [(kind, subject_id) for kind, subject_id in due if kind is not DeadlineKind.VERIFICATION]
    store.lock_orders(tx.conn, _of_orders(late))
    store.lock_parcels(tx.conn, _of_parcels(late))
    follow(tx, order_ids=_of_orders(due), parcel_ids=_of_parcels(due))

    taken = store.take_due(tx.conn, due, now=tx.now)

    tx.emit(*(_missed(deadline) for deadline in taken if deadline.kind is not DeadlineKind.VERIFICATION))
    _verify(tx, [deadline for deadline in taken if deadline.kind is DeadlineKind.VERIFICATION])
    return len(due)


def _verify(tx: Tx, deliveries: Sequence[Deadline]) -> None:
    """Look at these deliveries; what is wrong with one stays with it."""
    if not deliveries:
        return
    of = {deadline.subject_id: deadline for deadline in deliveries}
    evidence = store_doubts.list_evidence(tx.conn, of)

    found = [(each, words) for each in evidence if (words := doubts.words_of(each))]

    wrong = [(of[each.parcel_id], words) for each, words in found]
    store.save(
        tx.conn,
        [
            structs.replace(row, stand=Stand.MISSED, missed_at=tx.now, ended_at=None, doubts=words)
            for row, words in wrong
        ],
    )
    tx.emit(*(event for each, words in found for event in _doubted(each, words)))


def _doubted(evidence: Evidence, words: Sequence[str]) -> list[Event]:
    shop_id, parcel_id, at = evidence.shop_id, evidence.parcel_id, evidence.delivered_at
    return [
        InterceptionFailed(shop_id=shop_id, parcel_id=parcel_id, at=at)
        if word == doubts.INTERCEPTED
        else DeliveryDoubted(shop_id=shop_id, parcel_id=parcel_id, doubt=Doubt(word), at=at)
        for word in words
    ]


def forget_verified(tx: Tx) -> int:
    """What was in order is forgotten once nothing can ask for it again."""
    return store_doubts.forget_verified(tx.conn, before=tx.now - VERIFIED_WITHIN, limit=FORGOTTEN_AT_ONCE)


def _of_orders(keys: Iterable[Key]) -> set[int]:
    return {subject_id for kind, subject_id in keys if kind in OF_ORDERS}


def _of_parcels(keys: Iterable[Key]) -> set[int]:
    return {subject_id for kind, subject_id in keys if kind not in OF_ORDERS}


def _missed(deadline: Deadline) -> Event:
    shop_id, subject_id, since, due_at = deadline.shop_id, deadline.subject_id, deadline.since, deadline.due_at
    match deadline.kind:
        case DeadlineKind.SHIP_BY:
            return ShipByMissed(shop_id=shop_id, order_id=subject_id, due_at=due_at)
        case DeadlineKind.PROMISE:
            return PromiseMissed(shop_id=shop_id, order_id=subject_id, due_at=due_at)
        case DeadlineKind.COLLECTION:
            return CollectionMissed(shop_id=shop_id, parcel_id=subject_id, since=since, due_at=due_at)
        case _:
            return PickupOverdue(shop_id=shop_id, parcel_id=subject_id, since=since, due_at=due_at)
