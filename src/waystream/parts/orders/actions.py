"""What can be done with orders. Every action takes the transaction it runs in; the caller checked who may.

Guaranteed: telling an order again changes only what is new; orders are locked by ascending id before they are judged;
each change is an event. Web callers check `Caller.may` and the shop first: row-level security is the second lock.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from waystream.core.errors import Conflict, Invalid, InvalidMany, Missing
from waystream.core.events import Event
from waystream.core.events.orders import (
    OrderCancelled,
    OrderChanged,
    OrderCompleted,
    OrderHeld,
    OrderMoved,
    OrderReceived,
    OrderReleased,
)
from waystream.core.order import Dispatch, dispatch_of, word
from waystream.core.person import Person
from waystream.kernel import log
from waystream.kernel.audit import Entry
from waystream.kernel.ids import mint_ids
from waystream.kernel.tx import Tx
from waystream.parts.orders import people, store
from waystream.parts.orders.form import LineIn, OrderIn, clean
from waystream.parts.orders.model import (
    Accepted,
    Axis,
    Change,
    Known,
    Line,
    Moving,
    Outcome,
    Standing,
    Told,
    compare,
    derived,
    tell,
)

SWEEP_MAX = 1_000  # orders completed in one transaction
REASON_MAX = 200


def accept(tx: Tx, orders: Sequence[OrderIn]) -> list[Accepted]:
    """Take orders in, repeatably by (shop, number); one answer each, in the given order.

    The same content is `unchanged`. New content changes what can still be changed: an order that was cancelled takes
    nothing, one with a dispatched parcel keeps `FIXED_BY_DISPATCH`; what was not taken is in `refused`. Raises
    `InvalidMany` (`orders[3].shop`) for a shop or warehouse this transaction does not know, and takes nothing then.
    """
    told = _tell(tx, orders)

    known = {(each.shop_id, each.number): each for each in store.lock_known(tx.conn, told)}
    pairs = [(known.get((each.shop_id, each.order.number)), each) for each in told]

    answers = _create(tx, [each for old, each in pairs if old is None])
    answers += _change(tx, [(old, each) for old, each in pairs if old is not None])
    by_key = {(shop_id, answer.number): answer for shop_id, answer in answers}
    return [by_key[each.shop_id, each.order.number] for each in told]


def _tell(tx: Tx, orders: Sequence[OrderIn]) -> list[Told]:
    shops = store.find_shops(tx.conn, (order.shop for order in orders))
    warehouses = store.find_warehouses(tx.conn, (order.warehouse for order in orders))
    problems: list[Invalid] = []
    seen: set[tuple[str, str]] = set()
    for at, order in enumerate(orders):
        if order.shop not in shops:
            problems.append(Invalid(f"orders[{at}].shop", "there is no such shop"))
        if order.warehouse not in warehouses:
            problems.append(Invalid(f"orders[{at}].warehouse", "there is no such warehouse"))
        if (order.shop, order.number) in seen:
            problems.append(Invalid(f"orders[{at}].number", "the same order is told twice"))
        seen.add((order.shop, order.number))
    if problems:
        raise InvalidMany(problems)
    return [
        tell(
            order,
            shop_id=shops[order.shop],
            warehouse_id=warehouses[order.warehouse],
            blind=partial(_blind, tx, shops[order.shop]),
        )
        for order in orders
    ]


def _blind(tx: Tx, shop_id: int, purpose: str, text: str) -> bytes:
    return tx.keys.vault.blind(purpose, shop_id, text)


def _create(tx: Tx, told: Sequence[Told]) -> list[tuple[int, Accepted]]:
    """Insert new orders; those that another transaction inserted meanwhile are told again, to the row that won."""
    if not told:
        return []
    order_ids, person_ids = mint(tx, len(told)), people.insert(tx, told)
    rows = list(zip(order_ids, told, person_ids, strict=True))
    stored = store.insert(tx.conn, rows, at=tx.now)
    won = [(order_id, each) for order_id, each, _ in rows if order_id in stored]
    lines = [
        (order_id, each.shop_id, number, line)
        for order_id, each in won
        for number, line in enumerate(each.order.lines, 1)
    ]
    store.insert_lines(tx.conn, _lines(tx, lines))

    tx.emit(
        *(
            OrderReceived(shop_id=each.shop_id, order_id=order_id, warehouse_id=each.warehouse_id)
            for order_id, each in won
        )
    )
    created = [(each.shop_id, Accepted(order_id, each.order.number, Outcome.CREATED)) for order_id, each in won]
    return created + _lost(tx, [row for row in rows if row[0] not in stored])


def _lost(tx: Tx, rows: Sequence[tuple[int, Told, int]]) -> list[tuple[int, Accepted]]:
    if not rows:
        return []
    people.drop(tx, [person_id for _, _, person_id in rows])
    again = accept(tx, [each.order for _, each, _ in rows])
    return [(each.shop_id, answer) for (_, each, _), answer in zip(rows, again, strict=True)]


def _change(tx: Tx, pairs: Sequence[tuple[Known, Told]]) -> list[tuple[int, Accepted]]:
    changes = [change for known, told in pairs if (change := compare(known, told)) is not None]
    _save_changes(tx, [change for change in changes if change.axes])

    tx.emit(
        *(
            OrderChanged(
                shop_id=change.known.shop_id, order_id=change.known.id, what=tuple(axis.value for axis in change.axes)
            )
            for change in changes
            if change.axes
        )
    )
    changed = {
        change.known.id: Accepted(
            change.known.id,
            change.known.number,
            change.outcome,
            changed=change.axes,
            refused=change.refused,
            why=change.why,
        )
        for change in changes
    }
    return [
        (known.shop_id, changed.get(known.id) or Accepted(known.id, known.number, Outcome.UNCHANGED))
        for known, _ in pairs
    ]


def _save_changes(tx: Tx, changes: Sequence[Change]) -> None:
    """A new address is a new person; other changes write the remarks anew under the old one."""
    moved = [change for change in changes if Axis.ADDRESS in change.axes]
    stayed = [change for change in changes if not {Axis.ADDRESS} & {*change.axes, *change.refused}]
    person_of = {change.known.id: change.known.person_id for change in changes}
    person_of |= zip(
        (change.known.id for change in moved), people.insert(tx, [change.told for change in moved]), strict=True
    )
    people.reseal(tx, [(change.known.person_id, change.told.order) for change in stayed])
    store.update(tx.conn, changes, person_ids=[person_of[change.known.id] for change in changes], at=tx.now)

    plans = [(change.known, change.lines) for change in changes]
    store.drop_lines(tx.conn, [line_id for _, plan in plans for line_id in plan.drop])
    store.update_lines(
        tx.conn,
        [
            line
            for known, plan in plans
            for line_id, told in plan.keep
            for _, line in _stored_lines([line_id], [(known.id, known.shop_id, 0, told)])
        ],
    )
    store.insert_lines(
        tx.conn,
        _lines(tx, [(known.id, known.shop_id, number, told) for known, plan in plans for number, told in plan.add]),
    )


def cancel(tx: Tx, order_ids: Iterable[int], *, reason: str, actor: str) -> list[int]:
    """Cancel the orders; the ids that were not cancelled before. All or none.

    Raises `Conflict` when a parcel of one has left the warehouse (then it is an interception), `Missing` for an
    unknown order. What it means for numbers and labels is a rule's to decide on `OrderCancelled`.
    """
    standings, reason = judged(tx, order_ids), required_reason(reason)
    _refuse(
        "has left the warehouse: intercept its parcels instead",
        [each for each in standings if any(parcel.dispatched for parcel in each.facts.parcels)],
    )
    wanted = [each for each in standings if not each.facts.cancelled]

    store.cancel(tx.conn, [each.id for each in wanted], reason=reason, at=tx.now)
    tx.note(*(Entry(actor, "cancel", f"order:{each.id}", each.shop_id, reason) for each in wanted))
    tx.emit(*(OrderCancelled(shop_id=each.shop_id, order_id=each.id, reason=reason) for each in wanted))
    derive(tx, [each.id for each in wanted])
    return [each.id for each in wanted]


def hold(tx: Tx, order_ids: Iterable[int], *, reason: str, actor: str) -> list[int]:
    """Keep the orders from being shipped until released; the ids that were not held before. All or none.

    Raises `Conflict` for a cancelled order or one that has left whole, `Missing` for an unknown one.
    """
    standings, reason = judged(tx, order_ids), required_reason(reason)
    _refuse(
        "is closed or has left whole: there is nothing to hold",
        [each for each in standings if each.facts.cancelled or each.dispatch is Dispatch.ALL],
    )
    held = store.held(tx.conn, [each.id for each in standings])
    wanted = [each for each in standings if each.id not in held]

    store.hold(tx.conn, [each.id for each in wanted], reason=reason, at=tx.now, moved_at=tx.now)
    tx.note(*(Entry(actor, "hold", f"order:{each.id}", each.shop_id, reason) for each in wanted))
    tx.emit(*(OrderHeld(shop_id=each.shop_id, order_id=each.id, reason=reason) for each in wanted))
    return [each.id for each in wanted]


def release(tx: Tx, order_ids: Iterable[int], *, reason: str, actor: str) -> list[int]:
    """Let held orders go on; the ids that were held. Raises `Missing` for an unknown order."""
    standings, reason = judged(tx, order_ids), required_reason(reason)
    held = store.held(tx.conn, [each.id for each in standings])
    wanted = [each for each in standings if each.id in held]

    store.hold(tx.conn, [each.id for each in wanted], reason="", at=None, moved_at=tx.now)
    tx.note(*(Entry(actor, "release", f"order:{each.id}", each.shop_id, reason) for each in wanted))
    tx.emit(*(OrderReleased(shop_id=each.shop_id, order_id=each.id) for each in wanted))
    return [each.id for each in wanted]


def confirm(tx: Tx, order_id: int, *, by: str, actor: str) -> None:
    """The buyer (`by` "buyer") or somebody for them ("person") says the order is complete; again is no change.

    Raises `Conflict` while part of it has not left the warehouse, or when it was cancelled.
    """
    assert by in ("buyer", "person")
    [standing] = judged(tx, [order_id])
    if standing.completed_at is not None and standing.completed_by != "policy":
        return
    if standing.facts.cancelled or standing.dispatch is not Dispatch.ALL:
        raise Conflict("The order has not left the warehouse as a whole: it cannot be confirmed yet.")

    store.complete(tx.conn, [order_id], by=by, at=standing.completed_at or tx.now)
    tx.note(Entry(actor, "confirm", f"order:{order_id}", standing.shop_id))
    derive(tx, [order_id])
    if standing.completed_at is None:
        tx.emit(OrderCompleted(shop_id=standing.shop_id, order_id=order_id, by=by, at=tx.now))


def complete_after_days(tx: Tx) -> int:
    """Complete delivered orders whose buyer said nothing for the shop's `confirm_days`; how many."""
    due = store.lock_due(tx.conn, now=tx.now, limit=SWEEP_MAX)
    standings = store.list_standings(tx.conn, due)

    store.complete(tx.conn, due, by="days", at=tx.now)
    derive(tx, due)
    tx.emit(*(OrderCompleted(shop_id=each.shop_id, order_id=each.id, by="days", at=tx.now) for each in standings))
    return len(due)


