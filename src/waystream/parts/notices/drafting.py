"""A person's message before it is said: the words to begin with, how it will read, what this order was told so far.

Guaranteed: a preview says what the message would say now, with the receiver's name masked; nothing here writes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from waystream.core.person import mask_name
from waystream.kernel.tx import Tx
from waystream.parts.notices import composing, model, receivers, store, store_drafts, store_words, words
from waystream.parts.notices.composing import Draft
from waystream.parts.notices.kinds import SAID, Words, load_kinds
from waystream.parts.notices.model import Policy
from waystream.parts.notices.receivers import Opened

SHOWN_MAX = 30


@dataclass(frozen=True, slots=True)
class Beginning:
    """Words to begin with. `kinds`: what else there is to begin with, name and title in both languages."""

    text: str
    language: str
    readable: bool
    told_today: int
    told_max: int


def begin(tx: Tx, order_id: int, kind: str = SAID) -> Beginning:
    """In the shop's own words for the kind and the buyer's language. Raises `Missing` for an unknown kind."""
    opened, policy = _open(tx, order_id)
    order = store.get_order(tx.conn, order_id)
    language = model.language_of(opened.receiver, policy)
    since = model.day_begins(tx.now, model.zone_of(opened.receiver.province, policy))
    return Beginning(
        text=words.words_of(tx, order.shop_id, kind=kind, language=language).text,
        language=language,
        readable=opened.receiver.readable,
        told_today=store_drafts.count_said(tx.conn, order_id, since=since),
        told_max=policy.per_order_day,
    )


def list_kinds(language: str) -> list[tuple[str, str]]:
    """(name, title) of every kind a person can begin with; the empty message first."""
    return [(SAID, load_kinds()[SAID].title[language]), *(
        (name, kind.title[language]) for name, kind in load_kinds().items() if name != SAID
    )]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Preview:
    """How it would read now; `facts` are the values that are filled in anew when it leaves."""

    text: str
    facts: tuple[str, ...]


def preview(tx: Tx, order_id: int, text: str, *, details: Sequence[str] = ()) -> Preview:
    """`details`: words of a cause. Raises `Invalid` with the sentence that mends the words."""
    draft = Words("-", text.replace("\r\n", "\n").strip())
    checked = words.check(draft)
    opened, policy = _open(tx, order_id)
    receiver = replace(opened.receiver, name=mask_name(opened.receiver.name) if opened.receiver.name else "")
    order = store.get_order(tx.conn, order_id)
    found = store.list_parcels(tx.conn, store.list_order_parcels(tx.conn, order_id))
    parcels = [found[parcel_id] for parcel_id in sorted(found)]
    language = model.language_of(receiver, policy)
    known = composing.collect_facts(
        tx, order, parcels, receiver=receiver, policy=policy, language=language, details=details
    )
    content = composing.put_into_words(Draft(draft), order, parcels, known=known)
    named = checked.text.facts
    return Preview(content.text, tuple(value for name, value in content.variables.items() if name in named))


def _open(tx: Tx, order_id: int) -> tuple[Opened, Policy]:
    order = store.get_order(tx.conn, order_id)
    policy = store_words.list_policies(tx.conn, [order.shop_id]).get(order.shop_id, Policy())
    return receivers.open_receiver(tx, order.shop_id, order.person_id), policy


@dataclass(frozen=True, slots=True)
class SaidLine:
    """A message of this order. `actor` empty: a rule; `text` empty until it is composed, None when it was erased."""

    id: int
    at: datetime
    kind: str
    state: str
    actor: str
    channel: str
    why: str
    text: str | None = field(repr=False)


def list_said(tx: Tx, order_id: int) -> list[SaidLine]:
    """What this order's buyer was told or is to be told, the oldest first."""
    rows = store_drafts.list_of_order(tx.conn, order_id, limit=SHOWN_MAX)
    return [
        SaidLine(
            row.id, row.at, row.kind, row.state, row.actor, row.channel, row.why,
            _text(tx, row),
        )
        for row in reversed(rows)
    ]  # fmt: skip


def _text(tx: Tx, row: store_drafts.SaidRow) -> str | None:
    if not row.sealed:
        return ""
    content = receivers.open_content(tx, row.id, row.key_id, row.sealed)
    return content.text if content else None
