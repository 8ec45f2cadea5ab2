"""Every setting, from defaults.toml."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path

import waystream
from scripts.chapters.markdown import code, table
from waystream.settings import PREFIX

TITLE = "Settings"
ABOUT = """Every setting with its default.

Put what differs into a file (`waystream up --settings my.toml`) or the environment. The environment wins over the
file, an option of the command line over both. An unknown or wrong setting stops the start with the sentence that mends
it."""

NOT_READ = "(nothing reads it yet)"


def page() -> str:
    text = files("waystream").joinpath("defaults.toml").read_text(encoding="utf-8")
    groups = [rows for group in text.split("\n\n") if (rows := _rows(group))]
    return "\n".join(table(("setting", "default", "environment", "what it does"), rows) for rows in groups)


def _rows(text: str) -> list[tuple[str, ...]]:
    rows = []
    for line in text.splitlines():
        if line.startswith("#") or "=" not in line:
            continue
        [(name, value)] = tomllib.loads(line).items()
        remark = line.partition("  #")[2].strip()
        rows.append((code(name), _shown(value), code(PREFIX + name.upper()),
                     remark if is_read(name) else f"{remark} {NOT_READ}"))  # fmt: skip
    return rows


def _shown(value: object) -> str:
    return code(str(value).lower() if isinstance(value, bool) else value) or "(empty)"


def is_read(name: str) -> bool:
    """Whether any module takes the setting from `settings.NAME` or `chosen.NAME`."""
    return re.search(rf"\b(?:settings|chosen)\.{name}\b", _product()) is not None


@cache
def _product() -> str:
    folder = Path(waystream.__file__).parent
    return "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py")) + _derived(folder)


def _derived(folder: Path) -> str:
    """What the settings' own properties read stands for itself."""
    return (folder / "settings.py").read_text(encoding="utf-8").replace("self.", "settings.")
