"""SMTP as a `core.gateways.Gateway`: a letter as a `MailAsk`, the server's answer as handed, refused or later.

The conversation itself is `kernel.mailing`. `Reply.status` is the SMTP code, its header `step` who said it.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Literal, cast

from waystream.core.channels import Handed, Letter, is_email
from waystream.core.errors import Invalid, Refused, Unavailable
from waystream.core.gateways import SAID_MAX_CHARS, Gateway, Values, bounded, check_values, read_caption, read_refusals
from waystream.core.ports import Ask, MailAsk, Reply
from waystream.integrations.smtp.wire import Mail, write_mail

_ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_QUEUED = re.compile(r"(?:queued as |id=)<?([A-Za-z0-9._-]{4,64})", re.IGNORECASE)
_TAKEN = range(200, 300)
_ABOUT_THE_LETTER = ("recipient", "data")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the manifest asks for, read."""

    host: str
    port: int
    security: Literal["tls", "starttls", "none"]
    username: str
    password: str = field(repr=False)
    sender: str
    sender_name: str
    unsubscribe: str


class Smtp:
    """It holds no state, `gateway` below is the one instance."""

    caption = read_caption(files(__package__).joinpath("manifest.toml").read_text("utf-8"))
    refusals = read_refusals("SMTP", files(__package__).joinpath("refusals.toml").read_text("utf-8"))

    def check(self, values: Values) -> None:
        check_values(self.caption, values)
        if values["security"] == "none" and values.get("password"):
            raise Invalid("security", "a password only travels over TLS or STARTTLS")
        if bool(values.get("username")) != bool(values.get("password")):
            raise Invalid("password", "user name and password belong together")

    def ask_send(self, values: Values, letter: Letter, *, now: datetime, report_url: str) -> Ask:
        if not is_email(letter.to):
            raise Refused("This is not an e-mail address.", code="5.1.3")
        settings = _read(values)
        mail = Mail(
            id=letter.id,
            language=letter.language,
            sender=settings.sender,
            sender_name=settings.sender_name or letter.shop,
            to=letter.to,
            subject=letter.subject,
            text=letter.text,
            unsubscribe=settings.unsubscribe or settings.sender,
            one_click=letter.unsubscribe if letter.unsubscribe.startswith("https://") else "",
            at=now,
        )
        return MailAsk(
            settings.host,
            settings.port,
            settings.security,
            settings.sender,
            letter.to,
            write_mail(mail),
            username=settings.username,
            password=settings.password,
            envelope_id=letter.id,
        )

    def read_send(self, reply: Reply) -> Handed:
        said = reply.body.decode("utf-8", "replace")
        if reply.status in _TAKEN:
            queued = _QUEUED.search(said)
            return Handed(queued.group(1) if queued else "")
        raise self._error(reply.status, dict(reply.headers).get("step", ""), said)

    def mend_sentence(self, code: str, language: str) -> str:
        return self.refusals.mend_sentence(code, language)

    def _error(self, status: int, step: str, said: str) -> Refused | Unavailable:
        """The most telling code the table has; without one, 5xx is a refusal and everything else is for later."""
        codes, enhanced = [f"{step} {status}", step], _ENHANCED.search(said)
        if enhanced:
            codes.insert(0 if step in _ABOUT_THE_LETTER else 1, enhanced.group(1))
        known = next((code for code in codes if code in self.refusals.rows), "")
        if known or 500 <= status < 600:
            return self.refusals.error(known or f"{step} {status}", said)
        return Unavailable(f"SMTP: {bounded(said, SAID_MAX_CHARS)} ({step} {status})", code=f"{step} {status}")


def _read(values: Values) -> Settings:
    return Settings(
        host=values["host"],
        port=int(values["port"]),
        security=cast(Literal["tls", "starttls", "none"], values["security"]),
        username=values.get("username", ""),
        password=values.get("password", ""),
        sender=values["sender"],
        sender_name=values.get("sender_name", ""),
        unsubscribe=values.get("unsubscribe", ""),
    )


gateway = Smtp()
if TYPE_CHECKING:
    _conforms: Gateway = gateway
