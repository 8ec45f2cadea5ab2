"""Signed links: which order somebody sees who has no account, and until when.

A token is base62 of shop, order, day of expiry, version and a keyed hash of these, at most 38 letters and digits, so
that no messenger cuts it. Guaranteed: a token opens its own order of its own shop until its day ends or it is revoked;
every other text is the same `Missing`, and none that we did not sign reaches the database. What is looked up
and written of links is in `actions`.
"""

import hmac
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from waystream.core.errors import Missing
from waystream.kernel.vault import Vault

#: A link lives as long as the order is young, in whole terms, and never less than the least.
TERM = timedelta(days=60)
LEAST = timedelta(days=30)
VERSIONS_AT_MOST = 65_535
TOKEN_CHARS_AT_MOST = 38
NO_LINK = "This link opens nothing: it may have expired, been replaced or lost a part on its way."

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PLACE = {letter: place for place, letter in enumerate(_LETTERS)}
_FIRST_DAY = date(2020, 1, 1)
_ORDER_BYTES, _DAY_BYTES, _VERSION_BYTES, _SIGN_BYTES = 8, 2, 2, 12
_REST_BYTES = _ORDER_BYTES + _DAY_BYTES + _VERSION_BYTES + _SIGN_BYTES
_SHOP_BYTES_AT_MOST = 4


@dataclass(frozen=True, slots=True)
class Link:
    """What a token says. It holds until the end of `expires_on`, in UTC."""

    shop_id: int
    order_id: int
    expires_on: date
    version: int

    @property
    def expires_at(self) -> datetime:
        return datetime(self.expires_on.year, self.expires_on.month, self.expires_on.day, tzinfo=UTC) + timedelta(
            days=1
        )

    def signed(self, vault: Vault) -> str:
        """The token."""
        day = (self.expires_on - _FIRST_DAY).days
        plain = b"".join(
            (
                self.shop_id.to_bytes(max(1, (self.shop_id.bit_length() + 7) // 8), "big"),
                self.order_id.to_bytes(_ORDER_BYTES, "big"),
                day.to_bytes(_DAY_BYTES, "big"),
                self.version.to_bytes(_VERSION_BYTES, "big"),
            )
        )
        signature = vault.blind("buyer link", self.shop_id, plain.hex())[:_SIGN_BYTES]
        return _to_letters(int.from_bytes(plain + signature, "big"))


def address(base_url: str, token: str) -> str:
    return f"{base_url}/t/{token}"


def read(vault: Vault, token: str, *, now: datetime) -> Link:
    """What a token says, if it is ours and still holds; looks nothing up. Raises `Missing`."""
    link = _parse(token)
    # Signed anew and compared as a whole: there is one way only to write a token.
    if link is None or not hmac.compare_digest(link.signed(vault).encode(), token.encode()) or link.expires_at <= now:
        raise Missing(NO_LINK)
    return link


def expiry(received_at: datetime, *, now: datetime) -> date:
    """The end of the first term that leaves the least."""
    terms = 1 + max(0, (now + LEAST - received_at) // TERM)
    return (received_at + terms * TERM).astimezone(UTC).date()


def _parse(token: str) -> Link | None:
    if not 0 < len(token) <= TOKEN_CHARS_AT_MOST or any(letter not in _PLACE for letter in token):
        return None
    number = _from_letters(token)
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    shop, rest = raw[:-_REST_BYTES], raw[-_REST_BYTES:]
    if not 0 < len(shop) <= _SHOP_BYTES_AT_MOST:
        return None
    order, day, version = rest[:8], rest[8:10], rest[10:12]
    return Link(
        int.from_bytes(shop, "big"),
        int.from_bytes(order, "big"),
        _FIRST_DAY + timedelta(days=int.from_bytes(day, "big")),
        int.from_bytes(version, "big"),
    )


def _to_letters(number: int) -> str:
    letters = []
    while number:
        number, place = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[place])
    return "".join(reversed(letters))


def _from_letters(token: str) -> int:
    number = 0
    for letter in token:
        number = number * len(_LETTERS) + _PLACE[letter]
    return number
