"""Channels as values, and the rules that need no database."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import msgspec

from waystream.core.care import Cause, Priority
from waystream.core.errors import Invalid
from waystream.core.gateways import Gateway, Reach, Values

CHANNELS_MAX = 20  # of a shop
NAME_MAX, RANK_MAX, PER_MINUTE_MAX = 60, 1_000, 6_000
TEST_TO_MAX = 254
USUAL_PRIORITIES: tuple[str, ...] = (Priority.HIGH,)


@dataclass(frozen=True, slots=True)
class ChannelIn:
    """What a person or program says of a channel. An empty secret among `values` keeps the stored one.

    `priorities` and `causes` choose the tickets that staff is told of; no cause: every one.
    """

    name: str
    values: Values = field(repr=False)
    rank: int = 100
    per_minute: int | None = None
    priorities: tuple[str, ...] = USUAL_PRIORITIES
    causes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as pages show it, without what was typed in. `failed_code` is the other side's own word."""

    id: int
    shop_id: int
    shop: str
    reach: Reach
    gateway: str
    name: str
    rank: int
    per_minute: int
    priorities: tuple[str, ...]
    causes: tuple[str, ...]
    created_at: datetime
    disabled_at: datetime | None
    testing: bool
    tested_at: datetime | None
    worked_at: datetime | None
    failed_at: datetime | None
    failed_code: str
    failed_said: str
    reported_at: datetime | None

    @property
    def fails(self) -> bool:
        """The last thing it did was to fail."""
        return self.failed_at is not None and (self.worked_at is None or self.worked_at < self.failed_at)


def checked(told: ChannelIn, gateway: Gateway) -> ChannelIn:
    """The same, tidied. Raises `Invalid` per field."""
    name = " ".join(told.name.split())
    if not 0 < len(name) <= NAME_MAX or not name.isprintable():
        raise Invalid("name", f"1 to {NAME_MAX} characters")
    if not 0 <= told.rank <= RANK_MAX:
        raise Invalid("rank", f"a number from 0 to {RANK_MAX}")
    per_minute = told.per_minute or gateway.caption.per_minute
    if not 1 <= per_minute <= PER_MINUTE_MAX:
        raise Invalid("per_minute", f"a number from 1 to {PER_MINUTE_MAX}")
    values = {key: value.strip() for key, value in told.values.items() if value.strip()}
    gateway.check(values)
    staff = gateway.caption.reach is Reach.STAFF
    return ChannelIn(
        name,
        values,
        told.rank,
        per_minute,
        _chosen("priorities", told.priorities, known=Priority) if staff else (),
        _chosen("causes", told.causes, known=Cause) if staff else (),
    )


def _chosen(path: str, told: Collection[str], *, known: type[StrEnum]) -> tuple[str, ...]:
    if not set(told) <= {word.value for word in known}:
        raise Invalid(path, "choose from those that there are")
    return tuple(sorted(set(told)))


def kept(old: Values, new: Values, gateway: Gateway) -> Values:
    """`new` with the secrets of `old` where it names none: a form shows no secret, so it sends none back."""
    secrets = {setting.name for setting in gateway.caption.settings if setting.secret}
    return {name: old[name] for name in secrets & old.keys()} | {key: value for key, value in new.items() if value}


def shown(values: Values, gateway: Gateway) -> Values:
    """Without secrets: what a form may show."""
    secrets = {setting.name for setting in gateway.caption.settings if setting.secret}
    return {key: value for key, value in values.items() if key not in secrets}


def to_text(values: Values) -> str:
    return msgspec.json.encode(dict(values)).decode()


def from_text(text: str) -> Mapping[str, str]:
    return msgspec.json.decode(text, type=dict[str, str])


def settings_aad(channel_id: int) -> bytes:
    """What `channel.settings_sealed` is bound to."""
    return f"channel {channel_id}".encode()


def test_aad(channel_id: int) -> bytes:
    """What `channel.test_sealed` is bound to."""
    return f"channel test {channel_id}".encode()
