"""An order as its buyer is told of it, in one language: parcels, stages, a timeline in plain words, what comes next.

The page, its JSON and the API say the same because they are drawn from here. Facts come from `parts.buyer.reading`,
sentences from `shell.plain_words`. Pure. What is not known is not said: without a promise there is no day.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from waystream.core.cities import find_place
from waystream.core.pickup import Pickup, read_pickup
from waystream.core.state import NOT_YET, Kind, State
from waystream.parts.buyer.model import Journey, ParcelSeen, Scanned
from waystream.web.shell import plain_words
from waystream.web.shell.city_names import city_name
from waystream.web.shell.language import N_, Language
from waystream.web.shell.plain_words import word_of
from waystream.web.shell.vocabulary import Pill, carrier_name, track_pill


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the bar; `standing` is past, now or later."""

    name: str
    label: str
    standing: str
    shape: str
    at: datetime | None
    when: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timeline: our sentence, and the carrier's own masked words."""

    at: datetime
    when: str
    state: State
    kind: Kind
    shape: str
    sentence: str
    place: str
    raw: str


@dataclass(frozen=True, slots=True)
class ParcelTold:
    """One parcel: `stands` is its head, `next` what comes."""

    id: int
    nth: int
    state: str
    kind: str
    pill: Pill
    carrier: str
    number: str
    goods: str
    pieces: int
    stands: str
    next: str
    moved_at: datetime | None
    moved: str
    ended: bool
    slowed: str
    pickup: str
    stages: tuple[Stage, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class OrderTold:
    """The whole order. `stands` and `next` are of the order where it has no parcel to speak for it."""

    number: str
    shop: str
    stands: str
    next: str
    promised_at: datetime | None
    promise: str
    late: bool
    parcels: tuple[ParcelTold, ...]


#: The bar of a parcel on its way to the buyer: the name programs read, the label, the states that reach it.
_STAGES: tuple[tuple[str, str, frozenset[State]], ...] = (
    ("sent", N_("Sent"), NOT_YET),
    ("collected", N_("Collected"), frozenset({State.COLLECTED})),
    (
        "in_transit",
        N_("In transit"),
        frozenset({State.IN_TRANSIT, State.FORWARDED, State.CUSTOMS, State.ARRIVED_AT_OUTLET}),
    ),
    (
        "out_for_delivery",
        N_("Out"),
        frozenset({State.OUT_FOR_DELIVERY, State.READY_FOR_PICKUP, State.ATTEMPT_FAILED}),
    ),
    ("delivered", N_("Delivered"), frozenset({State.DELIVERED})),
)
_PICKUP_SCANS = 5  # the newest: an older one may tell of a locker it has left
_REACHED = {state: at for at, (_, _, states) in enumerate(_STAGES) for state in states}


def tell(language: Language, journey: Journey, *, now: datetime) -> OrderTold:
    """The journey in words."""
    stands, then = _order_words(journey)
    open_ones = [parcel for parcel in journey.parcels if not parcel.ended]
    late = journey.promised_at is not None and journey.promised_at < now and bool(open_ones or not journey.parcels)
    waits = not journey.called_off and (open_ones or not journey.parcels)
    return OrderTold(
        number=journey.number,
        shop=journey.shop,
        stands=language.say(stands),
        next=language.say(then),
        promised_at=journey.promised_at if waits else None,
        promise=_promise(language, journey.promised_at, now) if waits and journey.promised_at else "",
        late=late and not journey.called_off,
        parcels=tuple(_parcel(language, parcel, nth, now) for nth, parcel in enumerate(journey.parcels, 1)),
    )


def _order_words(journey: Journey) -> tuple[str, str]:
    if journey.called_off:
        return plain_words.CANCELLED_STANDS, plain_words.CANCELLED_NEXT
    if journey.held and not journey.shipped:
        return plain_words.HELD_STANDS, plain_words.HELD_NEXT
    return plain_words.WAITING_STANDS, plain_words.WAITING_NEXT


def _promise(language: Language, promised_at: datetime, now: datetime) -> str:
    when = say_day(language, promised_at, now)
    if promised_at < now:
        return language.say("It was promised by %(when)s and is late: sorry.", when=when)
    return language.say("Promised by %(when)s.", when=when)


def _parcel(language: Language, parcel: ParcelSeen, nth: int, now: datetime) -> ParcelTold:
    stands, then = _words(parcel)
    moved_at = parcel.at or parcel.dispatched_at
    state = track_pill(language, parcel.state, parcel.kind)
    if not parcel.left:
        state = Pill("s-hold" if parcel.held else "s-later", language.say(stands))
    return ParcelTold(
        id=parcel.id,
        nth=nth,
        state=parcel.state if parcel.left else "preparing",
        kind=parcel.kind,
        pill=state,
        carrier=carrier_name(language, parcel.carrier) if parcel.left else "",
        number=parcel.number,
        goods=_goods(language, parcel),
        pieces=parcel.pieces,
        stands=language.say(stands),
        next=language.say(then),
        moved_at=moved_at,
        moved=say_day(language, moved_at, now) if moved_at else "",
        ended=parcel.ended,
        slowed=_slowed(language, parcel),
        pickup=find_pickup(parcel).place,
        stages=_stages(language, parcel, state, now),
        lines=_lines(language, parcel, now),
    )


def _words(parcel: ParcelSeen) -> tuple[str, str]:
    if not parcel.left:
        if parcel.held:
            return plain_words.HELD_STANDS, plain_words.HELD_NEXT
        return plain_words.PACKING_STANDS, plain_words.PACKING_NEXT
    return (
        word_of(plain_words.STANDS, parcel.state, parcel.kind),
        word_of(plain_words.NEXT, parcel.state, parcel.kind),
    )


def find_pickup(parcel: ParcelSeen) -> Pickup:
    """Where it waits and what opens it; both empty unless it waits there now and the carrier named them."""
    if parcel.state is not State.READY_FOR_PICKUP and parcel.kind not in {Kind.LOCKER, Kind.LOCKER_OVERDUE}:
        return Pickup()
    told = [read_pickup(scan.text) for scan in parcel.scans[:_PICKUP_SCANS]]
    return next((each for each in told if each.place or each.code), Pickup())


def _slowed(language: Language, parcel: ParcelSeen) -> str:
    """The cause of a delay that many share."""
    if parcel.slowed_at is None or parcel.ended:
        return ""
    carrier = carrier_name(language, parcel.carrier)
    if not parcel.slowed_at:
        return language.say(
            "%(carrier)s is slow everywhere at the moment; yours waits with many others.", carrier=carrier
        )
    return language.say(
        "%(carrier)s is slow at %(place)s at the moment; yours waits there with many others.",
        carrier=carrier,
        place=parcel.slowed_at,
    )


def _goods(language: Language, parcel: ParcelSeen) -> str:
    if len(parcel.goods) > 1:
        first, n = parcel.goods[0], language.number(parcel.pieces)
        return language.say("%(first)s and others, %(n)s items", first=first, n=n)
    return parcel.goods[0] if parcel.goods else ""


def _stages(language: Language, parcel: ParcelSeen, state: Pill, now: datetime) -> tuple[Stage, ...]:
    """What does not come any more has no bar: its end would not be what it says."""
    if not parcel.comes:
        return ()
    first = {_REACHED[scan.state]: scan.at for scan in parcel.scans if scan.state in _REACHED}
    reached = _reached(parcel) if parcel.left else -1
    stages = []
    for nth, (name, label, _) in enumerate(_STAGES):
        at = parcel.dispatched_at if nth == 0 else first.get(nth)
        standing = "past" if nth < reached else "now" if nth == reached else "later"
        at = at if standing != "later" else None
        shape = {"past": "s-done", "now": state.shape, "later": "s-later"}[standing]
        stages.append(Stage(name, language.say(label), standing, shape, at, say_short_day(language, at, now)))
    return tuple(stages)


def _reached(parcel: ParcelSeen) -> int:
    """How far the bar is; trouble stands where the last scan was."""
    if parcel.state in _REACHED:
        return _REACHED[parcel.state]
    return max((_REACHED.get(scan.state, 0) for scan in parcel.scans), default=0)


def _lines(language: Language, parcel: ParcelSeen, now: datetime) -> tuple[Line, ...]:
    """Newest first: what the carrier claims for the whole parcel, its scans, and that it was sent."""
    told = [_line(language, scan, now) for scan in parcel.scans]
    newest = parcel.scans[0] if parcel.scans else None
    claimed = parcel.left and parcel.at is not None and parcel.state not in NOT_YET
    if claimed and (newest is None or (newest.state, newest.kind) != (parcel.state, parcel.kind)):
        assert parcel.at is not None
        told.append(_line(language, Scanned(parcel.at, parcel.state, parcel.kind, "", ""), now))
    if parcel.dispatched_at is not None:
        at, sentence = parcel.dispatched_at, language.say("It has left the warehouse")
        told.append(
            Line(at, say_day(language, at, now), State.AWAITING_COLLECTION, Kind.NONE, "s-later", sentence, "", "")
        )
    return tuple(sorted(told, key=lambda line: line.at, reverse=True))


def _line(language: Language, scan: Scanned, now: datetime) -> Line:
    city = find_place(scan.location, scan.text)
    place = city_name(language, city) if city else ""
    return Line(
        at=scan.at,
        when=say_day(language, scan.at, now),
        state=scan.state,
        kind=scan.kind,
        shape=track_pill(language, scan.state, scan.kind).shape,
        sentence=_sentence(language, scan, place),
        place=place,
        raw=hide_codes(scan.text),
    )


_LEAVES = re.compile(r"离开|发出|发往|下一站")
_ARRIVES = re.compile(r"(?<!未)到达|已到|抵达")


def _sentence(language: Language, scan: Scanned, place: str) -> str:
    """With its place where the carrier named it. A hub is left rather than reached where the text says both."""
    placed = plain_words.HAPPENED_AT.get(scan.state) if place and not scan.kind else None
    if placed is None:
        return language.say(word_of(plain_words.HAPPENED, scan.state, scan.kind))
    if scan.state is State.IN_TRANSIT and _LEAVES.search(scan.text):
        placed = plain_words.LEFT_AT
    elif scan.state is State.IN_TRANSIT and _ARRIVES.search(scan.text):
        placed = plain_words.ARRIVED_AT
    return language.say(placed, place=place)


#: What opens a locker: a carrier writes it into its text, and whoever was shown the page could fetch the parcel.
_CODE = re.compile(r"((?:取件|取货|提货|开箱|自提)[码号][:：是为\s]*[【\[“\"]?)([0-9A-Za-z][0-9A-Za-z-]{2,15})")


def hide_codes(text: str) -> str:
    code = read_pickup(text).code
    text = text.replace(code, "*" * len(code)) if code else text
    return _CODE.sub(lambda found: found[1] + "*" * len(found[2]), text)


_WEEKDAYS = (
    N_("Monday %(time)s"),
    N_("Tuesday %(time)s"),
    N_("Wednesday %(time)s"),
    N_("Thursday %(time)s"),
    N_("Friday %(time)s"),
    N_("Saturday %(time)s"),
    N_("Sunday %(time)s"),
)
_NEAR_DAYS = 6


def say_day(language: Language, at: datetime, now: datetime) -> str:
    """`today 14:30`, `Saturday 18:00` within the days around, else the date with it."""
    here, today = at.astimezone(language.zone), now.astimezone(language.zone).date()
    days, time = (here.date() - today).days, f"{here:%H:%M}"
    near = {0: N_("today %(time)s"), 1: N_("tomorrow %(time)s"), -1: N_("yesterday %(time)s")}.get(days)
    if near is None and 0 < days <= _NEAR_DAYS:
        near = _WEEKDAYS[here.weekday()]
    return language.say(near, time=time) if near else f"{language.short_date(here.date(), today.year)} {time}"


def say_short_day(language: Language, at: datetime | None, now: datetime) -> str:
    """The day alone, for the bar."""
    if at is None:
        return ""
    return language.short_date(at.astimezone(language.zone).date(), now.astimezone(language.zone).year)


def newest_open(parcels: Sequence[ParcelTold]) -> ParcelTold | None:
    """The parcel a buyer looks for first: the first that has not arrived, else the last that did."""
    waiting = [parcel for parcel in parcels if not parcel.ended]
    return waiting[0] if waiting else (parcels[-1] if parcels else None)
