"""Markdown for the reference: tables, and what the source says beside a line."""

import inspect
import re
from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; a cell is text already in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(_cell(cell) for cell in line) + " |\n" for line in lines)


def _cell(value: object) -> str:
    return " ".join(str(value).replace("|", "\\|").split())


def code(value: object) -> str:
    return f"`{value}`" if str(value) else ""


def codes(values: Iterable[object]) -> str:
    return ", ".join(code(value) for value in values)


def sentence(documented: object) -> str:
    """The first paragraph of a docstring on one line; empty where there is none of its own."""
    doc = getattr(documented, "__doc__", None) or ""
    if doc.startswith(f"{getattr(documented, '__name__', '')}("):  # what @dataclass writes by itself
        return ""
    return " ".join(inspect.cleandoc(doc).split("\n\n")[0].split())


def remarks(cls: type) -> dict[str, str]:
    """The comment behind each `name = …` or `name: …` line of a class."""
    found = re.findall(r"^    (\w+)\b[^#\n]*?(?:\s+# (.*))?$", inspect.getsource(cls), re.MULTILINE)
    return {name: remark for name, remark in found if remark}
