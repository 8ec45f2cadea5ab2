"""Documents read well as plain text: one title, steps of headings, tables that add up, lines that fit."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.docs.markdown import GENERATED, documents, prose
from tests.tidy.sources import ROOT

LINE_MAX = 140
EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\u2b50\ufe0f]")
DOCUMENTS = sorted(documents())


@pytest.fixture(params=DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def document(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_one_title_and_no_skipped_heading(document: Path) -> None:
    levels = [len(marks) for marks in re.findall(r"^(#+) ", prose(documents()[document]), re.MULTILINE)]
    assert levels and levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_lines_fit(document: Path) -> None:
    if GENERATED in document.parents:
        return
    lines = prose(documents()[document]).splitlines()
    assert not [line for line in lines if len(line) > LINE_MAX and not line.startswith(("|", "<!--"))]


def test_tables_add_up(document: Path) -> None:
    blocks = re.findall(r"(?:^\|.*\n?)+", prose(documents()[document]), re.MULTILINE)
    uneven = [block.splitlines()[0] for block in blocks if len({_bars(row) for row in block.splitlines()}) != 1]
    assert not uneven


def _bars(row: str) -> int:
    return len(re.findall(r"(?<!\\)\|", row))


def test_no_emoji_and_no_tabs(document: Path) -> None:
    assert not EMOJI.search(documents()[document])
    assert "\t" not in documents()[document]


def test_code_fences_are_closed(document: Path) -> None:
    assert len(re.findall(r"^```", documents()[document], re.MULTILINE)) % 2 == 0
