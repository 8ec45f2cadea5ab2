"""Open lists on a package made for the test: order, what is left out, and errors that name the file."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from waystream.core.errors import Invalid
from waystream.kernel import open_list


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    folder = tmp_path / "made_list"
    (folder / "middle").mkdir(parents=True)
    for name in ("__init__", "zebra", "apple", "_hidden", "middle/__init__"):
        (folder / f"{name}.py").write_text(f"NAME = {name!r}\n")
    (folder / "_hidden.py").write_text("raise AssertionError('must not be imported')\n")
    (folder / "notes.txt").write_text("no module\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("made_list")
    for name in [name for name in sys.modules if name.split(".")[0] == "made_list"]:
        del sys.modules[name]


def test_every_module_is_loaded_in_name_order(package: ModuleType) -> None:
    assert [module.__name__ for module in open_list.load(package)] == [
        "made_list.apple",
        "made_list.middle",
        "made_list.zebra",
    ]


def test_a_broken_module_is_not_hidden(package: ModuleType) -> None:
    Path(package.__path__[0], "broken.py").write_text("import nowhere_to_be_found\n")
    importlib.invalidate_caches()
    with pytest.raises(ModuleNotFoundError, match="nowhere_to_be_found"):
        open_list.load(package)


def test_what_is_missing_is_named_with_its_file(package: ModuleType) -> None:
    apple = open_list.load(package)[0]
    open_list.require(apple, "NAME")
    with pytest.raises(Invalid, match=r"apple\.py has to define WHEN, do$"):
        open_list.require(apple, "NAME", "WHEN", "do")
