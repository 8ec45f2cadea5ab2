"""What threads end, lands on the loop: all of it, once, with its outcome, and with few wakes for many."""

import asyncio
import threading
from concurrent.futures import Future

import pytest

from waystream.web.landing import Landing


def test_a_group_that_ends_at_once_lands_with_one_wake(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> int:
        loop, landing, wakes = asyncio.get_running_loop(), Landing(), 0
        wake = loop.call_soon_threadsafe

        def count(*args: object) -> object:
            nonlocal wakes
            wakes += 1
            return wake(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(loop, "call_soon_threadsafe", count)
        ending: list[Future[None]] = [Future() for _ in range(50)]
        landed = [landing.bring(each) for each in ending]
        # In the loop's own thread, so that it cannot land some before the others have ended.
        for each in ending:
            each.set_result(None)
        await asyncio.gather(*landed)
        return wakes

    assert asyncio.run(run()) == 1


def test_nothing_is_lost_however_threads_and_the_loop_interleave() -> None:
    async def run() -> list[object]:
        landing = Landing()
        ending: list[Future[None]] = [Future() for _ in range(2_000)]
        landed = [landing.bring(each) for each in ending]

        def end(mine: list[Future[None]]) -> None:
            for nth, each in enumerate(mine):
                if nth % 3:
                    each.set_result(None)
                else:
                    each.set_exception(OSError("gone"))

        threads = [threading.Thread(target=end, args=(ending[at::4],)) for at in range(4)]
        for thread in threads:
            thread.start()
        outcomes = await asyncio.wait_for(asyncio.gather(*landed, return_exceptions=True), 30)
        for thread in threads:
            thread.join()
        return outcomes

    outcomes = asyncio.run(run())
    assert sum(outcome is None for outcome in outcomes) == 4 * 333
    assert sum(isinstance(outcome, OSError) for outcome in outcomes) == 4 * 167


def test_who_stopped_waiting_hears_nothing() -> None:
    async def run() -> bool:
        landing, ending = Landing(), Future[None]()
        landed = landing.bring(ending)
        landed.cancel()
        ending.set_result(None)
        other = Future[None]()
        waited = landing.bring(other)
        other.set_result(None)
        await waited
        return landed.cancelled()

    assert asyncio.run(run())


def test_what_ends_after_the_loop_harms_nobody() -> None:
    ending = Future[None]()

    async def run() -> None:
        Landing().bring(ending)

    asyncio.run(run())
    ending.set_result(None)
