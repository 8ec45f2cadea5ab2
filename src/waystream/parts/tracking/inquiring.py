"""Asking a carrier for one parcel's trace list: begun in one transaction, asked, settled in another.

Guaranteed: the answer is kept sealed and applied like a push of the same network, so it is folded, repeated and
replayed like one; a number is not asked for again within the carrier's rules, crash or not.
"""

from dataclasses import dataclass, field
from datetime import datetime

from waystream.core import person
from waystream.core.account import aggregator_aad
from waystream.core.errors import Unavailable
from waystream.core.ports import Aggregator, Network
from waystream.core.state import TERMINAL, State
from waystream.kernel.clock import Clock
from waystream.kernel.ids import mint_ids
from waystream.kernel.tx import Tx
from waystream.kernel.vault import open_sealed
from waystream.parts.tracking import actions, model, outages, store_inquiries
from waystream.parts.tracking.model import Received
from waystream.parts.tracking.store_inquiries import Due


@dataclass(frozen=True, slots=True)
class Inquiry:
    """An asking ready to leave."""

    id: int
    aggregator_id: int
    aggregator_code: str
    aggregator: Aggregator
    network: Network = field(repr=False)
    carrier: str
    number: str
    tail: str = field(repr=False)
    at: datetime


def begin(tx: Tx, inquiry_id: int, networks: outages.Networks, clock: Clock) -> Inquiry | None:
    """The inquiry, noted as asked; None where there is nothing to ask. Raises `Unavailable` while rules say to wait."""
    due = store_inquiries.lock_inquiry(tx.conn, inquiry_id)
    if due is None or due.state != "queued":
        return None
    spared = _spared(due)
    if spared:
        store_inquiries.settle(tx.conn, inquiry_id, spared)
        return None
    network = networks[due.integration]
    wait_s = (outages.may_ask_from(tx, due.binding_id, network) - tx.now).total_seconds()
    if wait_s > 0:
        raise Unavailable("One number is asked for every half hour.", retry_after_s=clock.machine_s(wait_s))
    store_inquiries.set_asked(tx.conn, inquiry_id, at=tx.now)
    return _opened(tx, due, network)


def _spared(due: Due) -> str:
    """What the inquiry becomes where nobody need be asked; empty: ask."""
    if due.outage_state == "stopped":
        return "waiting"
    if due.binding_state != "live" or (due.outage_id is not None and State(due.track_state) in TERMINAL):
        return "over"
    if due.outage_ended_at is not None and due.heard_at is not None and due.heard_at > due.outage_ended_at:
        return "heard"
    return ""


def _opened(tx: Tx, due: Due, network: Network) -> Inquiry:
    key = tx.keys.vault.open_secret(due.key_sealed, aad=aggregator_aad(due.code))
    return Inquiry(
        due.id, due.aggregator_id, due.code, Aggregator(due.merchant_id, key, due.base_url), network, due.carrier,
        due.number, _tail(tx, due), tx.now,
    )  # fmt: skip


def _tail(tx: Tx, due: Due) -> str:
    """The receiver's last four digits, for carriers that want them; empty when the receiver was erased."""
    key = tx.keys.load(tx.conn, [due.person_key]).get(due.person_key) if due.person_sealed else None
    if key is None:
        return ""
    return person.phone_tail(open_sealed(key, due.person_sealed, aad=person.person_aad(due.person_id)))


def settle(tx: Tx, inquiry: Inquiry, body: bytes) -> None:
    """Take the answer in like a push, and say whether it moved the parcel."""
    [inbox_id] = mint_ids(1, at_ms=int(tx.now.timestamp() * 1000))
    received = Received(
        id=inbox_id,
        aggregator_id=inquiry.aggregator_id,
        network=inquiry.network,
        body=body,
        push=inquiry.network.read_push(body),
        digest=model.digest_of(inquiry.network.name, inquiry.aggregator_code, body),
        received_at=tx.now,
    )
    applied = actions.apply(tx, [received])
    store_inquiries.settle(tx.conn, inquiry.id, "changed" if applied.moved else "unchanged")


def unsent(tx: Tx, inquiry_id: int) -> None:
    """The call never left: it may be made as soon as the network is back."""
    store_inquiries.set_asked(tx.conn, inquiry_id, at=None)


def refuse(tx: Tx, inquiry_id: int, said: str) -> None:
    """The carrier does not tell; why."""
    store_inquiries.settle(tx.conn, inquiry_id, "refused", said=said)
