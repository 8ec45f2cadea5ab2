"""One notice on its way out: composed in a transaction before the call, settled in one after it.

Guaranteed: `sending` is on disk before a channel is called, and what came of the call after it; in between a crash
leaves a notice that is handed over again only to a channel that says a letter once, and is in doubt otherwise.
"""

import re
from dataclasses import dataclass, field, replace

from waystream.core.channels import BuyerChannel, Channels, Handed, Letter, Links, no_link
from waystream.core.events.notices import NoticeDropped, NoticeRefused, NoticeSent
from waystream.kernel.tx import Tx
from waystream.parts.notices import composing, model, receivers, rounds, store, words
from waystream.parts.notices.composing import Draft, Scene
from waystream.parts.notices.facts import OrderNow
from waystream.parts.notices.kinds import INCIDENT, Words
from waystream.parts.notices.model import Drop, Notice, NoticeState, Receiver, Say, Thing, Wait, Why
from waystream.parts.notices.receivers import Content
from waystream.parts.notices.store import Composed

SAID_MAX = 200
#: Mail servers quote the address they refuse, gateways the number.
_PERSONAL = re.compile(r"\S+@\S+|\+?\d(?:[ -]?\d){6,}")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A letter that is `sending` on disk, and the channel it goes by. `others`: another one would reach the buyer."""

    notice: Notice
    channel: BuyerChannel
    letter: Letter = field(repr=False)
    others: bool = False


def compose(tx: Tx, notice_id: int, channels: Channels, links: Links = no_link) -> Outgoing | None:
    """What is to be handed over now; None where it waits, is dropped, or somebody else did it."""
    found = store.find(tx.conn, notice_id)
    if found is None or found.state not in (NoticeState.PLANNED, NoticeState.SENDING):
        return None
    store.lock_orders(tx.conn, [found.order_id])
    notice = store.lock(tx.conn, notice_id)
    if notice.state is NoticeState.SENDING:
        return _resume(tx, notice, channels, links)
    if notice.state is not NoticeState.PLANNED:
        return None
    scene = composing.look(tx, notice, _things(tx, notice), links)

    if notice.test:
        return _begin(tx, notice, scene, (), channels)
    match model.decide(scene.situation, now=tx.now):
        case Drop(why):
            end(tx, notice, NoticeState.DROPPED, why)
        case Wait(until):
            store.wait(tx.conn, notice.id, until=until)
        case Say(things):
            return _begin(tx, notice, scene, things, channels)
    return None


def _things(tx: Tx, notice: Notice) -> tuple[Thing, ...]:
    """What is said again is about what it was about."""
    return store.list_things(tx.conn, notice.id) or store.list_things(tx.conn, notice.again_of or 0)


def _begin(tx: Tx, notice: Notice, scene: Scene, things: tuple[Thing, ...], channels: Channels) -> Outgoing | None:
    situation, receiver = scene.situation, scene.opened.receiver
    draft = receivers.open_content(tx, notice.id, notice.key_id, notice.sealed)
    if notice.test and draft is not None:
        receiver = _tester(receiver, draft)
    ways = model.list_routes(
        channels(tx, notice.shop_id), receiver, preferred=situation.policy.channels, refused=notice.refused_by
    )
    route = ways if isinstance(ways, Why) else ways[0]
    if isinstance(route, Why):
        end(tx, notice, NoticeState.REFUSED if route is Why.REFUSED else NoticeState.DROPPED, route)
        return None
    content = _content(tx, notice, scene, things, draft, to=route.to)
    language = notice.language or model.language_of(receiver, situation.policy)
    store.begin_sending(
        tx.conn,
        notice.id,
        Composed(
            channel=route.channel.name,
            language=language,
            to_mask=receivers.mask(content.to),
            to_hash=None if notice.test else scene.opened.to_hash,
            key_id=receiver.key_id,
            sealed=receivers.seal_content(tx, notice.id, receiver.key_id, content),
        ),
        at=tx.now,
    )
    letter = _letter(notice, scene.order, content, language=language)
    return Outgoing(notice, route.channel, letter, others=not isinstance(ways, Why) and len(ways) > 1)


def _content(
    tx: Tx, notice: Notice, scene: Scene, things: tuple[Thing, ...], draft: Content | None, *, to: str
) -> Content:
    situation, receiver = scene.situation, scene.opened.receiver
    language = notice.language or model.language_of(receiver, situation.policy)
    parcel_ids = [thing.parcel_id for thing in things if thing.parcel_id] or _living(tx, scene, things)
    found = situation.parcels or store.list_parcels(tx.conn, parcel_ids)
    parcels = [found[parcel_id] for parcel_id in parcel_ids if parcel_id in found]
    known = composing.collect_facts(
        tx,
        scene.order,
        parcels,
        receiver=receiver,
        policy=situation.policy,
        language=language,
        details=[thing.detail for thing in things],
    )
    if draft is None:
        said = Draft(_words(tx, notice, things, language=language))
    else:
        said = Draft(Words(draft.subject, draft.text), draft.draft)
    content = composing.put_into_words(said, scene.order, parcels, known=known)
    return Content(text=content.text, subject=content.subject, to=to, variables=content.variables)


def _words(tx: Tx, notice: Notice, things: tuple[Thing, ...], *, language: str) -> Words:
    if notice.kind == INCIDENT:
        return rounds.words_for(tx, notice.shop_id, things[0].nth, language=language)
    return words.words_of(tx, notice.shop_id, kind=notice.kind, language=language)


def _tester(receiver: Receiver, draft: Content) -> Receiver:
    """Words are tried on whoever tries them, at the address he gave."""
    by_mail = "@" in draft.to
    return replace(receiver, mobile="" if by_mail else draft.to, email=draft.to if by_mail else "")


def _living(tx: Tx, scene: Scene, things: tuple[Thing, ...]) -> list[int]:
    """A message about the whole order may speak of all its parcels."""
    return store.list_order_parcels(tx.conn, scene.order.id)


def _letter(notice: Notice, order: OrderNow, content: Content, *, language: str) -> Letter:
    return Letter(
        id=notice.letter_id,
        shop=order.shop_code,
        order=order.number,
        language=language,
        template=notice.kind,
        to=content.to,
        subject=content.subject,
        text=content.text,
        variables=content.variables,
        unsubscribe=f"{order.link}/unsubscribe" if order.link and not notice.test else "",
    )


def _resume(tx: Tx, notice: Notice, channels: Channels, links: Links) -> Outgoing | None:
    """A call whose end nobody wrote down: the same letter again where that says it once, else it is in doubt."""
    if notice.doubted_at is not None:
        return None
    channel = next((each for each in channels(tx, notice.shop_id) if each.name == notice.channel), None)
    content = receivers.open_content(tx, notice.id, notice.key_id, notice.sealed)
    if channel is None or not channel.repeatable or content is None:
        store.doubt(tx.conn, notice.id, said="", at=tx.now)
        return None
    order = composing.get_order(tx, notice.order_id, links)
    return Outgoing(notice, channel, _letter(notice, order, content, language=notice.language))


def settle_handed(tx: Tx, sent: Outgoing, handed: Handed) -> None:
    """The channel has it. True however late it is written, so it does not hang on the job's lease."""
    notice = sent.notice
    if store.end_sending(tx.conn, notice.id, receipt=handed.receipt[:SAID_MAX], at=tx.now) and not notice.test:
        tx.emit(NoticeSent(
            shop_id=notice.shop_id, order_id=notice.order_id, notice_id=notice.id, template=notice.kind,
            channel=sent.channel.name, again=notice.again_of is not None))  # fmt: skip