def derive(tx: Tx, order_ids: Iterable[int], *, causes: Mapping[int, str] | None = None) -> None:
    """Write each order's word as it follows from its parcels, and say what moved.

    Repeating it changes nothing. A delivery taken back reopens an order that the policy completed; one that its
    buyer, the days or a person completed stays completed. `causes` names the event behind each order's movement.
    """
    before = store.list_standings(tx.conn, store.lock(tx.conn, order_ids))
    after = [derived(each, now=tx.now) for each in before]
    moved = [(old, new) for old, new in zip(before, after, strict=True) if old != new]

    store.save_standings(tx.conn, [new for _, new in moved])
    log.emit_each(
        tx.conn,
        [(event, (causes or {}).get(old.id, "")) for old, new in moved for event in _movements(old, new)],
        at=tx.now,
    )


def derive_of_parcels(tx: Tx, causes: Mapping[int, str]) -> None:
    """Derive every order in these parcels; `causes` names what happened to each parcel."""
    derive(
        tx,
        (of := dict(store.list_orders_of(tx.conn, causes))),
        causes={order_id: causes[parcel_id] for order_id, parcel_id in of.items()},
    )


def foresee(tx: Tx, parcels: Mapping[int, store.Whereabouts]) -> list[Moving]:
    """Which orders would get another word if these parcels were there. Writes nothing."""
    order_ids = sorted({order_id for order_id, _ in store.list_orders_of(tx.conn, parcels)})
    now = store.list_standings(tx.conn, order_ids)
    then = [derived(each, now=tx.now) for each in store.list_standings(tx.conn, order_ids, elsewhere=parcels)]
    return [Moving(old.id, old.word, new.word) for old, new in zip(now, then, strict=True) if old.word is not new.word]


