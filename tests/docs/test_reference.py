"""The generated reference says what the code says."""

import pytest

from scripts import reference
from scripts.chapters import command_line, database, http_api
from waystream.settings import load


def test_the_reference_is_what_the_code_says() -> None:
    lies = "\n".join(reference.differences())
    assert not lies, f"run `make reference`:\n{lies}"


def test_every_setting_is_in_the_reference() -> None:
    page = reference.build()["settings.md"]
    assert not [name for name in load(environment={}).__slots__ if f"| `{name}` |" not in page]


def test_every_route_says_what_it_needs() -> None:
    routes = [route for module in http_api.list_resources() for route in http_api.list_routes(module.router)]
    assert not [route for route in routes if not route.permission or not route.says]


@pytest.mark.parametrize("name", [name for name, _ in command_line.list_commands()])
def test_every_command_says_what_it_does(name: str) -> None:
    assert dict(command_line.list_commands())[name].help


def test_every_table_has_a_sentence_and_an_owner() -> None:
    assert not [table.name for table in database.list_tables() if not table.about or not table.columns]
    assert not database.list_unowned()
