"""The order's one word: each row of the glossary's table."""

import pytest

from waystream.core.order import Dispatch, OrderFacts, ParcelPart, Word, completes_at_once, dispatch_of, word
from waystream.core.state import Direction, Kind, State

AT_HOME = ParcelPart(dispatched=False, state=State.AWAITING_COLLECTION)
LEFT = ParcelPart(dispatched=True, state=State.AWAITING_COLLECTION)


def part(state: State, kind: Kind = Kind.NONE, direction: Direction = Direction.OUT) -> ParcelPart:
    return ParcelPart(dispatched=True, state=state, kind=kind, direction=direction)


MOVING, DOOR, SIGNED = part(State.IN_TRANSIT), part(State.OUT_FOR_DELIVERY), part(State.DELIVERED, Kind.IN_PERSON)
BACK = part(State.RETURNING, direction=Direction.BACK)


def facts(
    *parcels: ParcelPart, sent: int | None = None, cancelled: bool = False, completed: bool = False
) -> OrderFacts:
    """Two pieces ordered; both are sent if any parcel left, unless said otherwise."""
    left = 2 if any(parcel.dispatched for parcel in parcels) else 0
    return OrderFacts(
        cancelled=cancelled, completed=completed, ordered=2, sent=left if sent is None else sent, parcels=parcels
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (facts(), Word.TO_SHIP),
        (facts(AT_HOME), Word.TO_SHIP),
        (facts(LEFT, sent=1), Word.PART_SHIPPED),
        (facts(MOVING, AT_HOME, sent=1), Word.PART_SHIPPED),
        (facts(SIGNED, AT_HOME, sent=1), Word.PART_DELIVERED),
        (facts(LEFT), Word.SHIPPED),
        (facts(part(State.NO_TRACE)), Word.SHIPPED),
        (facts(part(State.UNKNOWN)), Word.SHIPPED),
        (facts(MOVING), Word.IN_TRANSIT),
        (facts(MOVING, LEFT), Word.IN_TRANSIT),
        (facts(part(State.EXCEPTION, Kind.STALLED)), Word.IN_TRANSIT),
        (facts(DOOR, MOVING), Word.OUT_FOR_DELIVERY),
        (facts(part(State.READY_FOR_PICKUP)), Word.OUT_FOR_DELIVERY),
        (facts(part(State.ATTEMPT_FAILED)), Word.OUT_FOR_DELIVERY),
        (facts(SIGNED, DOOR), Word.PART_DELIVERED),
        (facts(SIGNED, part(State.LOST)), Word.PART_DELIVERED),
        (facts(SIGNED), Word.DELIVERED),
        (facts(SIGNED, SIGNED), Word.DELIVERED),
        (facts(BACK), Word.RETURNING),
        (facts(BACK, MOVING), Word.RETURNING),
        (facts(part(State.IN_TRANSIT, direction=Direction.BACK)), Word.RETURNING),
        (facts(part(State.RETURNED, direction=Direction.BACK)), Word.CLOSED),
        (facts(part(State.LOST), part(State.RETURNED, direction=Direction.BACK)), Word.CLOSED),
        (facts(SIGNED, completed=True), Word.COMPLETED),
        (facts(AT_HOME, cancelled=True), Word.CLOSED),
        (facts(SIGNED, cancelled=True), Word.CLOSED),
    ],
)
def test_the_table(given: OrderFacts, expected: Word) -> None:
    assert word(given) is expected


@pytest.mark.parametrize(("sent", "expected"), [(0, Dispatch.NONE), (1, Dispatch.PART), (2, Dispatch.ALL)])
def test_how_much_left_the_warehouse(sent: int, expected: Dispatch) -> None:
    assert dispatch_of(facts(*[LEFT] * sent, AT_HOME if sent < 2 else LEFT, sent=sent)) is expected


def test_a_piece_that_is_still_here_keeps_the_order_from_all() -> None:
    """Only the mother of a shipment of several pieces holds lines: whichever of them leaves first."""
    assert dispatch_of(facts(SIGNED, AT_HOME, sent=2)) is Dispatch.PART
    assert dispatch_of(facts(AT_HOME, SIGNED, sent=0)) is Dispatch.PART
    assert word(facts(SIGNED, AT_HOME, sent=2)) is Word.PART_DELIVERED


def test_the_shops_policy_completes_by_kind() -> None:
    trusted = frozenset({Kind.IN_PERSON, Kind.BY_PROXY})
    assert completes_at_once(facts(SIGNED), trusted)
    assert not completes_at_once(facts(SIGNED, part(State.DELIVERED, Kind.LOCKER)), trusted)
    assert not completes_at_once(facts(SIGNED, DOOR), trusted)
    assert completes_at_once(facts(SIGNED, SIGNED, sent=2), trusted)
    assert not completes_at_once(facts(SIGNED, AT_HOME, sent=2), trusted)
