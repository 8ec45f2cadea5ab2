"""What can be done with notices: planned by rules, said by people, taken back, said again, reported on.

Before they write, callers check `Caller.may`: `notices:say` for a message, `notices:write` for how a shop speaks.
Guaranteed: planning a thing again changes nothing; orders are locked by ascending id.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from waystream.core.channels import Report, ReportState, is_email, is_mobile
from waystream.core.errors import Conflict, Invalid, Missing
from waystream.core.events.notices import NoticeDelivered, NoticeRefused, NoticeSent
from waystream.kernel.audit import Entry
from waystream.kernel.ids import mint_ids
from waystream.kernel.tx import Tx
from waystream.parts.notices import model, receivers, sending, store, store_words, words
from waystream.parts.notices.kinds import SAID, Words
from waystream.parts.notices.model import Happening, Notice, NoticeState, Policy, Thing, Why
from waystream.parts.notices.receivers import Content
from waystream.parts.notices.store import NewNotice

NO_NOTICE, NO_ORDER = "There is no such message.", "There is no such order."
ORDERS_AT_MOST = 1_000
SLOWDOWN = "slowdown"


def plan(tx: Tx, happened: Sequence[Happening]) -> int:
    """Plan what buyers are to know, once for each thing; how many things are new.

    What happens to an order within the policy's gathering time becomes one message. Costs one look where no shop of
    these speaks to its buyers.
    """
    policies = store_words.list_policies(tx.conn, {each.shop_id for each in happened})
    spoken = [each for each in happened if each.shop_id in policies and policies[each.shop_id].says(each.kind)]
    if not spoken:
        return 0
    order_of = store.orders_of_parcels(tx.conn, {each.parcel_id for each in spoken})
    shops = store.lock_orders(tx.conn, set(order_of.values()))
    things = [
        model.thing_of(each, order_id=order_of[each.parcel_id], zone=policies[each.shop_id].zone)
        for each in spoken
        if each.parcel_id in order_of
    ]
    new = _new(things, known=store.list_known(tx.conn, things))

    gathering = _gather(tx, new, shops, policies)
    store.insert_things(
        tx.conn, [(gathering[thing.order_id, thing.kind], shops[thing.order_id], thing) for thing in new]
    )
    return len(new)


def _new(things: Iterable[Thing], *, known: Mapping[store.Key, datetime | None]) -> list[Thing]:
    """Each thing once, and as it happened last; one that is known only where it was over unsaid and happened anew."""
    last = {thing.key: thing for thing in sorted(things, key=lambda thing: thing.at)}
    return [last[key] for key in sorted(last) if key not in known or _is_anew(last[key], known[key])]


def _is_anew(thing: Thing, over_at: datetime | None) -> bool:
    return over_at is not None and thing.at > over_at


def plan_slowdown(tx: Tx, slowdown_id: int, *, shop_id: int, place: str, because: str) -> int:
    """Buyers of a shop's parcels in a slow-down are told of it, once; how many things are new."""
    return plan(
        tx,
        [
            Happening(shop_id, parcel_id, SLOWDOWN, tx.now, nth=slowdown_id, detail=place, because=because)
            for parcel_id in store.list_slowed(tx.conn, slowdown_id, shop_id)
        ],
    )


def _gather(
    tx: Tx, things: Sequence[Thing], shops: Mapping[int, int], policies: Mapping[int, Policy]
) -> dict[tuple[int, str], int]:
    """The notice of each (order, kind): the one that still waits, or a new one."""
    found = store.list_gathering(tx.conn, {thing.order_id for thing in things})
    lacking = sorted({(thing.order_id, thing.kind) for thing in things} - found.keys())
    made = dict(zip(lacking, mint(tx, len(lacking)), strict=True))
    store.insert(
        tx.conn,
        [
            NewNotice(
                notice_id,
                shops[order_id],
                order_id,
                kind,
                due_at=tx.now + timedelta(seconds=policies[shops[order_id]].gather_s),
            )
            for (order_id, kind), notice_id in made.items()
        ],
        at=tx.now,
    )
    return found | made


