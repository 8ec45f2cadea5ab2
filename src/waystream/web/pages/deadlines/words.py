"""The words of deadlines on pages and in files."""

from collections.abc import Iterable

from waystream.core.deadline import DeadlineKind, Doubt
from waystream.parts.deadlines.doubts import INTERCEPTED
from waystream.web.shell.language import N_, Language

KINDS = {
    DeadlineKind.SHIP_BY: N_("To leave"),
    DeadlineKind.COLLECTION: N_("To be collected"),
    DeadlineKind.PICKUP: N_("To be fetched"),
    DeadlineKind.PROMISE: N_("To arrive"),
    DeadlineKind.VERIFICATION: N_("Doubtful deliveries"),
}
STANDS = {"open": N_("Still in time"), "missed": N_("Missed")}
DOUBTFUL = N_("Doubtful")
#: Hours from now; without one until the end of today.
WITHIN = {"2": N_("within 2 hours"), "6": N_("within 6 hours"), "48": N_("within 2 days"), "any": N_("at any time")}
DOUBTS = {
    Doubt.ELSEWHERE.value: N_("signed for in another city"),
    Doubt.TOO_EARLY.value: N_("signed for before it can have arrived"),
    INTERCEPTED: N_("delivered though it was to be stopped"),
}


def reason_of(language: Language, doubts: Iterable[str]) -> str:
    """What is wrong with a delivery."""
    return " · ".join(str(language.say(DOUBTS[doubt])) for doubt in doubts if doubt in DOUBTS)
