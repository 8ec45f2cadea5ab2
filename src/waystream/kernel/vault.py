"""Keys and sealed bytes: personal data and raw pushes are readable only through here.

Guaranteed: everything sealed is AES-256-GCM under a data key of its own (one per person, one per day); data keys lie
wrapped in `vault_key`, bound to their row, under a root key that is a file outside the data folder. Destroying a data
key is erasing: every process forgets it within a minute. Blind indexes are keyed hashes, one key per purpose.
"""

import hashlib
import os
import secrets
import stat
import time
from collections import OrderedDict
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from psycopg import Connection
from zstandard import ZstdCompressor, ZstdDecompressor, ZstdError, get_frame_parameters

from waystream.core.errors import Invalid, Unreadable
from waystream.kernel.files import write_whole

KEY_BYTES = 32
NONCE_BYTES = 12
BLIND_BYTES = 16
FORMAT, PACKED = b"\x01", b"\x02"  # as it is; compressed first
CACHE_KEYS = 10_000
CACHE_S = 60.0
PACK_LEVEL = 1
UNPACKED_MAX_BYTES = 64 * 1024 * 1024


def seal(key: bytes, plaintext: bytes, *, aad: bytes) -> bytes:
    """Encrypt under a data key; `aad` says what and whose it is, and must be told again to open it."""
    return _encrypt(FORMAT, key, plaintext, aad)


def seal_packed(key: bytes, plaintext: bytes, *, aad: bytes) -> bytes:
    """As `seal`, compressed before: for what is large and comes from one side only, so that its length tells nothing.

    A push of twenty waybills becomes a tenth, which is what the disk has to take before it is acknowledged.
    """
    return _encrypt(PACKED, key, ZstdCompressor(level=PACK_LEVEL).compress(plaintext), aad)


def _encrypt(form: bytes, key: bytes, plaintext: bytes, aad: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return form + nonce + AESGCM(key).encrypt(nonce, plaintext, aad)


def open_sealed(key: bytes, sealed: bytes, *, aad: bytes) -> bytes:
    """Raises `Unreadable` if the bytes were changed, are another's, or belong to another key."""
    if sealed[:1] not in (FORMAT, PACKED):
        raise Unreadable("The sealed bytes are of an unknown format")
    try:
        plaintext = AESGCM(key).decrypt(sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :], aad)
    except (InvalidTag, ValueError):
        raise Unreadable("The sealed bytes do not open with this key") from None
    if sealed[:1] == FORMAT:
        return plaintext
    return _unpack(plaintext)


def _unpack(packed: bytes) -> bytes:
    """The frame says how long it becomes, and the library takes it at its word whatever bound it is given: so we look
    first. Every frame of ours says it."""
    try:
        if get_frame_parameters(packed).content_size > UNPACKED_MAX_BYTES:
            raise Unreadable("The sealed bytes become too many when they are unpacked")
        return ZstdDecompressor().decompress(packed, max_output_size=UNPACKED_MAX_BYTES)
    except ZstdError:
        raise Unreadable("The sealed bytes cannot be unpacked") from None


class Vault:
    """The root key and what is derived from it. It never leaves the process and is never stored in the database."""

    def __init__(self, root_key: bytes) -> None:
        if len(root_key) != KEY_BYTES:
            raise Invalid("key_folder", f"the root key has to be {KEY_BYTES} bytes")
        self._root_key = root_key
        self._wrapping_key = self._derive("wrap")
        self._secret_key = self._derive("secret")
        self._blind_keys: dict[str, bytes] = {}

    @classmethod
    def open(cls, key_folder: Path, *, must_exist: bool = False) -> "Vault":
        """Read the root key; without one draw it, unless data exists that only the lost one could open."""
        path = key_folder / "root.key"
        if not path.exists():
            if must_exist:
                raise Invalid("key_folder", f"{path} is gone, and the data cannot be read without it: bring it back")
            key_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(path, secrets.token_bytes(KEY_BYTES))
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise Invalid("key_folder", f"{path} can be read by others: chmod 600 it, and think about who did")
        return cls(path.read_bytes())

    @property
    def fingerprint(self) -> str:
        """Names the root key without giving anything of it away: a backup says by it which key it needs."""
        told = self._derive("fingerprint")[:8].hex()
        return "-".join(told[at : at + 4] for at in range(0, len(told), 4))

    def wrap(self, key: bytes, *, purpose: str, key_id: int) -> bytes:
        """A data key as its row holds it, bound to the row's purpose and id."""
        return seal(self._wrapping_key, key, aad=_row(purpose, key_id))

    def unwrap(self, wrapped: bytes, *, purpose: str, key_id: int) -> bytes:
        return open_sealed(self._wrapping_key, wrapped, aad=_row(purpose, key_id))

    def seal_secret(self, text: str, *, aad: bytes) -> bytes:
        """A password or API key of the settings, under the root key: it lives as long as its row."""
        return seal(self._secret_key, text.encode(), aad=aad)

    def open_secret(self, sealed: bytes, *, aad: bytes) -> str:
        return open_sealed(self._secret_key, sealed, aad=aad).decode()

    def blind(self, purpose: str, shop_id: int, value: str) -> bytes:
        """A keyed hash to search by, 16 bytes: equal values of one shop are equal, nothing else can be told."""
        key = self._blind_keys.get(purpose)
        if key is None:
            key = self._blind_keys[purpose] = self._derive("blind " + purpose)
        message = shop_id.to_bytes(8, "big") + value.encode()
        return hashlib.blake2b(message, digest_size=BLIND_BYTES, key=key).digest()

    def _derive(self, purpose: str) -> bytes:
        info = b"waystream " + purpose.encode()
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(self._root_key)


