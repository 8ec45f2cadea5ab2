"""Both languages: every sentence translated, none forgotten, none stale, none written past the catalogue."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.web.messages import WEB, list_messages, list_refusals
from waystream.web.shell.language import Language, catalogue, choose_language, parts_catalogue

CHINA = ZoneInfo("Asia/Shanghai")
ENGLISH, CHINESE = Language("en", CHINA), Language("zh", CHINA)
NOW = datetime(2026, 11, 12, 6, 32, tzinfo=UTC)

PLACEHOLDER = re.compile(r"%\((\w+)\)s")
TAG = re.compile(r"</?(\w+)")
#: What is the same in every language: names of things, units, examples.
SAME = re.compile(r"Waystream|English|中文|PDF|%|Esc|kbd|ws_|mm|dpi|kg|0")


def _text_of(message: str | tuple[str, ...]) -> str:
    return message if isinstance(message, str) else message[0]


def test_every_sentence_is_translated() -> None:
    lacking = {_text_of(message): where for message, where in list_messages().items()
               if not CHINESE._look_up(_text_of(message)) or _text_of(message) not in catalogue()}  # fmt: skip
    assert not lacking


def test_no_translation_is_stale() -> None:
    said = {_text_of(message) for message in list_messages()}
    assert not [message.id for message in catalogue() if message.id and _text_of(message.id) not in said]


def test_no_translation_is_uncertain() -> None:
    assert not [message.id for message in catalogue() if message.id and message.fuzzy]


def test_translations_carry_the_same_facts_and_marks() -> None:
    for message in catalogue():
        if not message.id:
            continue
        source = _text_of(message.id)
        target = message.string if isinstance(message.string, str) else message.string[0]
        allowed = set(PLACEHOLDER.findall(source))
        assert set(PLACEHOLDER.findall(target)) <= allowed, source
        assert allowed - set(PLACEHOLDER.findall(target)) <= {"n"}, source
        assert sorted(TAG.findall(source)) == sorted(TAG.findall(target)), source


def _literals(template: str) -> list[str]:
    """Words of a template that a person would read and nobody translated."""
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}", " ", template, flags=re.DOTALL)
    spoken = re.findall(r'(?:title|aria-label|placeholder|alt)="([^"]*)"', text)
    visible = re.sub(r"<[^>]*>", " ", re.sub(r"\{\{.*?\}\}", " ", text, flags=re.DOTALL))
    said = [re.sub(r"\{\{.*?\}\}", " ", each) for each in spoken]
    words = [visible, *said]
    return [word for each in words for word in re.findall(r"[^\W\d_]{2,}", SAME.sub(" ", each))]


@pytest.mark.parametrize("path", sorted(WEB.rglob("*.html")), ids=lambda path: str(path.relative_to(WEB)))
def test_templates_hold_no_text_of_their_own(path) -> None:  # type: ignore[no-untyped-def]
    template = re.sub(r"<script.*?</script>|&\w+;", " ", path.read_text(), flags=re.DOTALL)
    assert not _literals(template)


def test_numbers_and_money_are_written_as_each_language_writes_them() -> None:
    assert ENGLISH.number(312_000) == "312,000"
    assert CHINESE.number(312_000) == "31.2 万"
    assert CHINESE.number(46_056) == "46,056"
    assert ENGLISH.money(-900) == "−9.00"
    assert ENGLISH.money(128_000) == "1,280.00"
    assert ENGLISH.share(1, 0) == "–"


def test_times_are_relative_and_exact() -> None:
    assert ENGLISH.ago(NOW - timedelta(minutes=2), NOW) == "2 min ago"
    assert CHINESE.ago(NOW - timedelta(hours=5), NOW) == "5 小时前"
    assert ENGLISH.ago(NOW - timedelta(days=1), NOW) == "1 day ago"
    assert ENGLISH.exact(NOW, NOW) == "14:32"
    assert CHINESE.exact(NOW - timedelta(days=1), NOW) == "昨天 14:32"
    assert ENGLISH.exact(NOW - timedelta(days=400), NOW) == "8 Oct 2025 14:32"
    assert CHINESE.long_now(NOW) == "11 月 12 日 周四 14:32"
    assert ENGLISH.lasting(7 * 3600 + 12 * 60) == "7 h 12 min"


def test_what_is_put_into_a_sentence_is_escaped() -> None:
    said = ENGLISH.say("On hold: %(reason)s", reason="<script>")
    assert str(said) == "On hold: &lt;script&gt;"


def test_plural_follows_the_number() -> None:
    assert ENGLISH.say_n("%(n)s day ago", "%(n)s days ago", 1) == "1 day ago"
    assert ENGLISH.say_n("%(n)s day ago", "%(n)s days ago", 3) == "3 days ago"


def test_language_is_the_wanted_one_then_the_browsers() -> None:
    assert choose_language("en", "zh-CN") == "en"
    assert choose_language("", "fr-FR,en;q=0.8") == "en"
    assert choose_language("", "fr-FR") == "zh"


def test_sentences_of_the_parts_are_translated() -> None:
    known = {str(message.id) for message in parts_catalogue() if message.id}
    assert not {sentence: where for sentence, where in list_refusals().items() if sentence not in known}


def test_no_translation_of_a_part_is_stale() -> None:
    source = "\n".join(path.read_text().replace('"\n', "").replace('\\"', '"') for path in WEB.parent.rglob("*.py"))
    pieces = [piece for message in parts_catalogue() if message.id for piece in str(message.id).split("{}")]
    assert not [piece for piece in pieces if piece not in source]


def test_what_a_part_put_into_its_sentence_stays() -> None:
    said = "Line 2 has 1 left to ship, not 3."
    assert CHINESE.echo(said) == "第 2 行只剩 1 件可发，不是 3 件。"
    assert ENGLISH.echo(said) == said
    inner = "The order has left the warehouse: intercept its parcels instead."
    assert CHINESE.echo(inner) == "订单已出库，改为拦截包裹。"
    assert CHINESE.echo("nobody ever said this") == "nobody ever said this"