def mint(tx: Tx, n: int) -> list[int]:
    return mint_ids(n, at_ms=round(tx.now.timestamp() * 1000))


def take_back(tx: Tx, parcel_ids: Collection[int], kinds: Collection[str]) -> int:
    """What is planned of these kinds for these parcels alone is not said; how many messages."""
    planned = store.list_planned_of(tx.conn, parcel_ids, kinds)
    if not planned:
        return 0
    store.lock_orders(tx.conn, {order_id for order_id, _, _ in planned})
    wanted = set(parcel_ids)
    dropped = 0
    for notice_id in sorted({notice_id for _, notice_id, _ in planned}):
        notice = store.lock(tx.conn, notice_id)
        about = {thing.parcel_id for thing in store.list_things(tx.conn, notice_id)}
        if notice.state is NoticeState.PLANNED and about <= wanted:
            sending.end(tx, notice, NoticeState.DROPPED, Why.TAKEN_BACK)
            dropped += 1
    return dropped


@dataclass(frozen=True, slots=True)
class Saying:
    """A message of a person: his own `text`, or a `kind` in the shop's words. Facts in braces are filled in when it
    leaves. `urgent`: in quiet hours, too. `once`: the same number is said once to an order (an incident's id)."""

    text: str = field(default="", repr=False)
    subject: str = field(default="", repr=False)
    kind: str = ""
    urgent: bool = False
    once: int = 0


def say(tx: Tx, order_id: int, saying: Saying, *, actor: str) -> int:
    """Plan a person's message to an order's buyer; the notice. Raises `Invalid` for words that cannot be said,
    `Conflict` where the buyer cannot or does not want to be told, `Missing` for an unknown order."""
    [notice_id] = say_to_many(tx, [order_id], saying, actor=actor)
    return notice_id


def say_to_many(tx: Tx, order_ids: Collection[int], saying: Saying, *, actor: str) -> list[int]:
    """One message for each order, all or none; orders that were told this `once` before are left out."""
    if not 1 <= len(order_ids) <= ORDERS_AT_MOST:
        raise Invalid("orders", f"between 1 and {ORDERS_AT_MOST} orders at once")
    draft = _checked(saying)
    shops = store.lock_orders(tx.conn, order_ids)
    if len(shops) != len(set(order_ids)):
        raise Missing(NO_ORDER)
    if saying.once:
        asked = [Thing(order_id, 0, SAID, saying.once, tx.now) for order_id in shops]
        known = {key[0] for key in store.list_known(tx.conn, asked)}
        shops = {order_id: shop_id for order_id, shop_id in shops.items() if order_id not in known}
    return [_say(tx, order_id, shop_id, saying, draft, actor=actor) for order_id, shop_id in shops.items()]


def _checked(saying: Saying) -> Words | None:
    """The words of a free text; None where the shop's own words of a kind are said."""
    if bool(saying.text.strip()) == bool(saying.kind):
        raise Invalid("text", "give either a text or a kind of notice")
    if saying.kind:
        words.get_kind(saying.kind)
        return None
    subject = " ".join(saying.subject.split()) or words.own_words(SAID, "zh").subject
    draft = Words(subject, saying.text.replace("\r\n", "\n").strip())
    words.check(draft)
    return draft


