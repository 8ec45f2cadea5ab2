"""How long until an order's new word can be read: watched pushes here, another connection's looks there.

The orders whose word is awaited are asked for every two milliseconds, all in one statement, and a word counts from the
moment the answer is here: what is told is never shorter than the truth, and at most one look longer.
"""

import time
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import psycopg

from benchmarks.pushes.stock import Stock
from benchmarks.pushes.story import SCANS
from waystream.core.order import Word
from waystream.core.state import State

LOOK_EVERY_S = 0.002
GIVE_UP_S = 20.0

#: The words an order may have before a step of its parcel changes it: collected, at the door, delivered.
COLLECTED, AT_THE_DOOR, AT_THE_END = 0, SCANS - 2, SCANS - 1
BEFORE = {
    COLLECTED: {Word.SHIPPED},
    AT_THE_DOOR: {Word.SHIPPED, Word.IN_TRANSIT},
    AT_THE_END: {Word.SHIPPED, Word.IN_TRANSIT, Word.OUT_FOR_DELIVERY},
}


@dataclass(slots=True)
class Probe:
    """`heard` is what the poster tells of watched pushes, as "n step seconds"; "" ends it."""

    stock: Stock
    ends: list[State]
    heard: "SimpleQueue[str]" = field(default_factory=SimpleQueue)
    waits_s: list[float] = field(default_factory=list)
    looks: int = 0
    never: int = 0
    _awaited: dict[tuple[int, int], float] = field(default_factory=dict)

    def watch(self, url: str) -> None:
        """Until all that is watched was seen, or waited for too long."""
        over, look_s = False, time.perf_counter()
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("SELECT set_config('waystream.shops', '*', false)")
            while self._awaited or not over:
                over = self._listen() or over
                if self._awaited:
                    self._look(conn)
                look_s = max(look_s + LOOK_EVERY_S, time.perf_counter())
                time.sleep(max(0.0, look_s - time.perf_counter()))

    def _listen(self) -> bool:
        while not self.heard.empty():
            line = self.heard.get()
            if not line:
                return True
            n, step, since_s = line.split()
            if self._changes_word(int(n), int(step)):
                self._awaited[self.stock.parcel_ids[int(n)], int(step)] = float(since_s)
        return False

    def _changes_word(self, n: int, step: int) -> bool:
        """A delivery does; other endings leave the order at the door."""
        return step in BEFORE and (step != AT_THE_END or self.ends[n % len(self.ends)] is State.DELIVERED)

    def _look(self, conn: psycopg.Connection[Any]) -> None:
        order_ids = [order_id for order_id, _ in self._awaited]
        rows = conn.execute("SELECT id, word FROM orders WHERE id = ANY (%b)", [order_ids], prepare=True).fetchall()
        now_s, words = time.perf_counter(), {order_id: Word(word) for order_id, word in rows}
        self.looks += 1
        for awaited, since_s in list(self._awaited.items()):
            order_id, step = awaited
            if words[order_id] not in BEFORE[step]:
                self.waits_s.append(now_s - since_s)
            elif now_s - since_s > GIVE_UP_S:
                self.never += 1
            else:
                continue
            del self._awaited[awaited]