class Keys:
    """The data keys of one process: read from their rows, kept unwrapped for a minute."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self._cache: OrderedDict[int, tuple[float, bytes]] = OrderedDict()
        self._lock = Lock()

    def day_key(self, conn: Connection[Any], day: date) -> tuple[int, bytes]:
        """The key of a day, made by whoever asks first. Its row is looked up each time: the transaction that made
        it may have been rolled back."""
        found = self._find_day(conn, day)
        if found is None:
            self._insert(conn, [secrets.token_bytes(KEY_BYTES)], purpose="day", day=day)
            found = self._find_day(conn, day)
            assert found is not None, "a day key vanished"
        return found

    def person_keys(self, conn: Connection[Any], n: int) -> list[tuple[int, bytes]]:
        """`n` new keys, one per person, in one statement."""
        keys = [secrets.token_bytes(KEY_BYTES) for _ in range(n)]
        return list(zip(self._insert(conn, keys, purpose="person", day=None), keys, strict=True))

    def load(self, conn: Connection[Any], ids: Iterable[int]) -> dict[int, bytes]:
        """The keys that still exist; a destroyed one is left out."""
        wanted = set(ids)
        keys = {key_id: key for key_id in wanted if (key := self._recall(key_id)) is not None}
        query = "select id, purpose, wrapped from vault_key where id = any(%s) and destroyed_at is null"
        missing = list(wanted - keys.keys())
        for key_id, purpose, wrapped in conn.execute(query, [missing]) if missing else ():
            keys[key_id] = self._remember(key_id, self.vault.unwrap(wrapped, purpose=purpose, key_id=key_id))
        return keys

    def destroy(self, conn: Connection[Any], ids: Iterable[int], at: datetime) -> None:
        """Erase what these keys seal, for good; `at` is business time."""
        gone = list(ids)
        query = "update vault_key set wrapped = '', destroyed_at = %s where id = any(%s) and destroyed_at is null"
        conn.execute(query, [at, gone])
        with self._lock:
            for key_id in gone:
                self._cache.pop(key_id, None)

    def _find_day(self, conn: Connection[Any], day: date) -> tuple[int, bytes] | None:
        query = "select id, wrapped, destroyed_at from vault_key where purpose = 'day' and day = %s"
        row = conn.execute(query, [day]).fetchone()
        if row is None:
            return None
        key_id, wrapped, destroyed_at = row
        if destroyed_at is not None:
            raise Invalid(None, f"the key of {day} has been destroyed: nothing can be sealed under it any more")
        return key_id, self._recall(key_id) or self._remember(
            key_id, self.vault.unwrap(wrapped, purpose="day", key_id=key_id)
        )

    def _insert(self, conn: Connection[Any], keys: list[bytes], *, purpose: str, day: date | None) -> list[int]:
        """Ids first, since a wrapped key is bound to its own."""
        query = "select nextval(pg_get_serial_sequence('vault_key', 'id')) from generate_series(1, %s)"
        ids = [key_id for (key_id,) in conn.execute(query, [len(keys)])]
        wrapped = [self.vault.wrap(key, purpose=purpose, key_id=key_id) for key_id, key in zip(ids, keys, strict=True)]
        conn.execute(
            """
            insert into vault_key (id, purpose, day, wrapped, created_at) overriding system value
            select id, %(purpose)s, %(day)s, wrapped, clock_timestamp()
            from unnest(%(ids)s::bigint[], %(wrapped)s::bytea[]) as new (id, wrapped)
            on conflict do nothing
            """,
            {"purpose": purpose, "day": day, "ids": ids, "wrapped": wrapped},
        )
        return ids

    def _recall(self, key_id: int) -> bytes | None:
        with self._lock:
            until, key = self._cache.get(key_id, (0.0, b""))
            if until < time.monotonic():
                return None
            self._cache.move_to_end(key_id)
            return key

    def _remember(self, key_id: int, key: bytes) -> bytes:
        with self._lock:
            self._cache[key_id] = (time.monotonic() + CACHE_S, key)
            if len(self._cache) > CACHE_KEYS:
                self._cache.popitem(last=False)
        return key


def _row(purpose: str, key_id: int) -> bytes:
    return f"vault_key {purpose} {key_id}".encode()
