"""An order's journey as programs see it, in both languages: the API's timeline and the JSON behind a buyer's link."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from markupsafe import Markup
from msgspec import Meta

from waystream.parts.buyer.model import Journey
from waystream.web.journey import Line, OrderTold, ParcelTold, tell
from waystream.web.render import language_for
from waystream.web.wire import Told

When = Annotated[datetime | None, Meta(description="an instant in UTC; null where there is none yet")]


class Words(Told, frozen=True):
    """One sentence in both languages, ready to be shown."""

    zh: str
    en: str


class TrackedStage(Told, frozen=True):
    """A step of the way: `name` is sent, collected, in_transit, out_for_delivery or delivered; `standing` is past, now
    or later."""

    name: str
    words: Words
    standing: str
    at: When


class TrackedScan(Told, frozen=True):
    """One thing that happened, newest first. `words` says it plainly; `place` is the city, where
    the carrier named one; `raw` is the carrier's own text, masked."""

    at: datetime
    state: str
    kind: str
    words: Words
    place: Words
    raw: str


class TrackedParcel(Told, frozen=True):
    """One parcel of the order.

    `state` is a parcel's state, or `preparing` until it has left; `number` is empty until then. `stands` heads a page,
    `next` says what comes, `slowed` why it waits with many others, if it does, `pickup` the locker or
    station where it waits, as the carrier names it. `stages` is empty for what comes back, was lost or cancelled.
    """

    carrier: str
    carrier_words: Words
    number: str
    state: str
    kind: str
    state_words: Words
    stands: Words
    next: Words
    slowed: Words
    pickup: str
    moved_at: When
    ended: bool
    pieces: int
    goods: Words
    stages: tuple[TrackedStage, ...]
    scans: tuple[TrackedScan, ...]


class TrackedOrder(Told, frozen=True):
    """All a shop needs to show tracking in its own pages. `promise` is empty where nothing was promised, or all
    arrived."""

    number: str
    shop: str
    stands: Words
    next: Words
    promised_at: When
    promise: Words
    late: bool
    parcels: tuple[TrackedParcel, ...]


def said(zh: str, en: str) -> Words:
    """Plain text: what stands on a page is markup, with its facts escaped."""
    return Words(*(str(text.unescape() if isinstance(text, Markup) else text) for text in (zh, en)))


def draw(journey: Journey, *, zone: ZoneInfo, now: datetime) -> TrackedOrder:
    """The journey told twice, once in each language, and put together."""
    zh, en = (tell(language_for(code, zone), journey, now=now) for code in ("zh", "en"))
    carriers = [parcel.carrier if parcel.left else "" for parcel in journey.parcels]
    return TrackedOrder(
        number=zh.number,
        shop=zh.shop,
        stands=said(zh.stands, en.stands),
        next=said(zh.next, en.next),
        promised_at=zh.promised_at,
        promise=said(zh.promise, en.promise),
        late=zh.late,
        parcels=_parcels(zh, en, carriers),
    )


def _parcels(zh: OrderTold, en: OrderTold, carriers: list[str]) -> tuple[TrackedParcel, ...]:
    return tuple(
        _parcel(one, other, carrier) for one, other, carrier in zip(zh.parcels, en.parcels, carriers, strict=True)
    )


def _parcel(zh: ParcelTold, en: ParcelTold, carrier: str) -> TrackedParcel:
    stages = zip(zh.stages, en.stages, strict=True)
    return TrackedParcel(
        carrier=carrier,
        carrier_words=said(zh.carrier, en.carrier),
        number=zh.number,
        state=zh.state,
        kind=zh.kind,
        state_words=said(zh.pill.word, en.pill.word),
        stands=said(zh.stands, en.stands),
        next=said(zh.next, en.next),
        slowed=said(zh.slowed, en.slowed),
        pickup=zh.pickup,
        moved_at=zh.moved_at,
        ended=zh.ended,
        pieces=zh.pieces,
        goods=said(zh.goods, en.goods),
        stages=tuple(
            TrackedStage(one.name, said(one.label, other.label), one.standing, one.at) for one, other in stages
        ),
        scans=tuple(_scan(one, other) for one, other in zip(zh.lines, en.lines, strict=True)),
    )


def _scan(zh: Line, en: Line) -> TrackedScan:
    return TrackedScan(zh.at, zh.state, zh.kind, said(zh.sentence, en.sentence), said(zh.place, en.place), zh.raw)
