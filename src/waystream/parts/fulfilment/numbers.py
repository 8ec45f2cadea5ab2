"""What may be done with the number of a family, by whoever holds its locks: ask, bind, stop, use again.

`follow` is the one place where parcels before dispatch are brought into line with their orders; it looks at how things
are, not at what was told, so calling it once more changes nothing. Never two live numbers: a new one is asked only when
the old is cancelled, and an answer nobody wants any more is given back (`give_back`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from waystream.core.events.fulfilment import (
    CancelAsked,
    CancelRefused,
    LabelVoided,
    ParcelVoided,
    WaybillIssued,
    WaybillRefused,
)
from waystream.core.ports import Routing
from waystream.kernel.ids import mint_ids
from waystream.kernel.jobs import Job
from waystream.kernel.tx import Tx
from waystream.kernel.vault import open_sealed, seal
from waystream.parts.fulfilment import model, store, store_takes
from waystream.parts.fulfilment.codes import Codes, random_code
from waystream.parts.fulfilment.family import BindingRow, Family, ParcelRow, Refill, refill, sorted_by_way
from waystream.parts.fulfilment.model import Account, NewParcel, Order, ShipOrders, pick_account
from waystream.parts.fulfilment.store_takes import Cancel, NewCancel, NewLabel, NewTake

TAKE_NUMBER, CANCEL_WAYBILL = "take_number", "cancel_waybill"


def new_ids(tx: Tx, n: int) -> list[int]:
    return mint_ids(n, at_ms=int(tx.now.timestamp() * 1000))


def label_aad(label_id: int) -> bytes:
    """What `label.sealed` is bound to."""
    return f"label:{label_id}".encode()


def plan_takes(tx: Tx, wanted: Sequence[tuple[int, int, int]], codes: Codes) -> None:
    """An attempt for each (parcel, shop, account), and the job that makes it."""
    takes = [
        NewTake(take_id, parcel_id, shop_id, account_id, codes())
        for take_id, (parcel_id, shop_id, account_id) in zip(new_ids(tx, len(wanted)), wanted, strict=True)
    ]

    store_takes.insert_takes(tx.conn, takes, at=tx.now)

    tx.enqueue(*(Job(TAKE_NUMBER, take.shop_id, str(take.id), f"parcel:{take.parcel_id}") for take in takes))


def stop_numbers(tx: Tx, families: Sequence[Family], *, reason: str = "") -> None:
    """Nobody shall use these numbers: attempts become unwanted, live numbers are given back, labels void.

    Without a `reason` it is what keeps the parcel here. What left keeps its number.
    """
    takes = [family.take for family in families if family.take is not None]
    store_takes.drop_takes(tx.conn, [take.id for take in takes if not take.sent])
    store_takes.mark_unwanted(tx.conn, [take.id for take in takes if take.sent])

    live = [(family, row) for family in families for row in family.bindings_here if row.state == "live"]
    store_takes.set_bindings(tx.conn, [row.id for _, row in live], state="cancelling")
    give_back(tx, _cancels_of(tx, live, reason))
    void_labels(tx, [parcel_id for family in families for parcel_id in family.here_ids])


def _cancels_of(tx: Tx, live: Sequence[tuple[Family, BindingRow]], reason: str) -> list[NewCancel]:
    """One cancel for an attempt: the carrier takes children back with their mother.

    A number that was made elsewhere, or whose family has partly left, is a task for a person.
    """
    once: dict[int, tuple[Family, BindingRow, int | None]] = {}
    for family, row in live:
        take_id = None if family.dispatched else row.take_id
        once.setdefault(take_id or -row.id, (family, row, take_id))
    return [
        NewCancel(cancel_id, row.parcel_id, family.mother.shop_id, take_id, row.id, row.carrier, row.number,
                  reason or family.why, supported=take_id is not None)
        for cancel_id, (family, row, take_id) in zip(new_ids(tx, len(once)), once.values(), strict=True)
    ]  # fmt: skip


def give_back(tx: Tx, cancels: Sequence[NewCancel]) -> list[Cancel]:
    """Ask the carrier to take numbers back; one that was made elsewhere is a task for a person."""
    if not cancels:
        return []
    rows = store_takes.insert_cancels(tx.conn, cancels, at=tx.now)

    asked = [row for row in rows if row.state == "asked"]
    tx.enqueue(*(Job(CANCEL_WAYBILL, row.shop_id, str(row.id), f"parcel:{row.parcel_id}") for row in asked))
    tx.emit(*(_said_of(row) for row in rows))
    return rows


def _said_of(row: Cancel) -> CancelAsked | CancelRefused:
    if row.state == "asked":
        return CancelAsked(shop_id=row.shop_id, parcel_id=row.parcel_id, cancel_id=row.id)
    return CancelRefused(shop_id=row.shop_id, parcel_id=row.parcel_id, cancel_id=row.id, outcome=row.state)


def void_labels(tx: Tx, parcel_ids: Sequence[int]) -> None:
    voided = store_takes.void_labels(tx.conn, parcel_ids, at=tx.now)
    tx.emit(*(LabelVoided(shop_id=v.shop_id, parcel_id=v.parcel_id, label_id=v.id) for v in voided))


def void(tx: Tx, parcels: Sequence[ParcelRow]) -> None:
    """These will never leave. Their numbers are stopped already."""
    store.set_stage(tx.conn, [parcel.id for parcel in parcels], stage="voided", held_reason="", at=tx.now)
    tx.emit(*(ParcelVoided(shop_id=parcel.shop_id, parcel_id=parcel.id) for parcel in parcels))


def follow(tx: Tx, mothers: Collection[int], *, codes: Codes = random_code) -> None:
    """Bring parcels that have not left into line with their orders.

    An order that may not travel holds its parcel: number given back, label void. One that goes another way, or
    lost an order, gets a new number for what it is now. One whose orders may travel again goes on. A parcel that is
    held though it is not voided has a number the carrier would not take back: it waits until it is what its label says.
    Of a family that has partly left, the rest is held, and goes on with the numbers it has.
    """
    families = [family for family in store.lock_families(tx.conn, sorted(mothers)) if family.here]
    open_ones = [family for family in families if not family.voided and not family.held]
    free = [family for family in families if family.stop is None and (family.held or not family.voided)]
    whole = [family for family in free if not family.dispatched]
    changed = [family for family in open_ones if family in whole and family.content_changed]

    _hold(tx, [family for family in open_ones if family.stop is not None])
    stop_numbers(tx, changed)
    _want(tx, [*changed, *(family for family in whole if family.held and family.voided)])
    for family in free:
        if family.held and _may_use_again(tx, family):
            use_again(tx, family)

    ask_where_waiting(tx, [family.mother.id for family in whole], codes=codes)


def _hold(tx: Tx, families: Sequence[Family]) -> None:
    stop_numbers(tx, families)
    for why in {family.why for family in families}:
        ids = [parcel_id for family in families if family.why == why for parcel_id in family.here_ids]
        held = "" if why == "cancelled" else why
        store.set_stage(tx.conn, ids, stage="voided", held_reason=held, at=tx.now)


def _want(tx: Tx, families: Sequence[Family]) -> None:
    """These go on; `ask_where_waiting` asks for their numbers as soon as nothing stands against it."""
    ids = [parcel_id for family in families for parcel_id in family.parcel_ids]
    if ids:
        store.set_stage(tx.conn, ids, stage="asked", held_reason="", at=tx.now)


def _may_use_again(tx: Tx, family: Family) -> bool:
    """Its number is still good: the carrier did not take it back, and the parcel is what it was."""
    if not family.bindings_here or family.unbound or family.content_changed:
        return False
    kept = store_takes.kept_by_carrier(tx.conn, [row.id for row in family.bindings_here])
    return all(row.state == "live" or row.id in kept for row in family.bindings_here)


def use_again(tx: Tx, family: Family) -> None:
    """Go on with the number the carrier would not or could not cancel: a new label for it."""
    rows = family.bindings_here
    ids = [row.id for row in rows]
    store_takes.set_bindings(tx.conn, ids, state="live")
    store_takes.settle_kept(tx.conn, ids, at=tx.now)
    labels = store_takes.last_labels(tx.conn, ids)

    store_takes.insert_labels(tx.conn, _relabelled(tx, labels), at=tx.now)
    store.set_issued(tx.conn, [row.parcel_id for row in rows], carrier=rows[0].carrier, at=tx.now)

    say_issued(tx, family, {row.parcel_id: row.id for row in rows})


def _relabelled(tx: Tx, labels: Sequence[NewLabel]) -> list[NewLabel]:
    """The same papers once more; where the carrier's was erased or the key of its day is gone, our own label."""
    keys = tx.keys.load(tx.conn, [label.key_id for label in labels])
    made = []
    for old in labels:
        readable = old.sealed and old.key_id in keys
        sealed = open_sealed(keys[old.key_id], old.sealed, aad=label_aad(old.id)) if readable else b""
        paper = (old.parcel_id, old.binding_id, sealed.decode())
        made += make_labels(tx, old.shop_id, [paper], old.routing)
    return made


