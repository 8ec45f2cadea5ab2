"""Every setting, from defaults.toml."""

import tomllib
from importlib.resources import files

from scripts.chapters.markdown import code, table
from waystream.settings import PREFIX

TITLE = "Settings"
ABOUT = """Every setting with its default.

Put what differs into a file (`waystream up --settings my.toml`) or the environment. The environment wins over the file, an option of the command line over both. An unknown or wrong setting stops the
start with the sentence that mends it."""


def page() -> str:
    text = files("waystream").joinpath("defaults.toml").read_text(encoding="utf-8")
    return "\n".join(_group(group) for group in text.split("\n\n") if "=" in group)


def _group(text: str) -> str:
    rows = []
    for line in text.splitlines():
        if "=" not in line or line.startswith("#"):
            continue
        setting, _, remark = line.partition("  #")
        [(name, value)] = tomllib.loads(setting).items()
        rows.append((code(name), _shown(value), code(PREFIX + name.upper()), remark.strip()))
    return table(("setting", "default", "environment", "what it does"), rows)


def _shown(value: object) -> str:
    return code(str(value).lower() if isinstance(value, bool) else value) or "(empty)"
