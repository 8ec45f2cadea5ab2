"""A letter as the shop's own system hears it: JSON, signed as Standard Webhooks 1.0 wants it. Pure.

The webhook-id is the letter's own id, the same in every attempt: who has seen it answers 2xx and says nothing again.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from standardwebhooks.webhooks import Webhook

from waystream.core.channels import Letter

TYPE = "buyer.letter"


class Told(msgspec.Struct, frozen=True):
    """`order` is the shop's own number: the shop knows its buyer by it."""

    letter_id: str
    shop: str
    order: str
    template: str
    language: str
    subject: str
    text: str
    variables: Mapping[str, str]


class Message(msgspec.Struct, frozen=True):
    type: str
    timestamp: str
    data: Told


def write_body(letter: Letter, *, at: datetime) -> bytes:
    told = Told(
        letter.id,
        letter.shop,
        letter.order,
        letter.template,
        letter.language,
        letter.subject,
        letter.text,
        dict(letter.variables),
    )
    return msgspec.json.encode(Message(TYPE, at.astimezone(UTC).isoformat(timespec="seconds"), told))


def sign(secret: str, *, message_id: str, at: datetime, body: bytes) -> tuple[tuple[str, str], ...]:
    """The three headers of the standard."""
    return (
        ("webhook-id", message_id),
        ("webhook-timestamp", str(int(at.timestamp()))),
        ("webhook-signature", Webhook(secret).sign(message_id, at, body.decode())),
    )
