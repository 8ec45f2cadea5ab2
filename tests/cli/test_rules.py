"""`waystream rules` beside a database in which a rule stands still: seen, and asked to go on."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_commands import run
from tests.kernel.machine import held
from waystream.app import build
from waystream.kernel import log, rule_cursor
from waystream.kernel.tx import Tx
from waystream.settings import load

RULE = "order_change_holds_parcels"


@pytest.fixture
def data(tmp_path: Path) -> str:
    """A data folder whose rule parked two events of two orders and is halted."""
    app = build(load(data_folder=tmp_path / "data"))
    app.attach()
    app.machine.run(stop_the_rule)
    app.stop()
    return str(tmp_path / "data")


def stop_the_rule(tx: Tx) -> None:
    tx.emit(held(1), held(2), held(3))
    log.sequence(tx.conn)
    events = log.read(tx.conn, after=0, limit=2)
    rule_cursor.register(tx.conn, RULE, from_beginning=True, at=tx.now)
    rule_cursor.move(tx.conn, RULE, position=2, at=tx.now)
    rule_cursor.park(tx.conn, RULE, events, error="ValueError at x.py:1", at=tx.now)
    rule_cursor.halt(tx.conn, RULE, "too much")


def ask(data: str, *arguments: str, fails: bool = False) -> Any:
    told = run("rules", *arguments, "--data", data, *(() if fails else ("--json",)))
    assert told.returncode == int(fails), told.stderr
    assert "Traceback" not in told.stderr
    return told.stderr if fails else json.loads(told.stdout)


def test_rules_are_seen_and_mended(data: str) -> None:
    listed = {each["rule"]: each for each in ask(data, "list")}
    assert len(listed) >= 12, "rules that never ran are listed too"
    assert all(each["sentence"].endswith(".") and each["sentence_zh"].endswith("。") for each in listed.values())
    assert (listed[RULE]["position"], listed[RULE]["lag"], listed[RULE]["poison"]) == (2, 1, 2)

    shown = ask(data, "show", RULE)
    first, second = shown["parked"]
    assert (shown["halted"], first["subject"], second["error"]) == ("too much", "order:1", "ValueError at x.py:1")

    resumed = ask(data, "resume", RULE, "--reason", "mended")
    assert (resumed["wish"], resumed["state"]) == ("resume", "done")
    skipped = ask(data, "skip", RULE, str(first["event_id"]), "--reason", "seen by hand")
    assert (skipped["wish"], skipped["state"]) == ("skip", "asked")
    rehearsed = ask(data, "replay", RULE, "--from", "1", "--dry-run")
    assert (rehearsed["wish"], rehearsed["first"], rehearsed["last"]) == ("dry_run", 1, 2)
    replayed = ask(data, "replay", RULE, "--from", "2", "--reason", "mended")
    assert (replayed["wish"], replayed["first"], replayed["last"]) == ("replay", 2, 2)

    left = ask(data, "show", RULE)
    assert (left["position"], left["lag"], left["halted"], left["parked"]) == (1, 2, "", [])
    assert [request["wish"] for request in left["requests"]] == ["replay", "dry_run", "skip", "resume"]
    assert "nothing parked" in ask(data, "retry", RULE, fails=True)
    assert "no such rule" in ask(data, "retry", "nobody", fails=True)
