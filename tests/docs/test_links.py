"""Every link leads somewhere, and every command a document names exists."""

import re
from pathlib import Path

from scripts.chapters.command_line import list_commands
from tests.docs.markdown import anchors, documents, links, written_by_hand
from tests.tidy.sources import ROOT

PICTURES = ROOT / "docs" / "pictures"

_MAKE = re.compile(r"(?:`|^\s*\$? ?)make ([a-z][a-z-]*)", re.MULTILINE)
_WAYSTREAM = re.compile(r"(?:`|^\s*\$? ?|bin/)waystream ([a-z-]+(?: [a-z-]+)?)", re.MULTILINE)
_NOT_YET = re.compile(r"not built yet|not there yet|does not exist yet|no command")


def test_every_link_leads_somewhere() -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path, text in documents().items()
        for is_picture, target in links(text)
        if not _exists(path, target) and not (is_picture and _is_pending(path, target))
    ]
    assert not broken


def _exists(path: Path, target: str) -> bool:
    file, _, anchor = target.partition("#")
    found = (path.parent / file).resolve() if file else path
    if not anchor:
        return found.exists()
    return found in documents() and anchor in anchors(documents()[found])


def _is_pending(path: Path, target: str) -> bool:
    """Pictures are drawn by the browser tests; before their first run the folder is empty."""
    return PICTURES in (path.parent / target).resolve().parents and not any(PICTURES.glob("*.png"))


def test_every_make_target_named_exists() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {(path.name, target) for path, text in documents().items() for target in _MAKE.findall(text)}
    assert not [f"{where}: make {target}" for where, target in sorted(named) if target not in targets]


def test_every_command_named_exists() -> None:
    known = {name.removeprefix("waystream ") for name, _ in list_commands()}
    wrong = [
        f"{path.relative_to(ROOT)}: waystream {command}"
        for path, text in written_by_hand().items()
        for line in text.splitlines()
        if not _NOT_YET.search(line)
        for command in _WAYSTREAM.findall(line)
        if command not in known and command.split()[0] not in known
    ]
    assert not wrong
