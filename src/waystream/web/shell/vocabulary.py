"""Words and shapes for states: one table each, so that a state looks and reads the same on every page.

The class of a shape stands in static/icons.css; the sentences are keys of the catalogue.
"""

from dataclasses import dataclass

from waystream.core.order import Refund, Word
from waystream.core.state import Kind, State
from waystream.parts.people.model import Role
from waystream.web.shell.language import N_, Language


@dataclass(frozen=True, slots=True)
class Pill:
    """A state on a page: the class of its shape and colour, its word, a finer word behind it."""

    shape: str
    word: str
    note: str = ""


STATE_WORDS: dict[State, tuple[str, str]] = {
    State.AWAITING_COLLECTION: ("s-await", N_("Awaiting collection")),
    State.COLLECTED: ("s-collected", N_("Collected")),
    State.IN_TRANSIT: ("s-transit", N_("In transit")),
    State.ARRIVED_AT_OUTLET: ("s-outlet", N_("At outlet")),
    State.OUT_FOR_DELIVERY: ("s-out", N_("Out for delivery")),
    State.READY_FOR_PICKUP: ("s-pickup", N_("Ready for pickup")),
    State.DELIVERED: ("s-done", N_("Delivered")),
    State.ATTEMPT_FAILED: ("s-failed", N_("Attempt failed")),
    State.EXCEPTION: ("s-exception", N_("Exception")),
    State.INTERCEPTED: ("s-intercepted", N_("Intercepted")),
    State.FORWARDED: ("s-forwarded", N_("Forwarded")),
    State.CUSTOMS: ("s-customs", N_("In customs")),
    State.RETURNING: ("s-returning", N_("Returning")),
    State.RETURNED: ("s-returned", N_("Returned")),
    State.LOST: ("s-lost", N_("Lost")),
    State.CANCELLED: ("s-cancelled", N_("Cancelled")),
    State.NO_TRACE: ("s-notrace", N_("No trace yet")),
    State.UNKNOWN: ("s-unknown", N_("Unknown")),
}

KIND_WORDS: dict[Kind, str] = {
    Kind.NONE: "",
    Kind.IN_PERSON: N_("in person"),
    Kind.BY_PROXY: N_("by proxy"),
    Kind.LOCKER: N_("locker or station"),
    Kind.UNSPECIFIED: N_("unspecified"),
    Kind.STALLED: N_("stalled"),
    Kind.OVERDUE: N_("overdue"),
    Kind.LOCKER_OVERDUE: N_("overdue in locker"),
    Kind.DAMAGED: N_("damaged"),
    Kind.DELAYED: N_("delayed"),
    Kind.MISROUTED: N_("misrouted"),
    Kind.CUSTOMS_HELD: N_("held in customs"),
    Kind.PROBLEM: N_("other problem"),
    Kind.UNREACHABLE: N_("not reached"),
    Kind.BAD_ADDRESS: N_("bad address"),
    Kind.WRONG_PHONE: N_("wrong phone"),
    Kind.OUT_OF_RANGE: N_("out of range"),
    Kind.REFUSED: N_("refused"),
    Kind.FAILED: N_("failed"),
}

#: Before the carrier has it, a parcel's own stage speaks.
STAGE_WORDS: dict[str, tuple[str, str]] = {
    "asked": ("s-later", N_("Number asked for")),
    "doubt": ("s-hold", N_("Number in doubt")),
    "refused": ("s-exception", N_("Number refused")),
    "conflict": ("s-exception", N_("Number in conflict")),
    "issued": ("s-later", N_("To print")),
    "printed": ("s-later", N_("To dispatch")),
    "dispatched": ("s-await", N_("Dispatched")),
    "voided": ("s-cancelled", N_("Void")),
}

ORDER_WORDS: dict[Word, str] = {
    Word.TO_SHIP: N_("To ship"),
    Word.PART_SHIPPED: N_("Partly shipped"),
    Word.SHIPPED: N_("Shipped"),
    Word.IN_TRANSIT: N_("In transit"),
    Word.OUT_FOR_DELIVERY: N_("Out for delivery"),
    Word.PART_DELIVERED: N_("Partly delivered"),
    Word.DELIVERED: N_("All delivered"),
    Word.COMPLETED: N_("Completed"),
    Word.RETURNING: N_("Coming back"),
    Word.CLOSED: N_("Closed"),
}

