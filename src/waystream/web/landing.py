"""From threads back to the event loop: one wake of the loop for all that ended meanwhile, not one for each.

A group of pushes ends at once; waking the loop for each of them cost a tenth of what a push costs.
"""

import asyncio
from collections import deque
from concurrent.futures import Future
from contextlib import suppress


class Landing:
    """Guaranteed: whatever was handed to `bring` and ends, ends on the loop too, once."""

    def __init__(self) -> None:
        self._ended: deque[tuple[asyncio.Future[None], Future[None]]] = deque()
        self._woken = False

    def bring(self, ending: "Future[None]") -> "asyncio.Future[None]":
        """What a thread will end, as the running loop can await it."""
        loop = asyncio.get_running_loop()
        landed: asyncio.Future[None] = loop.create_future()
        ending.add_done_callback(lambda ended: self._note(loop, landed, ended))
        return landed

    def _note(self, loop: asyncio.AbstractEventLoop, landed: "asyncio.Future[None]", ended: "Future[None]") -> None:
        """In any thread. First the note, then the look at `_woken`: `_land` does the opposite, so nothing stays."""
        self._ended.append((landed, ended))
        if not self._woken:
            self._woken = True
            with suppress(RuntimeError):  # the loop has ended, and whoever waited on it with it
                if not loop.is_closed():
                    loop.call_soon_threadsafe(self._land)

    def _land(self) -> None:
        self._woken = False
        while self._ended:
            landed, ended = self._ended.popleft()
            if not landed.done():
                _settle(landed, ended)


def _settle(landed: "asyncio.Future[None]", ended: "Future[None]") -> None:
    if ended.cancelled():
        landed.cancel()
    elif error := ended.exception():
        landed.set_exception(error)
    else:
        landed.set_result(None)
