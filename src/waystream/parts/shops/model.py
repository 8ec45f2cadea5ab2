"""A shop and its policy: which kinds of delivery complete an order at once, how long the rest wait for the buyer."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from waystream.core.errors import Invalid
from waystream.core.state import Kind

#: The ways of signing a policy may trust.
SIGNED = frozenset({Kind.IN_PERSON, Kind.BY_PROXY, Kind.LOCKER, Kind.UNSPECIFIED})
CONFIRM_DAYS_MAX = 60
ORIGINS_MAX, ORIGIN_CHARS_MAX = 20, 200

_ORIGIN = re.compile(r"https://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Policy:
    """`trusted`: kinds of delivery that complete an order at once; the rest wait `confirm_days` for the buyer."""

    trusted: frozenset[Kind] = SIGNED
    confirm_days: int = 7


@dataclass(frozen=True, slots=True)
class Shop:
    id: int
    code: str
    name: str
    platform: str
    policy: Policy
    created_at: datetime
    embed_origins: tuple[str, ...] = ()  # whose pages may show a buyer's page in a frame


def parse_policy(trusted_kinds: Iterable[str], confirm_days: int) -> Policy:
    """Raises `Invalid` for a kind that is no way of signing and for days outside 0 to 60."""
    kinds = frozenset(trusted_kinds)
    if not kinds <= SIGNED:
        raise Invalid("trusted_kinds", f"choose from {', '.join(sorted(SIGNED))}")
    if not 0 <= confirm_days <= CONFIRM_DAYS_MAX:
        raise Invalid("confirm_days", f"between 0 and {CONFIRM_DAYS_MAX} days")
    return Policy(frozenset(Kind(kind) for kind in kinds), confirm_days)


def parse_origins(texts: Iterable[str]) -> tuple[str, ...]:
    """Where a shop's own pages live: `https://shop.example`, nothing behind it. Raises `Invalid`."""
    origins = tuple(dict.fromkeys(text.strip().lower().rstrip("/") for text in texts if text.strip()))
    if len(origins) > ORIGINS_MAX:
        raise Invalid("embed_origins", f"at most {ORIGINS_MAX} origins")
    if any(len(origin) > ORIGIN_CHARS_MAX or not _ORIGIN.fullmatch(origin) for origin in origins):
        raise Invalid("embed_origins", "write origins like https://shop.example, without a path")
    return origins


def checked_code(code: str) -> str:
    """A shop's code is typed, put in addresses and in files."""
    if not _CODE.fullmatch(code):
        raise Invalid("code", "letters, digits, dots, dashes and underscores, at most 64")
    return code


def checked_name(name: str, *, path: str = "name") -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise Invalid(path, "between 1 and 100 characters")
    return name
