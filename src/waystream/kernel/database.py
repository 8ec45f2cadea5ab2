"""Connections, transactions and waiting: the only way to the database.

Guaranteed: a transaction is bound to the shops it may see before its first statement; deadlocks and serialization
errors are tried again; no text of the database reaches a log unless it went through `error_text`.
The schema lives in `migrations`, the server in `lifecycle`, every query in the store.py of its part.
"""

import contextlib
import logging
import random
import select
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolTimeout

from waystream.core.errors import Unavailable, WaystreamError
from waystream.kernel.herald import Herald

log = logging.getLogger(__name__)

T = TypeVar("T")
Connection = psycopg.Connection[TupleRow]

#: A connection that rested longer is asked whether it lives before it is used: asking costs a round trip.
TRUSTED_S = 1.0
STATEMENT_TIMEOUT_S = 30.0
LOCK_TIMEOUT_S = 5.0
IDLE_IN_TRANSACTION_S = 60.0
POOL_WAIT_S = 10.0
OPEN_WAIT_S = 60.0  # a server that has just started on a busy machine
RETRIES = 3
RETRY_STEP_S = 0.02
RECONNECT_S = 0.5


@dataclass(frozen=True, slots=True)
class Shops:
    """The shops a transaction may see: `Shops.every()` or `Shops.of([1, 7])`; none at all is a valid answer."""

    ids: frozenset[int] | None

    @classmethod
    def every(cls) -> "Shops":
        return cls(None)

    @classmethod
    def of(cls, ids: "frozenset[int] | set[int] | list[int] | tuple[int, ...]") -> "Shops":
        return cls(frozenset(ids))

    @property
    def setting(self) -> str:
        """As `waystream.shops` holds it, for the row-level security policies: `*` or `1,7`."""
        return "*" if self.ids is None else ",".join(str(shop_id) for shop_id in sorted(self.ids))

    def __contains__(self, shop_id: int) -> bool:
        return self.ids is None or shop_id in self.ids


class _Pooled(psycopg.Connection[TupleRow]):
    """Remembers when it was last given back, and whom to wake once its transaction is committed."""

    given_back_s = float("-inf")
    concerned: frozenset[str] = frozenset()


def tell(conn: psycopg.Connection[Any], channel: str) -> None:
    """Wake who listens to the channel, once the transaction of this connection is committed."""
    if isinstance(conn, _Pooled):
        conn.concerned |= {channel}
    else:
        conn.execute("SELECT pg_notify(%s, 'new')", [channel])


def _check(conn: _Pooled) -> None:
    """Ask a connection whether it lives, if it rested long or the server said something unasked: a farewell."""
    if time.monotonic() - conn.given_back_s > TRUSTED_S or _has_word(conn):
        ConnectionPool.check_connection(conn)


def _has_word(conn: _Pooled) -> bool:
    heard = select.poll()
    heard.register(conn.fileno(), select.POLLIN)
    return bool(heard.poll(0))


def _give_back(conn: _Pooled) -> None:
    """The pool resets a connection when it comes back."""
    conn.given_back_s, conn.concerned = time.monotonic(), frozenset()
    if conn.read_only:
        conn.read_only = None


