"""The project's documents: their files, links, tables and the commands they name."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.tidy.sources import ROOT

GENERATED = ROOT / "docs" / "reference"

_LINK = re.compile(r"(!?)\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1\s*$", re.MULTILINE | re.DOTALL)


@cache
def documents() -> dict[Path, str]:
    """Every document by its path: docs, README and friends, and those of the integrations."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "src").rglob("*.md")]
    return {path: path.read_text(encoding="utf-8") for path in sorted(found)}


def written_by_hand() -> dict[Path, str]:
    return {path: text for path, text in documents().items() if GENERATED not in path.parents}


def prose(text: str) -> str:
    """Without fenced code."""
    return _FENCE.sub("", text)


def links(text: str) -> Iterator[tuple[bool, str]]:
    """(is a picture, target) of every link that stays in this repository, and of pictures."""
    for picture, target in _LINK.findall(prose(text)):
        if not re.match(r"[a-z]+:", target):
            yield bool(picture), target


def anchors(text: str) -> set[str]:
    """The names of a document's headings, as links spell them."""
    heads = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def rows_below(text: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    section = re.split(r"^#+ ", text.split(f"## {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
