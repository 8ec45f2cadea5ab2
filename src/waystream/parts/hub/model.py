"""Accounts and subscriptions as values, and the rules that need no database."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from waystream.core.errors import Invalid, InvalidMany
from waystream.core.ports import Aggregator, CarrierAccount, Renewal

MONTH = timedelta(days=31)

_CODE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_CARRIER = re.compile(r"[A-Z0-9_]{1,20}")


@dataclass(frozen=True, slots=True)
class AggregatorIn:
    """An account at an aggregator. `code` stands in the push address; an empty `key` keeps the stored one."""

    code: str
    integration: str
    merchant_id: str
    base_url: str
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class AggregatorRow:
    """An account as pages show it, without its key. `test_said` is empty when the last test call worked."""

    id: int
    code: str
    integration: str
    merchant_id: str
    base_url: str
    tested_at: datetime | None
    test_said: str
    first_push_at: datetime | None
    last_push_at: datetime | None
    bad_signatures: int
    last_bad_at: datetime | None

    @property
    def push_path(self) -> str:
        """What to paste into the aggregator's console, after our own address."""
        return f"/push/{self.integration}/{self.code}"


@dataclass(frozen=True, slots=True)
class OpenAggregator:
    """An account ready for use, with its key."""

    id: int
    code: str
    integration: str
    aggregator: Aggregator


@dataclass(frozen=True, slots=True)
class AccountIn:
    """A carrier account used through an aggregator. `warehouse_id` None: any; a lower `priority` is used first."""

    aggregator_id: int
    name: str
    parameters: CarrierAccount
    warehouse_id: int | None = None
    priority: int = 100
    low_mark: int = 500


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account as pages show it, without its parameters. `available` None: how many are left is not known.

    `draws`: its numbers were assigned beforehand and are drawn here; `available` are those nobody has drawn.
    """

    id: int
    aggregator_id: int
    aggregator: str
    carrier: str
    name: str
    warehouse_id: int | None
    warehouse: str | None
    priority: int
    low_mark: int
    available: int | None
    balance_at: datetime | None
    disabled: bool
    draws: bool

    @property
    def low(self) -> bool:
        """The pool of numbers runs out: buy more."""
        return self.available is not None and self.available < self.low_mark


@dataclass(frozen=True, slots=True)
class OpenAccount:
    """A carrier account ready for use."""

    id: int
    integration: str
    aggregator: Aggregator
    parameters: CarrierAccount


@dataclass(frozen=True, slots=True)
class Watched:
    """Whether a number is watched for us. `state`: asked, live, died, ended."""

    binding_id: int
    parcel_id: int
    shop_id: int
    integration: str
    carrier: str
    number: str
    state: str
    asked_count: int
    asked_at: datetime | None
    died_at: datetime | None
    died_reason: str


@dataclass(frozen=True, slots=True)
class Waybill:
    """A live number and whom to ask to watch it; its receiver is still sealed."""

    aggregator_id: int
    carrier: str
    number: str
    person_id: int
    person_key: int
    person_sealed: bytes


def checked_aggregator(told: AggregatorIn, *, integrations: Collection[str], new: bool) -> AggregatorIn:
    """The same, or `InvalidMany` with every field that is wrong."""
    address = urlsplit(told.base_url)
    problems = []
    if not _CODE.fullmatch(told.code):
        problems.append(Invalid("code", "Use 1 to 32 small letters, digits and hyphens: it is in the push address."))
    if told.integration not in integrations:
        problems.append(Invalid("integration", f"Choose one of {', '.join(sorted(integrations))}."))
    if not 1 <= len(told.merchant_id) <= 100:
        problems.append(Invalid("merchant_id", "The merchant id is missing: the aggregator's console shows it."))
    if new and not told.key:
        problems.append(Invalid("key", "The key is missing: the aggregator's console shows it."))
    if address.scheme not in ("http", "https") or not address.hostname or not told.base_url.isascii():
        problems.append(Invalid("base_url", "The address must begin with https:// (or http:// for a sandbox)."))
    if problems:
        raise InvalidMany(problems)
    return told


def checked_account(told: AccountIn) -> AccountIn:
    """The same, or `InvalidMany` with every field that is wrong."""
    problems = []
    if not 1 <= len(told.name.strip()) <= 60:
        problems.append(Invalid("name", "An account needs a name of at most 60 characters."))
    if not _CARRIER.fullmatch(told.parameters.carrier):
        problems.append(Invalid("parameters.carrier", "The carrier is the aggregator's code in capitals, such as ZTO."))
    if told.parameters.pay_type not in (1, 2, 3, 4):
        sentence = "The payment type is 1 (sender), 2 (receiver), 3 (monthly) or 4 (third party)."
        problems.append(Invalid("parameters.pay_type", sentence))
    if not 0 <= told.priority <= 1000:
        problems.append(Invalid("priority", "The priority is between 0 and 1000; the lowest is used first."))
    if not 0 <= told.low_mark <= 100_000_000:
        problems.append(Invalid("low_mark", "The low mark is how many numbers should be left."))
    if problems:
        raise InvalidMany(problems)
    return told


def may_renew(watched: Watched, rules: Renewal) -> bool:
    """Whether asking can help: a number that was never asked for, or one that died of what asking mends."""
    if watched.state == "asked" or not rules.reasons:
        return True
    return any(reason in watched.died_reason for reason in rules.reasons)


def wait_s(watched: Watched, rules: Renewal, *, now: datetime) -> float:
    """How long to wait before asking: after it stopped, and when the month's askings are used up."""
    due = now
    if watched.died_at is not None:
        due = max(due, watched.died_at + timedelta(seconds=rules.wait_s))
    if watched.asked_at is not None and watched.asked_count and watched.asked_count % rules.per_month == 0:
        due = max(due, watched.asked_at + MONTH)
    return (due - now).total_seconds()
