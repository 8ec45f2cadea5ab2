"""Live updates: which keys an event touches, who is told, how often, what is resumed, and that streams end."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from tests.web.conftest import Office
from waystream.core.events.fulfilment import WaybillIssued
from waystream.core.events.orders import OrderHeld
from waystream.kernel import log
from waystream.kernel.database import Shops
from waystream.web.live import Live, Watch, keys_of
from waystream.web.stream import tell


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(work, 20))


def _happen(office: Office, *events: Any) -> None:
    """Record events and give them their places."""
    with office.context.machine.begin() as tx:
        tx.emit(*events)
    while office.context.machine.database.run(log.sequence):
        pass


def _held(office: Office, nth: int = 0, shop: int = 0) -> OrderHeld:
    return OrderHeld(shop_id=office.world.shop_ids[shop], order_id=office.world.order_ids[nth], reason="test")


def _ready(office: Office) -> Live:
    """Without its thread: the test polls."""
    live = office.context.live
    _happen(office)
    live.poll()
    return live


def _watch(live: Live, *keys: str, shops: Shops | None = None, since: int | None = None) -> Watch:
    loop = asyncio.get_running_loop()
    return live.watch(keys=frozenset(keys), shops=shops or Shops.every(), since=since, loop=loop)


def test_an_event_touches_its_subject_its_lists_and_its_orders() -> None:
    issued = WaybillIssued(shop_id=1, parcel_id=7, binding_id=1, order_ids=(3, 4))
    keys = keys_of("WaybillIssued", issued.subject, issued.order_ids)
    assert keys == {"parcel:7", "overview", "orders", "machine", "parcels", "floor", "order:3", "order:4"}
    assert keys_of("OrderHeld", "order:3", ()) == {"order:3", "overview", "orders", "machine"}


def test_a_watch_is_told_its_own_keys_of_its_own_shops(office: Office) -> None:
    async def work() -> None:
        live = _ready(office)
        mine = _watch(live, "orders", shops=Shops.of([office.world.shop_ids[0]]))
        other = _watch(live, "orders", shops=Shops.of([office.world.shop_ids[1]]))
        elsewhere = _watch(live, "floor")
        _happen(office, _held(office))
        live.poll()
        assert mine.take(live.position).keys == ("orders",)
        assert other.take(live.position).keys == ()
        assert elsewhere.take(live.position).keys == ()

    _run(work())


def test_many_changes_are_one_message(office: Office) -> None:
    async def work() -> None:
        live = _ready(office)
        watch = _watch(live, "orders", "overview")
        stream = tell(live, watch, apart_s=0.01)
        assert b"event: hello" in await anext(stream)
        _happen(office, *(_held(office) for _ in range(50)))
        live.poll()
        message = (await anext(stream)).decode()
        assert 'data: ["orders", "overview"]' in message
        assert f"id: {live.position}" in message
        await stream.aclose()
        assert live.streams == 0

    _run(work())


def test_a_returning_reader_is_told_what_it_missed(office: Office) -> None:
    async def work() -> None:
        live = _ready(office)
        before = live.position
        _happen(office, _held(office))
        live.poll()
        assert _watch(live, "orders", since=before).take(0).keys == ("orders",)
        assert _watch(live, "orders", since=live.position).take(0).keys == ()

    _run(work())


def test_closing_ends_every_stream(office: Office) -> None:
    async def work() -> None:
        live = _ready(office)
        stream = tell(live, _watch(live, "orders"))
        await anext(stream)
        live.close()
        assert [message async for message in stream] == []
        assert live.streams == 0

    _run(work())


def test_the_thread_hears_of_new_events(office: Office) -> None:
    async def work() -> None:
        live = office.context.live
        live.start()
        watch = _watch(live, "orders")
        _happen(office, _held(office))
        await watch.woken.wait()
        assert "orders" in watch.take(live.position).keys
        live.close()

    _run(work())
    office.context.live.join(0.1)


def test_a_stream_watches_a_bounded_number_of_keys(office: Office) -> None:
    keys = ",".join(f"order:{n}" for n in range(41))
    assert office.hire().get(f"/live?keys={keys}", accept="*/*").status_code == 422
