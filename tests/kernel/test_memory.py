"""What a process remembers: never older than asked for, loaded anew from what it knew, forgotten on demand."""

import pytest

from waystream.kernel.memory import Memory


def test_it_is_loaded_once_while_it_counts() -> None:
    memory, loads = Memory(), list[int | None]()

    def load(known: int | None) -> int:
        loads.append(known)
        return len(loads)

    assert [memory.recall("n", load, for_s=60), memory.recall("n", load, for_s=60)] == [1, 1]
    assert memory.recall("other", load, for_s=0) == 2
    assert memory.recall("other", load, for_s=0) == 3
    memory.forget("n")
    assert memory.recall("n", load, for_s=60) == 4
    assert loads == [None, None, 2, None]


def test_a_load_that_fails_is_not_remembered() -> None:
    memory = Memory()

    def fail(known: int | None) -> int:
        raise ValueError

    with pytest.raises(ValueError):
        memory.recall("n", fail, for_s=60)
    assert memory.recall("n", lambda known: 7, for_s=60) == 7
