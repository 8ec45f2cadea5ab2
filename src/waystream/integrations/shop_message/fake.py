"""The shop's side of its message port: it verifies as Standard Webhooks wants it and says a letter once.

Bytes in, a `Reply` out; what it heard is kept in a `Shelf` that the owner supplies (the sandbox: SQLite).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from waystream.core.ports import Reply
from waystream.integrations.shop_message.wire import TYPE, Message


@dataclass(frozen=True, slots=True)
class Heard:
    """A letter without its words: what was told of which order. `times`: how often it came, said once all the same."""

    letter_id: str
    shop: str
    order: str
    template: str
    times: int = 1


class Shelf(Protocol):
    def keep(self, heard: Heard) -> None:
        """On disk when it returns; a letter that is known is only counted."""


class ShopSide:
    def __init__(self, secret: str, shelf: Shelf) -> None:
        self._webhook = Webhook(secret)
        self._shelf = shelf

    def answer(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """204 for a letter, heard before or not; 401 for a signature that does not hold, 400 for anything else."""
        try:
            self._webhook.verify(body, dict(headers))
            message = msgspec.json.decode(body, type=Message)
        except WebhookVerificationError:
            return Reply(401, (), b"the signature does not hold")
        except (ValueError, msgspec.MsgspecError):
            return Reply(400, (), b"this is no letter")
        told = message.data
        if message.type != TYPE or told.letter_id != headers["webhook-id"]:
            return Reply(400, (), b"this is no letter")
        self._shelf.keep(Heard(told.letter_id, told.shop, told.order, told.template))
        return Reply(204, (), b"")
