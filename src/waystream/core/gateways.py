"""What an integration offers that carries messages: its settings, a letter as an `Ask`, the answer, the receipts.

All pure. A setting is typed in by a person and named by a manifest, so a new gateway brings its own form. A refusal is
told by the other side's own code; `mend_sentence` says in both languages what to do about it.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Protocol
from urllib.parse import urlsplit

from waystream.core.channels import Handed, Letter, Report, is_email
from waystream.core.errors import Invalid, InvalidMany, Refused, Unavailable
from waystream.core.ports import Ask, Reply
from waystream.core.registered_templates import find_templates_problem


class Reach(StrEnum):
    """Whom a gateway reaches, and how: the first three are `core.channels.ChannelKind`."""

    EMAIL = "email"  # 邮件
    SMS = "sms"  # 短信
    SHOP = "shop"  # 店铺自己的消息口
    STAFF = "staff"  # 员工群


#: What a person typed in, by the setting's name; an integration reads it into values of its own.
Values = Mapping[str, str]

SETTING_MAX_CHARS = 500
TEMPLATES_MAX_CHARS = 2_000
CODE_MAX_CHARS = 64
SAID_MAX_CHARS = 200
_HOURS = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")
_PORTS = range(1, 65_536)
_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_][A-Za-z0-9_-]{0,62}(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?")


@dataclass(frozen=True, slots=True)
class Words:
    """A text of a manifest in both languages."""

    zh: str = ""
    en: str = ""

    def say(self, language: str) -> str:
        return self.zh if language.startswith("zh") else self.en


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing a gateway wants to know. `form` is text, secret, host, port, email, url, hours, templates or one of
    `options`."""

    name: str
    form: str
    label: Words
    hint: Words = Words()
    required: bool = True
    usual: str = ""
    options: tuple[str, ...] = ()

    @property
    def secret(self) -> bool:
        return self.form == "secret"


@dataclass(frozen=True, slots=True)
class Caption:
    """A gateway as people see it: its name, whom it reaches, what it asks for, how fast it may be used.

    `repeatable`: its other side says a letter once however often its id comes.
    """

    name: str
    title: Words
    reach: Reach
    repeatable: bool
    settings: tuple[Setting, ...]
    per_minute: int


class Gateway(Protocol):
    """A way a message leaves. `ask_send` and `read_send` belong together; `now` is the machine's time: signatures."""

    caption: Caption

    def check(self, values: Values) -> None:
        """Raises `Invalid` with the name of the setting that does not fit."""

    def ask_send(self, values: Values, letter: Letter, *, now: datetime, report_url: str) -> Ask:
        """Raises `Refused` for a letter that can never be sent."""

    def read_send(self, reply: Reply) -> Handed:
        """Raises `Refused`, `Unavailable` (both with the other side's code) or `Unreadable`."""

    def mend_sentence(self, code: str, language: str) -> str:
        """What to do about the code of a refusal, in `zh` or `en`; empty for one that is not known."""


class Reporting(Gateway, Protocol):
    """A gateway that is told later what became of a letter, at an address only it knows."""

    def read_report(self, values: Values, body: bytes) -> tuple[Report, ...] | None:
        """None where a signature does not hold. Raises `Unreadable`."""

    def answer_report(self, values: Values, *, accepted: bool, now: datetime) -> Reply: ...


# ---------------------------------------------------------------------- manifests


def read_caption(manifest: str) -> Caption:
    """The part of a manifest that a gateway has; a missing key fails at import."""
    table = tomllib.loads(manifest)
    channel = table["channel"]
    return Caption(
        name=channel.get("name", table["name"]),
        title=Words(**channel.get("title", table["title"])),
        reach=Reach(channel["reach"]),
        repeatable=channel["repeatable"],
        settings=tuple(_read_setting(row) for row in channel["settings"]),
        per_minute=channel["per_minute"],
    )


def _read_setting(row: Mapping[str, Any]) -> Setting:
    return Setting(
        name=row["name"],
        form=row.get("form", "text"),
        label=Words(**row["label"]),
        hint=Words(**row.get("hint", {})),
        required=row.get("required", True),
        usual=row.get("usual", ""),
        options=tuple(row.get("options", ())),
    )


