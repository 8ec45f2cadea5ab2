"""The one sentence at the head of an order: a whole template per case. Pure."""

from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup

from waystream.core.order import Word
from waystream.core.state import State
from waystream.parts.orders.views import Order
from waystream.web.pages.order.store import ParcelRow
from waystream.web.shell.language import N_, Language

#: What one dispatched parcel does, as a sentence.
_PARCEL_SENTENCES: dict[State, str] = {
    State.AWAITING_COLLECTION: N_("It left the warehouse and waits for the carrier to collect it."),
    State.NO_TRACE: N_("It left the warehouse, but the carrier has told nothing of it yet."),
    State.COLLECTED: N_("The carrier has collected it."),
    State.IN_TRANSIT: N_("It is on its way."),
    State.FORWARDED: N_("It was sent on to another address."),
    State.CUSTOMS: N_("It is in customs."),
    State.ARRIVED_AT_OUTLET: N_("It has reached the outlet near the buyer."),
    State.OUT_FOR_DELIVERY: N_("A courier is bringing it right now."),
    State.READY_FOR_PICKUP: N_("It waits in a locker or station for the buyer."),
    State.ATTEMPT_FAILED: N_("The courier came in vain; somebody has to settle what happens next."),
    State.EXCEPTION: N_("It has stopped on its way; somebody has to look after it."),
    State.INTERCEPTED: N_("It was stopped on its way."),
    State.RETURNING: N_("It is coming back to the warehouse."),
    State.RETURNED: N_("It has come back to the warehouse."),
    State.DELIVERED: N_("It has arrived."),
    State.LOST: N_("The carrier has lost it."),
    State.CANCELLED: N_("Its number was cancelled."),
    State.UNKNOWN: N_("The carrier sent a code nobody here knows; the raw text says what happened."),
}

_STAGE_SENTENCES = {
    "asked": N_("A number was asked for; the answer is on its way."),
    "doubt": N_("The carrier did not answer whether it gave a number; it is asked again by itself."),
    "refused": N_("The carrier refuses a number. What it says stands below; mend it and ship again."),
    "conflict": N_("The carrier gave a number that may belong to another parcel; a person has to decide."),
    "issued": N_("It has its number; the label is to be printed."),
    "printed": N_("The label is printed; the parcel waits to leave."),
}


def say_order(language: Language, order: Order, parcels: Sequence[ParcelRow], now: datetime) -> Markup:
    """Cancelled, held, waiting, travelling or arrived: in that order of importance."""
    if order.cancelled_at:
        when = language.exact(order.cancelled_at, now)
        return language.say("This order was cancelled %(when)s: %(reason)s", when=when, reason=order.cancel_reason)
    if order.held_at and order.word in {Word.TO_SHIP, Word.PART_SHIPPED}:
        when = language.exact(order.held_at, now)
        return language.say("On hold since %(when)s: %(reason)s", when=when, reason=order.hold_reason)
    living = [parcel for parcel in parcels if parcel.stage != "voided"]
    if not living:
        return language.say("Nothing has been shipped yet.")
    if len(living) == 1:
        return _one_parcel(language, living[0])
    return _several(language, living)


def _one_parcel(language: Language, parcel: ParcelRow) -> Markup:
    if parcel.stage != "dispatched" and (parcel.state in {"", State.AWAITING_COLLECTION}):
        return language.say(_STAGE_SENTENCES[parcel.stage])
    return language.say(_PARCEL_SENTENCES[State(parcel.state or State.AWAITING_COLLECTION)])


_WORST = (
    State.LOST, State.EXCEPTION, State.ATTEMPT_FAILED, State.UNKNOWN, State.INTERCEPTED, State.RETURNING,
    State.RETURNED, State.NO_TRACE, State.READY_FOR_PICKUP, State.OUT_FOR_DELIVERY,
)  # fmt: skip


def _several(language: Language, parcels: Sequence[ParcelRow]) -> Markup:
    n, done = len(parcels), sum(parcel.state == State.DELIVERED for parcel in parcels)
    facts = {"all": language.number(n), "done": language.number(done)}
    if done == n:
        return language.say("All %(all)s parcels have arrived.", **facts)
    waiting = sum(parcel.stage != "dispatched" for parcel in parcels)
    if waiting:
        return language.say(
            "%(left)s of %(all)s parcels have left the warehouse; %(done)s arrived.",
            left=language.number(n - waiting),
            **facts,
        )
    states = {parcel.state for parcel in parcels}
    worst = next((state for state in _WORST if state in states), None)
    if worst is None:
        return language.say("%(done)s of %(all)s parcels arrived, the others are on their way.", **facts)
    return language.say(
        "%(done)s of %(all)s parcels arrived; of another: %(what)s",
        what=language.say(_PARCEL_SENTENCES[worst]),
        **facts,
    )


def say_aside(language: Language, order: Order, now: datetime) -> Markup | str:
    """The second line: the promise, and whether it is kept."""
    if order.word in {Word.COMPLETED, Word.CLOSED}:
        return ""
    if order.delivered_at and order.word is Word.DELIVERED:
        return language.say("It becomes complete when the buyer confirms, or by itself after the shop’s days.")
    if order.promised_at is None:
        return language.say("Nothing was promised to the buyer.")
    by = language.exact(order.promised_at, now)
    if order.promised_at < now:
        late = language.lasting((now - order.promised_at).total_seconds())
        return language.say("It was promised by %(by)s and is late by %(late)s.", by=by, late=late)
    return language.say("It is promised by %(by)s.", by=by)
