"""The herald: wakes who listens to a channel after the commits that concern it, many commits with one NOTIFY.

A NOTIFY inside a transaction holds a lock of the whole server through the commit and wakes every listener for every
commit. Guaranteed: what was committed is told within moments; what a crash keeps untold is found by the next poll.
"""

import logging
import threading
from collections.abc import Iterable

import psycopg
from psycopg.rows import TupleRow

logger = logging.getLogger(__name__)

GATHER_S = 0.002  # commits of so long are told together


class Herald:
    """One thread with one connection, begun by the first word to tell."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._wanted: set[str] = set()
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def tell(self, channels: Iterable[str]) -> None:
        """Wake the listeners of these channels soon."""
        with self._lock:
            self._wanted.update(channels)
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._serve, name="herald", daemon=True)
                self._thread.start()
        self._woken.set()

    def close(self) -> None:
        """Tell what is left, then end."""
        self._closed.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join()

    def _serve(self) -> None:
        while not self._closed.is_set():
            try:
                self._tell_all()
            except psycopg.Error as error:
                # Whoever listens polls as well: what is not told now is found a little later.
                logger.info("the herald begins anew: %s", type(error).__name__)
                self._closed.wait(1.0)

    def _tell_all(self) -> None:
        # A NOTIFY writes a commit record; a word that a crash forgets needs no disk.
        with psycopg.connect(self._url, autocommit=True, options="-c synchronous_commit=off") as conn:
            while not (self._closed.is_set() and not self._wanted):
                self._woken.wait()
                self._closed.wait(GATHER_S)
                self._woken.clear()
                with self._lock:
                    channels, self._wanted = sorted(self._wanted), set()
                if channels:
                    self._notify(conn, channels)

    def _notify(self, conn: psycopg.Connection[TupleRow], channels: list[str]) -> None:
        try:
            conn.execute("SELECT pg_notify(channel, 'new') FROM unnest(%s::text[]) AS channel", [channels])
        except psycopg.Error:
            with self._lock:
                self._wanted.update(channels)
            self._woken.set()  # the next connection tells it, though no further commit may come
            raise
