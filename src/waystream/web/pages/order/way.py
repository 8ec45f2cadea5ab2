"""The way of one parcel as a page shows it: the stage bar, the timeline with the carrier's own text, and why. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from waystream.core.state import State
from waystream.parts.tracking.reading import Why
from waystream.parts.tracking.store_lists import ClaimRow, DecisionRow, TimelineRow
from waystream.web.pages.order.store import ParcelRow
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.shell.vocabulary import Pill, track_pill


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of the bar: `tone` is past, now with its state's class, or nothing yet."""

    shape: str
    name: str
    when: str
    tone: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline: our words, the carrier's text beside them, where they came from."""

    at: datetime
    shape: str
    moment: Moment
    stamp: str
    title: str
    more: str = ""
    raw: str = ""
    source: str = ""
    gone: bool = False
    key: str = ""


@dataclass(frozen=True, slots=True)
class Because:
    """Why a parcel is where it is: numbered reasons, and the push they stand in."""

    key: str
    question: str
    reasons: tuple[Markup, ...]
    inbox_id: int | None


@dataclass(frozen=True, slots=True)
class Told:
    """Everything tracking knows of one parcel."""

    why: Why | None
    scans: Sequence[TimelineRow]
    claims: Sequence[ClaimRow]
    decisions: Sequence[DecisionRow]


_OUTWARD: tuple[tuple[str, State | None], ...] = (
    (N_("Dispatched"), None),
    (N_("Collected"), State.COLLECTED),
    (N_("In transit"), State.IN_TRANSIT),
    (N_("At outlet"), State.ARRIVED_AT_OUTLET),
    (N_("Out"), State.OUT_FOR_DELIVERY),
    (N_("Delivered"), State.DELIVERED),
)
#: How far along the bar a state stands; trouble stands where the last scan was.
_REACHED = {
    State.AWAITING_COLLECTION: 0,
    State.NO_TRACE: 0,
    State.COLLECTED: 1,
    State.IN_TRANSIT: 2,
    State.FORWARDED: 2,
    State.CUSTOMS: 2,
    State.ARRIVED_AT_OUTLET: 3,
    State.OUT_FOR_DELIVERY: 4,
    State.READY_FOR_PICKUP: 4,
    State.ATTEMPT_FAILED: 4,
    State.DELIVERED: 5,
}
_BEFORE: tuple[tuple[str, tuple[str, ...]], ...] = (
    (N_("Asked for"), ("asked", "doubt", "refused", "conflict", "issued", "printed")),
    (N_("Numbered"), ("issued", "printed")),
    (N_("Printed"), ("printed",)),
    (N_("Dispatched"), ()),
    (N_("Collected"), ()),
    (N_("Delivered"), ()),
)


def draw_steps(language: Language, parcel: ParcelRow, told: Told, *, state: Pill, now: datetime) -> tuple[Step, ...]:
    """The stage bar, before the door and after it."""
    if parcel.stage != "dispatched":
        return _steps_before(language, parcel, state=state, now=now)
    first = _first_times(told.scans)
    at_now = _reached(parcel, told)
    steps = []
    for nth, (name, step_state) in enumerate(_OUTWARD):
        at = parcel.dispatched_at if step_state is None else first.get(step_state)
        when = language.exact(at, now) if at else ""
        if nth < at_now or (nth == 0 and at_now == 0):
            steps.append(Step("s-done", language.say(name), when, "past"))
        elif nth == at_now:
            steps.append(Step(state.shape, state.word, when, f"now {state.shape}"))
        else:
            steps.append(Step("s-later", language.say(name), "", ""))
    return tuple(steps)


def _steps_before(language: Language, parcel: ParcelRow, *, state: Pill, now: datetime) -> tuple[Step, ...]:
    times = (parcel.created_at, parcel.issued_at, parcel.printed_at)
    steps: list[Step] = []
    for nth, (name, stages) in enumerate(_BEFORE):
        at = times[nth] if nth < len(times) else None
        if parcel.stage in stages:
            steps.append(Step("s-done", language.say(name), language.exact(at, now) if at else "", "past"))
        elif steps and steps[-1].tone == "past":
            steps.append(Step(state.shape, state.word, "", f"now {state.shape}"))
        else:
            steps.append(Step("s-later", language.say(name), "", ""))
    return tuple(steps)


def _first_times(scans: Sequence[TimelineRow]) -> dict[State, datetime]:
    """The first standing scan of each state."""
    return {State(scan.state): scan.at for scan in scans if scan.withdrawn_at is None}


def _reached(parcel: ParcelRow, told: Told) -> int:
    state = State(parcel.state or State.AWAITING_COLLECTION)
    if state in _REACHED:
        return _REACHED[state]
    return max((_REACHED.get(State(scan.state), 0) for scan in told.scans if scan.withdrawn_at is None), default=0)


def draw_timeline(language: Language, parcel: ParcelRow, told: Told, *, now: datetime) -> tuple[Entry, ...]:
    """Newest first: scans, claims, decisions and what we did ourselves."""
    entries = [
        *(_scan(language, scan, now) for scan in told.scans),
        *(_claim(language, claim, now) for claim in told.claims if claim.code),
        *(_decision(language, decision, now) for decision in told.decisions),
        *_ours(language, parcel, now),
    ]
    return tuple(sorted(entries, key=lambda entry: entry.at, reverse=True))


