"""Rounds: one message of a person to every buyer whose parcels an incident holds, and how far it is.

Before they write, callers check `Caller.may`. Guaranteed: an order is told once of an incident, however often a person
presses; who wants no messages, has had enough of them today or has his parcel is not told, and it is counted why.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from waystream.core.errors import Conflict, Invalid, Missing
from waystream.core.events.incidents import IncidentTold
from waystream.kernel.audit import Entry
from waystream.kernel.ids import mint_ids
from waystream.kernel.jobs import Job
from waystream.kernel.tx import Tx
from waystream.parts.notices import drafting, store, store_rounds, words
from waystream.parts.notices.kinds import INCIDENT, LANGUAGES, Words
from waystream.parts.notices.model import Thing
from waystream.parts.notices.store import NewNotice
from waystream.parts.notices.store_rounds import Round

PLAN_ROUND = "plan_round"
ORDERS_AT_ONCE = 500
FLOWS = "This incident is over: who still waits is told for himself."
NO_ROUND = "The buyers of this incident were not written to."


@dataclass(frozen=True, slots=True)
class Incident:
    """The slow-down as a shop has it, and the ticket on which it is written down."""

    shop_id: int
    slowdown_id: int
    ticket_id: int


def begin(tx: Tx, incident: Incident, said: Mapping[str, str], *, actor: str) -> bool:
    """Tell everybody; False where that is under way. `said`: the text by language, at least one. Raises `Invalid`, and
    `Conflict` once it flows again."""
    texts = _checked(said)
    shop_id, slowdown_id = incident.shop_id, incident.slowdown_id
    if not store_rounds.lasts(tx.conn, slowdown_id):
        raise Conflict(FLOWS)

    sealed = tx.keys.vault.seal_secret(msgspec.json.encode(texts).decode(), aad=_aad(shop_id, slowdown_id))
    new = Round(shop_id, slowdown_id, incident.ticket_id, actor, tx.now, None, None, sealed)
    if not store_rounds.begin(tx.conn, new):
        return False
    tx.enqueue(Job(PLAN_ROUND, shop_id, key=f"{shop_id}/{slowdown_id}", subject=f"slowdown:{slowdown_id}"))
    tx.note(Entry(actor, "tell_incident", f"ticket:{incident.ticket_id}", shop_id))
    return True


def _checked(said: Mapping[str, str]) -> dict[str, str]:
    texts = {language: said.get(language, "").replace("\r\n", "\n").strip() for language in LANGUAGES}
    given = {language: text for language, text in texts.items() if text}
    if not given:
        raise Invalid("text", "say something, in one language at least")
    for text in given.values():
        words.check(Words("-", text))
    return given


def plan_next(tx: Tx, shop_id: int, slowdown_id: int) -> bool:
    """A message for each of the next orders; whether there may be more."""
    found = store_rounds.lock(tx.conn, shop_id, slowdown_id)
    if found is None or found.planned_at is not None:
        return False
    waiting = store_rounds.list_waiting(tx.conn, shop_id, slowdown_id, limit=ORDERS_AT_ONCE)
    store.lock_orders(tx.conn, [order_id for order_id, _ in waiting])
    place = store_rounds.find_place(tx.conn, slowdown_id)
    ids = mint_ids(len(waiting), at_ms=round(tx.now.timestamp() * 1000))

    notices = [
        NewNotice(notice_id, shop_id, order_id, INCIDENT, due_at=tx.now, actor=found.actor, slowdown_id=slowdown_id)
        for notice_id, (order_id, _) in zip(ids, waiting, strict=True)
    ]
    things = [
        (notice.id, shop_id, Thing(notice.order_id, parcel_id, INCIDENT, slowdown_id, tx.now, detail=place))
        for notice, (_, parcel_ids) in zip(notices, waiting, strict=True)
        for parcel_id in parcel_ids
    ]

    store.insert(tx.conn, notices, at=tx.now)
    store.insert_things(tx.conn, things)
    if len(waiting) == ORDERS_AT_ONCE:
        return True
    store_rounds.set_planned(tx.conn, shop_id, slowdown_id, at=tx.now)
    return False


def words_for(tx: Tx, shop_id: int, slowdown_id: int, *, language: str) -> Words:
    """In the buyer's language, or in the one it was written in. Raises `Missing`."""
    found = store_rounds.find(tx.conn, shop_id, slowdown_id)
    if found is None:
        raise Missing(NO_ROUND)
    plain = tx.keys.vault.open_secret(found.sealed, aad=_aad(shop_id, slowdown_id))
    texts = msgspec.json.decode(plain, type=dict[str, str])
    spoken = language if language in texts else next(iter(texts))
    return Words(words.words_of(tx, shop_id, kind=INCIDENT, language=spoken).subject, texts[spoken])


def _aad(shop_id: int, slowdown_id: int) -> bytes:
    return f"round:{shop_id}:{slowdown_id}".encode()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a round is, in orders. `waiting`: not told yet nor about to be; `on_the_way`: planned or being sent;
    `whys`: how many were not told, by the word of the reason. `open`: a person was heard, and it goes on."""

    open: bool
    begun: bool
    waiting: int
    on_the_way: int
    told: int
    doubted: int
    whys: tuple[tuple[str, int], ...]

    @property
    def untold(self) -> int:
        return sum(n for _, n in self.whys)


def look(tx: Tx, shop_id: int, slowdown_id: int) -> Progress:
    found = store_rounds.find(tx.conn, shop_id, slowdown_id)
    states = store_rounds.count_states(tx.conn, shop_id, slowdown_id)
    doubted = sum(n for _, _, in_doubt, n in states if in_doubt)
    return Progress(
        open=found is not None and found.ended_at is None,
        begun=found is not None,
        waiting=store_rounds.count_waiting(tx.conn, shop_id, slowdown_id),
        on_the_way=sum(n for state, _, _, n in states if state in ("planned", "sending")) - doubted,
        told=sum(n for state, _, _, n in states if state in ("handed", "delivered")),
        doubted=doubted,
        whys=tuple((why, n) for _, why, _, n in states if why),
    )


def begin_words(tx: Tx, shop_id: int) -> Mapping[str, str]:
    """What a person begins with, by language: the shop's own words."""
    return {language: words.words_of(tx, shop_id, kind=INCIDENT, language=language).text for language in LANGUAGES}


def preview(tx: Tx, shop_id: int, slowdown_id: int, text: str) -> drafting.Preview | None:
    """As the first of those who wait would read it; None where nobody waits. Raises `Invalid`."""
    waiting = store_rounds.list_waiting(tx.conn, shop_id, slowdown_id, limit=1)
    if not waiting:
        return None
    return drafting.preview(tx, waiting[0][0], text, details=[store_rounds.find_place(tx.conn, slowdown_id)])


def end_told(tx: Tx) -> int:
    """Rounds whose every message has its end; how many."""
    ended = store_rounds.take_ended(tx.conn, at=tx.now)
    for each in ended:
        shown = look(tx, each.shop_id, each.slowdown_id)
        tx.emit(IncidentTold(
            shop_id=each.shop_id, slowdown_id=each.slowdown_id, ticket_id=each.ticket_id, told=shown.told,
            untold=shown.untold, doubted=shown.doubted, whys=tuple(f"{why}:{n}" for why, n in shown.whys),
        ))  # fmt: skip
    return len(ended)
