"""A Waystream that is killed while it tells: every event arrives, each under one id, from one row."""

import json
from collections import defaultdict
from pathlib import Path
from queue import Empty

import pytest

from tests.crash.test_pushes import Waystream
from tests.parts.webhooks.receiver import Receiver, receiving
from waystream.cli._form import attached
from waystream.core.events.orders import OrderReleased
from waystream.kernel.tx import Tx
from waystream.parts.webhooks import actions
from waystream.parts.webhooks.model import EndpointIn
from waystream.settings import load

EVENTS = 400
ARRIVED_BEFORE_EACH_KILL = 60
KILLS = 2
ARRIVAL_LIMIT_S = 60


@pytest.mark.timeout(240)
def test_every_event_is_told_under_one_id_through_kills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYSTREAM_LEASE_S", "1")
    monkeypatch.setenv("WAYSTREAM_WEBHOOK_PRIVATE_HOSTS", "127.0.0.1")
    waystream = Waystream(tmp_path)
    with receiving() as receiver:
        with attached(load(data_folder=waystream.data)) as app:
            secret = app.machine.run(lambda tx: begin(tx, receiver.url))
            app.machine.run(happen)
        for _ in range(KILLS):
            waystream.start()
            for _ in range(ARRIVED_BEFORE_EACH_KILL):
                receiver.arrivals.get(timeout=ARRIVAL_LIMIT_S)
            waystream.kill()
        waystream.start()
        wait_until_all_arrived(receiver)
        waystream.stop()
        ids = defaultdict(set)
        for heard in receiver.heard:
            ids[heard.verify(secret)["subject"]].add(heard.message_id)
    assert set(ids) == {f"order:{order_id}" for order_id in range(1, EVENTS + 1)}
    assert all(len(each) == 1 for each in ids.values())
    with attached(load(data_folder=waystream.data)) as app, app.machine.begin(read_only=True) as tx:
        rows = tx.conn.execute("SELECT message_id, state FROM webhook_delivery").fetchall()
    assert {message_id for message_id, _ in rows} == set().union(*ids.values())
    assert len(rows) == EVENTS and {state for _, state in rows} == {"delivered"}


def begin(tx: Tx, url: str) -> str:
    """An endpoint of the one shop there is; its secret."""
    row = tx.conn.execute("SELECT min(id) FROM shop").fetchone()
    assert row is not None
    told = EndpointIn(url, ("order.released",))
    return actions.add_endpoint(tx, int(row[0]), told, actor="system", private_hosts={"127.0.0.1"}).secret


def happen(tx: Tx) -> None:
    row = tx.conn.execute("SELECT min(id) FROM shop").fetchone()
    assert row is not None
    tx.emit(*(OrderReleased(shop_id=int(row[0]), order_id=order_id) for order_id in range(1, EVENTS + 1)))


def wait_until_all_arrived(receiver: Receiver) -> None:
    """Each arrival is waited for; what is missing at the end is told by the assertions."""
    missing = {f"order:{order_id}" for order_id in range(1, EVENTS + 1)}
    missing -= {json.loads(heard.body)["subject"] for heard in tuple(receiver.heard)}
    while missing:
        try:
            missing.discard(json.loads(receiver.arrivals.get(timeout=ARRIVAL_LIMIT_S).body)["subject"])
        except Empty:
            return
