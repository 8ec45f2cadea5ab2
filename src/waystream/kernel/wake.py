"""Waiting for work: a thread sleeps until a channel is notified, a poll is due, somebody sets it, or it shall end.

Guaranteed: any number of notifications while the thread works are one wake; a lost connection costs at most one poll.
"""

import threading

from waystream.kernel.database import Database

LISTEN_S = 0.25  # how long stopping may take


class Wake:
    """`wait` returns True when it is time to look and False once stopped."""

    def __init__(self, database: Database, channel: str, *, poll_s: float) -> None:
        self._database = database
        self._channel = channel
        self._poll_s = poll_s
        self._woken = threading.Event()
        self._heard = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._listen, name=f"listen {channel}", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self.set()

    def stop(self, waiter: threading.Thread) -> None:
        """End the thread that waits, once it is done with what it does, and the one that listens."""
        self._stopped.set()
        self._woken.set()
        for thread in (waiter, self._thread):
            if thread.is_alive():
                thread.join()

    def set(self) -> None:
        self._woken.set()

    def wait(self, at_most_s: float | None = None) -> bool:
        """`at_most_s`: look again by then, poll or not."""
        self._woken.wait(self._poll_s if at_most_s is None else min(at_most_s, self._poll_s))
        self._woken.clear()
        return not self._stopped.is_set()

    def heard(self) -> bool:
        """Whether the channel was notified since this was last asked."""
        heard = self._heard.is_set()
        self._heard.clear()
        return heard

    def pause(self, seconds: float) -> None:
        """Rest after trouble; stopping ends it."""
        self._stopped.wait(seconds)

    def _listen(self) -> None:
        """Wake for what is heard, and once when listening begins: something may have happened just before."""
        waking = True
        for heard in self._database.listen(self._channel, timeout_s=LISTEN_S):
            if self._stopped.is_set():
                return
            if heard or waking:
                self._heard.set()
                self._woken.set()
            waking = False