def _movements(old: Standing, new: Standing) -> list[Event]:
    told: list[Event] = []
    if old.word is not new.word:
        told.append(OrderMoved(shop_id=new.shop_id, order_id=new.id, before=old.word, after=new.word))
    if old.completed_at is None and new.completed_at is not None:
        told.append(OrderCompleted(shop_id=new.shop_id, order_id=new.id, by=new.completed_by, at=new.completed_at))
    return told


def list_misworded(tx: Tx, *, after_id: int, limit: int) -> tuple[list[int], int | None]:
    """Orders after `after_id` whose stored word is not what follows from their parcels, and where to go on."""
    ids = store.list_settled(tx.conn, after_id=after_id, limit=limit)
    standings = store.list_standings(tx.conn, ids)
    wrong = [
        each.id
        for each in standings
        if word(each.facts) is not each.word or dispatch_of(each.facts) is not each.dispatch
    ]
    return wrong, ids[-1] if len(ids) == limit else None


def unmask(tx: Tx, order_id: int, *, actor: str, reason: str) -> Person:
    """The receiver and remarks in the clear, for a caller that `may("person:unmask")`; written to the audit.

    Raises `Invalid` without a reason, `Missing` for an unknown order, `Conflict` when nobody here can read it.
    """
    reason = required_reason(reason)
    found = store.find_person(tx.conn, order_id)
    if found is None:
        raise Missing("There is no such order.")
    shop_id, person_id = found
    person = people.open_person(tx, person_id)

    tx.note(Entry(actor, "unmask", f"order:{order_id}", shop_id, reason))
    return person


