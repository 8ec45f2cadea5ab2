"""Idempotency keys: a POST told twice under one key has one effect and one reply, for a day.

Guaranteed: key, request and sealed reply are stored in the effect's own transaction, so there is never one without
the other; a second request waits for the first; the reply comes back byte for byte. A failed request stores nothing,
for it changed nothing. Time here is the machine's: a retry does not wait for business time.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import Connection

from waystream.core.errors import Conflict, Invalid, Unavailable
from waystream.kernel import vault
from waystream.kernel.jobs import Sweep
from waystream.kernel.tx import Tx
from waystream.web.shell.language import N_

Conn = Connection[Any]

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEY_MAX = 200
KEPT_HOURS = 24
SWEEP_EVERY_S = 600.0
SWEEP_MAX = 5_000
WAIT_S = 2.0

_KEY = re.compile(rf"[\x21-\x7e]{{1,{KEY_MAX}}}")


@dataclass(frozen=True, slots=True)
class Repeatable:
    """A request that may be told again: whose, under which key, and what it asks (as a hash)."""

    caller: str
    key: str
    asks: str

    @property
    def aad(self) -> bytes:
        return f"idempotent_reply:{self.caller}:{self.key}".encode()


@dataclass(frozen=True, slots=True)
class Kept:
    """A reply; `replayed` when it is the one of an earlier request."""

    status: int
    body: bytes = field(repr=False)
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Sealed:
    """A reply as its row holds it, under the key of its day."""

    status: int
    key_id: int
    sealed: bytes = field(repr=False)


def read_key(header: str) -> str:
    """Raises `Invalid`."""
    if not _KEY.fullmatch(header):
        raise Invalid(HEADER, f"between 1 and {KEY_MAX} printable ASCII characters without blanks")
    return header


def hash_request(method: str, address: str, body: bytes) -> str:
    digest = hashlib.blake2b(f"{method} {address}\n".encode(), digest_size=32)
    digest.update(body)
    return digest.hexdigest()


def once(tx: Tx, asked: Repeatable, work: Callable[[Tx], Kept]) -> Kept:
    """The reply of `work`, done now or kept from before.

    Raises `Invalid` when the key was used for something else, `Unavailable` when the first is still at it after the
    lock's time-out.
    """
    # Keyed: a body holds phones and passwords, which a plain hash would let one guess.
    asks = tx.keys.vault.blind("idempotent request", 0, asked.asks)
    _lock(tx.conn, asked)
    found = _find(tx.conn, asked)
    if found is not None:
        known, reply = found
        if known != asks:
            raise Invalid(HEADER, "this key was used for another request: take a new one")
        return Kept(reply.status, _opened(tx, asked, reply), replayed=True)

    made = work(tx)

    key_id, key = tx.keys.day_key(tx.conn, tx.now.date())
    _save(tx.conn, asked, asks, Sealed(made.status, key_id, vault.seal(key, made.body, aad=asked.aad)))
    return made


def _opened(tx: Tx, asked: Repeatable, reply: Sealed) -> bytes:
    keys = tx.keys.load(tx.conn, [reply.key_id])
    if reply.key_id not in keys:
        raise Conflict("This was done before, but its reply cannot be read any more")
    return vault.open_sealed(keys[reply.key_id], reply.sealed, aad=asked.aad)


def _lock(conn: Conn, asked: Repeatable) -> None:
    """Whoever tells the same key waits here until the first has committed or failed."""
    try:
        conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [asked.aad.decode()])
    except psycopg.errors.LockNotAvailable:
        raise Unavailable(N_("The first request with this key is still under way"), retry_after_s=WAIT_S) from None


def _find(conn: Conn, asked: Repeatable) -> tuple[bytes, Sealed] | None:
    row = conn.execute(
        """SELECT request_hash, status, key_id, sealed FROM idempotent_reply
           WHERE caller = %s AND key = %s AND created_at > clock_timestamp() - make_interval(hours => %s)""",
        [asked.caller, asked.key, KEPT_HOURS],
    ).fetchone()
    return (row[0], Sealed(*row[1:])) if row else None


def _save(conn: Conn, asked: Repeatable, asks: bytes, reply: Sealed) -> None:
    """Over one that has expired and was not swept yet."""
    conn.execute(
        """INSERT INTO idempotent_reply (caller, key, request_hash, status, key_id, sealed, created_at)
           VALUES (%s, %s, %s, %s, %s, %s, clock_timestamp())
           ON CONFLICT (caller, key) DO UPDATE
           SET request_hash = excluded.request_hash, status = excluded.status, key_id = excluded.key_id,
               sealed = excluded.sealed, created_at = excluded.created_at""",
        [asked.caller, asked.key, asks, reply.status, reply.key_id, reply.sealed],
    )


def forget_old_replies(tx: Tx) -> int:
    return tx.conn.execute(
        """DELETE FROM idempotent_reply WHERE (caller, key) IN (
               SELECT caller, key FROM idempotent_reply
               WHERE created_at < clock_timestamp() - make_interval(hours => %s) ORDER BY created_at LIMIT %s)""",
        [KEPT_HOURS, SWEEP_MAX],
    ).rowcount


def sweep() -> Sweep:
    """For the composition root: nobody else looks for replies that expired."""
    return Sweep("forget_old_replies", SWEEP_EVERY_S, forget_old_replies)