def _say(tx: Tx, order_id: int, shop_id: int, saying: Saying, draft: Words | None, *, actor: str) -> int:
    order = store.get_order(tx.conn, order_id)
    kind = saying.kind or SAID
    opened = receivers.open_receiver(tx, shop_id, order.person_id)
    if not opened.receiver.readable:
        raise Conflict("This receiver was erased: there is nobody to write to.")
    if store_words.is_opted_out(tx.conn, shop_id, hashes=opened.hashes, marks=[kind, model.mark_of(order_id)]):
        raise Conflict("This buyer wants no messages.")
    [notice_id] = mint(tx, 1)
    things = _things_of_saying(tx, order_id, notice_id, saying, kind)
    key_id = opened.receiver.key_id
    sealed = b""
    if draft is not None:
        content = Content(text=draft.text, subject=draft.subject, draft=True)
        sealed = receivers.seal_content(tx, notice_id, key_id, content)

    new = NewNotice(
        notice_id, shop_id, order_id, kind, due_at=tx.now, actor=actor, urgent=saying.urgent, key_id=key_id,
        sealed=sealed,
    )  # fmt: skip
    store.insert(tx.conn, [new], at=tx.now)
    store.insert_things(tx.conn, [(notice_id, shop_id, thing) for thing in things])
    tx.note(Entry(actor, "say", f"order:{order_id}", shop_id, detail={"notice": notice_id, "kind": kind}))
    return notice_id


def _things_of_saying(tx: Tx, order_id: int, notice_id: int, saying: Saying, kind: str) -> list[Thing]:
    """A free text is about the order. A kind is about the parcels it is true of and that nobody spoke of yet."""
    if kind == SAID:
        return [Thing(order_id, 0, SAID, saying.once or notice_id, tx.now)]
    parcels = store.list_parcels(tx.conn, store.list_order_parcels(tx.conn, order_id))
    found = words.get_kind(kind)
    shop = store.get_order(tx.conn, order_id).shop_id
    things = [
        model.thing_of(Happening(shop, parcel_id, kind, tx.now, nth=notice_id), order_id=order_id)
        for parcel_id in sorted(parcels)
    ]
    true = [thing for thing in things if model.why_not(found, thing, parcels.get(thing.parcel_id), now=tx.now) is None]
    if not true:
        raise Conflict("It is not true of any parcel of this order now.")
    new = _new(true, known=store.list_known(tx.conn, true))
    if not new:
        raise Conflict("The buyer was told this already: have it said again instead.")
    return new


def say_again(tx: Tx, notice_id: int, *, actor: str) -> int:
    """A message once more, as things are now; the new notice. Raises `Conflict` while the first is still on its way."""
    first = get_notice(tx, notice_id)
    store.lock_orders(tx.conn, [first.order_id])
    first = store.lock(tx.conn, notice_id)
    if first.test:
        raise Conflict("It was a test: try the words again where they are written.")
    if first.state is NoticeState.PLANNED or (first.state is NoticeState.SENDING and first.doubted_at is None):
        raise Conflict("It is still on its way.")
    draft = receivers.open_content(tx, first.id, first.key_id, first.sealed) if first.kind == SAID else None
    if first.kind == SAID and draft is None:
        raise Conflict("What it said was erased.")
    [again] = mint(tx, 1)
    sealed = b""
    if draft is not None and first.key_id is not None:
        content = Content(text=draft.text, subject=draft.subject, draft=draft.draft)
        sealed = receivers.seal_content(tx, again, first.key_id, content)

    new = NewNotice(
        again, first.shop_id, first.order_id, first.kind, due_at=tx.now, actor=actor,
        again_of=first.again_of or first.id, key_id=first.key_id if sealed else None, sealed=sealed,
    )  # fmt: skip
    store.insert(tx.conn, [new], at=tx.now)
    tx.note(Entry(actor, "say_again", f"order:{first.order_id}", first.shop_id, detail={"notice": notice_id}))
    return again


def drop(tx: Tx, notice_id: int, *, actor: str) -> None:
    """A person takes back what has not left. Raises `Conflict` when it has."""
    found = get_notice(tx, notice_id)
    store.lock_orders(tx.conn, [found.order_id])
    notice = store.lock(tx.conn, notice_id)
    if notice.state is not NoticeState.PLANNED:
        raise Conflict("It has left, or was dropped already.")
    sending.end(tx, notice, NoticeState.DROPPED, Why.TAKEN_BACK)
    tx.note(Entry(actor, "drop_notice", f"order:{notice.order_id}", notice.shop_id, detail={"notice": notice_id}))


