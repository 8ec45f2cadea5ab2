"""A letter as a mail: RFC 5322 bytes, text with a plain HTML alternative. Pure.

Guaranteed: no header can be ended or added by anything a person or buyer typed in; the same letter makes the same
bytes, so a second attempt carries the same Message-ID; lines are at most 76 characters, ASCII only on the wire.
"""

import html
import re
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime

SUBJECT_MAX_CHARS = 200
_UNSUBSCRIBE = "List-Unsubscribe"
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LINK = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_LINK_END = ".,;:!?)]'"
_STYLE = "font:16px/1.6 system-ui,sans-serif;max-width:40em;margin:0 auto;padding:1em;color:#222"


class _Links(UnstructuredHeader, BaseHeader):
    """Links in angle brackets, one a line. Each stays as it is: no mail program decodes an encoded word here."""

    def fold(self, *, policy: Policy) -> str:
        links = f",{policy.linesep} ".join(self.split(", "))
        return f"{self.name}: {links}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type(_UNSUBSCRIBE, _Links)
_POLICY = SMTP.clone(max_line_length=76, header_factory=_HEADERS)


@dataclass(frozen=True, slots=True)
class Mail:
    """Everything a mail is made of."""

    id: str
    language: str
    sender: str
    sender_name: str
    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    unsubscribe: str = ""
    one_click: str = ""
    at: datetime | None = None


def write_mail(mail: Mail) -> bytes:
    """The mail as it travels, lines ended by CR LF."""
    message = EmailMessage(_POLICY)
    domain = mail.sender.rpartition("@")[2]
    message["From"] = Address(_one_line(mail.sender_name), addr_spec=mail.sender)
    message["To"] = Address(addr_spec=mail.to)
    message["Subject"] = _one_line(mail.subject)[:SUBJECT_MAX_CHARS]
    message["Message-ID"] = f"<{_token(mail.id)}@{domain}>"
    if mail.at is not None:
        message["Date"] = format_datetime(mail.at)
    if mail.unsubscribe:
        by_mail = f"<mailto:{mail.unsubscribe}?subject=unsubscribe>"
        message[_UNSUBSCRIBE] = f"<{mail.one_click}>, {by_mail}" if mail.one_click else by_mail
    if mail.one_click:
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Auto-Submitted"] = "auto-generated"  # so that an out-of-office answer is not sent back
    message.set_content(mail.text, cte="base64")
    message.add_alternative(write_html(mail.text, language=mail.language), subtype="html", cte="base64")
    message["Content-Language"] = "zh-CN" if mail.language.startswith("zh") else "en"
    message.set_boundary(f"=_{_token(mail.id)}")
    return message.as_bytes()


def write_html(text: str, *, language: str) -> str:
    """The same words as a page without pictures, scripts or anything fetched; web addresses can be clicked."""
    paragraphs = (each.strip("\n") for each in re.split(r"\n{2,}", text.replace("\r\n", "\n")))
    body = "".join(f"<p>{_linked(each)}</p>" for each in paragraphs if each)
    lang = "zh-CN" if language.startswith("zh") else "en"
    return f'<!doctype html><html lang="{lang}"><meta charset="utf-8"><body style="{_STYLE}">{body}</body></html>'


def _linked(text: str) -> str:
    """Escaped, with line breaks; what is an address is one link."""
    parts, at = [], 0
    for found in _LINK.finditer(text):
        link = found.group().rstrip(_LINK_END)
        parts.append(html.escape(text[at : found.start()]))
        parts.append(f'<a href="{html.escape(link)}">{html.escape(link)}</a>')
        at = found.start() + len(link)
    return "".join((*parts, html.escape(text[at:]))).replace("\n", "<br>")


def _one_line(text: str) -> str:
    return _BREAKS.sub(" ", text).strip()


def _token(letter_id: str) -> str:
    """The id as an atom: what else is in it becomes a dash."""
    return re.sub(r"[^A-Za-z0-9_]", "-", letter_id)[:64] or "letter"
