"""What a person or a rule asks of fulfilment: ship, follow, dispatch, void, reissue, bind a foreign number.

Every action locks orders before parcels and answers for each order or parcel alone: one refusal stops no other. What
the carrier answers is in `takes` and `cancels`; what keeps numbers single is in `numbers`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Literal

from waystream.core.errors import Conflict, Invalid, Missing
from waystream.core.events.fulfilment import HeldParcelCollected, ParcelDispatched
from waystream.core.ports import Routing
from waystream.kernel.audit import Entry
from waystream.kernel.tx import Tx
from waystream.parts.fulfilment import model, numbers, store, store_takes
from waystream.parts.fulfilment.codes import Codes, random_code
from waystream.parts.fulfilment.family import Family, ParcelRow
from waystream.parts.fulfilment.model import DOUBT_S, Plan, ShipOrders, Shipped
from waystream.parts.fulfilment.numbers import Made
from waystream.parts.fulfilment.store_takes import NewBinding
from waystream.parts.fulfilment.takes import OWNS_BEFORE

OWNS_AFTER_END = timedelta(days=30)

By = Literal["scan", "weigh", "print", "carrier"]


def ship(tx: Tx, wanted: ShipOrders, *, actor: str, codes: Codes = random_code) -> list[Shipped]:
    """Make parcels of these orders and ask for their numbers; in the order of ids.

    An order that travels already is answered with its parcels. Raises `Missing` for an unknown order, `Invalid` for a
    wish that makes no sense.
    """
    wanted = model.checked(wanted)
    _require_known(store.lock_orders(tx.conn, wanted.order_ids), wanted.order_ids)
    orders = store.load_orders(tx.conn, wanted.order_ids)

    in_doubt = store_takes.orders_in_doubt(
        tx.conn, wanted.order_ids, asked_after=tx.now - timedelta(seconds=DOUBT_S))  # fmt: skip
    plan = model.plan(orders, wanted, store.list_accounts(tx.conn), in_doubt=in_doubt)

    made = numbers.make_parcels(tx, plan.new, codes)
    _ask_again(tx, plan, codes)

    shipped = sorted((*plan.answered, *_asked(orders, plan, made)), key=lambda answer: answer.order_id)
    shops = {order.id: order.shop_id for order in orders}
    tx.note(*(Entry(actor, "order.ship", f"order:{answer.order_id}", shops[answer.order_id])
              for answer in shipped if answer.outcome == "asked"))  # fmt: skip
    return shipped


def _require_known(found: Collection[int], order_ids: Collection[int]) -> None:
    unknown = sorted(set(order_ids) - set(found))
    if unknown:
        raise Missing(f"There is no order {', '.join(map(str, unknown[:5]))}.", path="order_ids")


def _ask_again(tx: Tx, plan: Plan, codes: Codes) -> None:
    """Parcels whose number was refused ask again, with the account that is right now."""
    accounts = {parcel_id: account for _, parcel_id, account in plan.again}
    families = store.lock_families(tx.conn, sorted(accounts))
    members = [(an_id, accounts[family.mother.id]) for family in families for an_id in family.parcel_ids]
    store.set_accounts(tx.conn, members, at=tx.now)
    store.set_stage(tx.conn, [an_id for an_id, _ in members], stage="asked", held_reason="", at=tx.now)
    numbers.ask_where_waiting(tx, list(accounts), codes=codes)


def _asked(orders: Sequence[model.Order], plan: Plan, made: Sequence[Made]) -> list[Shipped]:
    """The answer for every order that something was asked for, with all its parcels."""
    touched = {order_id for order_id, _, _ in plan.again} | {an_id for m in made for an_id in m.parcel.order_ids}
    answers = []
    for order in orders:
        if order.id in touched:
            new = [an_id for m in made if order.id in m.parcel.order_ids for an_id in m.ids]
            answers.append(Shipped(order.id, tuple(sorted((*model.parcel_ids(order), *new))), "asked"))
    return answers


def follow_orders(tx: Tx, order_ids: Collection[int], *, codes: Codes = random_code) -> None:
    """Bring the parcels of these orders that have not left into line with what the orders are now."""
    numbers.follow(tx, store.mothers_of_orders(tx.conn, sorted(order_ids)), codes=codes)


def void(tx: Tx, parcel_ids: Collection[int], *, reason: str, actor: str, doubt_s: float = DOUBT_S) -> None:
    """Before dispatch: these parcels shall not exist; what they held can be shipped again.

    An attempt in doubt stays with its issuer for `doubt_s` (`Conflict` until then): nobody asks elsewhere meanwhile.
    """
    families = _families(tx, parcel_ids)
    for family in families:
        model.refuse_dispatched(not set(family.gone_ids).isdisjoint(parcel_ids))
        _give_up_doubt(tx, family, doubt_s)

    numbers.stop_numbers(tx, families, reason=reason)
    numbers.void(tx, [piece for family in families for piece in family.here])

    tx.note(*(Entry(actor, "parcel.void", f.subject, f.mother.shop_id, reason) for f in families))


def forget_receivers(tx: Tx, person_ids: Collection[int]) -> None:
    """These receivers were erased: labels and carriers' replies lose their bytes, what has not left never will.

    A number that was taken is given back; one still asked for is given back when its answer comes.
    """
    families = store.lock_families(tx.conn, store.mothers_of_people(tx.conn, sorted(person_ids)))
    everything = [parcel_id for family in families for parcel_id in family.parcel_ids]

    numbers.stop_numbers(tx, families, reason="receiver erased")
    numbers.void(tx, [piece for family in families for piece in family.here if piece.stage != "voided" or family.held])
    numbers.void_labels(tx, everything)
    store_takes.empty_papers(tx.conn, everything)


def _families(tx: Tx, parcel_ids: Collection[int]) -> list[Family]:
    mothers = store.mothers_of(tx.conn, parcel_ids)
    families = store.lock_families(tx.conn, mothers)
    unknown = set(parcel_ids) - {an_id for family in families for an_id in family.parcel_ids}
    if unknown:
        raise Missing(f"There is no parcel {min(unknown)}.", path="parcel_ids")
    return families


def _here(families: Sequence[Family]) -> list[int]:
    return [parcel_id for family in families for parcel_id in family.here_ids]


def reissue(
    tx: Tx, parcel_id: int, *, reason: str, actor: str, account_id: int | None = None, carrier: str = "",
    doubt_s: float = DOUBT_S, codes: Codes = random_code,
) -> None:  # fmt: skip
    """Another number for a parcel that has not left, elsewhere if an account or carrier is named.

    The old number is given back first; an attempt in doubt stays with its issuer for `doubt_s` (`Conflict` until then).
    """
    [family] = _families(tx, [parcel_id])
    _require_alive(family)
    if family.stop is not None:
        raise Conflict(family.stop.sentence)
    _give_up_doubt(tx, family, doubt_s)

    numbers.stop_numbers(tx, [family], reason=reason)
    store.set_stage(tx.conn, family.parcel_ids, stage="asked", held_reason="", at=tx.now)
    if account_id is not None or carrier:
        _move_account(tx, family, account_id=account_id, carrier=carrier)
    numbers.ask_where_waiting(tx, [family.mother.id], codes=codes)

    tx.note(Entry(actor, "parcel.reissue", family.subject, family.mother.shop_id, reason))


def ask_again(tx: Tx, parcel_ids: Collection[int], *, actor: str, codes: Codes = random_code) -> int:
    """Refused parcels ask for their number once more, now that somebody mended what stood against it; how many."""
    families = [f for f in _families(tx, parcel_ids) if f.mother.stage == "refused" and f.stop is None]
    mothers = [family.mother.id for family in families]

    store.set_stage(tx.conn, _here(families), stage="asked", held_reason="", at=tx.now)
    numbers.ask_where_waiting(tx, mothers, codes=codes)

    tx.note(*(Entry(actor, "parcel.ask_again", family.subject, family.mother.shop_id) for family in families))
    return len(families)


def _require_alive(family: Family) -> None:
    """What a void parcel held may be in another by now: it never claims it again."""
    model.refuse_dispatched(family.dispatched)
    if family.voided and not family.held:
        raise Conflict("The parcel is void: ship the order again.")


def _give_up_doubt(tx: Tx, family: Family, doubt_s: float) -> None:
    """Nobody waits for the unanswered attempt any longer; when its number shows up it is given back."""
    take = family.take
    if take is None or not take.sent:
        return
    assert take.asked_at is not None
    left_s = doubt_s - (tx.now - take.asked_at).total_seconds()
    if left_s > 0 and not take.unwanted:
        raise Conflict(f"The carrier may have given a number already: wait {ceil(left_s / 60)} min for its answer.")
    if left_s <= 0:
        store_takes.drop_takes(tx.conn, [take.id])


def _move_account(tx: Tx, family: Family, *, account_id: int | None, carrier: str) -> None:
    [order, *_] = store.load_orders(tx.conn, family.order_ids)
    wanted = ShipOrders((order.id,), carrier=carrier, account_id=account_id)
    account = model.pick_account(order, wanted, store.list_accounts(tx.conn))
    if account is None:
        raise Invalid("account_id", "This carrier account is switched off or does not serve the warehouse.")
    store.set_accounts(tx.conn, [(parcel_id, account) for parcel_id in family.parcel_ids], at=tx.now)


def ask_behind_doubt(tx: Tx, *, doubt_s: float = DOUBT_S, codes: Codes = random_code) -> int:
    """Parcels that want another number stop waiting for an unwanted one after `doubt_s`; how many."""
    mothers = store_takes.waiting_behind_doubt(tx.conn, asked_before=tx.now - timedelta(seconds=doubt_s))
    for family in store.lock_families(tx.conn, mothers):
        if family.take is not None and family.take.unwanted and family.mother.stage == "asked":
            _give_up_doubt(tx, family, doubt_s)
    numbers.ask_where_waiting(tx, mothers, codes=codes)
    return len(mothers)


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What became of one parcel or scanned number at the gate."""

    number: str
    parcel_id: int | None
    outcome: Literal["dispatched", "already", "refused"]
    why: str = ""
    reason: str = ""


