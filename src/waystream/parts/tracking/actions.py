"""What the rest may ask tracking to do. Taking in pushes is `applying`, reading is `reading`.

Each verb runs in the caller's transaction: load, decide, save, tell.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from msgspec import structs

from waystream.core.errors import Conflict, Invalid, Missing, Unreadable
from waystream.core.facts import Verdict
from waystream.core.ports import Network
from waystream.kernel import vault
from waystream.kernel.audit import Entry
from waystream.kernel.jobs import Job
from waystream.kernel.tx import Tx
from waystream.parts.tracking import applying, model, store, store_doubts, store_lists
from waystream.parts.tracking.applying import Applied, apply
from waystream.parts.tracking.model import Received
from waystream.parts.tracking.store import Stored

__all__ = [
    "Applied",
    "adopt",
    "apply",
    "begin_tracks",
    "decide",
    "dismiss",
    "quarantine",
    "retry_quarantine",
    "retry_unread",
    "set_unread_aside",
    "settle_disputes",
    "withdraw_decision",
]

ADOPT = "adopt_strangers"
REASON_MAX_CHARS = 500
ADOPTED_AT_ONCE = 200


def begin_tracks(tx: Tx, binding_ids: Collection[int]) -> None:
    """Follow these bindings from now on; what was told of their numbers before they were bound is adopted by a job.

    A parcel that was followed under another number goes on under this one: what travelled before is an earlier leg.
    """
    bindings = store_lists.list_live_bindings(tx.conn, binding_ids)
    held = applying.hold_tracks(tx, {bound.parcel_id for bound in bindings})
    switched = [
        structs.replace(held[bound.parcel_id], binding_id=bound.binding_id)
        for bound in bindings
        if bound.parcel_id in held and held[bound.parcel_id].binding_id != bound.binding_id
    ]

    left = applying.list_left(tx, held)
    refolded = applying.refold(tx, [stored for stored in switched if stored.parcel_id not in left])

    applying.save_moved(tx, held, refolded, {stored.parcel_id: f"binding:{stored.binding_id}" for stored in switched})
    tx.enqueue(
        *[
            Job(
                ADOPT,
                bound.shop_id,
                f"binding:{bound.binding_id}",
                f"parcel:{bound.parcel_id}",
                {"binding_id": bound.binding_id},
            )
            for bound in bindings
            if bound.strangers
        ]
    )


def adopt(tx: Tx, binding_id: int, networks: Mapping[str, Network]) -> Applied:
    """Take in what was told of a binding's number while nobody had bound it. Up to `ADOPTED_AT_ONCE` pushes."""
    waiting = store_lists.list_waiting(tx.conn, binding_id, limit=ADOPTED_AT_ONCE)
    keys = tx.keys.load(tx.conn, {item.push.key_id for item in waiting})
    told = [
        model.narrowed(opened(item.push, keys[item.push.key_id], networks), item.waybill)
        for item in waiting
        if item.push.key_id in keys
    ]

    applied = applying.take_in(tx, told) if told else Applied()

    store_lists.mark_adopted(tx.conn, [item.id for item in waiting])
    return applied


def opened(push: store_lists.KeptPush, key: bytes, networks: Mapping[str, Network]) -> Received:
    """A kept push as it was received, read with today's reader. Raises `Unreadable`."""
    network = networks[push.integration]
    body = vault.open_sealed(key, push.sealed, aad=push.digest)
    return Received(
        id=push.id,
        aggregator_id=push.aggregator_id,
        network=network,
        body=body,
        push=network.read_push(body),
        digest=push.digest,
        received_at=push.received_at,
    )


def decide(tx: Tx, parcel_id: int, *, verdict: Verdict, actor: str, reason: str) -> None:
    """A person's word on a parcel: carriers cannot undo it."""
    _require_reason(reason)
    held = _hold(tx, parcel_id)

    decision_id = store_lists.insert_decision(tx.conn, held, verdict=verdict, actor=actor, reason=reason, at=tx.now)

    _refold_one(tx, held, cause=f"decision:{decision_id}")
    tx.note(
        Entry(
            actor,
            "decide",
            f"parcel:{parcel_id}",
            shop_id=held.shop_id,
            reason=reason,
            detail={"decision": decision_id, "verdict": verdict.value},
        )
    )


def withdraw_decision(tx: Tx, decision_id: int, *, actor: str, reason: str) -> None:
    """Take a decision back: the parcel is again where the carriers say it is."""
    _require_reason(reason)
    held = _hold(tx, store_lists.get_decision_parcel(tx.conn, decision_id))

    if not store_lists.withdraw_decision(tx.conn, decision_id, actor=actor, at=tx.now):
        raise Conflict("This decision was withdrawn before")

    _refold_one(tx, held, cause=f"decision:{decision_id}")
    tx.note(
        Entry(
            actor,
            "withdraw_decision",
            f"parcel:{held.parcel_id}",
            shop_id=held.shop_id,
            reason=reason,
            detail={"decision": decision_id},
        )
    )


