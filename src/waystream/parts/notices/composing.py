"""A notice as a letter: the order, its parcels and its receiver read as they are now, judged, and put into words.

Guaranteed: whatever `look` says was true in its transaction, under the lock of the order's row. Nothing here writes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from waystream.core.channels import Links, no_link
from waystream.kernel.tx import Tx
from waystream.parts.notices import facts, model, receivers, store, store_words, wording, words
from waystream.parts.notices.facts import OrderNow
from waystream.parts.notices.kinds import Words
from waystream.parts.notices.model import Notice, ParcelNow, Policy, Receiver, Situation, Thing, Told
from waystream.parts.notices.receivers import Content, Opened


@dataclass(frozen=True, slots=True)
class Scene:
    """What a notice is judged by, and what it can speak of."""

    order: OrderNow
    opened: Opened
    situation: Situation


def get_order(tx: Tx, order_id: int, links: Links) -> OrderNow:
    """With the address of its buyer's page."""
    return replace(store.get_order(tx.conn, order_id), link=links(tx, order_id))


def look(tx: Tx, notice: Notice, things: tuple[Thing, ...], links: Links = no_link) -> Scene:
    """The order's row is locked; from here on nobody else speaks to this person either."""
    order = get_order(tx, notice.order_id, links)
    policy = store_words.list_policies(tx.conn, [notice.shop_id]).get(notice.shop_id, Policy())
    opened = receivers.open_receiver(tx, notice.shop_id, order.person_id)
    if opened.to_hash is not None:
        store.lock_person_hash(tx.conn, opened.to_hash)
    situation = Situation(
        kind=words.get_kind(notice.kind),
        things=things,
        parcels=store.list_parcels(tx.conn, {thing.parcel_id for thing in things if thing.parcel_id}),
        policy=policy,
        receiver=opened.receiver,
        told=_count_told(tx, notice, opened, policy),
        opted_out=store_words.is_opted_out(
            tx.conn, notice.shop_id, hashes=opened.hashes, marks=[notice.kind, model.mark_of(notice.order_id)]
        ),
        cancelled=order.cancelled,
        by_person=notice.by_person,
        urgent=notice.urgent,
    )
    return Scene(order, opened, situation)


def _count_told(tx: Tx, notice: Notice, opened: Opened, policy: Policy) -> Told:
    since = model.day_begins(tx.now, model.zone_of(opened.receiver.province, policy))
    counted = store.count_told(
        tx.conn, shop_id=notice.shop_id, order_id=notice.order_id, to_hash=opened.to_hash, since=since, but=notice.id
    )
    return Told(*counted)


@dataclass(frozen=True, slots=True)
class Draft:
    """Words to be said, and whether they are a template still."""

    words: Words = field(repr=False)
    is_template: bool = True


def put_into_words(draft: Draft, order: OrderNow, parcels: Sequence[ParcelNow], *, known: Mapping[str, str]) -> Content:
    """The letter's content. A final draft is said as it stands; its variables are the facts of today."""
    if not draft.is_template:
        return Content(text=draft.words.text, subject=draft.words.subject, variables=_filled(known))
    checked = words.check(draft.words)
    return Content(
        text=wording.render(checked.text, known),
        subject=wording.one_line(wording.render(checked.subject, known)),
        variables=_filled(known),
    )


def _filled(known: Mapping[str, str]) -> dict[str, str]:
    return {name: wording.one_line(value) for name, value in known.items() if value.strip()}


def collect_facts(
    tx: Tx,
    order: OrderNow,
    parcels: Sequence[ParcelNow],
    *,
    receiver: Receiver,
    policy: Policy,
    language: str,
    details: Collection[str] = (),
) -> Mapping[str, str]:
    numbers = store.list_numbers(tx.conn, [parcel.id for parcel in parcels]) if parcels else []
    return facts.collect(
        order,
        parcels,
        name=receiver.name,
        details=list(details),
        language=language,
        zone=model.zone_of(receiver.province, policy),
        numbers=numbers,
    )
