"""The glossary is the language: every word of the code stands in it, every row of the order's word is true."""

from itertools import chain

import pytest

from tests.docs.markdown import rows_below
from tests.tidy.sources import ROOT
from waystream.core.order import OrderFacts, ParcelPart, Word, word
from waystream.core.state import Direction, Kind, State

GLOSSARY = (ROOT / "docs" / "GLOSSARY.md").read_text(encoding="utf-8")
TABLE = {row[0]: Word(row[1]) for row in rows_below(GLOSSARY, "The order's word")}

AT_HOME = ParcelPart(dispatched=False, state=State.AWAITING_COLLECTION)


def sent(state: State, direction: Direction = Direction.OUT) -> ParcelPart:
    return ParcelPart(dispatched=True, state=state, direction=direction)


def order(*parcels: ParcelPart, sent: int = 2, cancelled: bool = False, completed: bool = False) -> OrderFacts:
    return OrderFacts(cancelled=cancelled, completed=completed, ordered=2, sent=sent, parcels=parcels)


DELIVERED, LOST, RETURNED = sent(State.DELIVERED), sent(State.LOST), sent(State.RETURNED, Direction.BACK)
ON_THE_WAY, AT_THE_DOOR, WAITING = sent(State.IN_TRANSIT), sent(State.OUT_FOR_DELIVERY), sent(State.NO_TRACE)
BACK = sent(State.RETURNING, Direction.BACK)

#: For each row of the glossary's table, orders it is about.
ORDERS: dict[str, tuple[OrderFacts, ...]] = {
    "the order was cancelled": (order(sent=0, cancelled=True), order(DELIVERED, cancelled=True, completed=True)),
    "it was completed": (order(DELIVERED, completed=True), order(BACK, completed=True)),
    "nothing was dispatched": (order(sent=0), order(AT_HOME, sent=0)),
    "part was dispatched, some parcel delivered": (order(DELIVERED, AT_HOME, sent=1), order(DELIVERED, AT_HOME)),
    "part was dispatched, none delivered": (order(ON_THE_WAY, sent=1), order(BACK, AT_HOME, sent=1)),
    "every dispatched parcel is delivered": (order(DELIVERED), order(DELIVERED, DELIVERED)),
    "some dispatched parcel is delivered": (order(DELIVERED, WAITING), order(DELIVERED, LOST, BACK)),
    "every parcel is returned, lost or cancelled": (order(LOST, RETURNED), order(sent(State.CANCELLED))),
    "some parcel travels back": (order(BACK, AT_THE_DOOR), order(sent(State.IN_TRANSIT, Direction.BACK), LOST)),
    "some parcel is out for delivery, ready for pickup, or its attempt failed": (
        order(AT_THE_DOOR, ON_THE_WAY),
        order(sent(State.READY_FOR_PICKUP)),
        order(sent(State.ATTEMPT_FAILED), WAITING),
    ),
    "no parcel was collected yet": (order(WAITING), order(sent(State.AWAITING_COLLECTION), sent(State.UNKNOWN), LOST)),
    "otherwise": (order(ON_THE_WAY, WAITING), order(sent(State.EXCEPTION)), order(sent(State.CUSTOMS), LOST)),
}


def test_the_table_has_the_rows_we_test() -> None:
    assert list(TABLE) == list(ORDERS)


@pytest.mark.parametrize(("row", "facts"), [(row, facts) for row, cases in ORDERS.items() for facts in cases])
def test_each_row_of_the_orders_word(row: str, facts: OrderFacts) -> None:
    assert word(facts) is TABLE[row]


def test_every_word_of_an_order_is_in_the_table() -> None:
    assert set(TABLE.values()) == set(Word)


def test_every_state_is_in_the_glossary_with_its_kinds() -> None:
    rows = {row[0]: row[2] for row in rows_below(GLOSSARY, "States of a parcel")}
    kinds = chain.from_iterable((part.split()[0] for part in told.split(",") if part.strip()) for told in rows.values())
    assert list(rows) == [state.value for state in State]
    assert set(kinds) == {kind.value for kind in Kind if kind}