def _require_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > REASON_MAX_CHARS:
        raise Invalid("reason", f"a reason is needed, of at most {REASON_MAX_CHARS} characters")


def _hold(tx: Tx, parcel_id: int) -> Stored:
    held = store.lock_tracks(tx.conn, [parcel_id]).get(parcel_id)
    if held is None:
        raise Missing("There is no such parcel, or it has no waybill yet")
    if applying.list_left(tx, [parcel_id]):
        raise Conflict("This parcel's scans have left for the lake: it is where it was then")
    return held


def _refold_one(tx: Tx, held: Stored, *, cause: str) -> None:
    applying.save_moved(tx, {held.parcel_id: held}, applying.refold(tx, [held]), {held.parcel_id: cause})


def dismiss(tx: Tx, waybills: Sequence[model.Waybill], *, actor: str) -> int:
    """These strangers are not ours: out of the list; how many numbers. A later push lists them again."""
    dismissed = store_lists.dismiss_strangers(tx.conn, waybills)
    tx.note(Entry(actor, "dismiss_strangers", "strangers", detail={"numbers": dismissed}))
    return dismissed


def settle_disputes(tx: Tx, parcel_id: int, number: str, *, actor: str, reason: str) -> None:
    """A person looked at the scans of this number that are not its parcel's. Raises `Missing` when nothing is open."""
    _require_reason(reason)
    shop_id = store_lists.settle_disputes(tx.conn, parcel_id, number, by=actor)
    if shop_id is None:
        raise Missing("There is no such disputed scan")
    tx.note(Entry(actor, "settle_disputes", f"parcel:{parcel_id}", shop_id, reason))


def quarantine(tx: Tx, *, aggregator_id: int, digest: bytes, body: bytes, reason: str) -> None:
    """Keep signed bytes that we could not read or take in. The same bytes again change nothing."""
    key_id, key = tx.keys.day_key(tx.conn, tx.now.date())
    store_lists.insert_quarantine(
        tx.conn,
        store.Sealed(digest, 0, aggregator_id, tx.now, len(body), key_id, vault.seal(key, body, aad=digest)),
        reason=reason,
    )


def retry_quarantine(tx: Tx, quarantine_id: int, *, networks: Mapping[str, Network], inbox_id: int) -> Applied:
    """Take in a quarantined push with today's reader. Raises what stands in its way; then it stays as it is."""
    push = store_lists.lock_quarantined(tx.conn, quarantine_id)
    if push is None:
        raise Missing("There is no such push in quarantine")
    keys = tx.keys.load(tx.conn, [push.key_id])
    if push.key_id not in keys:
        raise Conflict("The key of this push has been destroyed: nobody can read it any more")

    received = replace(opened(push, keys[push.key_id], networks), id=inbox_id)
    applied = apply(tx, [received])

    store_lists.heal_quarantined(tx.conn, quarantine_id, at=tx.now)
    return applied


def retry_unread(tx: Tx, line_id: int, *, networks: Mapping[str, Network]) -> Applied:
    """Read once more, with today's reader, what the push of an unreadable line told of its waybill.

    Raises `Missing` where the line or its push is gone, `Unreadable` while it cannot be read; then it stays listed.
    """
    _, inbox_id, waybill = _hold_unread(tx, line_id)
    push = store_lists.find_kept_push(tx.conn, inbox_id)
    if push is None:
        raise Missing("The raw push is no longer kept")
    keys = tx.keys.load(tx.conn, [push.key_id])
    if push.key_id not in keys:
        raise Conflict("The key of this push has been destroyed: nobody can read it any more")
    received = opened(push, keys[push.key_id], networks)
    told = model.narrowed(received, waybill) if waybill[1] else received

    unread = [*told.push.unread, *(line for item in told.push.told for line in item.unread)]
    if unread:
        raise Unreadable(unread[0].reason)

    applied = applying.take_in(tx, [told])
    store_doubts.settle_unread(tx.conn, line_id, by="reader")
    return applied


def set_unread_aside(tx: Tx, line_id: int, *, actor: str) -> None:
    """A person looked at the line: out of the list. Raises `Missing`."""
    shop_id, _, waybill = _hold_unread(tx, line_id)
    store_doubts.settle_unread(tx.conn, line_id, by=actor)
    tx.note(Entry(actor, "set_unread_aside", f"unread:{line_id}", shop_id, detail={"number": waybill[1]}))


def _hold_unread(tx: Tx, line_id: int) -> tuple[int, int, model.Waybill]:
    held = store_doubts.lock_unread(tx.conn, line_id)
    if held is None:
        raise Missing("There is no such line")
    return held
