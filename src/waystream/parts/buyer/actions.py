"""What is done with buyers' links, the gate before personal data, and what buyers say.

Guaranteed: making a link writes nothing, for it follows from the order; revoking one ends every link told so far. A
receiver is opened only where the last four digits were right, and a wrong try takes as long as a right one. The same
thing said again is nothing new: no event, no second ticket.
"""

import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from waystream.core.errors import Conflict, Missing
from waystream.core.events.buyer import (
    BuyerAskedNewAddress,
    BuyerConfirmed,
    BuyerEvent,
    BuyerMissedParcel,
    BuyerReportedDamage,
)
from waystream.core.person import Term, from_bytes, person_aad
from waystream.core.ports import Contact
from waystream.kernel.audit import Entry
from waystream.kernel.ids import mint_ids
from waystream.kernel.tx import Tx
from waystream.kernel.vault import open_sealed, seal
from waystream.parts.buyer import store
from waystream.parts.buyer.links import NO_LINK, VERSIONS_AT_MOST, Link, expiry
from waystream.parts.buyer.model import (
    SAID_AT_MOST,
    TRIES_AT_MOST,
    WRONG_AT_MOST,
    Gate,
    Journey,
    ParcelSeen,
    Said,
    Saying,
)
from waystream.parts.buyer.reading import get_journey

HOUR_S = 3_600


def link(tx: Tx, order_id: int) -> Link:
    """The order's link as of now: the same until it is revoked or grows old. Raises `Missing` for an unknown order."""
    found = store.find_linked(tx.conn, order_id)
    if found is None:
        raise Missing("There is no such order.")
    return Link(found.shop_id, order_id, expiry(found.received_at, now=tx.now), found.version)


def check(tx: Tx, told: Link) -> None:
    """Raises `Missing` unless the order is there, is the shop's, and the link was not revoked since."""
    found = store.find_linked(tx.conn, told.order_id)
    if found is None or (found.shop_id, found.version) != (told.shop_id, told.version):
        raise Missing(NO_LINK)


def revoke(tx: Tx, order_id: int, *, actor: str) -> Link:
    """Every link told so far opens nothing from now on; the new one. Raises `Missing`, `Conflict` at the last."""
    before = link(tx, order_id)
    if before.version >= VERSIONS_AT_MOST:
        raise Conflict("The links of this order were revoked too often.")

    store.revoke(tx.conn, order_id, shop_id=before.shop_id, at=tx.now)
    tx.note(Entry(actor, "revoke_link", f"order:{order_id}", before.shop_id))
    return link(tx, order_id)


def try_gate(tx: Tx, journey: Journey, digits: str) -> Gate:
    """Try the last four digits of the receiver's phone. The try counts whatever comes of it: commit it.

    Where the gate is not to be asked (a virtual number, a receiver nobody can read) every try is `WRONG`.
    """
    tries, wrong = store.take_try(tx.conn, journey.order_id, shop_id=journey.shop_id, hour_s=HOUR_S)
    if tries > TRIES_AT_MOST or wrong >= WRONG_AT_MOST:
        return Gate.LOCKED
    given = tx.keys.vault.blind(Term.LAST_FOUR.blind, journey.shop_id, digits)
    known = store.list_hashes(tx.conn, journey.person_id, purpose=Term.LAST_FOUR)
    right = sum(hmac.compare_digest(given, each) for each in known) > 0 and journey.gated

    if not right:
        store.note_wrong(tx.conn, journey.order_id)
        return Gate.WRONG
    store.forget_tries(tx.conn, journey.order_id)
    tx.note(Entry("buyer", "open_gate", f"order:{journey.order_id}", journey.shop_id))
    return Gate.OPEN


def find_receiver(tx: Tx, person_id: int) -> Contact | None:
    """The receiver in the clear, for whoever passed the gate; None where nobody can read it."""
    row = store.find_receiver(tx.conn, person_id)
    key = tx.keys.load(tx.conn, [row.key_id]).get(row.key_id) if row else None
    if row is None or key is None:
        return None
    return from_bytes(open_sealed(key, row.sealed, aad=person_aad(person_id))).contact


