"""Ids: positive, 63 bits, sorted by time, never the same twice in a process."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystream.kernel.ids import EPOCH_MS, HIGH_LIMIT, mint_ids, minted_ms

AT_MS = EPOCH_MS + 90_000_000_000


@given(st.integers(EPOCH_MS, EPOCH_MS + HIGH_LIMIT - 1), st.integers(1, 1000))
def test_ids_are_positive_ascending_and_tell_their_time(at_ms: int, n: int) -> None:
    ids = mint_ids(n, at_ms=at_ms)
    assert len(ids) == n
    assert ids == sorted(set(ids))
    assert ids[0] >= 0
    assert ids[-1] < 2**63
    assert minted_ms(ids[0]) == at_ms


def test_later_instants_sort_later() -> None:
    assert mint_ids(1000, at_ms=AT_MS)[-1] < mint_ids(1, at_ms=AT_MS + 1)[0]


def test_time_that_stands_still_gives_no_id_twice() -> None:
    with ThreadPoolExecutor(4) as pool:
        batches = list(pool.map(lambda _: mint_ids(1000, at_ms=AT_MS), range(200)))
    assert len({an_id for batch in batches for an_id in batch}) == 200_000


def test_none_is_none() -> None:
    assert mint_ids(0, at_ms=AT_MS) == []


@pytest.mark.parametrize(("n", "at_ms"), [(-1, AT_MS), (1 << 22, AT_MS), (1, EPOCH_MS - 1), (1, EPOCH_MS + HIGH_LIMIT)])
def test_what_cannot_be_is_asserted(n: int, at_ms: int) -> None:
    with pytest.raises(AssertionError):
        mint_ids(n, at_ms=at_ms)
