"""How a ticket is told: for each cause a shape, a name, the sentence that says what is so and what to do first.

One table, so that a cause reads the same in the queue, at the head of its ticket and in a claim. Keys are the words of
`core.care.Cause`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from waystream.web.shell.language import N_, Language


@dataclass(frozen=True, slots=True)
class CauseWord:
    """`first` is the deed a person most likely does first."""

    shape: str
    title: str
    answer: str
    first: str


CAUSES: dict[str, CauseWord] = {
    "not_dispatched": CauseWord(
        "s-exception", N_("Not dispatched in time"),
        N_("It should have left the warehouse by now: ask the warehouse, and tell the buyer when it will."), "say",
    ),
    "not_collected": CauseWord(
        "s-exception", N_("Not collected"),
        N_("It left the warehouse a day ago and no carrier has scanned it: have it collected, or find it."), "urge",
    ),
    "stalled": CauseWord(
        "s-exception", N_("No scan for too long"),
        N_("Nothing has been heard of it for longer than is usual on its way: ask the carrier where it is."), "urge",
    ),
    "attempt_failed": CauseWord(
        "s-failed", N_("Delivery failed"),
        N_("The courier came in vain: settle with the buyer when and where to try again."), "say",
    ),
    "refused": CauseWord(
        "s-returning", N_("Refused by the buyer"),
        N_("The buyer would not take it: find out why before it travels back."), "say",
    ),
    "damaged": CauseWord(
        "s-exception", N_("Damaged on the way"),
        N_("The carrier reports damage: send the goods again and claim what they cost."), "reship",
    ),
    "lost": CauseWord(
        "s-lost", N_("Lost by the carrier"),
        N_("The carrier has lost it: send the goods again and claim what they cost."), "reship",
    ),
    "wrong_address": CauseWord(
        "s-exception", N_("The address is wrong"),
        N_("The carrier cannot find the address: ask the buyer, then tell the carrier."), "readdress",
    ),
    "locker_overdue": CauseWord(
        "s-exception", N_("Left in its locker"),
        N_("It waits for the buyer past its time: remind the buyer before it is sent back."), "say",
    ),
    "returning": CauseWord(
        "s-returning", N_("On its way back"),
        N_("It is coming back: find out why, and send again or refund."), "say",
    ),
    "customs": CauseWord(
        "s-customs", N_("Held by customs"),
        N_("Customs hold it: find out which papers are missing."), "urge",
    ),
    "signed_elsewhere": CauseWord(
        "s-exception", N_("Signed for elsewhere"),
        N_("It was signed for where the buyer does not live: ask the buyer whether it came."), "say",
    ),
    "signed_too_early": CauseWord(
        "s-exception", N_("Signed for too early"),
        N_("It was signed for before it can have arrived: ask the buyer whether it came."), "say",
    ),
    "intercepted_but_delivered": CauseWord(
        "s-intercepted", N_("Delivered though intercepted"),
        N_("It was to be stopped and was delivered all the same: ask the carrier to fetch it back."), "urge",
    ),
    "subscription_dead": CauseWord(
        "s-notrace", N_("Nobody watches it"),
        N_("The aggregator stopped watching this number: its way is no longer told by itself."), "urge",
    ),
    "cancelled_number_scanned": CauseWord(
        "s-exception", N_("A cancelled number travels"),
        N_("A number that was given back has been scanned: find out which parcel carries it."), "urge",
    ),
    "overdue": CauseWord(
        "s-exception", N_("Later than promised"),
        N_("It is later than was promised: ask the carrier, and tell the buyer the new day."), "urge",
    ),
    "misrouted": CauseWord(
        "s-exception", N_("Sent the wrong way"),
        N_("The carrier sent it to the wrong place: have it turned round."), "urge",
    ),
    "problem": CauseWord(
        "s-exception", N_("The carrier reports a problem"),
        N_("The carrier reports a problem of no known kind: its own words stand below."), "urge",
    ),
    "buyer_not_received": CauseWord(
        "s-failed", N_("The buyer has not got it"),
        N_("The buyer says that it has not come: find out where it was left."), "urge",
    ),
    "buyer_damaged": CauseWord(
        "s-exception", N_("The buyer reports damage"),
        N_("The buyer says that it came damaged: settle whether to send again or refund."), "reship",
    ),
    "buyer_wants_address": CauseWord(
        "s-pickup", N_("The buyer wants another address"),
        N_("The buyer wants it somewhere else: tell the carrier while it can still be turned."), "readdress",
    ),
    "incident": CauseWord(
        "s-exception", N_("An incident"),
        N_("Many parcels are held up by one thing: this one ticket stands for all of them."), "close",
    ),
}  # fmt: skip

OTHER = CauseWord("s-unknown", N_("Something else"), N_("This has to be looked at by a person."), "say")

PRIORITIES: dict[str, str] = {"high": N_("High"), "normal": N_("Normal"), "low": N_("Low")}


def cause_word(cause: str) -> CauseWord:
    return CAUSES.get(cause, OTHER)


@dataclass(frozen=True, slots=True)
class Due:
    """How long there is left: `over` when it is too late already."""

    text: str
    over: bool


def say_due(language: Language, due_at: datetime | None, now: datetime) -> Due | None:
    """`0:28 left`, `0:20 over`, `tomorrow`, a date."""
    if due_at is None:
        return None
    left_s = (due_at - now).total_seconds()
    if left_s < 0:
        return Due(_over(language, -left_s), True)
    here, today = due_at.astimezone(language.zone).date(), now.astimezone(language.zone).date()
    if here == today:
        return Due(language.say("%(time)s left", time=language.hours(left_s)), False)
    if here == today + timedelta(days=1):
        return Due(language.say("tomorrow"), False)
    return Due(language.short_date(here, today.year), False)


def _over(language: Language, late_s: float) -> str:
    if late_s < 86_400:
        return language.say("%(time)s over", time=language.hours(late_s))
    return language.say("%(time)s over", time=language.lasting(late_s))


ENDINGS: dict[str, str] = {
    "delivered": N_("delivered"),
    "moved_on": N_("the parcel moved on"),
    "collected": N_("collected"),
    "dispatched": N_("dispatched"),
    "called_off": N_("called off"),
    "retracted": N_("it is no longer so"),
    "confirmed": N_("the buyer has it"),
    "cleared": N_("the incident is over"),
    "solved": N_("solved"),
    "reshipped": N_("shipped again"),
    "refunded": N_("refunded"),
    "claimed": N_("claimed"),
    "nothing_to_do": N_("nothing to do"),
    "merged": N_("merged into another"),
}
