"""A file of rows read whole into values: all of them, or every bad row by line, column and reason.

Guaranteed: what is known by its key stands in one row only; at most `PROBLEMS_MAX` problems are told, then reading
stops. What a cell says is `core.sheet`, files are `kernel.table_file`, the columns are the parts'.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from waystream.core.errors import Invalid, InvalidMany
from waystream.core.sheet import PROBLEMS_MAX, Column, Layout, Row, lay_out, problem, read_row
from waystream.kernel.table_file import open_table

T = TypeVar("T")

#: Told (rows done, rows in all, about).
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ImportedRows:
    """`rows` in the file, of which `changed` were new or different; `ignored` headers mean nothing to us."""

    rows: int
    changed: int
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet(Generic[T]):
    """How rows of one kind are read: `parse` takes a row's fields, dotted ones nested, and may raise `Invalid`.

    `key` is the field, and the attribute of the value, that says which thing it is.
    """

    columns: tuple[Column, ...]
    parse: Callable[[dict[str, Any]], T]
    key: str = "code"


def read_sheet(
    path: Path, sheet: Sheet[T], *, chosen: Mapping[str, str], progress: Progress = lambda done, of: None
) -> tuple[list[T], tuple[str, ...]]:
    """Every row's value in order, and the headers nobody understood. Raises `InvalidMany` with "line 17, 重量"."""
    problems: list[Invalid] = []
    found: dict[str, T] = {}
    with open_table(path) as table:
        layout = lay_out(table.headers, sheet.columns, chosen)
        for at, row in enumerate(table.rows, 1):
            for each in _parsed(layout, row, sheet):
                if isinstance(each, Invalid):
                    problems.append(each)
                elif found.setdefault(getattr(each, sheet.key), each) is not each:
                    problems.append(problem(row.line, layout.header_of(sheet.key), f"another row has this {sheet.key}"))
            if len(problems) >= PROBLEMS_MAX:
                break
            progress(at, table.about)
    if problems:
        raise InvalidMany(problems[:PROBLEMS_MAX])
    return list(found.values()), layout.ignored


def _parsed(layout: Layout, row: Row, sheet: Sheet[T]) -> Iterator[T | Invalid]:
    """The row's value, or everything that is wrong with it."""
    values, problems = read_row(layout, row)
    if problems:
        yield from problems
        return
    try:
        yield sheet.parse(_nested(values))
    except InvalidMany as wrong:
        yield from (problem(row.line, layout.header_of(each.path or ""), each.sentence) for each in wrong.problems)
    except Invalid as wrong:
        yield problem(row.line, layout.header_of(wrong.path or ""), wrong.sentence)


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """`sender.name` of a flat row is `name` within `sender`."""
    nested: dict[str, Any] = {}
    for name, value in values.items():
        group, dot, within = name.partition(".")
        if dot:
            nested.setdefault(group, {})[within] = value
        else:
            nested[name] = value
    return nested