def required_reason(reason: str) -> str:
    reason = clean(reason)
    if not 1 <= len(reason) <= REASON_MAX:
        raise Invalid("reason", f"say why, in at most {REASON_MAX} characters")
    return reason


def judged(tx: Tx, order_ids: Iterable[int]) -> list[Standing]:
    """The orders, locked and with their parcels. Raises `Missing` unless every one is there."""
    wanted = sorted(set(order_ids))
    if store.lock(tx.conn, wanted) != wanted:
        raise Missing("There is no such order." if len(wanted) == 1 else "Not all of these orders exist.")
    return store.list_standings(tx.conn, wanted)


def _refuse(why: str, standings: Sequence[Standing]) -> None:
    if len(standings) == 1:
        raise Conflict(f"The order {why}.")
    if standings:
        raise Conflict(f"{len(standings)} of the orders: each {why}.")


def mint(tx: Tx, n: int) -> list[int]:
    return mint_ids(n, at_ms=round(tx.now.timestamp() * 1000))


def _lines(tx: Tx, rows: Sequence[tuple[int, int, int, LineIn]]) -> list[tuple[int, Line]]:
    return _stored_lines(mint(tx, len(rows)), rows)


def _stored_lines(ids: Sequence[int], rows: Sequence[tuple[int, int, int, LineIn]]) -> list[tuple[int, Line]]:
    """(shop id, line) of each (order id, shop id, line number, line told)."""
    return [
        (
            shop_id,
            Line(
                id=line_id,
                order_id=order_id,
                line_no=number,
                sku=told.sku,
                name=told.name,
                quantity=told.quantity,
                price_fen=told.price_fen,
                discount_fen=told.discount_fen,
                tax_bp=told.tax_bp,
            ),
        )
        for line_id, (order_id, shop_id, number, told) in zip(ids, rows, strict=True)
    ]