def say(tx: Tx, saying: Saying) -> bool:
    """Take in what the buyer says; False when they said the same before.

    Raises `Conflict` where it cannot be said of the parcel as it is, or too much was said; `Missing` for a parcel that
    is not the order's.
    """
    store.lock_order(tx.conn, saying.order_id)
    journey = get_journey(tx, saying.order_id)
    parcel = _judged(journey, saying)
    if store.count_words(tx.conn, saying.order_id) >= SAID_AT_MOST:
        raise Conflict("So much was said about this order already: please call the shop.")

    [word_id] = mint_ids(1, at_ms=round(tx.now.timestamp() * 1000))
    if not store.insert_word(tx.conn, _row(tx, journey, saying, parcel, word_id), at=tx.now):
        return False
    tx.emit(_event(journey, saying, word_id))
    return True


def _judged(journey: Journey, saying: Saying) -> ParcelSeen | None:
    if saying.kind is Said.ADDRESS:
        if not journey.may_move:
            raise Conflict("The address cannot be changed here any more.")
        return None
    parcel = journey.find(saying.parcel_id)
    if parcel is None:
        raise Missing("There is no such parcel.")
    if saying.kind not in parcel.may_say:
        raise Conflict("This cannot be said of the parcel as it is now: open the page again.")
    return parcel


def _row(tx: Tx, journey: Journey, saying: Saying, parcel: ParcelSeen | None, word_id: int) -> store.WordRow:
    """What is said of another delivery of the same parcel is something new."""
    delivered_at = parcel.delivered_at if parcel and saying.kind is not Said.RECEIVED else None
    content = f"{saying.parcel_id}\n{delivered_at or ''}\n{saying.words}"
    digest = tx.keys.vault.blind("buyer word", journey.shop_id, content)
    key_id, sealed = _seal(tx, journey.person_id, saying.words, word_id)
    return store.WordRow(
        word_id, journey.shop_id, saying.order_id, saying.parcel_id, saying.kind, digest, key_id, sealed
    )


def _seal(tx: Tx, person_id: int, words: str, word_id: int) -> tuple[int | None, bytes | None]:
    """Under the receiver's own key; of one who was erased nothing is kept."""
    key_id = store.find_key(tx.conn, person_id) if words else None
    key = tx.keys.load(tx.conn, [key_id]).get(key_id) if key_id else None
    if key is None:
        return None, None
    return key_id, seal(key, words.encode(), aad=_word_aad(word_id))


def _word_aad(word_id: int) -> bytes:
    return f"buyer_word:{word_id}".encode()


def _event(journey: Journey, saying: Saying, word_id: int) -> BuyerEvent:
    shared: dict[str, Any] = {
        "shop_id": journey.shop_id, "order_id": saying.order_id, "word_id": word_id, "parcel_id": saying.parcel_id,
    }  # fmt: skip
    match saying.kind:
        case Said.RECEIVED:
            return BuyerConfirmed(**shared, whole=journey.is_whole_with(saying.parcel_id))
        case Said.MISSING:
            return BuyerMissedParcel(**shared)
        case Said.DAMAGED:
            return BuyerReportedDamage(**shared)
        case Said.ADDRESS:
            return BuyerAskedNewAddress(**shared, changed=saying.changed)


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing a buyer said, for whoever answers it."""

    at: datetime
    kind: Said
    parcel_id: int | None
    words: str = field(repr=False)


def list_heard(tx: Tx, order_id: int) -> list[Heard]:
    """Everything the buyer of an order said, newest first; words of somebody who was erased are gone."""
    rows = store.list_words(tx.conn, order_id, limit=SAID_AT_MOST)
    keys = tx.keys.load(tx.conn, [row.key_id for row in rows if row.key_id])
    return [
        Heard(
            row.said_at,
            Said(row.kind),
            row.parcel_id,
            open_sealed(keys[row.key_id], row.sealed, aad=_word_aad(row.id)).decode()
            if row.sealed and row.key_id in keys
            else "",
        )
        for row in rows
    ]
