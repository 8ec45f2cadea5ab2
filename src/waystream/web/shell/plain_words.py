"""What a state means in plain words, for somebody who ordered something: one whole sentence for each, per language.

`HAPPENED` is a line of a timeline, `STANDS` the head of a page, `NEXT` what comes and whether there is anything to do.
The finer word of a state stands before its state's own. Shapes and the staff's shorter words are `vocabulary`.
"""

from collections.abc import Mapping

from waystream.core.state import Kind, State
from waystream.web.shell.language import N_

Sentences = Mapping[State | Kind, str]

HAPPENED: Sentences = {
    State.AWAITING_COLLECTION: N_("The carrier knows of it and is to collect it"),
    State.NO_TRACE: N_("The carrier has told nothing of it yet"),
    State.COLLECTED: N_("The carrier has collected it"),
    State.IN_TRANSIT: N_("It is on its way"),
    State.ARRIVED_AT_OUTLET: N_("It has reached the outlet near you"),
    State.OUT_FOR_DELIVERY: N_("A courier is bringing it"),
    State.READY_FOR_PICKUP: N_("It waits for you in a locker or station"),
    State.DELIVERED: N_("It has been delivered"),
    Kind.IN_PERSON: N_("It has been delivered, signed for by the receiver"),
    Kind.BY_PROXY: N_("It has been delivered, signed for by somebody else"),
    Kind.LOCKER: N_("It has been put into a locker or station"),
    State.ATTEMPT_FAILED: N_("The courier came and could not hand it over"),
    Kind.UNREACHABLE: N_("The courier came and could not reach you"),
    Kind.BAD_ADDRESS: N_("The courier could not find the address"),
    Kind.WRONG_PHONE: N_("The courier could not reach the phone number"),
    Kind.OUT_OF_RANGE: N_("The address lies outside the courier’s area"),
    Kind.REFUSED: N_("It was refused at the door"),
    Kind.FAILED: N_("The courier came and could not hand it over"),
    State.EXCEPTION: N_("Something went wrong on its way"),
    Kind.STALLED: N_("It has been standing still"),
    Kind.OVERDUE: N_("It should have been delivered by now"),
    Kind.LOCKER_OVERDUE: N_("It has waited in the locker or station for long"),
    Kind.DAMAGED: N_("It was damaged on its way"),
    Kind.DELAYED: N_("It is delayed"),
    Kind.MISROUTED: N_("It was sent the wrong way and is being put right"),
    Kind.CUSTOMS_HELD: N_("It is held in customs"),
    Kind.PROBLEM: N_("Something went wrong on its way"),
    State.INTERCEPTED: N_("It was stopped on its way"),
    State.FORWARDED: N_("It was handed on to another carrier or address"),
    State.CUSTOMS: N_("It is in customs"),
    State.RETURNING: N_("It travels back to the shop"),
    State.RETURNED: N_("It has come back to the shop"),
    State.LOST: N_("The carrier has lost it"),
    State.CANCELLED: N_("Its number was cancelled"),
    State.UNKNOWN: N_("The carrier told something nobody here can read yet"),
}

STANDS: Sentences = {
    State.AWAITING_COLLECTION: N_("Sent, waiting for the carrier"),
    State.NO_TRACE: N_("Sent, no word from the carrier yet"),
    State.COLLECTED: N_("The carrier has it"),
    State.IN_TRANSIT: N_("On its way to you"),
    State.ARRIVED_AT_OUTLET: N_("Nearly there"),
    State.OUT_FOR_DELIVERY: N_("A courier is bringing it"),
    State.READY_FOR_PICKUP: N_("Ready for you to fetch"),
    State.DELIVERED: N_("Delivered"),
    Kind.LOCKER: N_("Delivered to a locker or station"),
    State.ATTEMPT_FAILED: N_("The courier came in vain"),
    Kind.REFUSED: N_("Refused at the door"),
    State.EXCEPTION: N_("Something went wrong"),
    Kind.STALLED: N_("It is standing still"),
    Kind.OVERDUE: N_("It is overdue"),
    Kind.LOCKER_OVERDUE: N_("It has waited for you for long"),
    Kind.DAMAGED: N_("Damaged on its way"),
    Kind.DELAYED: N_("Delayed"),
    Kind.MISROUTED: N_("Sent the wrong way"),
    Kind.CUSTOMS_HELD: N_("Held in customs"),
    State.INTERCEPTED: N_("Stopped on its way"),
    State.FORWARDED: N_("Handed on"),
    State.CUSTOMS: N_("In customs"),
    State.RETURNING: N_("On its way back to the shop"),
    State.RETURNED: N_("Back at the shop"),
    State.LOST: N_("Lost on its way"),
    State.CANCELLED: N_("This parcel is not coming"),
    State.UNKNOWN: N_("The carrier’s news cannot be read yet"),
}

