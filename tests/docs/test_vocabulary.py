"""Pages and glossary use the same Chinese word for the same thing."""

from zoneinfo import ZoneInfo

import pytest

from tests.docs.markdown import rows_below
from tests.docs.test_glossary import GLOSSARY
from waystream.core.order import Word
from waystream.core.state import State
from waystream.web.shell.language import Language
from waystream.web.shell.vocabulary import ORDER_WORDS, STATE_WORDS

CHINESE = Language("zh", ZoneInfo("Asia/Shanghai"))
STATES = {row[0]: row[1] for row in rows_below(GLOSSARY, "States of a parcel")}
WORDS = {row[1]: row[2] for row in rows_below(GLOSSARY, "The order's word")}


@pytest.mark.parametrize("state", list(State))
def test_a_parcels_state(state: State) -> None:
    assert CHINESE.say(STATE_WORDS[state][1]) == STATES[state]


@pytest.mark.parametrize("word", list(Word))
def test_an_orders_word(word: Word) -> None:
    assert CHINESE.say(ORDER_WORDS[word]) == WORDS[word]