def make_labels(tx: Tx, shop_id: int, papers: Sequence[tuple[int, int, str]], routing: Routing) -> list[NewLabel]:
    """A label for each (parcel, binding, carrier's template), sealed under the key of the day."""
    key_id, key = tx.keys.day_key(tx.conn, tx.now.date())
    return [
        NewLabel(label_id, parcel_id, binding_id, shop_id, "carrier" if template else "own", routing, key_id,
                 seal(key, template.encode(), aad=label_aad(label_id)))
        for label_id, (parcel_id, binding_id, template) in zip(new_ids(tx, len(papers)), papers, strict=True)
    ]  # fmt: skip


def say_issued(tx: Tx, family: Family, bindings: dict[int, int]) -> None:
    """`bindings`: by parcel."""
    tx.emit(
        *(
            WaybillIssued(
                shop_id=family.mother.shop_id, parcel_id=parcel_id, binding_id=binding_id, order_ids=family.order_ids
            )
            for parcel_id, binding_id in bindings.items()
        )
    )


def ask_where_waiting(tx: Tx, mothers: Collection[int], *, codes: Codes = random_code) -> None:
    """Ask for a number for each of these that waits for one, for what its orders are now.

    Orders that do not fit into their parcel any more (they go another way) get parcels of their own.
    """
    families = [f for f in store.lock_families(tx.conn, sorted(mothers)) if f.waits_for_number and f.stop is None]
    if not families:
        return
    ids = [family.mother.id for family in families]
    order_ids = sorted({order_id for family in families for order_id in family.order_ids})
    orders = {order.id: order for order in store.load_orders(tx.conn, order_ids, but=ids)}
    known = store.list_accounts(tx.conn)
    accounts = _accounts_of(families, orders, known)

    refills = refill(families, store.lines_of(tx.conn, ids), orders, accounts)

    asked = _save_refills(tx, families, refills, accounts)
    wanted = [(family.mother.id, family.mother.shop_id, accounts[family.mother.id].id) for family in asked]
    plan_takes(tx, wanted, codes)
    alone = sorted({order_id for one in refills for order_id in one.dropped})
    if alone:
        plan = model.plan(store.load_orders(tx.conn, alone), ShipOrders(tuple(alone)), known)
        make_parcels(tx, plan.new, codes)


