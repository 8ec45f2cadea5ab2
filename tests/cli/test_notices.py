"""`waystream notices`: what is listed, a shop that begins to speak, what is a sentence."""

import json
from pathlib import Path

from tests.cli.test_commands import run
from waystream.cli._form import attached
from waystream.parts.notices import actions
from waystream.parts.notices.kinds import load_kinds
from waystream.parts.shops.actions import create_shop
from waystream.settings import load


def test_a_shop_begins_to_speak(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with attached(load(data_folder=data)) as app:
        shop = app.machine.run(lambda tx: create_shop(tx, code="tea", name="tea", actor="system"))
    told = run("notices", "switch", "tea", "--on", "--data", str(data), "--json")
    assert (told.returncode, json.loads(told.stdout)) == (0, {"shop": "tea", "enabled": True}), told.stderr
    assert json.loads(run("notices", "list", "--data", str(data), "--json").stdout) == {"notices": []}
    wrong = run("notices", "switch", "none", "--on", "--data", str(data))
    assert wrong.returncode == 1 and "There is no such shop." in wrong.stderr and "Traceback" not in wrong.stderr
    with attached(load(data_folder=data)) as app, app.machine.begin() as tx:
        assert actions.get_policy(tx, shop.id).enabled
    kinds = json.loads(run("notices", "kinds", "--json").stdout)["kinds"]
    assert [each["name"] for each in kinds] == list(load_kinds())
