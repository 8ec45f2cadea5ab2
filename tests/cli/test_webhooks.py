"""`waystream webhooks`: what is listed, what a replay queues, what is a sentence."""

import json
from pathlib import Path

from tests.cli.test_commands import run
from waystream.cli._form import attached
from waystream.core.events.orders import OrderReleased
from waystream.kernel.tx import Tx
from waystream.parts.shops.actions import create_shop
from waystream.parts.webhooks.actions import add_endpoint
from waystream.parts.webhooks.model import EndpointIn
from waystream.settings import load


def set_up(tx: Tx) -> int:
    """A shop to which two things happened, and its endpoint."""
    shop = create_shop(tx, code="tea", name="tea", actor="system")
    tx.emit(*(OrderReleased(shop_id=shop.id, order_id=order_id) for order_id in (1, 2)))
    return add_endpoint(tx, shop.id, EndpointIn("https://erp.example/", ("order.*",)), actor="system").endpoint.id


def test_a_replay_queues_what_was_not_delivered(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with attached(load(data_folder=data)) as app:
        webhook = app.machine.run(set_up)
    since = ("--since", "2026-01-01T00:00+08:00")
    told = run("webhooks", "replay", str(webhook), *since, "--data", str(data), "--json")
    assert (told.returncode, json.loads(told.stdout)) == (0, {"queued": 2}), told.stderr
    [listed] = json.loads(run("webhooks", "list", "--data", str(data), "--json").stdout)["webhooks"]
    assert (listed["url"], listed["waiting"], listed["disabled_why"]) == ("https://erp.example/", 2, "")
    for arguments, sentence in (
        ((str(webhook), "--since", "yesterday"), "--since has to be an instant"),
        (("7777", *since), "There is no such endpoint."),
    ):
        wrong = run("webhooks", "replay", *arguments, "--data", str(data))
        assert wrong.returncode == 1 and sentence in wrong.stderr and "Traceback" not in wrong.stderr
