"""What a repository shows: no traces of how or where it was made, and every folder with the files it must have."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.tidy.files import texts, visible
from tests.tidy.sources import SOURCE, modules, strings

#: Paths of one machine, talk between makers, and notes to oneself do not belong into what others read.
TRACES = re.compile(
    r"(?:^|[\s\"'`(=])/(?:work|home|Users)/|/tmp/ws\b|\.\./shared/(?:DESIGN|lessons|wire|mock)"
    r"|\b(?:claude|anthropic|openai|chatgpt|copilot|llm)\b|\bAI\b|\bhelper-\d|\bthe lead\b|\bin this session\b"
    r"|\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b",
    re.IGNORECASE | re.MULTILINE,
)  # fmt: skip
SIZE_MAX_BYTES = 600_000
PART_FILES = {"__init__.py", "model.py", "store.py", "actions.py"}
QUALITIES = {"bronze", "silver", "gold"}

PARTS = sorted(path for path in (SOURCE / "parts").iterdir() if (path / "__init__.py").exists())
INTEGRATIONS = sorted(path for path in (SOURCE / "integrations").iterdir() if (path / "__init__.py").exists())


def test_no_traces_of_how_it_was_made() -> None:
    found = [
        f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match[0].strip()}"
        for path, text in texts().items()
        if path != Path("tests/tidy/test_files.py")
        for match in TRACES.finditer(text)
    ]
    assert not found


def test_files_are_small_enough_to_clone() -> None:
    large = [path for path in visible() if path.name != "uv.lock" and path.stat().st_size > SIZE_MAX_BYTES]
    assert not large


def test_texts_end_with_a_line_and_have_no_stray_blanks() -> None:
    own = {path: text for path, text in texts().items() if path.suffix in {".md", ".toml", ".sql"}}
    wrong = [path for path, text in own.items() if text and (not text.endswith("\n") or text.endswith("\n\n"))]
    wrong += [path for path, text in own.items() if re.search(r"[ \t]+$", text, re.MULTILINE)]
    assert not wrong


@pytest.mark.parametrize("part", PARTS, ids=lambda path: path.name)
def test_a_part_has_its_files(part: Path) -> None:
    assert not PART_FILES - {path.name for path in part.iterdir()}


@pytest.mark.parametrize("part", PARTS, ids=lambda path: path.name)
def test_a_part_says_what_it_owns(part: Path) -> None:
    told = " ".join((part / "__init__.py").read_text().split())
    assert re.search(r"\bOwns\b", told) and re.search(r"\bAnswers\b", told) and re.search(r"\bSays\b", told)


@pytest.mark.parametrize("integration", INTEGRATIONS, ids=lambda path: path.name)
def test_an_integration_has_its_files(integration: Path) -> None:
    manifest = tomllib.loads((integration / "manifest.toml").read_text(encoding="utf-8"))
    assert manifest["name"] == integration.name
    assert {"zh", "en"} <= set(manifest["title"])
    assert manifest["quality"] in QUALITIES and manifest["judged_by"]
    assert (integration / "README.md").read_text(encoding="utf-8").startswith("# ")
    assert (integration / "adapter.py").exists()
    if manifest["kind"] == "network":
        assert all((integration / name).exists() for name in ("wire.py", "statuses.toml", "fake.py"))
        assert any((integration / "samples").iterdir())


def test_only_stores_speak_sql() -> None:
    """In a part, SQL stands in store*.py; elsewhere a part asks its store."""
    spoken = re.compile(r"^\s*(?:SELECT\s|INSERT INTO\s|UPDATE \w+ SET\s|DELETE FROM\s)")
    wrong = [
        str(path)
        for path, tree in modules().items()
        if path.parts[0] == "parts" and not path.stem.startswith("store")
        for text in strings(tree)
        if spoken.match(text)
    ]
    assert not wrong
