"""A letter as a mail: what a reader sees, and what a hostile text cannot do."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystream.integrations.smtp.wire import SUBJECT_MAX_CHARS, Mail, write_html, write_mail

MAIL = Mail(
    id="K7Q2XRT4WS",
    language="zh",
    sender="service@tea.example.com",
    sender_name="茶铺",
    to="buyer@example.com",
    subject="您的订单 A1 已发货",
    text="罗先生，您好：\n\n订单 A1 由顺丰承运。\n查看：https://tea.example.com/t/abc?x=1&y=2。",
    unsubscribe="stop@tea.example.com",
    at=datetime(2026, 11, 12, 6, 32, tzinfo=UTC),
)


def read(mail: Mail):
    return message_from_bytes(write_mail(mail), policy=policy.default)


def test_a_mail_says_who_what_and_how_to_stop_it() -> None:
    message = read(MAIL)
    assert {name: message[name] for name in ("From", "To", "Subject", "Message-ID", "Date", "List-Unsubscribe")} == {
        "From": "茶铺 <service@tea.example.com>",
        "To": "buyer@example.com",
        "Subject": "您的订单 A1 已发货",
        "Message-ID": "<K7Q2XRT4WS@tea.example.com>",
        "Date": "Thu, 12 Nov 2026 06:32:00 +0000",
        "List-Unsubscribe": "<mailto:stop@tea.example.com?subject=unsubscribe>",
    }
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_body(("plain",)).get_content().replace("\r\n", "\n").strip() == MAIL.text
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


def test_a_mail_program_can_stop_it_with_one_click() -> None:
    message = read(replace(MAIL, one_click="https://ship.example/t/abc/unsubscribe"))
    assert message["List-Unsubscribe"] == (
        "<https://ship.example/t/abc/unsubscribe>, <mailto:stop@tea.example.com?subject=unsubscribe>"
    )
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_long_link_to_stop_it_stays_a_link() -> None:
    """Mail programs decode nothing in this header."""
    link = f"https://waystream.a-long-name-of-a-merchant.example.com/t/{'k' * 38}/unsubscribe"
    raw = write_mail(replace(MAIL, one_click=link))
    assert f"\r\nList-Unsubscribe: <{link}>,\r\n <mailto:stop@tea.example.com?subject=unsubscribe>\r\n".encode() in raw
    assert read(replace(MAIL, one_click=link))["List-Unsubscribe"].startswith(f"<{link}>, <mailto:")


def test_the_page_says_the_same_words_and_links_the_address_without_its_full_stop() -> None:
    page = read(MAIL).get_body(("html",)).get_content()
    assert '<a href="https://tea.example.com/t/abc?x=1&amp;y=2">' in page
    assert "订单 A1 由顺丰承运。<br>查看：" in page
    assert "<script" not in page and "src=" not in page


def test_a_text_is_words_and_no_markup() -> None:
    page = write_html('<img src=x onerror="alert(1)"> & "q"', language="en")
    assert "<img" not in page
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp; &quot;q&quot;" in page


def test_the_same_letter_is_the_same_bytes() -> None:
    assert write_mail(MAIL) == write_mail(MAIL)


def test_only_short_ascii_lines_travel() -> None:
    raw = write_mail(replace(MAIL, text="长" * 2_000, subject="长" * 500))
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert len(message_from_bytes(raw, policy=policy.default)["Subject"]) == SUBJECT_MAX_CHARS


HOSTILE = st.text(st.characters(blacklist_categories=("Cs",)), max_size=60).map(
    lambda text: f"{text}\r\nBcc: victim@example.com\r\n\r\n<b>{text}"
)


@given(subject=HOSTILE, name=HOSTILE, text=HOSTILE, letter_id=HOSTILE)
def test_nothing_typed_in_becomes_a_header(subject: str, name: str, text: str, letter_id: str) -> None:
    message = read(replace(MAIL, subject=subject, sender_name=name, text=text, id=letter_id))
    assert message["Bcc"] is None
    assert len(message.get_all("From")) == len(message.get_all("To")) == 1
    assert message["To"].addresses[0].addr_spec == MAIL.to
    assert sorted(message.keys()) == sorted(read(MAIL).keys())


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_language_is_told(language: str) -> None:
    assert read(replace(MAIL, language=language))["Content-Language"] == {"zh": "zh-CN", "en": "en"}[language]
