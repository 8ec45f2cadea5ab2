"""Writes docs/reference from the code, or checks that it still says what the code says.

`python -m scripts.reference` compares and exits 1 with a diff; `--write` writes. A page is a module in `chapters`
with a `TITLE`, an `ABOUT` sentence and `page() -> str`; the folder's index is made from them. What programs read,
asyncapi.json, is written beside them.
"""

import argparse
import difflib
import importlib
import json
import pkgutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType

from scripts import chapters
from waystream.web import asyncapi

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"
NOTE = "<!-- Written by `make reference` from the code. Do not edit: change the code and run it again. -->"


def list_chapters() -> list[ModuleType]:
    names = sorted(info.name for info in pkgutil.iter_modules(chapters.__path__))
    modules = [importlib.import_module(f"{chapters.__name__}.{name}") for name in names]
    return [module for module in modules if hasattr(module, "page")]


def build() -> dict[str, str]:
    """Every page of the reference by its file name."""
    found = list_chapters()
    pages = {file_name(module): f"{NOTE}\n\n# {module.TITLE}\n\n{module.ABOUT}\n\n{module.page()}" for module in found}
    return {"README.md": _index(found), "asyncapi.json": _asyncapi(), **pages}


def file_name(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2].replace("_", "-") + ".md"


def _asyncapi() -> str:
    document = asyncapi.describe(version=metadata.version("waystream"))
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _list_stored() -> set[str]:
    return {path.name for path in FOLDER.iterdir()} if FOLDER.exists() else set()


def _index(found: list[ModuleType]) -> str:
    rows = "".join(f"| [{module.TITLE}]({file_name(module)}) | {module.ABOUT.splitlines()[0]} |\n" for module in found)
    head = "# Reference\n\nMade from the code, checked by `make check`.\n\n| page | what |\n| --- | --- |\n"
    return f"{NOTE}\n\n{head}{rows}"


def differences() -> Iterator[str]:
    """What the stored pages say otherwise than the code, as a diff; nothing when they are true."""
    pages = build()
    for name in sorted({*pages, *_list_stored()}):
        stored = FOLDER / name
        before = stored.read_text(encoding="utf-8").splitlines() if stored.exists() else []
        after = pages.get(name, "").splitlines()
        yield from difflib.unified_diff(before, after, f"docs/reference/{name}", f"{name} from the code", lineterm="")


def write() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    pages = build()
    for stale in _list_stored() - pages.keys():
        (FOLDER / stale).unlink()
    for name, text in pages.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/reference instead of checking it")
    if parser.parse_args().write:
        write()
        return 0
    lies = list(differences())
    if lies:
        print("\n".join(lies))
        print("\ndocs/reference is not what the code says: run `make reference`.", file=sys.stderr)
    return 1 if lies else 0


if __name__ == "__main__":
    sys.exit(main())
