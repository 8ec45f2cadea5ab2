"""Hop 1: a group of pushes becomes facts, tracks and events, in the caller's one transaction.

Guaranteed: bytes seen before change nothing; every touched parcel is locked in id order and afterwards is the fold of
its facts; what cannot be placed (strangers, disputed scans, unknown codes) is kept and counted.
What people do is in `actions`; whose a scan is in `model`; what is new in it in `learning`.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from msgspec import structs

from waystream.core.events import Event
from waystream.core.events.fulfilment import CancelledNumberScanned, StrangerNamedTake, SubscriptionDied
from waystream.core.events.tracking import changes
from waystream.core.facts import scan_key
from waystream.core.parcel import advance, fold, in_order, standing
from waystream.core.state import State
from waystream.kernel import log, vault
from waystream.kernel.tx import Tx
from waystream.parts.tracking import dues, model, store, store_doubts, store_partitions
from waystream.parts.tracking.learning import Lessons, News, Telling, TellingId
from waystream.parts.tracking.marks import begins
from waystream.parts.tracking.masks import masked
from waystream.parts.tracking.model import Disputed, Heard, Known, Received, Routed, Stranger
from waystream.parts.tracking.skimming import learn_skimmed, says_nothing_new
from waystream.parts.tracking.store import Stored


@dataclass(frozen=True, slots=True)
class Applied:
    """What a group did. `scans` were not known before, `moved` are parcels whose state changed."""

    pushes: int = 0
    repeated: int = 0
    waybills: int = 0
    scans: int = 0
    moved: int = 0
    strangers: int = 0
    disputed: int = 0
    unknown: int = 0


def apply(tx: Tx, group: Sequence[Received]) -> Applied:
    """Take in the pushes of a group, in their order."""
    fresh = accept(tx, group)
    if not fresh:
        return Applied(pushes=len(group), repeated=len(group))
    applied = take_in(tx, fresh)
    return replace(applied, pushes=len(group), repeated=len(group) - len(fresh))


def accept(tx: Tx, group: Sequence[Received]) -> list[Received]:
    """Keep the pushes sealed under the day's key; those whose bytes were never seen before.

    All are sealed, though one in ten comes twice: looking first costs every group a question, and is dearer.
    """
    each: dict[bytes, Received] = {}
    for received in group:
        each.setdefault(received.digest, received)
    days = {received.received_at.date() for received in each.values()}
    day_keys = {day: tx.keys.day_key(tx.conn, day) for day in sorted(days)}
    sealed = [_sealed(received, *day_keys[received.received_at.date()]) for received in each.values()]
    kept = store.insert_inbox(tx.conn, sealed)
    return [received for received in each.values() if received.id in kept]


def _sealed(received: Received, key_id: int, key: bytes) -> store.Sealed:
    return store.Sealed(
        received.digest,
        received.id,
        received.aggregator_id,
        received.received_at,
        len(received.body),
        key_id,
        vault.seal_packed(key, received.body, aad=received.digest),
    )


def take_in(tx: Tx, pushes: Sequence[Received]) -> Applied:
    """Route, lock, learn, fold, save, tell. The pushes lie in the inbox."""
    owners = store.list_owners(tx.conn, model.waybills(pushes))
    routed, skimmed = model.route(pushes, owners)
    waybills = len(routed.heard) + len(skimmed)
    skimmed = _with_news(tx, skimmed, routed)
    touched = [heard.owner for heard in routed.heard] + [known.owner for known in skimmed]
    tracks = hold_tracks(tx, {owner.parcel_id for owner in touched})
    lessons = _learn(tx, routed, skimmed, tracks)
    left = list_left(tx, tracks)
    here = {parcel_id: stored for parcel_id, stored in tracks.items() if parcel_id not in left}

    _save_facts(tx, lessons, left=left)
    moved = _move(tx, here, lessons.news, lessons.tellings)
    disputed = _save_unplaced(tx, routed)
    unknown = _count_unknown(tx, lessons)
    _tell_of_subscriptions(tx, routed.heard)
    return Applied(
        waybills=waybills,
        scans=sum(len(item.scans) for item in lessons.news.values()),
        moved=moved,
        strangers=len(routed.strangers),
        disputed=disputed,
        unknown=unknown,
    )


def _with_news(tx: Tx, skimmed: Sequence[Known], routed: Routed) -> list[Known]:
    """Those that may bring something behind a beginning that is known; what does not begin so is read and routed.

    Most pushes that come late or twice bring nothing, and lock nothing.
    """
    tellings = store.list_tellings(tx.conn, {known.owner.binding_id for known in skimmed}) if skimmed else {}
    news: list[Known] = []
    for known in skimmed:
        telling = tellings.get((known.owner.binding_id, known.received.network.name))
        if telling is None or not begins(known.skim.lines, telling.marks):
            model.route_told(routed, known.received, known.skim.read(), (known.owner,))
        elif not says_nothing_new(telling, known):
            news.append(known)
    return news


def _learn(tx: Tx, routed: Routed, skimmed: Iterable[Known], tracks: Mapping[int, Stored]) -> Lessons:
    """What is new, of the skimmed without reading them where that can be; their parcels are locked."""
    bindings = {heard.owner.binding_id for heard in routed.heard} | {known.owner.binding_id for known in skimmed}
    bindings |= {stored.binding_id for stored in tracks.values()}
    lessons = Lessons(store.list_tellings(tx.conn, bindings))
    for known in skimmed:
        telling = lessons.telling(known.owner.binding_id, known.received.network.name)
        lesson = learn_skimmed(telling, known)
        if lesson is None:
            model.route_told(routed, known.received, known.skim.read(), (known.owner,))
        elif lesson.telling is not telling:
            lessons.take(lesson, model.heard_skim(known))
    for heard in routed.heard:
        lessons.learn(heard)
    return lessons


def hold_tracks(tx: Tx, parcel_ids: set[int]) -> dict[int, Stored]:
    """The tracks, locked; a push may be here before the rule that opens the track of a new binding."""
    tracks = store.lock_tracks(tx.conn, parcel_ids)
    missing = parcel_ids - tracks.keys()
    if not missing:
        return tracks
    open_tracks(tx, missing)
    return store.lock_tracks(tx.conn, parcel_ids)


def open_tracks(tx: Tx, parcel_ids: Collection[int]) -> None:
    store.open_tracks(tx.conn, parcel_ids, at=tx.now, due_at=dues.first_due(tx))


def list_left(tx: Tx, parcel_ids: Iterable[int]) -> set[int]:
    """Those of the parcels whose scans have left with their partition: nothing moves them any more."""
    detached = store_partitions.list_detached(tx.conn)
    return {parcel_id for parcel_id in parcel_ids if any(left.holds(parcel_id) for left in detached)}


def _save_facts(tx: Tx, lessons: Lessons, *, left: set[int]) -> None:
    news = lessons.news
    store.add_scans(tx.conn, [item for item in news.values() if item.owner.parcel_id not in left])
    store.add_afterlife(tx.conn, [item for item in news.values() if item.owner.parcel_id in left])
    store.remember_retold(tx.conn, [(item.owner.parcel_id, told) for item in news.values() for told in item.retold])
    changed = lessons.changed.items()
    store.save_tellings(tx.conn, [(news[binding_id].owner, telling) for (binding_id, _), telling in changed])


def _move(tx: Tx, tracks: Mapping[int, Stored], news: Mapping[int, News], tellings: Mapping[TellingId, Telling]) -> int:
    """Fold what is new into the tracks, the long way only where the short one cannot tell."""
    claims: dict[int, list[Telling]] = {}
    for (binding_id, _), telling in tellings.items():
        claims.setdefault(binding_id, []).append(telling)
    by_parcel: dict[int, list[News]] = {}
    for item in news.values():
        by_parcel.setdefault(item.owner.parcel_id, []).append(item)
    advanced: list[Stored] = []
    refolded: list[Stored] = []
    for parcel_id, stored in tracks.items():
        if parcel_id not in by_parcel:
            continue
        ahead = _advanced(stored, by_parcel[parcel_id], claims.get(stored.binding_id, ()))
        if ahead is None:
            refolded.append(stored)
        elif ahead != stored:
            advanced.append(ahead)
    causes = {item.owner.parcel_id: f"inbox:{item.inbox_id}" for item in news.values()}
    return save_moved(tx, tracks, advanced + refold(tx, refolded), causes)


def _advanced(stored: Stored, news: Sequence[News], tellings: Iterable[Telling]) -> Stored | None:
    """The track with what grew on its present leg; None where all its facts are needed."""
    item = news[0]
    if len(news) > 1 or item.owner.binding_id != stored.binding_id or not item.grown:
        return None
    claims = [telling.claim for telling in tellings if telling.claim]
    scans = list(item.scans.values())
    track = advance(stored.track, scans=scans, claims=claims)
    if track is None:
        return None
    latest = in_order(scans)[-1].text if scans else stored.latest
    return structs.replace(stored, track=track, latest=latest)


def refold(tx: Tx, tracks: Sequence[Stored]) -> list[Stored]:
    """The tracks from all their facts, on their last leg; what no longer stands is struck through."""
    if not tracks:
        return []
    facts = store.list_facts(tx.conn, tracks)
    stands = {
        parcel_id: in_order(scan for leg in legs.values() for scan in standing(leg))
        for parcel_id, legs in facts.items()
    }
    keys = {(parcel_id, scan.key) for parcel_id, scans in stands.items() for scan in scans}
    told = [(parcel_id, scan.key) for parcel_id, legs in facts.items() for leg in legs.values() for scan in leg.scans]
    store.strike_withdrawn(tx.conn, [(*scan, scan in keys) for scan in told], at=tx.now)
    return [
        structs.replace(
            stored,
            binding_id=max(facts[stored.parcel_id]),
            track=fold(*facts[stored.parcel_id].values()),
            latest=stands[stored.parcel_id][-1].text if stands[stored.parcel_id] else "",
        )
        for stored in tracks
    ]


def save_moved(tx: Tx, before: Mapping[int, Stored], after: Iterable[Stored], causes: Mapping[int, str]) -> int:
    """Save the tracks that differ and say what that means; how many parcels changed their state."""
    moved = [stored for stored in after if stored != before[stored.parcel_id]]
    store.save_tracks(tx.conn, dues.with_dues(tx, moved), at=tx.now)

    told: list[tuple[Event, str]] = []
    for stored in moved:
        said = changes(before[stored.parcel_id].track, stored.track, shop_id=stored.shop_id, parcel_id=stored.parcel_id)
        told += [(event, causes[stored.parcel_id]) for event in said]
    log.emit_each(tx.conn, told, at=tx.now)
    return len({event.subject for event, _ in told})


def _save_unplaced(tx: Tx, routed: Routed) -> int:
    """Strangers, disputed scans, lines, clocks; a scan of a cancelled number is also an alarm, once per scan."""
    store_doubts.count_ahead(tx.conn, routed.ahead)
    store_doubts.insert_unread(tx.conn, routed.unread)
    store.insert_strangers(tx.conn, routed.strangers)
    _tell_of_named_takes(tx, routed.strangers)
    rows = [(_disputed_row(item), item) for item in routed.disputed]
    listed = store.insert_disputed(tx.conn, [row for row, _ in rows], at=tx.now)
    alarms = {item.owner.binding_id: item for row, item in rows if row.key in listed and item.owner.cancelled}
    log.emit_each(tx.conn, [(_alarm(item), f"inbox:{item.inbox_id}") for item in alarms.values()], at=tx.now)
    return len(listed)


def _tell_of_named_takes(tx: Tx, strangers: Iterable[Stranger]) -> None:
    """A number under the code of an attempt of ours that was never answered: now we know that it was given."""
    named = [stranger for stranger in strangers if stranger.code]
    if not named:
        return
    takes = store.list_unanswered_takes(tx.conn, {stranger.code for stranger in named})
    told: list[tuple[Event, str]] = []
    for stranger in named:
        if stranger.code in takes:
            take_id, parcel_id, shop_id = takes[stranger.code]
            event = StrangerNamedTake(shop_id=shop_id, parcel_id=parcel_id, take_id=take_id, number=stranger.number)
            told.append((event, f"inbox:{stranger.inbox_id}"))
    log.emit_each(tx.conn, told, at=tx.now)


def _disputed_row(item: Disputed) -> store.DisputedRow:
    owner, trace = item.owner, item.trace
    key = scan_key(binding_id=owner.binding_id, source=item.source, raw_time=trace.raw_time, text=trace.text)
    return store.DisputedRow(
        parcel_id=owner.parcel_id,
        key=key,
        number=owner.number,
        carrier=owner.carrier,
        shop_id=owner.shop_id,
        at=trace.at,
        text=masked(trace.text),
        code=trace.code,
        inbox_id=item.inbox_id,
        ahead=item.ahead,
    )


def _alarm(item: Disputed) -> CancelledNumberScanned:
    return CancelledNumberScanned(
        shop_id=item.owner.shop_id, parcel_id=item.owner.parcel_id, binding_id=item.owner.binding_id
    )


def _count_unknown(tx: Tx, lessons: Lessons) -> int:
    """Codes the table does not know, where they are news: of scans, and of claims that were not claimed before."""
    seen: Counter[tuple[str, str, str]] = Counter(
        (scan.source, item.owner.carrier, scan.code)
        for item in lessons.news.values()
        for scan in item.scans.values()
        if scan.code and scan.meaning.state is State.UNKNOWN
    )
    for item in lessons.heard:
        told = lessons.before.get((item.owner.binding_id, item.network.name))
        if (
            item.claim_code
            and not (told and told.claim and told.claim.code == item.claim_code)
            and item.network.meaning(item.claim_code, "").state is State.UNKNOWN
        ):
            seen[item.network.name, item.owner.carrier, item.claim_code] += 1
    store.count_unknown(tx.conn, sorted(seen.items()), at=tx.now)
    return seen.total()


def _tell_of_subscriptions(tx: Tx, heard: Iterable[Heard]) -> None:
    died = [item for item in heard if item.died]
    log.emit_each(
        tx.conn,
        [
            (
                SubscriptionDied(
                    shop_id=item.owner.shop_id,
                    parcel_id=item.owner.parcel_id,
                    binding_id=item.owner.binding_id,
                    reason=item.died,
                ),
                f"inbox:{item.inbox_id}",
            )
            for item in died
        ],
        at=tx.now,
    )
