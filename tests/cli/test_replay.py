"""`waystream replay` beside a database: the difference for a program, an order's word, the change with --apply."""

import json
from pathlib import Path

from tests.cli.test_commands import run
from tests.parts.tracking.given import at, bind_parcels, open_shop
from tests.parts.tracking.test_replaying import ODD, body_of, news_of
from waystream.app import build
from waystream.integrations.kdniao.adapter import network as kdniao
from waystream.kernel.ids import mint_ids
from waystream.kernel.tx import Tx
from waystream.parts.tracking.actions import apply
from waystream.parts.tracking.model import Received
from waystream.settings import load

STALE = "UPDATE scan SET state = 'unknown', kind = '' WHERE code = '204'"  # as a table without 204 had stored it


def test_a_replay_is_seen_then_applied(tmp_path: Path) -> None:
    data = tmp_path / "data"
    app = build(load(data_folder=data))
    app.attach()
    try:
        app.machine.run(_given)
        seen = json.loads(run("replay", "--data", str(data), "--json").stdout)
        assert (seen["state"], seen["pushes"], seen["scans"], seen["moved"]) == ("compared", 1, 1, 1)
        assert [(row["state_before"], row["state"]) for row in seen["changed"]] == [("unknown", "in_transit")]
        assert seen["events"] == {"ParcelMoved": 1}
        told = run("replay", "--data", str(data), "--code", ODD)
        assert "0 of 0 parcels would change" in told.stdout
        done = json.loads(run("replay", "--data", str(data), "--id", str(seen["id"]), "--apply", "--json").stdout)
        assert (done["state"], done["applied"]) == ("applied", 1)
        with app.machine.begin() as tx:
            assert tx.conn.execute("SELECT state FROM track").fetchall() == [("in_transit",)]
    finally:
        app.stop()


def _given(tx: Tx) -> None:
    shop = open_shop(tx.conn)
    bind_parcels(tx.conn, shop, ["YT1"])
    body = body_of(9, news_of("YT1", (8, "204", "at the hub")))
    [inbox_id] = mint_ids(1, at_ms=int(tx.now.timestamp() * 1000))
    push = kdniao.read_push(body)
    apply(tx, [Received(inbox_id, shop.aggregator_id, kdniao, body, push, b"d" * 32, max(tx.now, at(9)))])
    tx.conn.execute(STALE)
    tx.conn.execute("UPDATE track SET state = 'unknown'")


def test_a_wrong_instant_is_a_sentence(tmp_path: Path) -> None:
    told = run("replay", "--data", str(tmp_path / "data"), "--since", "yesterday")
    assert told.returncode == 1
    assert "2026-11-11" in told.stderr
    assert "Traceback" not in told.stderr
