"""The pusher: whole histories, several waybills to a push, sent again by the network's rule, bent by the faults."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.merchant import ID, KEY, Merchant, listening
from waystream.integrations.kdniao.fake import Issued, Place, Subscription
from waystream.sandbox.book import SandboxBook
from waystream.sandbox.faults import NO_FAULTS, Faults, Mischief
from waystream.sandbox.pusher import Pusher
from waystream.sandbox.settings import Customer, SandboxSettings
from waystream.sandbox.world import Happening

AT = datetime(2026, 3, 1, 2, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def plan(one: Issued) -> list[Happening]:
    return [
        Happening(one.at + 4 * HOUR, "1", "已揽收", "深圳市"),
        Happening(one.at + 9 * HOUR, "204", "到达", "广州市"),
        Happening(one.at + 40 * HOUR, "301", "已签收", "北京市", gone_at=one.at + 50 * HOUR),
    ]


class Scene:
    """A book with some numbers, a pusher over it, and the merchant who listens."""

    def __init__(self, folder: Path, merchant: Merchant, faults: Faults, push_type: str) -> None:
        self.merchant = merchant
        self.book = SandboxBook(folder / "book.sqlite3", plan=plan)
        settings = SandboxSettings(folder, (Customer(ID, KEY, merchant.url, push_type),), retry_floor_s=0)
        self.pusher = Pusher(settings, book=self.book, mischief=Mischief(faults, seed=1, folder=folder))

    def give(self, count: int) -> None:
        for serial in range(count):
            place = Place("x", "深圳市", "y")
            one = Issued(ID, f"WS{serial}", "YTO", f"YT{serial}", AT, place, place)
            self.book.issue(one, Subscription(ID, "YTO", one.number, one.order_code, "102", AT))

    async def at(self, now: datetime) -> int:
        self.pusher.gather(now)
        return await self.pusher.send_due(now)


def play(folder: Path, act: Callable[[Scene], Any], *, faults: Faults = NO_FAULTS, push_type: str = "102") -> Merchant:
    async def run(merchant: Merchant) -> None:
        scene = Scene(folder, merchant, faults, push_type)
        try:
            await act(scene)
        finally:
            await scene.pusher.close()
            scene.book.close()

    with listening() as merchant:
        asyncio.run(run(merchant))
    return merchant


def test_every_push_holds_the_whole_history(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.give(1)
        assert [await scene.at(AT + hours * HOUR) for hours in (1, 4, 5, 9, 40, 45, 50)] == [0, 1, 0, 1, 1, 0, 1]

    merchant = play(tmp_path, act)
    told = [push.told[0] for push in merchant.pushes]
    assert [[trace.code for trace in one.traces] for one in told] == [
        ["1"],
        ["1", "204"],
        ["1", "204", "301"],
        ["1", "204"],
    ]
    assert [one.state_code for one in told] == ["1", "204", "301", "204"]
    assert all(one.complete and one.number == "YT0" and one.our_code == "WS0" for one in told)


def test_a_push_holds_several_waybills_but_not_too_many(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.give(23)
        assert await scene.at(AT + 4 * HOUR) == 3

    merchant = play(tmp_path, act)
    assert sorted(len(push.told) for push in merchant.pushes) == [3, 10, 10]


def test_the_basic_edition_has_no_codes(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.give(1)
        await scene.at(AT + 9 * HOUR)

    push = play(tmp_path, act, push_type="101").pushes[0]
    assert (push.request_type, push.told[0].state_code) == ("101", "2")
    assert [trace.code for trace in push.told[0].traces] == ["", ""]


def test_a_refused_push_is_sent_twice_more_and_then_not(tmp_path: Path) -> None:
    calls = []

    async def act(scene: Scene) -> None:
        scene.give(1)
        scene.merchant.accepting = False
        for minutes in (0, 14, 15, 44, 45, 46, 200):
            await scene.at(AT + 4 * HOUR + minutes * MINUTE)
            calls.append(scene.merchant.calls)
        scene.merchant.accepting = True
        await scene.at(AT + 9 * HOUR)

    merchant = play(tmp_path, act)
    assert calls == [1, 1, 2, 2, 3, 3, 3]
    assert [len(push.told[0].traces) for push in merchant.pushes] == [2]


def test_a_merchant_who_does_not_answer_gets_it_later(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.give(1)
        url, scene.pusher._customers[ID] = scene.merchant.url, Customer(ID, KEY, "http://127.0.0.1:9/")
        assert await scene.at(AT + 4 * HOUR) == 0
        scene.pusher._customers[ID] = Customer(ID, KEY, url)
        assert await scene.at(AT + 4 * HOUR + 15 * MINUTE) == 1

    assert len(play(tmp_path, act).pushes) == 1


def test_a_killed_sandbox_sends_what_it_had_written_down(tmp_path: Path) -> None:
    async def before(scene: Scene) -> None:
        scene.give(1)
        scene.pusher.gather(AT + 4 * HOUR)

    async def after(scene: Scene) -> None:
        assert await scene.pusher.send_due(AT + 4 * HOUR) == 1
        assert await scene.at(AT + 4 * HOUR) == 0

    assert play(tmp_path, before).pushes == []
    assert len(play(tmp_path, after).pushes) == 1


@pytest.mark.parametrize(
    ("faults", "moments", "calls", "taken"),
    [
        (Faults(duplicate=1.0), (0,), 2, 2),
        (Faults(delay=1.0, delay_h=6), (0, 359), 0, 0),
        (Faults(delay=1.0, delay_h=6), (0, 360), 1, 1),
        (Faults(reorder=1.0), (0, 60), 0, 0),
        (Faults(drop=1.0), (0, 15, 45), 0, 0),
        (Faults(bad_signature=1.0), (0,), 1, 0),
        (Faults(bad_signature=1.0), (0, 15), 2, 1),
    ],
)
def test_faults_of_the_road(tmp_path: Path, faults: Faults, moments: tuple[int, ...], calls: int, taken: int) -> None:
    async def act(scene: Scene) -> None:
        scene.give(1)
        scene.pusher.gather(AT + 4 * HOUR)
        for minutes in moments:
            await scene.pusher.send_due(AT + 4 * HOUR + minutes * MINUTE)

    merchant = play(tmp_path, act, faults=faults)
    assert (merchant.calls, len(merchant.pushes), merchant.refused) == (calls, taken, calls - taken)
