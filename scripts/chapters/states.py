"""What a carrier network's codes mean in our words, and why numbers are refused, from the integrations' tables."""

import tomllib
from pathlib import Path
from typing import Any

from scripts.chapters.markdown import code, table
from waystream import integrations

TITLE = "Carrier codes"
ABOUT = """What each network's codes mean in our words, and why it refuses a number.

The words themselves are in the [glossary](../GLOSSARY.md). A code that is not here is `unknown`: stored as it came,
counted and shown, never guessed. A coarse code only names a group; finer knowledge of the same group outranks it."""


def page() -> str:
    folders = sorted(path.parent for path in Path(integrations.__path__[0]).glob("*/statuses.toml"))
    return "\n".join(_network(folder) for folder in folders)


def _network(folder: Path) -> str:
    manifest, statuses = _read(folder / "manifest.toml"), _read(folder / "statuses.toml")
    told = f"## {manifest['title']['en']} {manifest['title']['zh']}\n\n{_codes(statuses['codes'])}"
    if pickup := statuses.get("pickup"):
        silent = ", ".join(code(each) for each in pickup["silent"])
        told += (
            f"\n### Pickup orders (push 103)\n\n{_codes(pickup['codes'])}\nThese say nothing of the way: {silent}.\n"
        )
    if (folder / "refusals.toml").exists():
        told += f"\n### Why a number is refused\n\n{_refusals(_read(folder / 'refusals.toml')['refusal'])}"
    return told


def _codes(rows: dict[str, Any]) -> str:
    return table(
        ("code", "their word", "state", "kind", "coarse"),
        [(code(each), row["zh"], code(row["state"]), code(row.get("kind", "")), "coarse" if row.get("coarse") else "")
         for each, row in rows.items()],
    )  # fmt: skip


def _refusals(rows: list[dict[str, str]]) -> str:
    return table(
        ("mend", "code", "what to do", "中文"),
        [(code(row["mend"]), row.get("code", ""), row["en"], row["zh"]) for row in rows],
    )


def _read(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))
