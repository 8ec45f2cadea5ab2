"""What is read of notices: the log, one of them whole with what it said, words tried over a real order.

Guaranteed: nothing is written, and nobody is shown in the clear: in what was said the receiver's name, number and
address stand masked, as they do everywhere else.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from waystream.core.errors import Missing
from waystream.core.person import mask_name
from waystream.kernel.ids import first_id
from waystream.kernel.tx import Tx
from waystream.parts.notices import composing, model, receivers, store, store_lists, store_words, words
from waystream.parts.notices.composing import Draft
from waystream.parts.notices.kinds import Words
from waystream.parts.notices.model import ParcelNow, Policy, Thing
from waystream.parts.notices.receivers import Opened
from waystream.parts.notices.store_lists import Counts, Filters, NoticeRow, SampleOrder

PAGE_MAX = 200
SAMPLES_SHOWN = 20
NO_NOTICE = "There is no such message."


def list_notices(tx: Tx, filters: Filters, *, before: int | None = None, limit: int = 50) -> list[NoticeRow]:
    return store_lists.list_notices(tx.conn, filters, before=before, limit=min(limit, PAGE_MAX))


def count_today(tx: Tx, *, since: datetime, warehouses: frozenset[int] | None = None) -> Counts:
    return store_lists.count(tx.conn, since_id=first_id(since), warehouses=warehouses)


@dataclass(frozen=True, slots=True)
class Told:
    """A notice whole. `text` is empty where nothing was said yet, or nobody can read it any more."""

    row: NoticeRow
    things: tuple[Thing, ...]
    subject: str = field(repr=False)
    text: str = field(repr=False)


def read_notice(tx: Tx, notice_id: int, *, warehouses: frozenset[int] | None = None) -> Told:
    """Raises `Missing`, also for one in another warehouse than the caller's."""
    row = store_lists.find_row(tx.conn, notice_id, warehouses=warehouses)
    notice = store.find(tx.conn, notice_id)
    if row is None or notice is None:
        raise Missing(NO_NOTICE)
    things = store.list_things(tx.conn, notice_id)
    content = receivers.open_content(tx, notice_id, notice.key_id, notice.sealed)
    if content is None:
        return Told(row, things, "", "")
    order = store.get_order(tx.conn, row.order_id)
    opened = receivers.open_receiver(tx, row.shop_id, order.person_id)
    return Told(row, things, _masked(content.subject, opened, content.to), _masked(content.text, opened, content.to))


def _masked(text: str, opened: Opened, to: str) -> str:
    receiver = opened.receiver
    if receiver.name:
        text = text.replace(receiver.name, mask_name(receiver.name))
    for address in {receiver.mobile, receiver.email, to} - {""}:
        text = text.replace(address, receivers.mask(address))
    return text


@dataclass(frozen=True, slots=True)
class Preview:
    """Words over an order as it is now. `true_now`: whether this kind would be said of it at this moment."""

    subject: str
    text: str
    facts: tuple[tuple[str, str], ...]
    true_now: bool


def preview(tx: Tx, order_id: int, said: Words, *, kind: str, language: str) -> Preview:
    """Raises `Invalid` with the sentence that mends the words. The receiver's name is masked."""
    words.check(said)
    order = store.get_order(tx.conn, order_id)
    policy = store_words.list_policies(tx.conn, [order.shop_id]).get(order.shop_id, Policy())
    row = store.find_person(tx.conn, order.person_id)
    receiver = model.Receiver(row.erased_at is None, name=_name_mask(tx, order.shop_id, order.person_id))
    found = store.list_parcels(tx.conn, store.list_order_parcels(tx.conn, order_id))
    spoken = [parcel for parcel in found.values() if _is_true(kind, parcel, order_id=order_id, now=tx.now)]
    parcels = spoken or list(found.values())
    known = composing.collect_facts(
        tx, order, parcels, receiver=receiver, policy=policy, language=language,
        details=["silent"] if kind == "delayed" else [],
    )  # fmt: skip
    content = composing.put_into_words(Draft(said), order, parcels, known=known)
    facts = tuple((name, value) for name, value in content.variables.items())
    return Preview(content.subject, content.text, facts, bool(spoken))


def _is_true(kind: str, parcel: ParcelNow, *, order_id: int, now: datetime) -> bool:
    thing = Thing(order_id, parcel.id, kind, parcel.slowed, now + timedelta(seconds=1))
    return model.why_not(words.get_kind(kind), thing, parcel, now=now) is None


def _name_mask(tx: Tx, shop_id: int, person_id: int) -> str:
    opened = receivers.open_receiver(tx, shop_id, person_id)
    return mask_name(opened.receiver.name)


def list_samples(tx: Tx, shop_id: int) -> tuple[SampleOrder, ...]:
    return tuple(store_lists.list_samples(tx.conn, shop_id, limit=SAMPLES_SHOWN))