@dataclass(frozen=True, slots=True)
class Made:
    """A parcel as it was given its ids, children after their mother."""

    ids: tuple[int, ...]
    parcel: NewParcel


def make_parcels(tx: Tx, parcels: Sequence[NewParcel], codes: Codes) -> list[Made]:
    """New parcels, each with an attempt to get a number if it has an account."""
    ids = iter(new_ids(tx, sum(parcel.pieces for parcel in parcels)))
    made = [Made(tuple(next(ids) for _ in range(parcel.pieces)), parcel) for parcel in parcels]
    children = [(child, m.ids[0], piece) for m in made for piece, child in enumerate(m.ids[1:], start=2)]

    store.insert_parcels(tx.conn, [(m.ids[0], m.parcel) for m in made], children, at=tx.now)
    plan_takes(tx, [(m.ids[0], m.parcel.shop_id, m.parcel.account_id) for m in made
                    if m.parcel.account_id is not None], codes)  # fmt: skip
    return made


def _accounts_of(
    families: Sequence[Family], orders: dict[int, Order], accounts: Sequence[Account]
) -> dict[int, Account]:
    """The account each goes on with: its own while that is switched on, else another of its carrier."""
    found = {}
    for family in families:
        mother, (kept, _) = family.mother, sorted_by_way(family)
        first = orders[kept[0].id if kept else family.order_ids[0]]
        own = ShipOrders((first.id,), account_id=mother.account_id) if mother.account_id is not None else None
        account = pick_account(first, own, accounts) if own is not None else None
        account = account or pick_account(first, ShipOrders((first.id,), carrier=mother.carrier), accounts)
        if account is not None:
            found[mother.id] = account
    return found


def _save_refills(
    tx: Tx, families: Sequence[Family], refills: Sequence[Refill], accounts: dict[int, Account]
) -> list[Family]:
    """Those that can be asked for now; the others are empty (voided) or have no account (refused)."""
    asked = []
    for family, wanted in zip(families, refills, strict=True):
        if wanted.parcel is None:
            void(tx, family.here)
        elif family.mother.id not in accounts:
            refuse(tx, family, take_id=0, code="", mend=model.NO_ACCOUNT)
        else:
            asked.append((family, wanted.parcel))
    store.refill(tx.conn, asked, at=tx.now)
    through = [(an_id, accounts[family.mother.id]) for family, _ in asked for an_id in family.parcel_ids]
    store.set_accounts(tx.conn, through, at=tx.now)
    return [family for family, _ in asked]


def refuse(tx: Tx, family: Family, *, take_id: int, code: str, mend: str) -> None:
    """No number for this parcel until somebody mends what `mend` names."""
    store.set_answer(tx.conn, family.parcel_ids, stage="refused", mend=mend, at=tx.now)
    known = {"shop_id": family.mother.shop_id, "parcel_id": family.mother.id}
    tx.emit(WaybillRefused(**known, take_id=take_id, code=code, mend=mend))
