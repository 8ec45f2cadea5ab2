"""Open pages, a process of its own: every one holds a stream of server-sent events, as a browser does.

Its first line of input is a JSON list of [address, cookie]; it says "ready" once each has been greeted. Then each line
is answered with what was told since, and how many are open. A stream that ends is opened again from where it was.
With `refetch` a page asks for itself again whenever it is told of a change, as its script does.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

HEAD_END = b"\r\n\r\n"
OPENED_AT_ONCE = 32
RETRY_S = 1.0
GREET_LIMIT_S = 120.0


@dataclass(slots=True)
class Page:
    """`address` of its stream, `page` of itself; `told` are (position, the clock's seconds) of its messages."""

    n: int
    address: str
    cookie: str
    page: str
    position: str = ""
    greeted: asyncio.Event = field(default_factory=asyncio.Event)
    told: list[tuple[int, float]] = field(default_factory=list)
    opened: int = 0


class Pages:
    def __init__(self, port: int, pages: Sequence[Page], *, refetch: bool) -> None:
        self._port, self._refetch = port, refetch
        self.pages = pages
        self.open = 0
        self.refused = 0
        self.fetched = 0
        self._gate = asyncio.Semaphore(OPENED_AT_ONCE)
        self._fetching: set[asyncio.Task[None]] = set()

    async def follow(self, page: Page) -> None:
        """One page, for ever."""
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._follow_once(page)
            await asyncio.sleep(RETRY_S)

    async def _follow_once(self, page: Page) -> None:
        async with self._gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            try:
                writer.write(self._request(page.address, page, accept="text/event-stream"))
                head = await reader.readuntil(HEAD_END)
            except BaseException:
                writer.close()
                raise
        try:
            if b" 200 " not in head.partition(b"\r\n")[0]:
                self.refused += 1
                return
            page.opened += 1
            self.open += 1
            try:
                await self._listen(page, reader)
            finally:
                self.open -= 1
        finally:
            writer.close()

    def _request(self, address: str, page: Page, *, accept: str, closing: bool = False) -> bytes:
        lines = [f"GET {address} HTTP/1.1", "host: waystream", f"accept: {accept}", f"cookie: {page.cookie}"]
        if page.position and accept == "text/event-stream":
            lines.append(f"last-event-id: {page.position}")
        if closing:
            lines.append("connection: close")
        return "\r\n".join([*lines, "", ""]).encode()

    async def _listen(self, page: Page, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            if line.startswith(b"id: "):
                page.position = line[4:].strip().decode()
            elif line.startswith(b"event: hello"):
                page.greeted.set()
            elif line.startswith(b"event: changed"):
                page.told.append((int(page.position), time.time()))
                if self._refetch:
                    self._fetch_soon(page)

    def _fetch_soon(self, page: Page) -> None:
        task = asyncio.create_task(self._fetch(page))
        self._fetching.add(task)
        task.add_done_callback(self._fetching.discard)

    async def _fetch(self, page: Page) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            try:
                writer.write(self._request(page.page, page, accept="text/html", closing=True))
                await reader.read()
                self.fetched += 1
            finally:
                writer.close()

    def tell(self) -> str:
        """What came since the last time it was asked."""
        told = [(page.n, *message) for page in self.pages for message in page.told]
        for page in self.pages:
            page.told.clear()
        return json.dumps({"open": self.open, "refused": self.refused, "fetched": self.fetched, "told": told,
                           "reopened": sum(max(0, page.opened - 1) for page in self.pages)})  # fmt: skip


async def hold(pages: Pages) -> None:
    following = [asyncio.create_task(pages.follow(page)) for page in pages.pages]
    try:
        async with asyncio.timeout(GREET_LIMIT_S):
            for page in pages.pages:
                await page.greeted.wait()
        print("ready", flush=True)
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, sys.stdin.readline):
            print(pages.tell(), flush=True)
    finally:
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)


async def main(port: str, refetch: str) -> None:
    wanted = json.loads(sys.stdin.readline())
    pages = [Page(n, address, cookie, page) for n, (address, cookie, page) in enumerate(wanted)]
    await hold(Pages(int(port), pages, refetch=refetch == "refetch"))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
