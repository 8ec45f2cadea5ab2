"""The first line of /deadlines: whole sentences, one set for each kind, their numbers being links."""

from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from waystream.core.deadline import DeadlineKind
from waystream.parts.deadlines.lists import COUNTED_AT_MOST, Count
from waystream.web.shell.language import N_, Language
from waystream.web.views import Address


@dataclass(frozen=True, slots=True)
class Sentences:
    """`none`: nothing is due or late. `due`: all in time. `some`: some are late."""

    none: str
    due: str
    some: str


TIMED = {
    DeadlineKind.SHIP_BY: Sentences(
        N_("Nothing has to leave before %(time)s, and nothing is late."),
        N_('Orders to leave before %(time)s: <a href="%(all)s">%(total)s</a>; none is late.'),
        N_('Orders to leave before %(time)s: <a href="%(all)s">%(total)s</a>, '
           '<a href="%(missed)s">%(late)s of them late</a> already.'),
    ),
    DeadlineKind.COLLECTION: Sentences(
        N_("Every parcel that left was collected, or has time until after %(time)s."),
        N_('Parcels to be collected before %(time)s: <a href="%(all)s">%(total)s</a>; none is late.'),
        N_('Parcels to be collected before %(time)s: <a href="%(all)s">%(total)s</a>; '
           'of <a href="%(missed)s">%(late)s</a> no carrier has a scan in time.'),
    ),
    DeadlineKind.PICKUP: Sentences(
        N_("No buyer has to fetch a parcel before %(time)s, and none waits too long."),
        N_('Parcels to be fetched before %(time)s: <a href="%(all)s">%(total)s</a>; none waits too long.'),
        N_('Parcels to be fetched before %(time)s: <a href="%(all)s">%(total)s</a>, '
           '<a href="%(missed)s">%(late)s of them too long</a> already.'),
    ),
    DeadlineKind.PROMISE: Sentences(
        N_("Nothing was promised for before %(time)s that is not delivered."),
        N_('Orders promised for before %(time)s: <a href="%(all)s">%(total)s</a>; none is late.'),
        N_('Orders promised for before %(time)s: <a href="%(all)s">%(total)s</a>, '
           '<a href="%(missed)s">%(late)s of them late</a> already.'),
    ),
}  # fmt: skip
UNTIMED = {
    DeadlineKind.SHIP_BY: Sentences(
        N_("Nothing has to leave."),
        N_('Orders to leave: <a href="%(all)s">%(total)s</a>; none is late.'),
        N_('Orders to leave: <a href="%(all)s">%(total)s</a>, <a href="%(missed)s">%(late)s of them late</a> already.'),
    ),
    DeadlineKind.COLLECTION: Sentences(
        N_("Every parcel that left was collected."),
        N_('Parcels to be collected: <a href="%(all)s">%(total)s</a>; none is late.'),
        N_('Parcels to be collected: <a href="%(all)s">%(total)s</a>; '
           'of <a href="%(missed)s">%(late)s</a> no carrier has a scan in time.'),
    ),
    DeadlineKind.PICKUP: Sentences(
        N_("No parcel waits to be fetched."),
        N_('Parcels to be fetched: <a href="%(all)s">%(total)s</a>; none waits too long.'),
        N_('Parcels to be fetched: <a href="%(all)s">%(total)s</a>, '
           '<a href="%(missed)s">%(late)s of them too long</a> already.'),
    ),
    DeadlineKind.PROMISE: Sentences(
        N_("No promise is open."),
        N_('Orders promised and under way: <a href="%(all)s">%(total)s</a>; none is late.'),
        N_('Orders promised and under way: <a href="%(all)s">%(total)s</a>, '
           '<a href="%(missed)s">%(late)s of them late</a> already.'),
    ),
}  # fmt: skip


def say_answer(language: Language, count: Count, *, until: datetime | None, now: datetime, address: Address) -> Markup:
    kind = DeadlineKind(count.kind)
    if kind is DeadlineKind.VERIFICATION:
        return _say_doubts(language, count)
    sentences = (TIMED if until else UNTIMED)[kind]
    sentence = sentences.some if count.missed else sentences.due if count.due else sentences.none
    return language.say(
        sentence,
        time=_time(language, until, now) if until else "",
        total=_tell(language, count.due + count.missed),
        late=_tell(language, count.missed),
        all=address.but(stand=""),
        missed=address.but(stand="missed"),
    )


def _time(language: Language, until: datetime, now: datetime) -> str:
    """The end of a day is its own."""
    local = until.astimezone(language.zone)
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        return language.say("midnight")
    return language.exact(until, now)


def _say_doubts(language: Language, count: Count) -> Markup:
    if not count.missed:
        return language.say("No delivery is in doubt.")
    return language.say_n(
        "%(n)s delivery cannot be as the carrier says: ask the buyer first.",
        "%(n)s deliveries cannot be as the carrier says: ask the buyers first.",
        count.missed,
    )


def _tell(language: Language, n: int) -> str:
    return language.number(n) + ("+" if n >= COUNTED_AT_MOST else "")
