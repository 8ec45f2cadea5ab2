"""Rows of /silence in a person's words."""

from dataclasses import dataclass
from datetime import datetime

from waystream.core.state import State
from waystream.parts.silence.allowing import Allowed
from waystream.parts.silence.store_reading import SilentRow, SlowdownRow
from waystream.parts.silence.survival import WEIGHT
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.shell.vocabulary import STATE_WORDS, Pill, carrier_name, track_pill

STATES = {"asked": ("s-later", N_("Being asked")), "stalled": ("s-exception", N_("Stalled"))}


@dataclass(frozen=True, slots=True)
class Slow:
    id: int
    what: str
    state: Pill
    began: Moment | None
    ended: Moment | None
    parcels: str
    silent: str
    href: str


@dataclass(frozen=True, slots=True)
class Silent:
    href: str
    number: str
    carrier: str
    lane: str
    place: str
    stage: Pill
    state: Pill
    lasted: str
    due: Moment | None


@dataclass(frozen=True, slots=True)
class Allowance:
    """`from_parent`: how much of what is said it has from its parent, and who that is."""

    carrier: str
    lane: str
    stage: str
    usual: str
    overdue: str
    gaps: str
    waiting: str
    from_parent: str


def draw_slow(language: Language, row: SlowdownRow, *, now: datetime) -> Slow:
    lasts = row.ended_at is None
    return Slow(
        id=row.id,
        what=_what(language, row),
        state=Pill("s-exception", language.say("Slow")) if lasts else Pill("s-done", language.say("Flows again")),
        began=language.when(row.began_at, now),
        ended=language.when(row.ended_at, now),
        parcels=language.number(row.parcels),
        silent=language.number(row.silent),
        href=f"/silence?slowdown={row.id}#silent" if lasts else "",
    )


def _what(language: Language, row: SlowdownRow) -> str:
    carrier = carrier_name(language, row.carrier)
    if not row.place:
        return language.say("The whole network of %(carrier)s", carrier=carrier)
    if not row.carrier:
        return language.say("%(place)s, several carriers", place=row.place)
    return language.say("%(place)s, %(carrier)s", place=row.place, carrier=carrier)


def draw_silent(language: Language, row: SilentRow, *, now: datetime) -> Silent:
    shape, word = STATES[row.state]
    return Silent(
        href=f"/parcels/{row.parcel_id}",
        number=row.number,
        carrier=carrier_name(language, row.carrier),
        lane=row.lane.replace(">", " → "),
        place=row.place,
        stage=track_pill(language, row.stage),
        state=Pill(shape, language.say(word)),
        lasted=language.lasting((now - row.silent_since).total_seconds()),
        due=language.when(row.due_at, now),
    )


def draw_allowed(language: Language, row: Allowed) -> Allowance:
    _, word = STATE_WORDS[State(row.stage)]
    return Allowance(
        carrier=carrier_name(language, row.carrier) if row.carrier else language.say("All carriers"),
        lane=row.lane.replace(">", " → ") or language.say("all lanes"),
        stage=language.say(word),
        usual=language.number(row.usual_h, 1),
        overdue=language.number(row.hours, 1),
        gaps=language.number(round(row.gaps)),
        waiting=language.number(round(row.waiting)),
        from_parent=_from_parent(language, row),
    )


def _from_parent(language: Language, row: Allowed) -> str:
    lent = language.share(round(WEIGHT), round(row.gaps + row.waiting + WEIGHT))
    if row.lane:
        return language.say("%(share)s%% from its carrier", share=lent)
    if row.carrier:
        return language.say("%(share)s%% from its stage", share=lent)
    return language.say("%(share)s%% from the table", share=lent)
