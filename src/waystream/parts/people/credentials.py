"""Passwords, session tokens and API keys: made at random here, known to the database as hashes only.

Guaranteed: checking costs the same whether or not there was anything to check against. Passwords are argon2id;
tokens and secrets are 32 random bytes, so a fast hash of them is as strong.
"""

import hashlib
import hmac
import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

TOKEN_BYTES = 32
PREFIX_LETTERS = 8
KEY_START = "ws_"

_HASHER = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def new_password() -> str:
    """To be read aloud and typed once: four groups of four letters without look-alikes, 79 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def hash_password(password: str) -> str:
    return _HASHER.hash(password)


def check_password(password: str, stored: str | None) -> bool:
    """With no stored hash a stand-in is checked, so that the time tells nothing."""
    try:
        right = _HASHER.verify(stored or _stand_in(), password)
    except (VerificationError, InvalidHashError):
        return False
    return right and stored is not None


def needs_rehash(stored: str) -> bool:
    return _HASHER.check_needs_rehash(stored)


@cache
def _stand_in() -> str:
    return hash_password(secrets.token_hex(TOKEN_BYTES))


def new_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def new_key() -> tuple[str, str]:
    """(prefix, whole key): `ws_PREFIX_SECRET`; the prefix finds the row and may be shown."""
    prefix = "".join(secrets.choice(_LETTERS) for _ in range(PREFIX_LETTERS))
    return prefix, f"{KEY_START}{prefix}_{new_token()}"


def key_prefix(key: str) -> str | None:
    """The prefix of something that has the shape of a key."""
    parts = key.split("_", 2)
    return parts[1] if len(parts) == 3 and key.startswith(KEY_START) and len(parts[1]) == PREFIX_LETTERS else None


def same(left: bytes, right: bytes) -> bool:
    return hmac.compare_digest(left, right)
