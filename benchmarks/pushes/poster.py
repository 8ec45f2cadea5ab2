"""The carriers' side, a process of its own: tells the story over HTTP as fast as it is taken, and times the answers.

Says "ready" when every push is made, posts after a line on its input, and prints what came of it as one JSON line.
Only 200 acknowledges; anything else is sent again a little later, as a carrier does.
"""

import asyncio
import json
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import uvloop

from benchmarks.pushes.story import Story

AGAIN_AFTER_S = 0.05
TRIES_MAX = 2_000


@dataclass(slots=True)
class Posted:
    """What came of it; `unacknowledged` were given up."""

    seconds: float = 0.0
    traces: int = 0
    again: int = 0
    unacknowledged: int = 0
    waits_s: list[float] = field(default_factory=list)

    def as_json(self) -> str:
        waits_s = sorted(self.waits_s)
        return json.dumps({
            "seconds": self.seconds, "pushes": len(waits_s), "traces": self.traces, "again": self.again,
            "unacknowledged": self.unacknowledged, "p50_ms": _rank(waits_s, 0.5), "p99_ms": _rank(waits_s, 0.99),
        })  # fmt: skip


def _rank(waits_s: Sequence[float], share: float) -> float:
    return round(waits_s[int((len(waits_s) - 1) * share)] * 1000, 2) if waits_s else 0.0


async def post(requests: Sequence[tuple[bytes, int]], *, port: int, connections: int) -> Posted:
    """Over so many connections at once, each waiting for its answer before it sends the next."""
    waiting, posted = deque(requests), Posted()
    began_s = time.perf_counter()
    await asyncio.gather(*(_post_one_by_one(waiting, posted, port=port) for _ in range(connections)))
    posted.seconds = time.perf_counter() - began_s
    return posted


async def _post_one_by_one(waiting: deque[tuple[bytes, int]], posted: Posted, *, port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while waiting:
        request, traces = waiting.popleft()
        for _ in range(TRIES_MAX):
            sent_s = time.perf_counter()
            writer.write(request)
            if await _read_status(reader) == 200:
                posted.waits_s.append(time.perf_counter() - sent_s)
                posted.traces += traces
                break
            posted.again += 1
            await asyncio.sleep(AGAIN_AFTER_S)
        else:
            posted.unacknowledged += 1
    writer.close()


async def _read_status(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))
    return int(head.split(b" ", 2)[1])


def as_request(body: bytes, path: str) -> bytes:
    head = (f"POST {path} HTTP/1.1\r\nhost: waystream\r\ncontent-type: application/x-www-form-urlencoded\r\n"
            f"content-length: {len(body)}\r\n\r\n")  # fmt: skip
    return head.encode() + body


def main(parcels: str, start: str, port: str, connections: str, path: str) -> None:
    key = sys.stdin.readline().strip()
    story = Story(int(parcels), datetime.fromisoformat(start))
    requests = [(as_request(body, path), traces) for body, traces in story.pushes(key)]
    print("ready", flush=True)
    sys.stdin.readline()
    print(uvloop.run(post(requests, port=int(port), connections=int(connections))).as_json(), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