def settle_doubt(tx: Tx, notice_id: int, *, was_said: bool, actor: str) -> None:
    """A person found out whether a message in doubt got through. Raises `Conflict` for any other."""
    found = get_notice(tx, notice_id)
    store.lock_orders(tx.conn, [found.order_id])
    notice = store.lock(tx.conn, notice_id)
    if notice.state is not NoticeState.SENDING or notice.doubted_at is None:
        raise Conflict("It is not in doubt.")
    if was_said:
        store.end_sending(tx.conn, notice.id, receipt=notice.receipt, at=tx.now)
        tx.emit(NoticeSent(
            shop_id=notice.shop_id, order_id=notice.order_id, notice_id=notice.id, template=notice.kind,
            channel=notice.channel, again=notice.again_of is not None))  # fmt: skip
    else:
        sending.end(tx, notice, NoticeState.REFUSED, Why.UNAVAILABLE)
    tx.note(
        Entry(
            actor, "settle_notice", f"order:{notice.order_id}", notice.shop_id,
            detail={"notice": notice_id, "said": int(was_said)},
        )
    )  # fmt: skip


def test(tx: Tx, order_id: int, said: Words, *, kind: str, language: str, to: str, actor: str) -> int:
    """Words tried over a real order and sent to whoever tries them; the notice. Nothing of it counts as said.

    `to`: an e-mail address or a mobile number. Raises `Invalid` for words that cannot be said or a wrong address.
    """
    words.check(said)
    words.get_kind(kind)
    to = to.strip()
    if not (is_email(to) or is_mobile(to)):
        raise Invalid("to", "an e-mail address or a mobile number")
    if order_id not in store.lock_orders(tx.conn, [order_id]):
        raise Missing(NO_ORDER)
    order = store.get_order(tx.conn, order_id)
    opened = receivers.open_receiver(tx, order.shop_id, order.person_id)
    if not opened.receiver.readable:
        raise Conflict("This receiver was erased: choose another order.")
    [notice_id] = mint(tx, 1)
    content = Content(text=said.text, subject=said.subject, to=to, draft=True)

    new = NewNotice(
        notice_id, order.shop_id, order_id, kind, due_at=tx.now, actor=actor, urgent=True, language=language,
        key_id=opened.receiver.key_id, test=True,
        sealed=receivers.seal_content(tx, notice_id, opened.receiver.key_id, content),
    )  # fmt: skip
    store.insert(tx.conn, [new], at=tx.now)
    tx.note(Entry(actor, "test_words", f"order:{order_id}", order.shop_id, detail={"kind": kind}))
    return notice_id


def find_said(tx: Tx, order_id: int, once: int) -> int:
    """The message of an incident that an order was told. Raises `Missing` where it was told none."""
    found = store.find_said(tx.conn, order_id, SAID, once)
    if found is None:
        raise Missing(NO_NOTICE)
    return found


def get_notice(tx: Tx, notice_id: int) -> Notice:
    found = store.find(tx.conn, notice_id)
    if found is None:
        raise Missing(NO_NOTICE)
    return found


def take_reports(tx: Tx, shop_id: int, channel: str, reports: Sequence[Report]) -> int:
    """What a shop's channel tells of letters it took; how many changed something. The entry point of receipts.

    A report for no letter of ours, a second one and one that comes before the answer to the call are all taken.
    """
    changed = 0
    for report in reports:
        for notice in store.lock_by_report(
            tx.conn, shop_id, channel=channel, receipt=report.receipt, letter_id=report.letter_id
        ):
            changed += _take_report(tx, notice, report)
    return changed


def _take_report(tx: Tx, notice: Notice, report: Report) -> bool:
    said = sending.impersonal(report.said)
    if report.state is ReportState.DELIVERED:
        if not store.set_delivered(tx.conn, notice.id, said=said, at=tx.now):
            return False
        _emit(tx, notice, _reported(NoticeDelivered, notice))
        return True
    if notice.state not in (NoticeState.SENDING, NoticeState.HANDED):
        return False
    store.end(tx.conn, notice.id, state=NoticeState.REFUSED, why=Why.REPORTED.value, at=tx.now, said=said)
    _emit(tx, notice, _reported(NoticeRefused, notice))
    return True


