"""The whole of Waystream on one thread, against Kdniao's side with a memory of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rules.side import Memory, Whole, kdniao
from waystream.kernel.clock import FixedClock
from waystream.kernel.database import Database
from waystream.kernel.vault import Keys


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def whole(database: Database, clock: FixedClock, keys: Keys, memory: Memory, tmp_path: Path) -> Iterator[Whole]:
    with kdniao(memory, clock) as url:
        whole = Whole(database, clock, keys, url=url, prints=tmp_path)
        yield whole
        whole.exchange.close()