REFUND_WORDS: dict[Refund, str] = {
    Refund.NONE: "",
    Refund.ASKED: N_("refund asked"),
    Refund.PART: N_("partly refunded"),
    Refund.FULL: N_("refunded"),
}

ROLE_WORDS: dict[Role, str] = {
    Role.OWNER: N_("Owner"),
    Role.WAREHOUSE: N_("Warehouse staff"),
    Role.CARE: N_("Customer care"),
    Role.FINANCE: N_("Finance"),
    Role.ANALYST: N_("Analyst"),
}

CARRIER_WORDS: dict[str, str] = {
    "SF": N_("SF Express"),
    "JD": N_("JD Logistics"),
    "ZTO": N_("ZTO"),
    "YTO": N_("YTO"),
    "STO": N_("STO"),
    "YD": N_("Yunda"),
    "EMS": N_("EMS"),
    "YZPY": N_("China Post"),
    "DBL": N_("Deppon"),
    "JTSD": N_("J&amp;T"),
    "HTKY": N_("Best"),
    "UC": N_("Uni-top"),
}


def pill(language: Language, *, stage: str, state: str, kind: str = "", held: str = "") -> Pill:
    """How one parcel is shown: held, then its own stage, then what the carrier says."""
    if held and stage not in {"dispatched", "voided"}:
        return Pill("s-hold", language.say("On hold"))
    if stage != "dispatched" and (stage == "voided" or state in {"", State.AWAITING_COLLECTION}):
        shape, word = STAGE_WORDS[stage]
        return Pill(shape, language.say(word))
    return track_pill(language, state or State.AWAITING_COLLECTION, kind)


def track_pill(language: Language, state: str, kind: str = "") -> Pill:
    shape, word = STATE_WORDS[State(state)]
    note = KIND_WORDS[Kind(kind)]
    if note and State(state) is State.EXCEPTION:
        return Pill(shape, language.say(_EXCEPTION_WORDS.get(Kind(kind), word)))
    return Pill(shape, language.say(word), language.say(note) if note else "")


_EXCEPTION_WORDS: dict[Kind, str] = {
    Kind.STALLED: N_("Stalled"),
    Kind.OVERDUE: N_("Delivery overdue"),
    Kind.LOCKER_OVERDUE: N_("Overdue in locker"),
    Kind.DAMAGED: N_("Damaged"),
    Kind.DELAYED: N_("Delayed"),
    Kind.MISROUTED: N_("Misrouted"),
    Kind.CUSTOMS_HELD: N_("Held in customs"),
    Kind.BAD_ADDRESS: N_("Wrong address"),
}

_WORD_SHAPES: dict[Word, str] = {
    Word.TO_SHIP: "s-later",
    Word.PART_SHIPPED: "s-later",
    Word.SHIPPED: "s-await",
    Word.IN_TRANSIT: "s-transit",
    Word.OUT_FOR_DELIVERY: "s-out",
    Word.PART_DELIVERED: "s-done",
    Word.DELIVERED: "s-done",
    Word.COMPLETED: "s-done",
    Word.RETURNING: "s-returning",
    Word.CLOSED: "s-cancelled",
}


def order_word(language: Language, word: str) -> str:
    return language.say(ORDER_WORDS[Word(word)])


def order_pill(language: Language, word: str) -> Pill:
    """An order with no parcel to speak for it."""
    return Pill(_WORD_SHAPES[Word(word)], order_word(language, word))


def carrier_name(language: Language, code: str) -> str:
    """The carrier's name; a code we have no name for is shown as it is."""
    name = CARRIER_WORDS.get(code)
    return language.say(name) if name else code


#: Why a message to a buyer was not said.
WHY_NOT_SAID = {
    "delivered": N_("the parcel was delivered first"),
    "moved_on": N_("it was not true any more"),
    "stale": N_("it was no news any more"),
    "void": N_("the parcel never leaves"),
    "cancelled": N_("the order was cancelled"),
    "erased": N_("the receiver was erased"),
    "off": N_("the shop does not say this"),
    "opted_out": N_("the buyer does not want it"),
    "no_channel": N_("the shop has no channel to buyers"),
    "no_address": N_("nothing is known to reach the buyer by"),
    "slowdown": N_("a slow-down is told instead"),
    "limit": N_("enough was said that day"),
    "taken_back": N_("it was taken back"),
    "refused": N_("every channel refused it"),
    "unavailable": N_("no channel could be reached"),
    "reported": N_("the channel reports that it did not arrive"),
}
