"""The language of templates: facts and sections, and the sentence that mends what is wrong."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystream.core.errors import Invalid
from waystream.parts.notices import wording, words
from waystream.parts.notices.facts import FACTS, list_names
from waystream.parts.notices.kinds import LANGUAGES, Words, load_kinds


def say(text: str, **facts: str) -> str:
    return wording.render(wording.parse(text, list_names(), path="text"), facts)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{order} 已发货", "A1 已发货"),
        ("{订单号} 已发货[，{承运商} {运单号}]", "A1 已发货，圆通 YT1"),
        ("到了[：{place}][，取件码 {code}]。", "到了。"),
        ("[在{place}，码 {code}]A", "A"),
        ("{{order}} [[x]] {order}", "{order} [x] A1"),
        ("一[\n二 {code}]\n三", "一\n三"),
    ],
)
def test_facts_are_filled_in_and_what_is_not_known_is_left_out(text: str, said: str) -> None:
    assert say(text, order="A1", carrier="圆通", number="YT1") == said


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{ordr}", "There is no fact “ordr”: “order” is meant, perhaps."),
        ("{承运上}", "There is no fact “承运上”: “承运商” is meant, perhaps."),
        ("{order.__class__}", "There is no fact “order.__class__”: “order” is meant, perhaps."),
        ("{7*7}", "There is no fact “7*7”. These are known: " + ", ".join(sorted(fact.name for fact in FACTS)) + "."),
        ("a {order", "A brace stands alone: close it around the name of a fact, or write it twice."),
        ("a } b", "A brace stands alone: close it around the name of a fact, or write it twice."),
        ("[a [b] c]", "A bracket stands inside another one: close the first with ] before."),
        ("a ] b", "A ] stands without its [: write ]] for the sign itself."),
        ("[a {code}", "A [ is not closed: add the ]."),
    ],
)
def test_what_is_wrong_is_refused_with_the_sentence_that_mends_it(text: str, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        wording.parse(text, list_names(), path="text")
    assert (refused.value.path, refused.value.sentence) == ("text", sentence)


def test_a_fact_that_may_be_unknown_stands_in_brackets() -> None:
    with pytest.raises(Invalid, match="“code” is not always known"):
        words.check(Words("{order}", "取件码 {code}"))
    words.check(Words("{order}", "[取件码 {取件码}]。"))


@given(st.text(max_size=60))
def test_whatever_is_typed_is_refused_or_said(text: str) -> None:
    template = None
    with suppress(Invalid):
        template = wording.parse(text, list_names(), path="text")
    assert template is None or len(wording.render(template, {"order": "A1"})) <= wording.RENDERED_MAX


@given(st.text(max_size=300))
def test_a_fact_is_one_line_and_never_a_template(value: str) -> None:
    said = say("a {order} b", order=value)
    assert "\n" not in said and said.startswith("a") and said.endswith("b")
    assert len(said) <= wording.FACT_MAX + 4
    assert say("{order}", order="{code}[x]") == "{code}[x]"


@given(st.text(alphabet="{}[]ab\n", max_size=30))
def test_escaped_words_are_said_as_they_are(text: str) -> None:
    assert say(wording.escape(f"x{text}x")) == wording.render(wording.Template((wording.Piece(f"x{text}x"),)), {})


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", load_kinds())
def test_our_own_words_can_be_said_with_nothing_known_but_the_order(kind: str, language: str) -> None:
    own = words.own_words(kind, language)
    checked = words.check(own)
    known = {"order": "A1", "shop": "tea"}
    assert "A1" in wording.render(checked.subject, known)
    text = wording.render(checked.text, known)
    assert "A1" in text and not {"{", "}", "[", "]"} & set(text) and ("tea" in text)