class Database:
    """A pool of connections of one role. `role` names it in pg_stat_activity: `push`, `web`, `worker` …"""

    def __init__(
        self,
        url: str,
        *,
        min_size: int = 1,
        max_size: int = 10,
        role: str,
        statement_timeout_s: float = STATEMENT_TIMEOUT_S,
        lock_timeout_s: float = LOCK_TIMEOUT_S,
    ) -> None:
        self.role = role
        self._url = make_conninfo(
            url, application_name=f"waystream {role}", options=_session_options(statement_timeout_s, lock_timeout_s)
        )
        self._closing = threading.Event()
        self._herald = Herald(self._url)
        self._pool = ConnectionPool[_Pooled](
            self._url,
            connection_class=_Pooled,
            min_size=min_size,
            max_size=max_size,
            open=False,
            name=role,
            timeout=POOL_WAIT_S,
            check=self._check,
            reset=_give_back,
        )

    def _check(self, conn: _Pooled) -> None:
        """Where one is dead, its neighbours are likely to be: all are replaced at once, for the pool would find each
        only after a longer pause."""
        try:
            _check(conn)
        except psycopg.Error:
            self._pool.check()
            raise

    def open(self) -> None:
        """Connect. Raises `Unavailable` if the database does not answer."""
        try:
            self._pool.open(wait=True, timeout=OPEN_WAIT_S)
        except PoolTimeout:
            self._pool.close()
            raise Unavailable("The database does not answer", retry_after_s=5) from None

    def close(self) -> None:
        """End the waiters, then the connections."""
        self._closing.set()
        self._herald.close()
        self._pool.close()

    @contextlib.contextmanager
    def tx(self, *, shops: Shops | None = None, read_only: bool = False) -> Iterator[Connection]:
        """One transaction: committed at the end of the block, rolled back by any error.

        Without `shops` the setting stays empty: the page role then sees no shop's rows.
        """
        concerned: frozenset[str] = frozenset()
        try:
            with self._pool.connection() as conn:
                _bind(conn, shops=shops, read_only=read_only)
                yield conn
                concerned = conn.concerned
        except PoolTimeout:
            raise Unavailable("The database does not answer", retry_after_s=5) from None
        if concerned:
            self._herald.tell(concerned)

    def run(self, work: Callable[[Connection], T], *, shops: Shops | None = None) -> T:
        """Run `work` in a transaction, again from its start after a deadlock or serialization error, three times."""
        for attempt in range(1, RETRIES + 1):
            try:
                with self.tx(shops=shops) as conn:
                    return work(conn)
            except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure) as error:
                log.info("transaction is tried again (%d): %s", attempt, error_text(error))
                time.sleep(random.uniform(0.5, 1.5) * RETRY_STEP_S * 2**attempt)
        with self.tx(shops=shops) as conn:
            return work(conn)

    def listen(self, channel: str, *, timeout_s: float = 1.0) -> Iterator[str]:
        """The payloads of a channel, on a connection of its own, until `close`.

        Yields "" when nothing came for `timeout_s`, at the beginning and after a lost connection: look then as well,
        for something may have happened while nobody listened.
        """
        while not self._closing.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True) as conn:
                    conn.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
                    yield ""
                    yield from self._hear(conn, timeout_s)
            except psycopg.OperationalError as error:
                if self._closing.is_set():
                    return  # the server may stop before we look again
                log.warning("lost the connection that listens to %s: %s", channel, error_text(error))
                self._closing.wait(RECONNECT_S)

    def _hear(self, conn: Connection, timeout_s: float) -> Iterator[str]:
        while not self._closing.is_set():
            heard = [notify.payload for notify in conn.notifies(timeout=timeout_s, stop_after=1)]
            yield from heard or [""]


def error_text(error: BaseException) -> str:
    """An error for the log, without its message, since that can quote what a person typed.

    `UniqueViolation 23505 table=parcel constraint=parcel_pkey`, or `ValueError at actions.py:41`.
    """
    if isinstance(error, WaystreamError):
        return f"{type(error).__name__}: {error.sentence}"
    if isinstance(error, psycopg.Error):
        return _database_error_text(error)
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    place = f" at {Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}" if at is not None else ""
    return type(error).__name__ + place


def _database_error_text(error: psycopg.Error) -> str:
    diag = error.diag
    named = (("table", diag.table_name), ("column", diag.column_name), ("constraint", diag.constraint_name))
    words = [type(error).__name__, error.sqlstate or "", *(f"{what}={name}" for what, name in named if name)]
    return " ".join(word for word in words if word)


def _bind(conn: Connection, *, shops: Shops | None, read_only: bool) -> None:
    """Read-only travels with BEGIN; the shops need a statement."""
    if read_only:
        conn.read_only = True
    if shops is not None:
        conn.execute("select set_config('waystream.shops', %s, true)", [shops.setting])


def _session_options(statement_timeout_s: float, lock_timeout_s: float) -> str:
    times_s = {
        "statement_timeout": statement_timeout_s,
        "lock_timeout": lock_timeout_s,
        "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_S,
    }
    return " ".join(f"-c {name}={round(time_s * 1000)}" for name, time_s in times_s.items())
