"""Giving a number back: asked → confirmed, refused (collected already), unsupported (a person calls the carrier).

Asking again is harmless. Until the carrier confirmed, the parcel's number counts as live and no other is asked for it.
"""

from dataclasses import dataclass, field

from waystream.core import account as accounts
from waystream.core.errors import Conflict, Invalid, Missing
from waystream.core.events.fulfilment import CancelRefused, WaybillCancelled
from waystream.core.ports import Aggregator, CarrierAccount
from waystream.kernel.audit import Entry
from waystream.kernel.tx import Tx
from waystream.parts.fulfilment import numbers, store, store_takes
from waystream.parts.fulfilment.codes import Codes, random_code
from waystream.parts.fulfilment.family import BindingRow, Family
from waystream.parts.fulfilment.store_takes import Cancel

CONFIRMED, REFUSED, UNSUPPORTED = "confirmed", "refused", "unsupported"


@dataclass(frozen=True, slots=True)
class Cancelling:
    """All that the call needs; `code` is what the network knows the attempt by."""

    cancel_id: int
    integration: str
    code: str
    number: str
    aggregator: Aggregator = field(repr=False)
    account: CarrierAccount = field(repr=False)


def begin(tx: Tx, cancel_id: int) -> Cancelling | None:
    """What the call needs; None when the cancel is settled."""
    cancel = store_takes.find_cancel(tx.conn, cancel_id)
    if cancel is None or cancel.state != "asked":
        return None
    assert cancel.take_id is not None, "only numbers we took are cancelled by a call"
    take = store_takes.find_take(tx.conn, cancel.take_id)
    assert take is not None

    row = store_takes.load_ask(tx.conn, take.id)
    vault = tx.keys.vault
    key = vault.open_secret(row.key_sealed, aad=accounts.aggregator_aad(row.aggregator_code))
    parameters = vault.open_secret(row.parameters_sealed, aad=accounts.account_aad(row.account_id))
    return Cancelling(
        cancel_id, row.integration, take.code, cancel.number, Aggregator(row.merchant_id, key, row.base_url),
        accounts.from_text(parameters),
    )  # fmt: skip


def settle(tx: Tx, cancel_id: int, outcome: str, *, said: str = "", codes: Codes = random_code) -> None:
    """What the carrier's answer makes of the number and its parcel."""
    family, cancel = _locked(tx, cancel_id)
    if cancel.state != "asked":
        return
    _settle(tx, family, cancel, outcome, said, codes)


def settle_by_hand(tx: Tx, cancel_id: int, outcome: str, *, reason: str, actor: str) -> None:
    """A person called the carrier: the number is `confirmed` dead, or `refused`. It is no task any more."""
    if outcome not in (CONFIRMED, REFUSED):
        raise Invalid("outcome", "Say confirmed or refused.")
    family, cancel = _locked(tx, cancel_id)
    if cancel.state == CONFIRMED:
        raise Conflict("The number is cancelled already.")
    if cancel.state == REFUSED and family.bindings and not family.held:
        raise Conflict("The number is in use again: void the parcel first.")

    _settle(tx, family, cancel, outcome, reason, random_code, by=actor)

    tx.note(Entry(actor, f"cancel.{outcome}", family.subject, cancel.shop_id, reason))


def give_up(tx: Tx, cancel_id: int) -> None:
    """The network never answered: a task for a person."""
    settle(tx, cancel_id, UNSUPPORTED, said="never answered")


def _locked(tx: Tx, cancel_id: int) -> tuple[Family, Cancel]:
    found = store_takes.find_cancel_parcel(tx.conn, cancel_id)
    if found is None:
        raise Missing("There is no such cancel.")
    [family] = store.lock_families(tx.conn, store.mothers_of(tx.conn, [found]))
    cancel = store_takes.find_cancel(tx.conn, cancel_id)
    assert cancel is not None
    return family, cancel


def _settle(
    tx: Tx, family: Family, cancel: Cancel, outcome: str, said: str, codes: Codes, *, by: str = ""
) -> None:  # fmt: skip
    bindings = [row for row in family.bindings if _is_about(cancel, row)]
    store_takes.set_cancel(tx.conn, cancel.id, state=outcome, said=said, at=tx.now, settled_by=by)
    known = {"shop_id": cancel.shop_id, "parcel_id": cancel.parcel_id, "cancel_id": cancel.id}

    if outcome == CONFIRMED:
        _confirmed(tx, family, bindings)
        tx.emit(WaybillCancelled(**known))
    else:
        _kept(tx, family, bindings, collected=outcome == REFUSED, reason=cancel.reason)
        tx.emit(CancelRefused(**known, outcome=outcome))

    if bindings:
        numbers.follow(tx, [family.mother.id], codes=codes)


def _is_about(cancel: Cancel, row: BindingRow) -> bool:
    return row.id == cancel.binding_id or (cancel.take_id is not None and row.take_id == cancel.take_id)


def _confirmed(tx: Tx, family: Family, bindings: list[BindingRow]) -> None:
    store_takes.set_bindings(tx.conn, [row.id for row in bindings], state="cancelled", ended_at=tx.now)
    dead = {row.parcel_id for row in bindings}
    if family.dispatched:  # no other number is asked for one piece
        numbers.void(tx, [parcel for parcel in family.here if parcel.id in dead])
    else:
        ids = [parcel.id for parcel in family.here if parcel.id in dead and parcel.stage in ("issued", "printed")]
        store.set_stage(tx.conn, ids, stage="voided", held_reason=family.held_reason, at=tx.now)


def _kept(tx: Tx, family: Family, bindings: list[BindingRow], *, collected: bool, reason: str) -> None:
    """The number lives on. A parcel that wants to go as it was goes with it; else it is held with its number.

    Pieces that were made elsewhere are cancelled one by one: those whose number does not live on are held without it.
    """
    if not bindings:
        return
    if collected:
        store_takes.set_bindings(tx.conn, [row.id for row in bindings], state="live")
    wants = family.mother.stage == "asked" and not family.held and family.stop is None
    if wants and not family.unbound and not family.content_changed:
        numbers.use_again(tx, family)
    elif collected:
        held = family.held_reason or reason
        bound = {row.parcel_id for row in family.bindings_here if row in bindings or row.state == "live"}
        store.set_stage(tx.conn, set(family.here_ids) - bound, stage="voided", held_reason=held, at=tx.now)
        store.set_stage(tx.conn, bound, stage="issued", held_reason=held, at=tx.now)
