"""Carriers that push without a pause and send everything again until it is acknowledged, as carriers do.

They tell the whole way of every parcel they are shown, a scan at a time, and of numbers nobody knows; now and then
they send what was acknowledged once more. What was acknowledged is remembered: it has to be there in the end.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.crash import story
from tests.crash.test_pushes import push_to
from waystream.integrations.kdniao.fakepush import Merchant, News, TraceNews, push_data, seal_push

PUSHERS = 3
AGAIN_S = 0.05
PAUSE_S = 0.02  # between two pushes of one carrier: what is started again needs the machine, too
WAIT_LIMIT_S = 120.0
REPEATED_EVERY = 4
Way = tuple[tuple[str, str], ...]
WAY: Way = (("1", "已揽收"), ("204", "到达杭州转运中心"), ("202", "派送中"), ("301", "已签收，签收人本人"))


@dataclass(slots=True)
class Journey:
    """A number and how many scans of its way were acknowledged."""

    number: str
    began: datetime
    way: Way = WAY
    told: int = 0

    def next_push(self) -> bytes:
        """The whole history so far and one scan more."""
        traces = tuple(
            TraceNews(self.began + timedelta(minutes=n), code, text)
            for n, (code, text) in enumerate(self.way[: self.told + 1])
        )
        news = News("YTO", self.number, "", traces[-1].code, traces)
        data = push_data(story.MERCHANT, "102", [news], at=traces[-1].at)
        return seal_push(Merchant(story.MERCHANT, story.KEY), "102", data)


@dataclass(slots=True)
class Ledger:
    """What carriers remember. `refused` counts every answer that was no acknowledgement."""

    acknowledged: int = 0
    repeated: int = 0
    refused: int = 0
    journeys: list[Journey] = field(default_factory=list)


class Carriers:
    """A few of them, each with its own numbers; on from `with` until its end."""

    def __init__(self, port: int, *, strangers_most: int | None = None) -> None:
        self.ledger = Ledger()
        self._port = port
        self._strangers_most = strangers_most
        self._changing = threading.Lock()
        self._ended = threading.Event()
        self._waiting: list[deque[Journey]] = [deque() for _ in range(PUSHERS)]
        self._strangers = 0
        self._wanted = True
        self._threads = [threading.Thread(target=self._push, args=(nth,)) for nth in range(PUSHERS)]

    def carry(self, numbers: list[str], *, way: Way = WAY) -> None:
        """From now on tell the way of these, too."""
        for number in numbers:
            self._add(Journey(number, datetime.now(UTC).replace(microsecond=0), way))

    def wait_for(self, count: int) -> None:
        """Until `count` more pushes were acknowledged."""
        target = self.ledger.acknowledged + count
        self._wait(lambda: self.ledger.acknowledged >= target, "pushes are not taken any more")

    def finish(self) -> None:
        """Invent no more numbers, and wait until everything told of is acknowledged."""
        self._wanted = False
        ledger = self.ledger
        self._wait(lambda: all(each.told == len(each.way) for each in ledger.journeys), "something stays untaken")

    def go_on(self) -> None:
        """Numbers nobody knows are told of again."""
        self._wanted = True

    def __enter__(self) -> "Carriers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _wait(self, there: Callable[[], bool], sentence: str) -> None:
        deadline = time.monotonic() + WAIT_LIMIT_S
        while not there():
            assert time.monotonic() < deadline, sentence
            time.sleep(0.01)

    def _add(self, journey: Journey) -> None:
        with self._changing:
            self.ledger.journeys.append(journey)
            self._waiting[len(self.ledger.journeys) % PUSHERS].append(journey)

    def _push(self, nth: int) -> None:
        waiting = self._waiting[nth]
        while not self._ended.is_set():
            if not waiting and not self._add_stranger():
                self._ended.wait(AGAIN_S)
                continue
            if not waiting:
                continue
            journey = waiting.popleft()
            self._tell(journey)
            if journey.told < len(journey.way):
                waiting.append(journey)
            self._ended.wait(PAUSE_S)

    def _add_stranger(self) -> bool:
        """A number that nobody knows, for whichever carrier's turn it is; False when there are enough."""
        with self._changing:
            if not self._wanted or self._strangers == self._strangers_most:
                return False
            self._strangers += 1
            number = f"YT9{self._strangers:012d}"
        self._add(Journey(number, datetime.now(UTC).replace(microsecond=0), WAY[:1]))
        return True

    def _tell(self, journey: Journey) -> None:
        body = journey.next_push()
        while push_to(self._port, body) != 200:
            with self._changing:
                self.ledger.refused += 1
            if self._ended.wait(AGAIN_S):
                return
        with self._changing:
            journey.told += 1
            self.ledger.acknowledged += 1
            again = self.ledger.acknowledged % REPEATED_EVERY == 0
        if again and push_to(self._port, body) == 200:
            with self._changing:
                self.ledger.repeated += 1