def dispatch(
    tx: Tx, parcel_ids: Collection[int] = (), *, by: By, actor: str, scanned: Collection[str] = (),
    weighed_g: int | None = None,
) -> list[Dispatched]:  # fmt: skip
    """These parcels leave the warehouse (出库). Again is answered `already`; what may not leave is refused, alone."""
    if weighed_g is not None and not 0 < weighed_g <= 1_000_000:
        raise Invalid("weighed_g", "A weight is between 1 g and 1000 kg.")
    found = store.parcels_of_numbers(tx.conn, [number.strip().upper() for number in scanned])
    ids = {*parcel_ids, *(many[0] for many in found.values())}
    families = {an_id: family for family in _families(tx, ids) for an_id in family.parcel_ids}

    answers = [_at_the_gate(families[an_id], an_id) for an_id in sorted(ids)]
    answers += [Dispatched(number, None, "refused", "unknown", "No parcel of ours has this number.")
                for number in scanned if number.strip().upper() not in found]  # fmt: skip

    leaving = [answer.parcel_id for answer in answers if answer.outcome == "dispatched" and answer.parcel_id]
    store.set_dispatched(tx.conn, leaving, by=by, at=tx.now)
    if weighed_g is not None:
        store.set_weighed(tx.conn, leaving, weighed_g)

    _say_dispatched(tx, leaving, families, by=by, actor=actor)
    return answers


