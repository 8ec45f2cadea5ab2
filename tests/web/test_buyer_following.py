"""Open buyers' pages: told of their own order only, cheap while nothing happens, and never in the staff's way."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.web.conftest import Office
from tests.web.test_buyer_page import link_of
from waystream.core.errors import Unavailable
from waystream.core.events.orders import OrderHeld
from waystream.kernel import log
from waystream.kernel.database import Shops
from waystream.parts.buyer import store
from waystream.web import live as living
from waystream.web.live import Live, Watch
from waystream.web.pages.buyer.door import Visit
from waystream.web.pages.buyer.following import _open

PAGES = 2_000


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    """On a thread of its own: a browser of other tests may hold this one's loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, asyncio.wait_for(work, 30)).result()


def _hold(office: Office, nth: int) -> None:
    world = office.world
    with office.context.machine.begin() as tx:
        tx.emit(OrderHeld(shop_id=world.shop_ids[nth % 2], order_id=world.order_ids[nth], reason="test"))
    while office.context.machine.database.run(log.sequence):
        pass


def _enter(office: Office, nth: int, mark: str) -> Watch:
    visit = Visit(link_of(office, nth), "token", "door")
    return _open(office.context, visit, mark, asyncio.get_running_loop())


def _mark(office: Office, nth: int) -> str:
    with office.context.machine.begin() as tx:
        return str(store.find_mark(tx.conn, office.world.order_ids[nth]))


def _ready(office: Office) -> Live:
    _hold(office, 0)
    office.context.live.poll()
    return office.context.live


def test_a_page_is_told_what_it_missed_and_nothing_else(office: Office) -> None:
    async def work() -> None:
        live, known = _ready(office), _mark(office, 1)
        assert _enter(office, 1, known).take(0).keys == ()
        _hold(office, 1)
        assert _enter(office, 1, known).take(0).keys == (f"order:{office.world.order_ids[1]}",)
        assert _enter(office, 1, "garbage").take(0).keys != ()
        assert live.streams == 3

    _run(work())


def test_a_change_wakes_who_watches_it_and_nobody_else(office: Office) -> None:
    async def work() -> None:
        live = _ready(office)
        pages = [_enter(office, nth, _mark(office, nth)) for nth in (1, 2, 2)]
        _hold(office, 2)
        live.poll()
        assert [bool(page.take(0).keys) for page in pages] == [False, True, True]
        for page in pages:
            live.leave(page)
        assert live.streams == 0 and not live._watching

    _run(work())


def test_thousands_of_pages_are_not_asked_about_what_they_do_not_watch(office: Office) -> None:
    async def work() -> None:
        live, loop = _ready(office), asyncio.get_running_loop()
        shops = Shops.of([office.world.shop_ids[0]])
        for n in range(PAGES):
            live.watch(
                keys=frozenset({f"order:{n}"}),
                shops=shops,
                since=None,
                loop=loop,
                actor=f"link:{n}",
                place=living.BUYERS,
            )
        mine = _enter(office, 2, _mark(office, 2))
        _hold(office, 2)
        assert set(live._concerned(live._read_after(live.position))) == {mine}

    _run(work())


def test_buyers_take_no_place_from_the_staff(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        live = _ready(office)
        monkeypatch.setitem(living.STREAMS_AT_MOST, living.BUYERS, 1)
        _enter(office, 1, "")
        with pytest.raises(Unavailable):
            _enter(office, 2, "")
        loop = asyncio.get_running_loop()
        live.watch(keys=frozenset({"orders"}), shops=Shops.every(), since=None, loop=loop)

    _run(work())