def check_values(caption: Caption, values: Values) -> None:
    """Every setting has a value of its form, and there is no other. Raises `InvalidMany`."""
    known = {setting.name for setting in caption.settings}
    problems = [Invalid(name, "there is no such setting") for name in sorted(values.keys() - known)]
    found = (_find_problem(setting, values.get(setting.name, "")) for setting in caption.settings)
    problems += [problem for problem in found if problem is not None]
    if problems:
        raise InvalidMany(problems)


def _find_problem(setting: Setting, value: str) -> Invalid | None:
    """What is wrong with a value; None when nothing is."""
    path, max_chars = setting.name, TEMPLATES_MAX_CHARS if setting.form == "templates" else SETTING_MAX_CHARS
    if not value:
        return Invalid(path, "this is needed") if setting.required else None
    if len(value) > max_chars or not value.isprintable():
        return Invalid(path, f"at most {max_chars} characters on one line")
    if setting.options:
        return None if value in setting.options else Invalid(path, "choose one of these")
    match setting.form:
        case "port" if not _is_port(value):
            return Invalid(path, "a number from 1 to 65535")
        case "host" if not _HOST.fullmatch(value):
            return Invalid(path, "a host name such as mail.example.com, without https://")
        case "email" if not is_email(value):
            return Invalid(path, "this is no e-mail address")
        case "hours" if not _HOURS.fullmatch(value):
            return Invalid(path, "written like 22:00-08:00")
        case "url":
            return find_url_problem(path, value)
        case "templates":
            return find_templates_problem(path, value)
    return None


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) in _PORTS


def find_url_problem(path: str, url: str) -> Invalid | None:
    """An address has to be https; http is for a private one, which the exchange only calls where the operator allows
    it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return Invalid(path, "this is not a web address")
    address = _address(host)
    if not url.isascii() or " " in url or not (_HOST.fullmatch(host) or address):
        return Invalid(path, "this is not a web address")
    if parts.username is not None or parts.fragment:
        return Invalid(path, "without a user name, a password or a #")
    private = address.is_private if address else "." not in host
    if parts.scheme == "https" or (parts.scheme == "http" and private):
        return None
    return Invalid(path, "has to begin with https://")


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


# ---------------------------------------------------------------------- refusals


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row of `refusals.toml`. `later`: it may work when it is tried again, so it is no refusal of the letter."""

    code: str
    mend: Words
    later: bool = False


@dataclass(frozen=True, slots=True)
class Refusals:
    """The table of one gateway. `name` is whom the sentences are about."""

    name: str
    rows: Mapping[str, Refusal] = field(default_factory=dict)

    def error(self, code: str, said: str) -> Refused | Unavailable:
        """What to raise for the other side's code; one that the table does not have is a refusal."""
        row, code = self.rows.get(code), bounded(code, CODE_MAX_CHARS)
        told = bounded(said, SAID_MAX_CHARS) or "no reason told"
        sentence = f"{self.name}: {told} ({code})" if code else f"{self.name}: {told}"
        return Unavailable(sentence, code=code) if row and row.later else Refused(sentence, code=code)

    def mend_sentence(self, code: str, language: str) -> str:
        row = self.rows.get(code)
        return row.mend.say(language) if row else ""


def read_refusals(name: str, table: str) -> Refusals:
    rows = tomllib.loads(table)["refusal"]
    made = [Refusal(row["code"], Words(row["zh"], row["en"]), row.get("later", False)) for row in rows]
    return Refusals(name, {row.code: row for row in made})


def bounded(text: str, max_chars: int) -> str:
    """What the other side said as one printable line: phone-like digits replaced, since it is stored and shown."""
    line = "".join(sign if sign.isprintable() else " " for sign in text).strip()
    return _DIGITS.sub("***", _MAIL.sub("***", line))[:max_chars]


def clip_bytes(text: str, max_bytes: int) -> str:
    """As much of a text as fits, whole characters, with a mark where it was cut."""
    raw = text.encode("utf-8", "replace")
    if len(raw) <= max_bytes:
        return text
    return raw[: max_bytes - 3].decode("utf-8", "ignore") + "…"


_DIGITS = re.compile(r"(?<!\d)\d{7,}(?!\d)")
_MAIL = re.compile(r"[^\s<>@,;:]+@[^\s<>@,;:]+")