def _at_the_gate(family: Family, parcel_id: int) -> Dispatched:
    parcel = next(parcel for parcel in family.parcels if parcel.id == parcel_id)
    number = next((row.number for row in family.bindings if row.parcel_id == parcel_id and row.state == "live"), "")
    if parcel.stage == "dispatched":
        return Dispatched(number, parcel_id, "already")
    why, reason = _kept_in(family, parcel, number)
    return Dispatched(number, parcel_id, "refused" if why else "dispatched", why, reason)


def _kept_in(family: Family, parcel: ParcelRow, number: str) -> tuple[str, str]:
    """Why a parcel may not leave, as a word and a sentence; two empty texts when it may."""
    if family.stop is not None:
        return family.stop.why, family.stop.sentence
    if parcel.held_reason:
        return "held", f"The parcel is on hold: {parcel.held_reason}."
    if family.content_changed:
        return "changed", "The order changed after this label was made: wait for the new one."
    if parcel.stage not in ("issued", "printed") or not number:
        return parcel.stage, "The parcel has no valid number: ship it first."
    return "", ""


def _say_dispatched(tx: Tx, leaving: Sequence[int], families: dict[int, Family], *, by: str, actor: str) -> None:
    gone = [(an_id, families[an_id].mother.shop_id, families[an_id].order_ids) for an_id in leaving]
    tx.emit(*(ParcelDispatched(shop_id=shop_id, parcel_id=an_id, order_ids=order_ids, by=by, at=tx.now)
              for an_id, shop_id, order_ids in gone))  # fmt: skip
    tx.note(*(Entry(actor, "parcel.dispatch", f"parcel:{an_id}", shop_id) for an_id, shop_id, _ in gone))