def _emit(tx: Tx, notice: Notice, event: NoticeDelivered | NoticeRefused) -> None:
    if not notice.test:
        tx.emit(event)


def _reported(event: type[NoticeDelivered] | type[NoticeRefused], notice: Notice) -> NoticeDelivered | NoticeRefused:
    return event(
        shop_id=notice.shop_id,
        order_id=notice.order_id,
        notice_id=notice.id,
        template=notice.kind,
        channel=notice.channel,
    )


def forget_receivers(tx: Tx, order_ids: Collection[int]) -> int:
    """After an erasure: nothing shows whom messages went to; what was said is unreadable since the key went."""
    return store.forget_receivers(tx.conn, order_ids)


# ---------------------------------------------------------------------- how a shop speaks


def get_policy(tx: Tx, shop_id: int) -> Policy:
    """A shop without one says nothing."""
    return store_words.list_policies(tx.conn, [shop_id]).get(shop_id, Policy())


def save_policy(tx: Tx, shop_id: int, policy: Policy, *, actor: str) -> None:
    """From now on, for what waits, too. Raises `Invalid`."""
    policy = model.checked_policy(policy)

    store_words.save_policy(tx.conn, shop_id, policy, at=tx.now)
    tx.note(Entry(actor, "set_notices", f"shop:{shop_id}", shop_id, detail={"enabled": int(policy.enabled)}))


def opt_out(tx: Tx, order_id: int, *, kind: str = "", actor: str) -> int:
    """The buyer of this order wants no messages of a kind, or none at all (kind empty); how many marks are new."""
    shop_id, opened = _buyer(tx, order_id, kind)

    mask = receivers.mask(opened.receiver.mobile or opened.receiver.email)
    added = store_words.add_optouts(
        tx.conn, shop_id, [(each, kind, mask) for each in opened.hashes], at=tx.now, actor=actor
    )
    tx.note(Entry(actor, "opt_out", f"order:{order_id}", shop_id, detail={"kind": kind}))
    return added


def opt_in(tx: Tx, order_id: int, *, kind: str = "", actor: str) -> int:
    """He wants them again; with kind empty, all of them."""
    return _take_back(tx, order_id, kind=kind, kinds=[kind] if kind else None, actor=actor)


def opt_in_again(tx: Tx, order_id: int, *, actor: str) -> int:
    """What was said for this order, and of all messages, is taken back; of kinds and of other orders it stands."""
    mark = model.mark_of(order_id)
    return _take_back(tx, order_id, kind=mark, kinds=["", mark], actor=actor)


def _take_back(tx: Tx, order_id: int, *, kind: str, kinds: Sequence[str] | None, actor: str) -> int:
    shop_id, opened = _buyer(tx, order_id, kind)

    removed = store_words.remove_optouts(tx.conn, shop_id, opened.hashes, kinds=kinds)
    tx.note(Entry(actor, "opt_in", f"order:{order_id}", shop_id, detail={"kind": kind}))
    return removed


def list_optouts(tx: Tx, order_id: int) -> list[store_words.OptOut]:
    """What the buyer of an order does not want to hear."""
    shop_id, opened = _receiver_of(tx, order_id)
    return store_words.list_optouts_of(tx.conn, shop_id, hashes=opened.hashes)


def _buyer(tx: Tx, order_id: int, kind: str) -> tuple[int, receivers.Opened]:
    if kind and kind != model.mark_of(order_id):
        words.get_kind(kind)
    if order_id not in store.lock_orders(tx.conn, [order_id]):
        raise Missing(NO_ORDER)
    return _receiver_of(tx, order_id)


def _receiver_of(tx: Tx, order_id: int) -> tuple[int, receivers.Opened]:
    order = store.get_order(tx.conn, order_id)
    opened = receivers.open_receiver(tx, order.shop_id, order.person_id)
    if not opened.hashes:
        raise Conflict("Nothing is known to reach this buyer by.")
    return order.shop_id, opened