def _moment(language: Language, at: datetime, now: datetime) -> Moment:
    moment = language.when(at, now)
    assert moment is not None
    return moment


def _scan(language: Language, scan: TimelineRow, now: datetime) -> Entry:
    state = track_pill(language, scan.state, scan.kind)
    return Entry(
        at=scan.at,
        shape=state.shape,
        moment=_moment(language, scan.at, now),
        stamp=language.stamp(scan.at, now),
        title=state.word,
        more=_more(language, scan, state),
        raw=scan.text,
        source=scan.code,
        gone=scan.withdrawn_at is not None,
        key=f"scan:{scan.key}",
    )


def _more(language: Language, scan: TimelineRow, state: Pill) -> str:
    if scan.withdrawn_at:
        return language.say("withdrawn by the carrier in a later push")
    return state.note or scan.location


def _claim(language: Language, claim: ClaimRow, now: datetime) -> Entry:
    state = track_pill(language, claim.state, claim.kind) if claim.state else Pill("s-unknown", claim.code)
    return Entry(
        at=claim.at,
        shape=state.shape,
        moment=_moment(language, claim.at, now),
        stamp=language.stamp(claim.at, now),
        title=state.word,
        more=language.say("claimed for the whole parcel, without a scan of its own"),
        raw=language.say("status %(code)s", code=claim.code),
        source=claim.source,
        key=f"claim:{claim.source}",
    )


_VERDICTS = {
    "delivered": ("s-done", N_("Decided: delivered")),
    "lost": ("s-lost", N_("Decided: lost")),
    "returned": ("s-returned", N_("Decided: returned")),
}


def _decision(language: Language, decision: DecisionRow, now: datetime) -> Entry:
    shape, title = _VERDICTS[decision.verdict]
    return Entry(
        at=decision.at,
        shape=shape,
        moment=_moment(language, decision.at, now),
        stamp=language.stamp(decision.at, now),
        title=language.say(title),
        more=decision.reason,
        raw=language.say("taken back") if decision.withdrawn_at else language.say("by a person here"),
        source=decision.actor,
        gone=decision.withdrawn_at is not None,
        key=f"decision:{decision.id}",
    )


def _ours(language: Language, parcel: ParcelRow, now: datetime) -> list[Entry]:
    """What happened in the warehouse."""
    weighed = language.say("weighed %(kg)s kg", kg=language.kilograms(parcel.weighed_g)) if parcel.weighed_g else ""
    attempts = language.say_n("at the first attempt", "at attempt %(n)s", parcel.attempts) if parcel.attempts else ""
    told = (
        (parcel.dispatched_at, N_("Dispatched"), weighed),
        (parcel.printed_at, N_("Label printed"), parcel.printer),
        (parcel.issued_at, N_("Number taken"), attempts),
    )
    return [
        Entry(at, "s-later", _moment(language, at, now), language.stamp(at, now), language.say(title), raw=more)
        for at, title, more in told
        if at is not None
    ]


def draw_because(language: Language, told: Told, *, state: Pill, now: datetime) -> Because | None:
    """The reasons, from the fact that decided to the facts around it."""
    why = told.why
    if why is None or not why.track.because:
        return None
    standing = [scan for scan in told.scans if scan.withdrawn_at is None]
    withdrawn = len(told.scans) - len(standing)
    reasons = [_deciding(language, why, now)]
    if why.scan is None and standing:
        last = standing[0]
        reasons.append(
            language.say(
                "The last scan was <b>%(time)s</b>: %(text)s", time=language.stamp(last.at, now), text=last.text
            )
        )
    reasons.append(
        language.say_n(
            "%(n)s scan stands, %(withdrawn)s withdrawn by the carrier; the state is computed from them all.",
            "%(n)s scans stand, %(withdrawn)s withdrawn by the carrier; the state is computed from them all.",
            len(standing),
            withdrawn=language.number(withdrawn),
        )
    )
    if why.track.due_at:
        reasons.append(_due(language, why.track.due_at, now))
    question = language.say("Why “%(state)s”?", state=state.word)
    return Because(why.track.because, question, tuple(reasons), why.inbox_id)


def _deciding(language: Language, why: Why, now: datetime) -> Markup:
    if why.scan is not None:
        return language.say(
            "<b>The scan of %(time)s</b> says so: code %(code)s means “%(word)s”.",
            time=language.stamp(why.scan.at, now),
            code=why.scan.code or "–",
            word=track_pill(language, why.scan.state, why.scan.kind).word,
        )
    if why.claim is not None:
        return language.say(
            "<b>%(source)s claims %(code)s</b> for the whole parcel, at %(time)s. It is no scan of its own.",
            source=why.claim.source,
            code=why.claim.code,
            time=language.stamp(why.claim.at, now),
        )
    if why.decision is not None:
        return language.say(
            "<b>A person decided so</b> at %(time)s: %(reason)s",
            time=language.stamp(why.decision.at, now),
            reason=why.decision.reason,
        )
    return language.say("The fact that decided is no longer kept.")


def _due(language: Language, due_at: datetime, now: datetime) -> Markup:
    if due_at < now:
        return language.say(
            "The next scan was due <b>%(time)s</b>: the parcel is silent for longer than usual.",
            time=language.exact(due_at, now),
        )
    return language.say("The next scan is due by %(time)s.", time=language.exact(due_at, now))