def mark_printed(tx: Tx, print_ids: Collection[int]) -> list[int]:
    """Parcels whose valid label is on paper now."""
    return store.mark_printed(tx.conn, sorted(print_ids), at=tx.now)


def dispatch_printed(tx: Tx, parcel_ids: Collection[int]) -> list[Dispatched]:
    """Parcels of warehouses where printing is leaving."""
    leaving = store.dispatched_by_print(tx.conn, sorted(parcel_ids))
    return dispatch(tx, leaving, by="print", actor="rule:printed_label_dispatches")


def dispatch_collected(tx: Tx, parcel_ids: Collection[int]) -> list[Dispatched]:
    """What the carrier has collected has left, whoever forgot to say so; an alarm for what should have stayed."""
    collected = store.collected(tx.conn, sorted(parcel_ids))
    answers = dispatch(tx, collected, by="carrier", actor="rule:collected_parcel_is_dispatched")

    tx.emit(*(HeldParcelCollected(shop_id=collected[answer.parcel_id], parcel_id=answer.parcel_id, why=answer.why)
              for answer in answers if answer.outcome == "refused" and answer.parcel_id is not None))  # fmt: skip
    return answers


def bind_foreign(
    tx: Tx, parcel_id: int, *, carrier: str, number: str, actor: str, children: Sequence[str] = ()
) -> None:
    """A number made elsewhere, pasted or imported, becomes the parcel's; an answer still under way is given back."""
    [family] = _families(tx, [parcel_id])
    carrier, given = model.checked_carrier(carrier), [model.checked_number(one) for one in (number, *children)]
    _require_alive(family)
    _refuse_foreign(tx, family, carrier, given)
    aggregator_id = store_takes.aggregator_of(tx.conn, account_id=family.mother.account_id, carrier=carrier)
    if aggregator_id is None:
        raise Conflict("No aggregator account is set up to track this number: add one first.")

    numbers.stop_numbers(tx, [family], reason="bound by hand")
    bindings = [
        NewBinding(an_id, parcel.id, parcel.shop_id, None, aggregator_id, carrier, one, tx.now - OWNS_BEFORE)
        for an_id, parcel, one in zip(numbers.new_ids(tx, len(given)), family.parcels, given, strict=True)
    ]
    store_takes.insert_bindings(tx.conn, bindings, at=tx.now)
    labels = numbers.make_labels(tx, family.mother.shop_id, [(b.parcel_id, b.id, "") for b in bindings], Routing())
    store_takes.insert_labels(tx.conn, labels, at=tx.now)
    store.set_issued(tx.conn, family.parcel_ids, carrier=carrier, at=tx.now)

    numbers.say_issued(tx, family, {b.parcel_id: b.id for b in bindings})
    tx.note(Entry(actor, "parcel.bind", family.subject, family.mother.shop_id))