NEXT: Sentences = {
    State.AWAITING_COLLECTION: N_("Next the carrier collects it. There is nothing you need to do."),
    State.NO_TRACE: N_("The carrier has to scan it first; the shop is told when that takes too long."),
    State.COLLECTED: N_("Now it travels to the first hub. There is nothing you need to do."),
    State.IN_TRANSIT: N_("It goes from hub to hub until the outlet near you. There is nothing you need to do."),
    State.ARRIVED_AT_OUTLET: N_("A courier takes it out from there next. Keep your phone within reach."),
    State.OUT_FOR_DELIVERY: N_("The courier brings it to your address; keep your phone within reach."),
    State.READY_FOR_PICKUP: N_("Fetch it with the code the carrier sent to your phone, best within a day."),
    State.DELIVERED: N_("If you have it, confirm it below; if you do not, say so and the shop looks for it."),
    Kind.LOCKER: N_("Fetch it with the code the carrier sent to your phone; if it is not there, say so below."),
    State.ATTEMPT_FAILED: N_("As a rule the carrier tries again the next day. The shop has been told."),
    Kind.BAD_ADDRESS: N_("The shop has been told; if your address is not right, say so below."),
    Kind.WRONG_PHONE: N_("The shop has been told; if your phone number is not right, tell the shop."),
    Kind.REFUSED: N_("It goes back to the shop. If that is a mistake, tell the shop at once."),
    State.EXCEPTION: N_("The shop has been told and settles it with the carrier. There is nothing you need to do."),
    Kind.LOCKER_OVERDUE: N_("Fetch it today: the carrier soon sends it back."),
    Kind.DAMAGED: N_("The shop has been told and comes back to you. There is nothing you need to do."),
    Kind.CUSTOMS_HELD: N_("Customs may ask for papers; then the carrier or the shop comes to you."),
    State.INTERCEPTED: N_("The shop wanted it stopped; ask the shop what happens with your order."),
    State.FORWARDED: N_("It goes on from there; the next news comes from whoever carries it now."),
    State.CUSTOMS: N_("When customs lets it go, it travels on. There is nothing you need to do."),
    State.RETURNING: N_("When it is back, the shop comes to you about your money or a new parcel."),
    State.RETURNED: N_("The shop comes to you about your money or a new parcel."),
    State.LOST: N_("The shop has been told and comes to you about a new parcel or your money."),
    State.CANCELLED: N_("Nothing more happens with this parcel; the order tells how it goes on."),
    State.UNKNOWN: N_("The carrier’s own words stand below; the shop looks into it."),
}

#: A line of a timeline whose place is known.
HAPPENED_AT: Sentences = {
    State.COLLECTED: N_("The carrier has collected it in %(place)s"),
    State.IN_TRANSIT: N_("It is on its way, seen in %(place)s"),
    State.ARRIVED_AT_OUTLET: N_("It has reached an outlet in %(place)s"),
    State.OUT_FOR_DELIVERY: N_("A courier is bringing it in %(place)s"),
    State.CUSTOMS: N_("It is in customs in %(place)s"),
    State.RETURNING: N_("It travels back to the shop, seen in %(place)s"),
}
ARRIVED_AT, LEFT_AT = N_("It has arrived in %(place)s"), N_("It has left %(place)s")

#: A parcel that has not left yet, and an order without one.
HELD_STANDS, HELD_NEXT = (
    N_("The shop is holding it back"),
    N_("The shop has stopped it before it left, for a change or a question. It goes on from there."),
)
PACKING_STANDS, PACKING_NEXT = (
    N_("Being packed"),
    N_("When it leaves the warehouse, its number and its way appear here by themselves."),
)
WAITING_STANDS, WAITING_NEXT = (
    N_("The shop has your order"),
    N_("Next it is packed; when it leaves, its number and its way appear here by themselves."),
)
CANCELLED_STANDS, CANCELLED_NEXT = (
    N_("This order was cancelled"),
    N_("Nothing is sent any more. About your money, ask the shop."),
)


def word_of(sentences: Sentences, state: State, kind: Kind) -> str:
    """The sentence of the finer word where there is one, else the state's own."""
    return sentences.get(kind) or sentences[state]
