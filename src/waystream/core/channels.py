"""How a buyer is reached: the letter a channel is given, what it answers, and what an integration must offer.

A letter lives for the length of a call: its `repr` shows neither whom nor what. Its id is random and the same in every
attempt, so a channel whose other side knows letters by their id says one thing once. Which channels a shop has is
asked of `Channels`; `parts.notices` decides what is said, when, and through which.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class ChannelKind(StrEnum):
    """What a letter's `to` is: a mobile number, an address, or nothing (the shop knows its buyer by the order)."""

    SMS = "sms"  # 短信
    EMAIL = "email"  # 邮件
    SHOP = "shop"  # 店铺自己的消息口


class ReportState(StrEnum):
    DELIVERED = "delivered"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Letter:
    """One message for one buyer.

    `id`: the outside idempotency key. `template`: the kind of notice (`shipped`, `delayed` …; `said` for what a person
    wrote). `variables`: the facts the text was made from by their names, for channels that only send registered
    templates; one that is not known is left out. `order` is the shop's own number. `unsubscribe`: an address
    that ends all messages to this buyer when it is posted to (RFC 8058); empty where there is none.
    """

    id: str
    shop: str
    order: str
    language: str  # zh or en
    template: str
    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    unsubscribe: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Handed:
    """The channel took the letter; `receipt` is what its other side calls it, by which a report names it."""

    receipt: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a letter, told later. It is known by `receipt`, or by the letter's id where that is empty.

    `said`: the other side's own words or code, without a phone number.
    """

    state: ReportState
    receipt: str = ""
    letter_id: str = ""
    said: str = ""
    at: datetime | None = None


class BuyerChannel(Protocol):
    """A way to a shop's buyers.

    `name` is unique within the shop. `repeatable`: the other side says a letter once however often its id comes, so
    one whose answer was lost is handed over again; any other is then in doubt and not repeated by itself.
    """

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> ChannelKind: ...
    @property
    def repeatable(self) -> bool: ...

    def send(self, letter: Letter) -> Handed:
        """Raises `Refused` (this letter will never pass here: the next channel is tried) or `Unavailable`, with
        `sent` where the letter may have got through."""


#: The address of a buyer's page of an order; empty where there is none. Called with a `Tx`.
Links = Callable[[Any, int], str]

#: The channels of a shop as they are now, in no order: called with the job's transaction (a `Tx`) and the shop's id.
Channels = Callable[[Any, int], Sequence[BuyerChannel]]

_MOBILE = re.compile(r"1[3-9]\d{9}|\+[1-9]\d{6,14}")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")
EMAIL_MAX = 254


def no_channels(tx: Any, shop_id: int) -> Sequence[BuyerChannel]:
    """Where nothing is set up."""
    return ()


def no_link(tx: Any, order_id: int) -> str:
    """Where buyers have no page."""
    return ""


def is_mobile(number: str) -> bool:
    """Whether an SMS reaches it: a mainland mobile number or one with its country; not a landline, not a virtual
    number with an extension."""
    return _MOBILE.fullmatch(number) is not None


def is_email(address: str) -> bool:
    return len(address) <= EMAIL_MAX and _EMAIL.fullmatch(address) is not None


def mask_email(address: str) -> str:
    """luo.xiaoming@example.com → l***********@example.com; width is kept."""
    name, at, host = address.rpartition("@")
    return name[:1] + "*" * (len(name) - 1) + at + host