def _refuse_foreign(tx: Tx, family: Family, carrier: str, given: Sequence[str]) -> None:
    if family.stop is not None:
        raise Conflict(family.stop.sentence)
    if len(given) != len(family.parcels) or len(set(given)) != len(given):
        raise Invalid("children", f"This shipment has {len(family.parcels)} pieces: give a number for each.")
    if family.bindings:
        raise Conflict("The parcel has a number: void it first.")
    for number in given:
        holder = store_takes.holder_of(tx.conn, carrier=carrier, number=number)
        if holder is not None:
            raise Conflict(f"The number {number} belongs to parcel {holder.parcel_id}.")


def ship_with_number(tx: Tx, order_id: int, *, carrier: str, number: str, actor: str) -> int:
    """Ship everything left of an order under a number made elsewhere; its parcel. Repeated with the same number: the
    same parcel."""
    _require_known(store.lock_orders(tx.conn, [order_id]), [order_id])
    [order] = store.load_orders(tx.conn, [order_id])
    stop = model.stop_of(cancelled=order.cancelled, held=order.held, hold_reason=order.hold_reason, refund=order.refund)
    if stop is not None:
        raise Conflict(stop.sentence)
    carrier, number = model.checked_carrier(carrier), model.checked_number(number)
    bound = store_takes.parcel_of_number(tx.conn, order_id=order_id, carrier=carrier, number=number)
    if bound is not None:
        return bound
    lines = model.everything_left(order)
    if not lines:
        raise Conflict("Nothing of this order is left to ship.")

    [made] = numbers.make_parcels(tx, [model.new_parcel([(order, lines)], None, carrier=carrier)], random_code)
    bind_foreign(tx, made.ids[0], carrier=carrier, number=number, actor=actor)
    return made.ids[0]


def end_journeys(tx: Tx, parcel_ids: Collection[int]) -> None:
    """These arrived, came back or were lost: late scans are theirs for a while, then the carrier may use the number."""
    if parcel_ids:
        store_takes.end_bindings(tx.conn, sorted(parcel_ids), owns_until=tx.now + OWNS_AFTER_END)


def reopen_journeys(tx: Tx, parcel_ids: Collection[int]) -> None:
    """A delivery was retracted: the number is in use."""
    if parcel_ids:
        store_takes.end_bindings(tx.conn, sorted(parcel_ids), owns_until=None)


@dataclass(frozen=True, slots=True)
class ShippedNumber:
    """What became of an order that was named by its shop's number."""

    number: str
    order_id: int | None
    parcel_ids: tuple[int, ...]
    outcome: model.Outcome
    why: str = ""
    reason: str = ""


def ship_numbers(tx: Tx, numbers: Sequence[str], *, shop: str, carrier: str = "", actor: str) -> list[ShippedNumber]:
    """Ship orders named by a shop's own numbers, in the given order; an unknown one is refused alone."""
    ids = store.orders_by_number(tx.conn, shop=shop, numbers=numbers)
    shipped = ship(tx, ShipOrders(tuple(ids.values()), carrier=carrier), actor=actor) if ids else []
    found = {answer.order_id: answer for answer in shipped}
    answers = []
    for number in dict.fromkeys(numbers):
        if number in ids:
            answer = found[ids[number]]
            answers.append(ShippedNumber(
                number, answer.order_id, answer.parcel_ids, answer.outcome, answer.why, answer.reason))  # fmt: skip
        else:
            answers.append(ShippedNumber(number, None, (), "refused", "unknown", "There is no such order."))
    return answers