def settle_refused(tx: Tx, sent: Outgoing, *, said: str) -> None:
    """This channel will never take it: the next one is asked."""
    store.back_to_planned(tx.conn, sent.notice.id, refused_by=sent.channel.name, said=impersonal(said))


def settle_unsent(tx: Tx, sent: Outgoing, *, said: str, patient: bool) -> None:
    """It certainly did not get through: later, by the same channel while we are `patient`, else by another."""
    store.back_to_planned(
        tx.conn, sent.notice.id, refused_by="" if patient else sent.channel.name, said=impersonal(said)
    )


def settle_doubted(tx: Tx, sent: Outgoing, *, said: str) -> None:
    store.doubt(tx.conn, sent.notice.id, said=impersonal(said), at=tx.now)


def end(tx: Tx, notice: Notice, state: NoticeState, why: Why, *, said: str = "") -> None:
    """Say no more of it, and why."""
    if not store.end(tx.conn, notice.id, state=state, why=why.value, at=tx.now, said=said) or notice.test:
        return
    about = {"shop_id": notice.shop_id, "order_id": notice.order_id, "notice_id": notice.id}
    if state is NoticeState.REFUSED:
        channel = notice.channel or (notice.refused_by[-1] if notice.refused_by else "")
        tx.emit(NoticeRefused(**about, template=notice.kind, channel=channel))
    else:
        tx.emit(NoticeDropped(**about, template=notice.kind, why=why.value))


def impersonal(said: str) -> str:
    """A channel's words as they may be stored: no address or number, bounded."""
    return _PERSONAL.sub("…", said)[:SAID_MAX]
