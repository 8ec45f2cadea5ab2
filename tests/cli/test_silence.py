"""`waystream silence` beside a database: what it says of nothing, a budget tried, a budget set."""

import json
from pathlib import Path
from typing import Any

from tests.cli.test_commands import run


def ask(data: Path, *arguments: str) -> Any:
    told = run("silence", *arguments, "--data", str(data), "--json")
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def test_a_budget_is_tried_then_set(tmp_path: Path) -> None:
    data = tmp_path / "data"
    told = ask(data, "show")
    assert (told["stalled"], told["under_way"], told["slowdowns"], told["silent"]) == (0, 0, [], [])
    assert told["budget"] == {"budget": 9, "times": None, "a_day": None, "kept": True}
    assert ask(data, "patience") == []
    assert ask(data, "budget", "20", "--dry-run")["budget"] == 20
    assert ask(data, "show")["budget"]["budget"] == 9
    ask(data, "budget", "20")
    assert ask(data, "show")["budget"]["budget"] == 20
    refused = run("silence", "budget", "0", "--data", str(data))
    assert refused.returncode == 1 and "between 0.5 and 200" in refused.stderr
